"""What people who met an error wrote about it: kept with the issue of the event that they name.

The event may come later than the words. Until then they belong to their project alone; when it is digested,
they get its issue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload, lazyload

from app.domain import addresses
from app.domain import cursor as cursors
from app.domain.cursor import Cursor
from app.domain.errors import Refused
from app.domain.lifecycle import PENDING_DELETION
from app.domain.scrubbing import NO_SCRUBBER, Scrubber, scrubber
from app.models import Event, Feedback, Issue, IssueRedirect, Project
from app.services.access import IS_THERE
from app.services.upserting import insert_all

PER_PAGE = 25
SHOWN_OF_ISSUE = 5
MOST_WORDS, MOST_NAME, MOST_EMAIL, MOST_URL = 8192, 200, 254, 2048

# Control characters, of which databases keep none or people see nothing, and what turns a page's text around.
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_UNSEEN = dict.fromkeys({*range(32), 127, *_TURNING} - set(map(ord, "\t\n\r")))

EventKey = tuple[int, str]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote, as it was sent."""

    comments: str
    name: str = ""
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class OfIssue:
    """The newest of an issue, how many there are, and which of the events that those name are there."""

    rows: Sequence[Feedback]
    total: int
    events: Collection[str | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a project's, newest first, and which of the events that they name are there."""

    rows: Sequence[Feedback]
    events: Collection[str]
    previous: str | None
    following: str | None


def visible(text: str) -> str:
    """What people see of it."""
    return text.translate(_UNSEEN).strip()


def row(project: Project, words: Words, *, event_id: str | None, now: datetime) -> Row:
    """What is kept of it: cut to size, and without secrets where the project filters them."""
    scrub = _scrubber(project)
    return {
        "project_id": project.id,
        "issue_id": None,
        "event_id": event_id,
        "name": scrub.prose(words.name)[:MOST_NAME],
        "email": words.email[:MOST_EMAIL],
        "comments": scrub.prose(visible(words.comments))[:MOST_WORDS],
        "url": scrub.url(words.url)[:MOST_URL],
        "created_at": now,
    }


def keep(session: Session, project: Project, words: Words, *, event_id: str, now: datetime) -> Feedback:
    """The words, with an event that is there or still to come. Sent again, they are kept once."""
    _check(words)
    made = row(project, words, event_id=event_id, now=now)
    same = [getattr(Feedback, name) == made[name] for name in ("project_id", "event_id", *_SAID)]
    known = session.scalar(select(Feedback).where(*same).order_by(Feedback.id).limit(1))
    if known is not None:
        return known
    made["issue_id"] = _issues_of(session, [(project.id, event_id)]).get((project.id, event_id))
    kept = Feedback(**made)
    session.add(kept)
    session.flush()
    return kept


_SAID = ("name", "email", "comments")


def _check(words: Words) -> None:
    if not visible(words.comments):
        raise Refused("Say what happened.", field="comments")
    for name, most in (("comments", MOST_WORDS), ("name", MOST_NAME), ("email", MOST_EMAIL)):
        if len(getattr(words, name)) > most:
            raise Refused(f"At most {most} characters.", field=name)
    if words.email and not addresses.is_one(words.email):
        raise Refused("Enter a valid email address.", field="email")


def take_in(session: Session, rows: Sequence[Row]) -> None:
    """Keep what came with a batch. Its events are stored already."""
    keys = [(each["project_id"], each["event_id"]) for each in rows]
    issues = _issues_of(session, [key for key in keys if key[1]])
    for each, key in zip(rows, keys, strict=True):
        each["issue_id"] = issues.get(key)
    insert_all(session, Feedback, rows)


def claim(session: Session, issues: Mapping[EventKey, int]) -> None:
    """Give what waited for these events to their issues."""
    waiting = select(Feedback.id, Feedback.project_id, Feedback.event_id).where(
        Feedback.project_id.in_({project_id for project_id, _ in issues}),
        Feedback.event_id.in_({event_id for _, event_id in issues}),
        Feedback.issue_id.is_(None),
    )
    for id_, project_id, event_id in session.execute(waiting).all() if issues else ():
        if (issue_id := issues.get((project_id, event_id or ""))) is not None:
            session.execute(update(Feedback).where(Feedback.id == id_).values(issue_id=issue_id))


def claim_late(session: Session, *, since: datetime) -> None:
    """The same for what was written in the very moment in which its event was digested."""
    waiting = select(Feedback.project_id, Feedback.event_id).where(
        Feedback.created_at >= since, Feedback.issue_id.is_(None), Feedback.event_id.is_not(None)
    )
    keys = [(project_id, event_id or "") for project_id, event_id in session.execute(waiting.limit(500))]
    claim(session, _issues_of(session, keys))


def _issues_of(session: Session, keys: Collection[EventKey]) -> dict[EventKey, int]:
    """The issues of events, or those that they were merged into."""
    if not keys:
        return {}
    issue = func.coalesce(IssueRedirect.to_id, Issue.id)
    found = (
        select(Event.project_id, Event.event_id, issue)
        .join(Issue, Issue.id == Event.issue_id)
        .outerjoin(IssueRedirect, IssueRedirect.from_id == Issue.id)
        .where(Issue.status != PENDING_DELETION)
        .where(Event.project_id.in_({project_id for project_id, _ in keys}))
        .where(Event.event_id.in_({event_id for _, event_id in keys}))
    )
    return {(project_id, event_id): issue_id for project_id, event_id, issue_id in session.execute(found)}


def of_issue(session: Session, issue: Issue, *, limit: int = SHOWN_OF_ISSUE) -> OfIssue:
    """With one query."""
    same = (Event.project_id == Feedback.project_id) & (Event.event_id == Feedback.event_id)
    found = select(Feedback, func.count().over(), exists().where(same)).where(Feedback.issue_id == issue.id)
    rows = session.execute(found.order_by(Feedback.id.desc()).limit(limit).options(lazyload("*"))).all()
    there = {each.event_id for each, _, is_there in rows if is_there}
    return OfIssue([each for each, _, _ in rows], rows[0][1] if rows else 0, there)


def of_events(session: Session, events: Iterable[Event]) -> dict[EventKey, Feedback]:
    """The newest about each, where there is any."""
    keys = [(each.project_id, each.event_id) for each in events]
    found = select(Feedback).where(
        Feedback.project_id.in_({each for each, _ in keys}), Feedback.event_id.in_({each for _, each in keys})
    )
    with_issue = found.options(joinedload(Feedback.issue).options(lazyload("*")))
    rows = session.scalars(with_issue.order_by(Feedback.id)).all()
    return {(each.project_id, each.event_id or ""): each for each in rows}


def of_project(project: Project) -> Select[Feedback]:
    """Newest first, with their issues; what was written about deleted ones is gone with them."""
    return (
        select(Feedback)
        .outerjoin(Feedback.issue)
        .where(Feedback.project_id == project.id, or_(Feedback.issue_id.is_(None), IS_THERE))
        .order_by(Feedback.id.desc())
        .options(contains_eager(Feedback.issue).options(lazyload("*")))
    )


def listed(
    session: Session, project: Project, *, issue: Issue | None = None, cursor: Cursor | None = None
) -> Found:
    """A page of them, perhaps of one issue alone."""
    found = of_project(project)
    if issue is not None:
        found = found.where(Feedback.issue_id == issue.id)
    if cursor and cursor.backward:
        found = found.where(Feedback.id > cursor.id).order_by(None).order_by(Feedback.id)
    elif cursor:
        found = found.where(Feedback.id < cursor.id)
    rows = list(session.scalars(found.limit(PER_PAGE + 1)))
    shown = rows[:PER_PAGE]
    if cursor and cursor.backward:
        shown.reverse()
    ends = cursors.ends(cursor, [(0, each.id) for each in shown], has_more=len(rows) > PER_PAGE)
    return Found(shown, _there(session, project, shown), *ends)


def _there(session: Session, project: Project, rows: Sequence[Feedback]) -> set[str]:
    ids = {each.event_id for each in rows if each.issue_id and each.event_id}
    found = select(Event.event_id).where(Event.project_id == project.id, Event.event_id.in_(ids))
    return set(session.scalars(found)) if ids else set()


def _scrubber(project: Project) -> Scrubber:
    if not project.scrub_data:
        return NO_SCRUBBER
    return scrubber(tuple(project.sensitive_fields), tuple(project.safe_fields))
