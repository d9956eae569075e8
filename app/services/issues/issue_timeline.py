"""What happened to an issue, newest first: its activities, and the alerts that rang for its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Row, Select, String, cast, func, literal, null, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.kinds import ALERTS, KINDS, RESOLVING
from app.domain.lifecycle import IGNORED, RESOLVED
from app.domain.wording import Reach
from app.models import Activity, AlertRule, Issue, Notice, User
from app.services.notices import explaining, verdicts

SHOWN_AT_FIRST, SHOWN_AT_MOST = 50, 1000
FIRST_SEEN, ALERT, COMMENT = "first_seen", "alert", "note"
# State → the activities that lead to it, where the page says whose doing it was.
LEADING_TO: Mapping[str, Sequence[str]] = {RESOLVED: RESOLVING, IGNORED: ("set_ignored",)}
ALERT_KINDS = tuple(name for name, kind in KINDS.items() if kind.category == ALERTS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `type` names its template; `notice` is the one that was made of it."""

    type: str
    anchor: str
    at: datetime
    data: Mapping[str, Any]
    activity_id: int = 0
    actor_id: int | None = None
    actor: str | None = None
    event_id: str | None = None
    notice_id: int | None = None
    notice: str | None = None

    @property
    def who(self) -> str:
        return self.actor or "Tocsin"

    def repeats(self, other: "Entry") -> bool:
        """Whether it says the same again; two equal comments are two comments."""
        same = (self.type, self.actor_id, self.data) == (other.type, other.actor_id, other.data)
        return same and self.type not in (COMMENT, ALERT)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`more` is true when older entries were left out; `settled` is what put the issue into its state.

    `reach` is how far the notices of the entries got, by their ids.
    """

    entries: Sequence[Entry]
    more: bool
    settled: Entry | None
    reach: Mapping[int, Reach]

    @property
    def newest_activity(self) -> int:
        return max((entry.activity_id for entry in self.entries), default=0)


def newest_activity(session: Session, issue: Issue) -> int:
    """The id of the last thing that happened to the issue, or 0."""
    return session.scalar(select(func.max(Activity.id)).where(Activity.issue_id == issue.id)) or 0


def of(
    session: Session, issue: Issue, *, reader: User, now: datetime, limit: int = SHOWN_AT_FIRST
) -> Timeline:
    """One query, however long the history is. The first sight of the issue is its oldest entry."""
    rows = session.execute(_with_reach(issue, reader, limit + 1)).all()
    found = sorted({row.anchor: _entry(row) for row in rows}.values(), key=_when, reverse=True)
    told = {row.notice_id: _Told(row.notice_id, row.planned_at, row.gate_code) for row in rows if row.notice}
    counted = dict.fromkeys(
        (row.notice_id, row.outcome, row.delivery_state, row.shown_until, row.place, row.people)
        for row in rows
        if row.outcome
    )
    more = len(found) > limit
    entries = _without_repeats(found[:limit])
    return Timeline(
        entries if more else [*entries, _first_sight(issue)],
        more,
        next((entry for entry in found if entry.type in LEADING_TO.get(issue.status, ())), None),
        explaining.reach_counted(told.values(), counted, reader=reader, now=now),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """As much of a notice as its reach asks for."""

    id: int
    planned_at: datetime | None
    gate_code: str | None


def _with_reach(issue: Issue, reader: User, limit: int) -> Select[*tuple[Any, ...]]:
    """The newest rows of each sort, each with what became of its notice: a row for each outcome of that."""
    leading = _activities(issue).where(Activity.type.in_(LEADING_TO.get(issue.status, ())))
    entries = union_all(
        _newest(_activities(issue), Activity.id, limit),
        _newest(leading, Activity.id, 1),
        _newest(_alerts(issue), Notice.id, limit),
    ).cte("entries")
    counted = verdicts.counting(select(entries.c.notice_id), reader).subquery("counted")
    columns = ("outcome", "delivery_state", "shown_until", "place", "people")
    return select(entries, *(counted.c[name] for name in columns)).outerjoin(
        counted, counted.c.notice_id == entries.c.notice_id
    )


def _newest(
    found: Select[*tuple[Any, ...]], key: InstrumentedAttribute[int], limit: int
) -> Select[*tuple[Any, ...]]:
    return select(found.order_by(key.desc()).limit(limit).subquery())


_OF_NOTICE = (
    Notice.id.label("notice_id"),
    Notice.public_id.label("notice"),
    Notice.event_id.label("event_id"),
    Notice.planned_at.label("planned_at"),
    Notice.gate_code.label("gate_code"),
)


def _activities(issue: Issue) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Activity.type.label("type"),
            ("activity-" + cast(Activity.id, String)).label("anchor"),
            Activity.created_at.label("at"),
            Activity.data.label("data"),
            Activity.id.label("activity_id"),
            Activity.actor_id.label("actor_id"),
            User.name.label("name"),
            Notice.kind.label("kind"),
            *_OF_NOTICE,
        )
        .outerjoin(User, User.id == Activity.actor_id)
        .outerjoin(Notice, Notice.activity_id == Activity.id)
        .where(Activity.issue_id == issue.id)
    )


def _alerts(issue: Issue) -> Select[*tuple[Any, ...]]:
    return (
        select(
            literal(ALERT).label("type"),
            ("notice-" + Notice.public_id).label("anchor"),
            Notice.occurred_at.label("at"),
            cast(null(), Activity.data.type).label("data"),
            literal(0).label("activity_id"),
            cast(null(), BigInteger).label("actor_id"),
            AlertRule.name.label("name"),
            Notice.kind.label("kind"),
            *_OF_NOTICE,
        )
        .outerjoin(AlertRule, AlertRule.id == Notice.rule_id)
        .where(Notice.issue_id == issue.id, Notice.kind.in_(ALERT_KINDS))
    )


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    rang = row.type == ALERT
    return Entry(
        type=row.type,
        anchor=row.anchor,
        at=row.at,
        data={"rule": row.name, "word": KINDS[row.kind].word} if rang else row.data,
        activity_id=row.activity_id,
        actor_id=row.actor_id,
        actor=None if rang else row.name,
        event_id=row.event_id or (None if rang else row.data.get("event_id")),
        notice_id=row.notice_id,
        notice=row.notice,
    )


def _when(entry: Entry) -> tuple[datetime, int, int]:
    """Of one moment, what was done stands above what rang."""
    return entry.at, entry.activity_id, entry.notice_id or 0


def _without_repeats(entries: Sequence[Entry]) -> list[Entry]:
    kept = [older for newer, older in pairwise(entries) if not older.repeats(newer)]
    return [*entries[:1], *kept]


def _first_sight(issue: Issue) -> Entry:
    return Entry(FIRST_SEEN, "first-seen", issue.first_seen, {"release": issue.first_release})
