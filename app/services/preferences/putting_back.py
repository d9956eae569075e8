"""What a stop through a link has changed, put back piece by piece, where nobody has changed it since."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.preferences import WORKFLOW
from app.domain.routing import Reason
from app.domain.stopping import KIND_OFF, STOPPED
from app.models import Issue, Organization, Project, User
from app.services import access
from app.services.preferences import muting, preferring, subscribing
from app.services.preferences.preferring import ACCOUNT, Chosen, Place

Memory = dict[str, Any]  # what a stop has changed, fit for JSON


def choose_at(
    session: Session,
    user: User,
    category: str,
    scope: str,
    scope_id: int,
    value: Memory | None,
    via: str,
    now: datetime,
) -> None:
    """What was remembered of a place, or Default; nothing where the place is gone."""
    place = _place(session, scope, scope_id)
    if scope_id and place is None:
        return
    known = _chosen(value)
    preferring.choose(
        session,
        user,
        category,
        known.value if known else None,
        project=place if isinstance(place, Project) else None,
        organization=place if isinstance(place, Organization) else None,
        via=via,
        now=now,
        put_back=known,
    )


def _place(session: Session, scope: str, scope_id: int) -> Place | None:
    if scope == preferring.PROJECT:
        return session.get(Project, scope_id)
    return session.get(Organization, scope_id) if scope == preferring.ORGANIZATION else None


def _chosen(memory: Memory | None) -> Chosen | None:
    if memory is None:
        return None
    at = datetime.fromisoformat(memory["at"])
    return Chosen(memory["value"], memory["via"], at, memory["by"])


# Each says whether there was anything left to put back.


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
    if issue is None or mute is None or (mute.until.isoformat() if mute.until else None) != piece["until"]:
        return False
    was = piece["before"]
    until = datetime.fromisoformat(was["until"]) if was and was["until"] else None
    if was and (until is None or until > now):
        limit = was["event_limit"]
        muting.mute(session, issue, user=user, until=until, event_limit=limit, now=now, via=via)
    else:
        muting.unmute(session, issue, user=user, now=now, via=via)
    return True


def _restore_setting(
    session: Session, user: User, piece: Memory, at: datetime, via: str, now: datetime
) -> bool:
    category, old = piece["category"], piece["old"]
    project_id, organization_id = piece["project"], piece.get("organization", 0)
    stopped = preferring.setting_of(
        session, user, category, project_id=project_id, organization_id=organization_id
    )
    was_off = old is not None and old["value"] == STOPPED[category]
    untouched = was_off or (stopped is not None and stopped.updated_at == at)
    if stopped is None or stopped.value != STOPPED[category] or not untouched:
        return False
    scope = preferring.ORGANIZATION if organization_id else preferring.PROJECT if project_id else ACCOUNT
    choose_at(session, user, category, scope, project_id or organization_id, old, via, now)
    left = [each for each in piece["own"] if _is_default(session, user, category, each[0], each[1])]
    for own_scope, own_id, value in left:
        choose_at(session, user, category, own_scope, own_id, value, via, now)
    return not was_off or bool(left)


def _restore_kind(session: Session, user: User, piece: Memory, at: datetime, via: str, now: datetime) -> bool:
    """A kind of workflow changes, for the account."""
    kind, known = piece["kind"], _chosen(piece["old"])
    stopped = preferring.setting_of(session, user, WORKFLOW, kind=kind)
    if stopped is None or stopped.value != KIND_OFF or stopped.updated_at != at:
        return False
    value = known.value if known else None
    preferring.choose(session, user, WORKFLOW, value, kind=kind, via=via, now=now, put_back=known)
    return True


def _is_default(session: Session, user: User, category: str, scope: str, scope_id: int) -> bool:
    return preferring.find(session, user, (category, "", scope, scope_id)) is None


RESTORES: Mapping[str, Callable[[Session, User, Memory, datetime, str, datetime], bool]] = {
    "issue": _restore_issue,
    "mute": _restore_mute,
    "setting": _restore_setting,
    "kind": _restore_kind,
}
