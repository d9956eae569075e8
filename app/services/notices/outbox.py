"""Notices that wait to be planned, and which of them are planned together.

Those of one event belong together, and so do those of a batch. Further alerts of issues that were told
of before are planned many at a time: a flood of errors makes one for every event.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.models import Notice
from app.services import access

# SQLite has one writer: a transaction of so many verdicts holds it up for a fraction of a second.
MOST_VERDICTS = 2000
# Notices that are read at once where nothing is written.
CHUNK = 200
# The kind of what is planned in lots. Of the others, storms of new issues and what comes back again and
# again, it matters what was stored about the event before.
AGAIN = "alert.again"

Unplanned = Row[int, int | None, int | None, str | None, str | None, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Notices to be decided together: those of one event, or of the batch of this name.

    `issue_ids` are what each of them is about; `again` is their project where they are alerts of issues
    that were told of before, and nothing else.
    """

    notice_ids: Sequence[int]
    issue_ids: Sequence[int | None]
    batch: str | None = None
    again: int | None = None

    def parts(self, size: int) -> Iterator[Sequence[int]]:
        """The notices, about so many at a time; consecutive ones of an issue stay together."""
        part: list[int] = []
        before: int | None = None
        for notice_id, issue_id in zip(self.notice_ids, self.issue_ids, strict=True):
            if len(part) >= size and issue_id != before:
                yield part
                part = []
            part.append(notice_id)
            before = issue_id
        yield part


def groups(session: Session, notice_ids: Collection[int], *, now: datetime) -> list[Group]:
    """These notices, and unplanned others that belong to them, as far as their time has come."""
    asked = session.execute(_unplanned(now).where(Notice.id.in_(notice_ids))).all()
    events = {(row.project_id, row.event_id) for row in asked if row.event_id and not row.batch}
    batches = {row.batch for row in asked if row.batch}
    beside = or_(tuple_(Notice.project_id, Notice.event_id).in_(events), Notice.batch.in_(batches))
    others = session.execute(_unplanned(now).where(beside)).all() if events or batches else []
    found: dict[object, list[Unplanned]] = defaultdict(list)
    for row in sorted({row.id: row for row in (*asked, *others)}.values(), key=lambda row: row.id):
        found[row.batch or ((row.project_id, row.event_id) if row.event_id else row.id)].append(row)
    return [_group(rows) for rows in found.values()]


def _group(rows: Sequence[Unplanned]) -> Group:
    first = rows[0]
    is_again = first.event_id is not None and not first.batch and all(row.kind == AGAIN for row in rows)
    return Group(
        [row.id for row in rows],
        [row.issue_id for row in rows],
        first.batch,
        again=first.project_id if is_again else None,
    )


def lots(session: Session, found: Iterable[Group]) -> list[list[Group]]:
    """What one transaction may take each: of further alerts of a project many, of all else one group."""
    cut: list[list[Group]] = []
    open_: dict[int, list[Group]] = {}
    most: dict[int, int] = {}
    for group in found:
        if group.again is None:
            cut.append([group])
            continue
        if group.again not in most:
            people = len(access.project_member_ids(session, group.again))
            most[group.again] = max(1, MOST_VERDICTS // max(people, 1))
        lot = open_.get(group.again)
        if lot is None or sum(len(each.notice_ids) for each in (*lot, group)) > most[group.again]:
            lot = open_[group.again] = []
            cut.append(lot)
        lot.append(group)
    return cut


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """A notice that is to be planned. One of a batch waits until all of the batch may be."""
    other = aliased(Notice)
    is_early = (other.plan_after > now) & other.planned_at.is_(None) & other.batch.is_not(None)
    return (
        Notice.planned_at.is_(None)
        & or_(Notice.plan_after.is_(None), Notice.plan_after <= now)
        & or_(Notice.batch.is_(None), Notice.batch.not_in(select(other.batch).where(is_early)))
    )


def _unplanned(now: datetime) -> Select[int, int | None, int | None, str | None, str | None, str]:
    columns = (Notice.id, Notice.project_id, Notice.issue_id, Notice.event_id, Notice.batch, Notice.kind)
    return select(*columns).where(is_waiting(now))
