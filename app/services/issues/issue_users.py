"""The users whom an issue met: a page of them, whoever it met last first.

Who they are and when they were met is kept as long as the issue is. What else they are called stands in their
last event, and how many events each had is counted in the events: both as far as these are kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, case, func, select
from sqlalchemy.orm import Session, lazyload, undefer

from app.domain import cursor as cursors
from app.domain import search, traits
from app.domain.cursor import NamedCursor
from app.domain.shapes import cut
from app.models import Event, Issue, IssueUser
from app.services import keyset
from app.services.events import event_body
from app.services.issues.issue_events import called

PER_PAGE = 25
# In how many of an issue's last events those of each user are counted: a page costs no more than that.
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A user by the best of their names. `member` and `value` are what they are told apart by.

    `events` is None where none of those that are counted is theirs; `last` where it is no longer kept.
    """

    user: IssueUser
    name: str
    member: str
    value: str
    events: int | None
    last: Event | None

    @property
    def search(self) -> str:
        """The search for all issues that met them."""
        return search.exactly(f"user.{self.member}", cut(self.value, traits.MAX_LENGTH))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an issue's, and in how many events theirs were counted."""

    rows: Sequence[Row]
    previous: str | None
    following: str | None
    counted: int = 0


def listed(session: Session, issue: Issue, *, cursor: NamedCursor | None = None) -> Found:
    """A page of them, with three queries."""
    found = select(IssueUser, _last_event()).where(IssueUser.issue_id == issue.id)
    found = keyset.from_place(found, IssueUser.last_seen, IssueUser.ident, cursor)
    rows = session.execute(found.limit(PER_PAGE + 1)).all()
    shown = rows[:PER_PAGE]
    if cursor and cursor.backward:
        shown = shown[::-1]
    if not shown:
        return Found((), None, None)
    places = [(cursors.value_of(each.last_seen), each.ident) for each, _ in shown]
    ends = cursors.ends(cursor, places, has_more=len(rows) > PER_PAGE)
    last = _events(session, [event_id for _, event_id in shown if event_id])
    counts = _counts(session, issue, [each.ident for each, _ in shown])
    made = [_row(each, counts.get(each.ident), last.get(event_id)) for each, event_id in shown]
    return Found(made, *ends, counted=sum(counts.values()))


def _last_event() -> ScalarSelect[int]:
    """Of the user: several may have come in at once."""
    theirs = (
        Event.issue_id == IssueUser.issue_id,
        Event.received_at == IssueUser.last_seen,
        Event.user_ident == IssueUser.ident,
    )
    return select(func.max(Event.id)).where(*theirs).correlate(IssueUser).scalar_subquery()


def _events(session: Session, ids: Collection[int]) -> Mapping[int, Event]:
    found = select(Event).where(Event.id.in_(ids)).options(undefer(Event.body), lazyload("*"))
    return {event.id: event for event in session.scalars(found)}


def _counts(session: Session, issue: Issue, idents: Collection[str]) -> Mapping[str | None, int]:
    """How many of the issue's last events each of them had; all others' stand under None.

    They are read from `ix_events_window`, in whose very order they come. The issue is asked for as a range:
    with one that is equal, PostgreSQL may look through the last events of all issues instead.
    """
    order = (Event.issue_id, Event.received_at, Event.environment, Event.user_ident)
    latest = (
        select(Event.user_ident)
        .where(Event.issue_id.between(issue.id, issue.id))
        .order_by(*(column.desc() for column in order))
        .limit(COUNTED)
        .subquery()
    )
    whose = case((latest.c.user_ident.in_(idents), latest.c.user_ident)).label("whose")
    rows = session.execute(select(whose, func.count()).group_by("whose"))
    return {ident: count for ident, count in rows}


def _row(user: IssueUser, events: int | None, last: Event | None) -> Row:
    member, _, value = user.ident.partition(":")
    name = called(event_body.outline(last.body)) if last else ""
    return Row(user, name or value, member, value, events, last)
