"""Comments on an issue, and the people they name."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain import mentions
from app.domain.errors import Refused
from app.domain.routing import Reason
from app.models import Activity, Issue, Team, User
from app.services import access, assigning, naming, subscribing, timeline

LONGEST = 10_000
SAME_TEXT_WITHIN = timedelta(hours=1)


def comment(session: Session, issue: Issue, *, text: str, by: User, now: datetime) -> Activity:
    """Write a comment; it subscribes its author and whom it mentions.

    Raises `Refused` for an empty or overlong text, and for the same text again within an hour.
    """
    text = text.replace("\x00", "").strip()
    # Comments on an issue wait for each other: or the same text came twice, and two people who mention one
    # another would each hold the subscription that the other one needs.
    session.execute(select(Issue.id).where(Issue.id == issue.id).with_for_update())
    _check(session, issue, text, by, now)
    people, teams = named_in(session, issue, text)
    named = {user.id for user in people}
    by_team = {member for team in teams for member in assigning.people_of(session, team)} - named
    again = subscribing.follow(session, issue, named, why=Reason.MENTION, now=now)
    again |= subscribing.follow(session, issue, by_team, why=Reason.TEAM_MENTION, now=now)
    subscribing.follow(session, issue, [by.id], why=Reason.COMMENTED, now=now)
    session.execute(update(Issue).where(Issue.id == issue.id).values(comment_count=Issue.comment_count + 1))
    data = {
        "text": text,
        "mentioned": sorted(named),
        "team_mentioned": sorted(by_team),
        "teams": [team.slug for team in teams],
        "resubscribed": sorted(again),
    }
    return timeline.record(session, issue, "note", by=by, now=now, data=data)


def named_in(session: Session, issue: Issue, text: str) -> tuple[list[User], list[Team]]:
    """The members and teams of the project that a text mentions. Other names are plain words."""
    found = mentions.find(text)
    users, teams = access.assignable(session, issue.project)
    return naming.bearers(session, users, found.people), [team for team in teams if team.slug in found.teams]


def _check(session: Session, issue: Issue, text: str, by: User, now: datetime) -> None:
    if not text:
        raise Refused("Write something first: the comment is empty.", field="text")
    if len(text) > LONGEST:
        raise Refused(f"The comment has {len(text)} characters; {LONGEST} is the most.", field="text")
    recent = session.scalars(
        select(Activity.data).where(
            Activity.issue_id == issue.id,
            Activity.type == "note",
            Activity.actor_id == by.id,
            Activity.created_at > now - SAME_TEXT_WITHIN,
        )
    )
    if any(data.get("text") == text for data in recent):
        raise Refused("You posted the same comment within the last hour.", field="text")
