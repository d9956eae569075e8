"""Handing an issue to a person or a team."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.routing import Reason
from app.models import Activity, Issue, Team, TeamMember, User
from app.services import access, subscribing, timeline

BY_ASSIGNMENT = (Reason.ASSIGNED, Reason.TEAM_ASSIGNED, Reason.RESUBSCRIBED)


def assign(
    session: Session, issue: Issue, *, to: User | Team | None, by: User | None, now: datetime
) -> Activity | None:
    """Hand the issue to `to`, or to nobody. Handing it to whoever already has it tells no one.

    Raises `Refused` when `to` cannot see the project.
    """
    session.execute(select(Issue.id).where(Issue.id == issue.id).with_for_update())
    session.refresh(issue)
    was = assignee(session, issue)
    if _same(was, to):
        return None
    _check(session, issue, to)
    now_covered, before = people_of(session, to), people_of(session, was)
    subscribing.release(session, issue, before, why=BY_ASSIGNMENT, now=now)
    why = Reason.TEAM_ASSIGNED if isinstance(to, Team) else Reason.ASSIGNED
    again = subscribing.follow(session, issue, now_covered, why=why, now=now)
    _store(session, issue, to)
    data = {
        **_named("to", to),
        **_named("was", was),
        str(why): sorted(now_covered),
        "lost": sorted(before - now_covered),
        "resubscribed": sorted(again),
    }
    return timeline.record(session, issue, "assigned" if to else "unassigned", by=by, now=now, data=data)


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


def _store(session: Session, issue: Issue, to: User | Team | None) -> None:
    session.execute(
        update(Issue)
        .where(Issue.id == issue.id)
        .values(
            assignee_user_id=to.id if isinstance(to, User) else None,
            assignee_team_id=to.id if isinstance(to, Team) else None,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(issue)


def _named(key: str, who: User | Team | None) -> dict[str, Any]:
    if who is None:
        return {}
    name = f"#{who.slug}" if isinstance(who, Team) else who.name
    return {key: {"type": "team" if isinstance(who, Team) else "user", "id": who.id, "name": name}}
