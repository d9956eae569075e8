"""Less mail through a signed link: what a link is about, doing it, and taking exactly that back.

A link acts for the person it was made for, whoever follows it. It can only ever stop mail: what brings mail
back is the signed memory of what a stop has changed, and only as long as nobody has changed it since.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import stopping, tokens
from app.domain.errors import NotFound, Refused
from app.domain.preferences import ALERTS, WORKFLOW
from app.domain.routing import Reason
from app.domain.stopping import Scope
from app.domain.tokens import BadToken, MailToken
from app.models import Issue, NotificationSetting, Project, User
from app.services import access, muting, preferring, subscribing
from app.services.preferring import PROJECT

Memory = dict[str, Any]  # what a stop has changed, fit for JSON
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link can stop. Names no more than a link may reveal."""

    user_id: int
    address: str  # masked
    scope: str  # the link's own
    issue: str | None
    project: str | None
    scopes: Sequence[Scope]

    def words(self, text: str) -> str:
        return text.format(issue=self.issue, project=self.project)


@dataclass(frozen=True, slots=True)
class Target:
    """The rows that a link is about."""

    user: User
    issue: Issue | None = None
    project: Project | None = None


def owner(session: Session, text: str, keys: Sequence[str]) -> tuple[MailToken, User]:
    """The token in a link, and whose it is. `BadToken` also once that person has revoked their links."""
    token = tokens.read(text, keys)
    user = session.get(User, token.user_id)
    if user is None or user.mail_version != token.mail_version:
        raise BadToken
    return token, user


def describe(session: Session, token: MailToken) -> Offer | None:
    """What there is to stop; None when the issue or project is gone, or out of this person's reach."""
    target = _target(session, token)
    if target is None:
        return None
    return Offer(
        user_id=target.user.id,
        address=stopping.masked(target.user.email),
        scope=token.scope,
        issue=target.issue.short_id if target.issue else None,
        project=target.project.name if target.project else None,
        scopes=[stopping.SCOPES[name] for name in stopping.choices(token.scope)],
    )


def stop(session: Session, token: MailToken, *, scope: str, via: str, now: datetime) -> Memory | None:
    """Stop what `scope` says; what it has changed, for `undo`, or None if nothing was left to change.

    Raises `Refused` for a scope that this link does not offer.
    """
    target = _target(session, token)
    if target is None:
        return None
    if scope not in stopping.choices(token.scope):
        raise Refused("This link does not offer that.", field="scope")
    _lock(session, target.user)
    changed = _STOPS[scope](session, target, via, now)
    if not changed:
        return None
    # Whoever holds the mail can follow its link: its owner is shown what came of it, at the next visit.
    target.user.unseen_stops += 1
    return {"user": target.user.id, "version": token.mail_version, "at": now.isoformat(), "changed": changed}


def undo(session: Session, token: MailToken, memory: Memory, *, via: str, now: datetime) -> bool:
    """Put back what a stop has changed; False when it was put back already, or changed since."""
    user = session.get(User, token.user_id)
    if user is None or (memory["user"], memory["version"]) != (user.id, user.mail_version):
        return False
    _lock(session, user)
    at = datetime.fromisoformat(memory["at"])
    restored = [_RESTORES[piece["what"]](session, user, piece, at, via, now) for piece in memory["changed"]]
    if any(restored):
        user.unseen_stops = max(user.unseen_stops - 1, 0)
    return any(restored)


def _target(session: Session, token: MailToken) -> Target | None:
    user = session.get(User, token.user_id)
    if user is None:
        return None
    try:
        if token.scope == "issue":
            issue = access.visible_issue(session, user, token.scope_id)
            return Target(user, issue, issue.project)
        if token.scope.startswith("project_"):
            return _project_target(session, user, token.scope_id)
    except NotFound:
        return None
    return Target(user)


def _project_target(session: Session, user: User, project_id: int) -> Target | None:
    visible = select(Project).where(Project.id == project_id, access.sees_project(user))
    project = session.scalar(visible)
    return Target(user, None, project) if project else None


def _lock(session: Session, user: User) -> None:
    """Mail providers send the same request twice, at the same time: the second waits here."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())


# Stopping: each returns what it has changed, piece by piece.


def _stop_issue(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
    issue = target.issue
    if issue is None:
        return []
    row = subscribing.of(session, issue, target.user)
    before = {"reasons": row.reasons, "via": row.via} if row else None
    if not subscribing.unsubscribe(session, issue, user=target.user, now=now, via=via):
        return []
    return [{"what": "issue", "id": issue.id, "before": before}]


def _stop_issue_for_a_week(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
    if target.issue is None:
        return []
    before = muting.of(session, target.issue, user=target.user, now=now)
    until = now + WEEK
    if before and before.until and before.until >= until:
        return []
    was = {"until": _text(before.until), "event_limit": before.event_limit} if before else None
    muting.mute(session, target.issue, user=target.user, until=until, now=now)
    return [{"what": "mute", "id": target.issue.id, "until": until.isoformat(), "before": was}]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _stop_project(category: str) -> "Stop":
    def stop_here(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
        off, project = STOPPED[category], target.project
        old = preferring.choose(session, target.user, category, off, project=project, via=via, now=now)
        if project is None or old == off:
            return []
        return [{"what": "setting", "category": category, "project": project.id, "old": old, "own": []}]

    return stop_here


def _stop_everywhere(*categories: str) -> "Stop":
    def stop_all(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
        pieces = [_stop_category(session, target.user, category, via, now) for category in categories]
        return [piece for piece in pieces if piece]

    return stop_all


def _stop_category(session: Session, user: User, category: str, via: str, now: datetime) -> Memory | None:
    """The account's choice; what was chosen otherwise for single projects goes back to Default."""
    off = STOPPED[category]
    old = preferring.choose(session, user, category, off, via=via, now=now)
    own = []
    for project, value in _chosen_otherwise(session, user, category):
        preferring.choose(session, user, category, None, project=project, via=via, now=now)
        own.append([project.id, value])
    if old == off and not own:
        return None
    return {"what": "setting", "category": category, "project": 0, "old": old, "own": own}


def _chosen_otherwise(session: Session, user: User, category: str) -> list[tuple[Project, str]]:
    found = (
        select(Project, NotificationSetting.value)
        .join(NotificationSetting, NotificationSetting.scope_id == Project.id)
        .where(
            NotificationSetting.user_id == user.id,
            NotificationSetting.category == category,
            NotificationSetting.kind == "",
            NotificationSetting.scope == PROJECT,
            NotificationSetting.value != STOPPED[category],
        )
    )
    return [(project, value) for project, value in session.execute(found)]


Stop = Callable[[Session, Target, str, datetime], list[Memory]]

STOPPED = {ALERTS: "off", WORKFLOW: "never"}
_STOPS: Mapping[str, Stop] = {
    "issue": _stop_issue,
    "issue_week": _stop_issue_for_a_week,
    "project_alerts": _stop_project(ALERTS),
    "project_workflow": _stop_project(WORKFLOW),
    "all_alerts": _stop_everywhere(ALERTS),
    "all_workflow": _stop_everywhere(WORKFLOW),
    "everything": _stop_everywhere(ALERTS, WORKFLOW),
}


# Putting back: each says whether there was anything left to put back.


def _restore_issue(
    session: Session, user: User, piece: Memory, at: datetime, via: str, now: datetime
) -> bool:
    try:
        issue = access.visible_issue(session, user, piece["id"])
    except NotFound:
        return False
    row = subscribing.of(session, issue, user)
    if row is None or row.updated_at != at:
        return False
    if not subscribing.restore(session, issue, user=user, now=now, via=via):
        return False
    for reason in piece["before"]["reasons"] if piece["before"] else ():
        subscribing.follow(session, issue, [user.id], why=Reason(reason), now=now)
    restored = subscribing.of(session, issue, user)
    if restored:
        restored.via = piece["before"]["via"]
    return True


def _restore_mute(session: Session, user: User, piece: Memory, at: datetime, via: str, now: datetime) -> bool:
    issue = session.get(Issue, piece["id"])
    mute = muting.of(session, issue, user=user, now=now) if issue else None
    if issue is None or mute is None or _text(mute.until) != piece["until"]:
        return False
    was = piece["before"]
    until = datetime.fromisoformat(was["until"]) if was and was["until"] else None
    if was and (until is None or until > now):
        muting.mute(session, issue, user=user, until=until, event_limit=was["event_limit"], now=now)
    else:
        muting.unmute(session, issue, user=user)
    return True


def _restore_setting(
    session: Session, user: User, piece: Memory, at: datetime, via: str, now: datetime
) -> bool:
    category = piece["category"]
    project = session.get(Project, piece["project"]) if piece["project"] else None
    stopped = preferring.setting_of(session, user, category, project_id=piece["project"])
    untouched = piece["old"] == STOPPED[category] or (stopped is not None and stopped.updated_at == at)
    if stopped is None or stopped.value != STOPPED[category] or not untouched:
        return False
    preferring.choose(session, user, category, piece["old"], project=project, via=via, now=now)
    for project_id, value in piece["own"]:
        one = session.get(Project, project_id)
        if one and preferring.setting_of(session, user, category, project_id=project_id) is None:
            preferring.choose(session, user, category, value, project=one, via=via, now=now)
    return True


_RESTORES: Mapping[str, Callable[[Session, User, Memory, datetime, str, datetime], bool]] = {
    "issue": _restore_issue,
    "mute": _restore_mute,
    "setting": _restore_setting,
}
