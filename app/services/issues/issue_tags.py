"""The tags of an issue in figures, and the fingerprints of which it takes in the events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, lazyload, undefer

from app.models import Event, Issue, IssueHash, IssueTag

VALUES_SHOWN = 10
MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Tag:
    """How many events had it, how many values it had, and the most frequent ones."""

    key: str
    events: int
    values: int
    top: Sequence[IssueTag]


def tags(issue: Issue) -> Select[str, int, int]:
    """Its keys, those that it was seen with most often first."""
    total = func.sum(IssueTag.count)
    found = select(IssueTag.key, total, func.count()).where(IssueTag.issue_id == issue.id)
    return found.group_by(IssueTag.key).order_by(total.desc(), IssueTag.key)


def with_values(session: Session, issue: Issue, rows: Sequence[tuple[str, int, int]]) -> list[Tag]:
    """Some of them with their most frequent values, with one query."""
    rank = func.row_number().over(partition_by=IssueTag.key, order_by=(IssueTag.count.desc(), IssueTag.value))
    keys = [key for key, _, _ in rows]
    ranked = select(IssueTag.key, IssueTag.value, rank.label("rank"))
    best = ranked.where(IssueTag.issue_id == issue.id, IssueTag.key.in_(keys)).subquery()
    same = (IssueTag.issue_id == issue.id) & (IssueTag.key == best.c.key) & (IssueTag.value == best.c.value)
    found = select(IssueTag).join(best, same).where(best.c.rank <= VALUES_SHOWN).order_by(best.c.rank)
    top: dict[str, list[IssueTag]] = {}
    for each in session.scalars(found):
        top.setdefault(each.key, []).append(each)
    return [Tag(key, int(events), values, top.get(key, ())) for key, events, values in rows]


def values(issue: Issue, key: str) -> Select[IssueTag]:
    """The most frequent first."""
    found = select(IssueTag).where(IssueTag.issue_id == issue.id, IssueTag.key == key)
    return found.order_by(IssueTag.count.desc(), IssueTag.value)


def hashes(issue: Issue) -> Select[str]:
    return select(IssueHash.hash).where(IssueHash.issue_id == issue.id).order_by(IssueHash.hash)


def latest_events(session: Session, issue: Issue, wanted: Sequence[str]) -> Mapping[str, Event]:
    """The newest event of each hash, as far as it is among the issue's newest."""
    newest = select(Event.id, Event.hash, Event.timestamp).where(Event.issue_id == issue.id)
    newest = newest.order_by(Event.timestamp.desc(), Event.id.desc()).limit(MOST_EVENTS)
    recent = newest.subquery()
    order = (recent.c.timestamp.desc(), recent.c.id.desc())
    rank = func.row_number().over(partition_by=recent.c.hash, order_by=order).label("rank")
    ranked = select(recent.c.id, rank).where(recent.c.hash.in_(wanted)).subquery()
    found = select(Event).join(ranked, ranked.c.id == Event.id).where(ranked.c.rank == 1)
    rows = session.scalars(found.options(undefer(Event.body), lazyload(Event.issue)))
    return {row.hash: row for row in rows}
