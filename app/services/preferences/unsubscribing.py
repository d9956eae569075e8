"""Less mail through a signed link: what a link is about, doing it, and taking exactly that back.

A link acts for the person it was made for, whoever follows it. It can only ever stop mail: what brings mail
back is the signed memory of what a stop has changed, and only as long as nobody has changed it since.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import mail_tokens, stopping
from app.domain.errors import NotFound, Refused
from app.domain.mail_tokens import BadToken, MailToken
from app.domain.preferences import ALERTS, DEPLOYS, HEALTH, WORKFLOW
from app.domain.stopping import KIND_OFF, RULES, STOPPED, Scope
from app.models import Issue, NotificationSetting, Organization, Project, User
from app.services import access
from app.services.preferences import muting, preferring, subscribing
from app.services.preferences.preferring import ACCOUNT, Defaults
from app.services.preferences.putting_back import RESTORES, Memory, choose_at

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link can stop; of its scopes, `stopped` are so already. Names no more than a link may reveal."""

    user_id: int
    address: str  # masked
    scope: str  # the link's own
    issue: str | None
    project: str | None
    organization: str | None
    scopes: Sequence[Scope]
    stopped: frozenset[str]

    @property
    def first_open(self) -> str | None:
        """What is left to stop, this link's own scope first."""
        return next((each.name for each in self.scopes if each.name not in self.stopped), None)

    def besides(self, done: str) -> str:
        """What else is stopped, in words fit for a sentence; "" if nothing is."""
        others = [stopping.SCOPES[name].choice for name in stopping.besides(done, self.stopped)]
        return self.words(", ".join(others))

    def words(self, text: str) -> str:
        return text.format(issue=self.issue, project=self.project, organization=self.organization)


@dataclass(frozen=True, slots=True)
class Target:
    """The rows that a link is about."""

    user: User
    issue: Issue | None = None
    project: Project | None = None
    organization: Organization | None = None


def owner(session: Session, text: str, keys: Sequence[str]) -> tuple[MailToken, User]:
    """The token in a link, and whose it is. `BadToken` also once that person has revoked their links."""
    token = mail_tokens.read(text, keys)
    user = session.get(User, token.user_id)
    if user is None or user.mail_version != token.mail_version:
        raise BadToken
    return token, user


def describe(session: Session, token: MailToken) -> Offer | None:
    """What there is to stop; None when the issue or project is gone, or out of this person's reach."""
    target = _target(session, token)
    if target is None:
        return None
    stopped = _stopped(session, target)
    return Offer(
        user_id=target.user.id,
        address=stopping.masked(target.user.email),
        scope=token.scope,
        issue=target.issue.short_id if target.issue else None,
        project=target.project.name if target.project else None,
        organization=target.organization.name if target.organization else None,
        scopes=[stopping.SCOPES[name] for name in stopping.choices(token.scope, stopped)],
        stopped=stopped,
    )


def _stopped(session: Session, target: Target) -> frozenset[str]:
    """The scopes of which nothing comes any more, as far as the person chose it."""
    found = set()
    row = subscribing.of(session, target.issue, target.user) if target.issue else None
    if row and row.state == subscribing.UNSUBSCRIBED:
        found.add("issue")
    if target.project:
        project_id = target.project.id
        here = preferring.choices(session, [target.user.id], project_id, Defaults({}))[target.user.id]
        found |= {"project_alerts"} if here.alerts.value == STOPPED[ALERTS] else set()
        found |= {"project_workflow"} if here.workflow.value == STOPPED[WORKFLOW] else set()
    if target.organization:
        row_here = preferring.setting_of(
            session, target.user, DEPLOYS, organization_id=target.organization.id
        )
        found |= {"organization_deploys"} if row_here and row_here.value == STOPPED[DEPLOYS] else set()
    rules = preferring.setting_of(session, target.user, WORKFLOW, kind=RULES)
    found |= {"rule_changes"} if rules and rules.value == KIND_OFF else set()
    off = {category for category in STOPPED if _is_off(session, target.user, category)}
    found |= {name for name, categories in EVERYWHERE.items() if off.issuperset(categories)}
    return frozenset(found)


def _is_off(session: Session, user: User, category: str) -> bool:
    """Everywhere: for the account, and with no place that has a choice of its own."""
    account = preferring.setting_of(session, user, category)
    is_stopped = account is not None and account.value == STOPPED[category]
    return is_stopped and not _chosen_otherwise(session, user, category)


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
    if scope not in stopping.choices(token.scope, _stopped(session, target)):
        raise Refused("Mail about it is stopped for good already, so a week would change nothing.")
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
    restored = [RESTORES[piece["what"]](session, user, piece, at, via, now) for piece in memory["changed"]]
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
        if token.scope.startswith("organization_"):
            return _organization_target(session, user, token.scope_id)
    except NotFound:
        return None
    return Target(user)


def _project_target(session: Session, user: User, project_id: int) -> Target | None:
    visible = select(Project).where(Project.id == project_id, access.sees_project(user))
    project = session.scalar(visible)
    return Target(user, None, project) if project else None


def _organization_target(session: Session, user: User, organization_id: int) -> Target | None:
    row = session.get(Organization, organization_id)
    if row is None:
        return None
    return Target(user, organization=access.visible_organization(session, user, row.slug))


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
    muting.mute(session, target.issue, user=target.user, until=until, now=now, via=via)
    return [{"what": "mute", "id": target.issue.id, "until": until.isoformat(), "before": was}]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _stop_project(category: str) -> "Stop":
    def stop_here(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
        off, project = STOPPED[category], target.project
        if project is None:
            return []
        row = preferring.setting_of(session, target.user, category, project_id=project.id)
        before = _remembered(row)
        old = preferring.choose(session, target.user, category, off, project=project, via=via, now=now)
        if old == off:
            return []
        return [{"what": "setting", "category": category, "project": project.id, "old": before, "own": []}]

    return stop_here


def _stop_deploys_here(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
    off, place = STOPPED[DEPLOYS], target.organization
    if place is None:
        return []
    before = _remembered(preferring.setting_of(session, target.user, DEPLOYS, organization_id=place.id))
    old = preferring.choose(session, target.user, DEPLOYS, off, organization=place, via=via, now=now)
    if old == off:
        return []
    key = {"category": DEPLOYS, "project": 0, "organization": place.id}
    return [{"what": "setting", **key, "old": before, "own": []}]


def _stop_kind(kind: str) -> "Stop":
    def stop_kind(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
        before = _remembered(preferring.setting_of(session, target.user, WORKFLOW, kind=kind))
        old = preferring.choose(session, target.user, WORKFLOW, KIND_OFF, kind=kind, via=via, now=now)
        return [] if old == KIND_OFF else [{"what": "kind", "kind": kind, "old": before}]

    return stop_kind


def _stop_everywhere(*categories: str) -> "Stop":
    def stop_all(session: Session, target: Target, via: str, now: datetime) -> list[Memory]:
        pieces = [_stop_category(session, target.user, category, via, now) for category in categories]
        return [piece for piece in pieces if piece]

    return stop_all


def _stop_category(session: Session, user: User, category: str, via: str, now: datetime) -> Memory | None:
    """The account's choice; what was chosen otherwise for single places goes back to Default."""
    off = STOPPED[category]
    before = _remembered(preferring.setting_of(session, user, category))
    old = preferring.choose(session, user, category, off, via=via, now=now)
    own = []
    for row in _chosen_otherwise(session, user, category):
        own.append([row.scope, row.scope_id, _remembered(row)])
        choose_at(session, user, category, row.scope, row.scope_id, None, via, now)
    if old == off and not own:
        return None
    return {"what": "setting", "category": category, "project": 0, "old": before, "own": own}


def _chosen_otherwise(session: Session, user: User, category: str) -> Sequence[NotificationSetting]:
    found = select(NotificationSetting).where(
        NotificationSetting.user_id == user.id,
        NotificationSetting.category == category,
        NotificationSetting.kind == "",
        NotificationSetting.scope != ACCOUNT,
        NotificationSetting.value != STOPPED[category],
    )
    return session.scalars(found).all()


def _remembered(row: NotificationSetting | None) -> Memory | None:
    """A choice, with its way and time."""
    if row is None:
        return None
    return {
        "value": row.value,
        "via": row.via,
        "at": row.updated_at.isoformat(),
        "by": row.updated_by_id,
    }


Stop = Callable[[Session, Target, str, datetime], list[Memory]]

# The scopes of the account, and the categories that each of them stops.
EVERYWHERE: Mapping[str, tuple[str, ...]] = {
    "all_alerts": (ALERTS,),
    "all_workflow": (WORKFLOW,),
    "all_health": (HEALTH,),
    "all_deploys": (DEPLOYS,),
    "everything": (ALERTS, WORKFLOW, DEPLOYS, HEALTH),
}
_STOPS: Mapping[str, Stop] = {
    "issue": _stop_issue,
    "issue_week": _stop_issue_for_a_week,
    "project_alerts": _stop_project(ALERTS),
    "project_workflow": _stop_project(WORKFLOW),
    "organization_deploys": _stop_deploys_here,
    "rule_changes": _stop_kind(RULES),
    **{name: _stop_everywhere(*categories) for name, categories in EVERYWHERE.items()},
}
