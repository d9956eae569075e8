"""Handing an issue to a person or a team."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.routing import Reason
from app.models import Activity, Issue, Team, TeamMember, User
from app.services import access
from app.services.issues import timeline
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing

BY_ASSIGNMENT = (Reason.ASSIGNED, Reason.TEAM_ASSIGNED, Reason.RESUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Handover:
    """Whom a new assignee stands for, and who loses the issue with it."""

    why: Reason
    covered: frozenset[int]
    lost: frozenset[int]

    @property
    def ties(self) -> Mapping[str, list[int]]:
        """The people whom the change concerns, as its activity tells of them."""
        return {str(self.why): sorted(self.covered), "lost": sorted(self.lost)}


def assign(
    session: Session,
    issue: Issue,
    *,
    to: User | Team | None,
    by: User | None,
    now: datetime,
    batch: Batch | None = None,
    event_id: str | None = None,
    because: Mapping[str, Any] | None = None,
) -> Activity | None:
    """Hand the issue to `to`, or to nobody. Handing it to whoever already has it tells no one.

    `by` is None where the owners' rules did it: `because` is the line of theirs, `event_id` what it matched.
    That brings nobody back who unsubscribed. Raises `Refused` when `to` is nobody of the project's.
    """
    access.hold(session, issue)
    was = assignee(session, issue)
    if _same(was, to):
        return None
    if by is not None:  # owners were just looked up among those with access
        _check(session, issue, to)
    change = handover(session, issue, to=to)
    subscribing.release(session, issue, change.lost | change.covered, why=BY_ASSIGNMENT, now=now)
    again = subscribing.follow(
        session, issue, change.covered, why=change.why, now=now, may_override=by is not None
    )
    _store(session, issue, to, auto_assign_off=to is None and by is not None)
    data = {**_named("to", to), **_named("was", was), **change.ties, "resubscribed": sorted(again)}
    if because:
        data["because"] = dict(because)
    kind = "assigned" if to else "unassigned"
    return timeline.record(session, issue, kind, by=by, now=now, data=data, event_id=event_id, batch=batch)


def handover(session: Session, issue: Issue, *, to: User | Team | None) -> Handover:
    """What giving the issue to `to` means for people.

    Who left the assigned team since it got the issue loses it too, or would follow it for ever.
    """
    had = people_of(session, assignee(session, issue)) | subscribing.holders(session, issue, BY_ASSIGNMENT)
    covered = people_of(session, to)
    why = Reason.TEAM_ASSIGNED if isinstance(to, Team) else Reason.ASSIGNED
    return Handover(why, frozenset(covered), frozenset(had - covered))


def assignee(session: Session, issue: Issue) -> User | Team | None:
    """Who has the issue."""
    if issue.assignee_user_id:
        return session.get(User, issue.assignee_user_id)
    return session.get(Team, issue.assignee_team_id) if issue.assignee_team_id else None


def people_of(session: Session, who: User | Team | None) -> set[int]:
    """The ids of the people that a person or team stands for."""
    if isinstance(who, Team):
        return set(
            session.scalars(
                select(TeamMember.user_id)
                .join(User, User.id == TeamMember.user_id)
                .where(TeamMember.team_id == who.id, User.is_active)
            )
        )
    return {who.id} if who else set()


def _same(one: User | Team | None, other: User | Team | None) -> bool:
    return type(one) is type(other) and (one is None or other is None or one.id == other.id)


def _check(session: Session, issue: Issue, to: User | Team | None) -> None:
    if to is None:
        return
    users, teams = access.assignable(session, issue.project)
    if to.id not in {each.id for each in (teams if isinstance(to, Team) else users)}:
        raise Refused(
            f"{to.name} has no access to {issue.project.name}. Add them to one of its teams first.",
            field="assignee",
        )


def _store(session: Session, issue: Issue, to: User | Team | None, *, auto_assign_off: bool) -> None:
    """Somebody who takes an assignment away does not want the next event to give it again."""
    session.execute(
        update(Issue)
        .where(Issue.id == issue.id)
        .values(
            assignee_user_id=to.id if isinstance(to, User) else None,
            assignee_team_id=to.id if isinstance(to, Team) else None,
            auto_assign_off=auto_assign_off,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(issue)


def _named(key: str, who: User | Team | None) -> dict[str, Any]:
    if who is None:
        return {}
    name = f"#{who.slug}" if isinstance(who, Team) else who.name
    return {key: {"type": "team" if isinstance(who, Team) else "user", "id": who.id, "name": name}}
