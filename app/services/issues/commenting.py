"""Comments on an issue, and the people they name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.domain import mentions
from app.domain.errors import NotFound, Refused
from app.domain.mentions import Mentions
from app.domain.routing import Reason
from app.models import Activity, EmailAddress, Issue, Membership, Notice, Team, User
from app.services import access
from app.services.issues import assigning, naming, timeline
from app.services.preferences import subscribing

COMMENT, DELETED = "note", "note_deleted"
LONGEST = 10_000
SAME_TEXT_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a text names: members and teams of the project.

    `marks` are those names as they were written; `strangers` are people and teams of the organization who
    have nothing to do with the project, and so would not hear of it; `unknown` is borne by nobody there.
    """

    people: Sequence[User]
    teams: Sequence[Team]
    marks: Sequence[str]
    strangers: Sequence[str]
    unknown: Sequence[str] = ()


def comment(session: Session, issue: Issue, *, text: str, by: User, now: datetime) -> Activity:
    """Write a comment; it subscribes its author and whom it mentions.

    Raises `Refused` for an empty or overlong text, for the same text again within an hour, and for the name
    of somebody who would not hear of it.
    """
    text = _clean(text)
    # Comments on an issue wait for each other: or the same text came twice, and two people who mention one
    # another would each hold the subscription that the other one needs.
    access.hold(session, issue)
    _check_new(session, issue, text, by, now)
    named = named_in(session, issue, text)
    if named.strangers:
        raise Refused(stranger_sentence(named.strangers, issue), field="text")
    tied = ties(session, named)
    again = subscribing.follow(session, issue, tied["mentioned"], why=Reason.MENTION, now=now)
    again |= subscribing.follow(session, issue, tied["team_mentioned"], why=Reason.TEAM_MENTION, now=now)
    subscribing.follow(session, issue, [by.id], why=Reason.COMMENTED, now=now)
    _count(session, issue, +1)
    data = {
        "text": text,
        **tied,
        "teams": [team.slug for team in named.teams],
        "names": list(named.marks),
        "resubscribed": sorted(again),
    }
    return timeline.record(session, issue, COMMENT, by=by, now=now, data=data)


def edit(session: Session, written: Activity, *, text: str, now: datetime) -> bool:
    """Put other words into one's comment; False if they are the same. It tells nobody anew.

    A mail about it that has not gone out yet says the new words; only who was told at first stays marked.
    """
    text = _clean(text)
    _check(text)
    session.refresh(written, with_for_update=True)
    if written.type == DELETED or written.data["text"] == text:
        return False
    written.data = {**written.data, "text": text, "edited_at": now.isoformat()}
    session.flush()
    return True


def delete(session: Session, issue: Issue, written: Activity, *, by: User, now: datetime) -> bool:
    """Take a comment away; False if that was done already. Whoever was not told of it yet never is."""
    access.hold(session, issue)
    session.refresh(written, with_for_update=True)
    if written.type == DELETED:
        return False
    kept = {name: value for name, value in written.data.items() if name not in ("text", "names")}
    other = {} if by.id == written.actor_id else {"deleted_by": by.name}
    written.type, written.data = DELETED, {**kept, "deleted_at": now.isoformat(), **other}
    waiting = (Notice.activity_id == written.id) & Notice.planned_at.is_(None)
    session.execute(update(Notice).where(waiting).values(planned_at=now, gate_code="undone"))
    _count(session, issue, -1)
    session.flush()
    return True


def own(session: Session, issue: Issue, activity_id: int, *, by: User) -> Activity:
    """A comment on the issue that this person wrote, and that still stands."""
    written = standing(session, issue, activity_id)
    if written.actor_id != by.id:
        raise NotFound
    return written


def standing(session: Session, issue: Issue, activity_id: int) -> Activity:
    """A comment on the issue that was not deleted."""
    written = session.scalar(
        select(Activity).where(
            Activity.id == activity_id, Activity.issue_id == issue.id, Activity.type == COMMENT
        )
    )
    if written is None:
        raise NotFound
    return written


def named_in(session: Session, issue: Issue, text: str) -> Named:
    """Whom a text mentions. What nobody in the organization is called is a plain word.

    Accounts elsewhere are nobody here, so that nobody finds out by a comment which there are.
    """
    found = mentions.find(text)
    if not (found.people or found.teams):
        return Named((), (), (), ())
    users, project_teams = access.assignable(session, issue.project)
    people = naming.by_name(session, users, found.people)
    teams = {team.slug: team for team in project_teams if team.slug in found.teams}
    marks = [*(f"@{name}" for name in people), *(f"#{slug}" for slug in teams)]
    left = Mentions(
        tuple(name for name in found.people if name not in people),
        tuple(slug for slug in found.teams if slug not in teams),
    )
    strangers = _strangers(session, issue, left)
    unknown = [f"@{name}" for name in left.people if f"@{name}" not in strangers]
    return Named(list(dict.fromkeys(people.values())), list(teams.values()), marks, strangers, unknown)


def ties(session: Session, named: Named) -> Mapping[str, list[int]]:
    """The people whom a comment concerns, as its activity tells of them: by name, or by their team's."""
    by_name = {user.id for user in named.people}
    by_team = {member for team in named.teams for member in assigning.people_of(session, team)} - by_name
    return {"mentioned": sorted(by_name), "team_mentioned": sorted(by_team)}


def stranger_sentence(strangers: Collection[str], issue: Issue) -> str:
    """What is wrong with naming them, and how to mend it."""
    [*most, last] = strangers
    who = f"{', '.join(most)} and {last}" if most else last
    verb, them = ("have", "them") if most else ("has", "it" if last.startswith("#") else "them")
    where = issue.project.name
    mend = f"Give {them} access, or leave out the {'signs' if most else last[0]}."
    return f"{who} {verb} no part in {where} and would not be told. {mend}"


def unknown_sentence(names: Sequence[str], issue: Issue) -> str:
    """A slip of the pen, or a plain word: worth a hint, not a refusal."""
    verb = "is" if len(names) == 1 else "are"
    *most, last = names
    who = f"{', '.join(most)} and {last}" if most else last
    return f"{who} {verb} nobody in {issue.project.name}, so nobody is told by it."


def _strangers(session: Session, issue: Issue, names: Mentions) -> list[str]:
    organization_id = issue.project.organization_id
    found: list[str] = []
    if names.people:
        members = (
            select(User.handle, EmailAddress.address)
            .join(Membership, Membership.user_id == User.id)
            .outerjoin(EmailAddress, (EmailAddress.user_id == User.id) & EmailAddress.is_primary)
            .where(Membership.organization_id == organization_id, User.is_active)
            .where(or_(User.handle.in_(names.people), EmailAddress.address.in_(names.people)))
        )
        borne = {name for row in session.execute(members) for name in row}
        found += [f"@{name}" for name in names.people if name in borne]
    if names.teams:
        teams = select(Team.slug).where(Team.organization_id == organization_id, Team.slug.in_(names.teams))
        borne = set(session.scalars(teams))
        found += [f"#{slug}" for slug in names.teams if slug in borne]
    return found


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _count(session: Session, issue: Issue, change: int) -> None:
    counted: dict[str, Any] = {"comment_count": Issue.comment_count + change}
    session.execute(update(Issue).where(Issue.id == issue.id).values(counted))


def _check(text: str) -> None:
    if not text:
        raise Refused("Write something first: the comment is empty.", field="text")
    if len(text) > LONGEST:
        raise Refused(f"The comment has {len(text)} characters; {LONGEST} is the most.", field="text")


def _check_new(session: Session, issue: Issue, text: str, by: User, now: datetime) -> None:
    _check(text)
    recent = session.scalars(
        select(Activity.data).where(
            Activity.issue_id == issue.id,
            Activity.type == COMMENT,
            Activity.actor_id == by.id,
            Activity.created_at > now - SAME_TEXT_WITHIN,
        )
    )
    if any(data.get("text") == text for data in recent):
        raise Refused("You posted the same comment within the last hour.", field="text")
