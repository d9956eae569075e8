"""A project's stored events of late, in the order in which they were digested; bodies only when asked for."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, overload

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from app.models import Event, Project
from app.services.events import event_body

PAGE = 5000
FEWEST_BODIES, MOST_BODIES = 8, 500
_BODIES = select(Event.id, Event.body).where(Event.id.in_(bindparam("keys", expanding=True)))


class Stored(NamedTuple):
    """What replaying a rule asks of an event that is no longer at hand."""

    key: int
    issue_id: int
    received_at: datetime
    level: str
    environment: str
    release: str | None
    person: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """`events` in order: all since `since`, and from `warm` on those before that, which only count.

    `times`: when those since `since` came in, the newest first. `total`: how many there are in the whole time
    that was asked for.
    """

    events: Sequence[Stored]
    times: Sequence[datetime]
    since: datetime
    warm: datetime
    total: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """From when on events are wanted, and since when some that only count; `goes_on`: there is time left."""

    since: datetime
    warm: datetime
    until: datetime
    most: int
    most_warm: int
    goes_on: Callable[[], bool]


def load(session: Session, project: Project, wanted: Wanted) -> Past:
    """The newest of them, as many as there is time for."""
    here = Event.project_id == project.id
    span = here & (Event.received_at >= wanted.since) & (Event.received_at <= wanted.until)
    events, is_whole = _newest(session, span, wanted.most, wanted.goes_on)
    since = wanted.since if is_whole else events[-1].received_at
    warm = since - (wanted.since - wanted.warm)
    times = [each.received_at for each in events]
    total = len(events) if is_whole else session.scalar(select(func.count()).where(span)) or 0
    if warm < since:
        before = here & (Event.received_at >= warm) & (Event.received_at < since)
        earlier, is_warm = _newest(session, before, wanted.most_warm, wanted.goes_on)
        warm = warm if is_warm else (earlier or events)[-1].received_at
        events += earlier
    return Past(sorted(events), times, since, warm, total)


def _newest(
    session: Session, where: ColumnElement[bool], most: int, goes_on: Callable[[], bool]
) -> tuple[list[Stored], bool]:
    """The newest first, and whether these are all. At least a page is read, however little time there is."""
    found = (
        select(
            Event.id,
            Event.issue_id,
            Event.received_at,
            Event.level,
            Event.environment,
            Event.release,
            Event.user_ident,
        )
        .where(where)
        .order_by(Event.received_at.desc(), Event.id.desc())
        .limit(most + 1)
    )
    events: list[Stored] = []
    with session.connection().execute(found, execution_options={"stream_results": True}) as rows:
        for page in rows.partitions(PAGE):
            if events and not goes_on():
                return events, False
            events += map(Stored._make, page)
    return events[:most], len(events) <= most


class Bodies:
    """Those of some events, by their keys in order: fetched ahead, the further the more of them are read."""

    def __init__(self, session: Session, keys: Sequence[int]) -> None:
        self._session = session
        self._keys = keys
        self._packed: dict[int, bytes] = {}
        self._reads = 0
        self._last: tuple[int, Mapping[str, Any]] = (0, {})

    def read(self, key: int) -> Mapping[str, Any]:
        if self._last[0] != key:
            if key not in self._packed:
                self._fetch(key)
            self._reads += 1
            packed = self._packed.get(key)  # None: pruned meanwhile
            self._last = (key, event_body.unpack(packed) if packed else {})
        return self._last[1]

    def _fetch(self, key: int) -> None:
        size = min(max(FEWEST_BODIES, 2 * self._reads), MOST_BODIES)
        place = bisect_left(self._keys, key)
        rows = self._session.connection().execute(_BODIES, {"keys": list(self._keys[place : place + size])})
        self._packed = {row.id: row.body for row in rows}
        self._reads = 0


class Body(Mapping[str, Any]):
    """An event's data that is not read before somebody looks at it."""

    __slots__ = ("_bodies", "_key")

    def __init__(self, bodies: Bodies, key: int) -> None:
        self._bodies, self._key = bodies, key

    def __getitem__(self, name: str) -> Any:
        return self._bodies.read(self._key)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._bodies.read(self._key))

    def __len__(self) -> int:
        return len(self._bodies.read(self._key))


class Tags(Sequence[Sequence[str]]):
    """The same for its tags."""

    __slots__ = ("_body",)

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    @overload
    def __getitem__(self, place: int) -> Sequence[str]: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Sequence[str]]: ...

    def __getitem__(self, place: int | slice) -> Any:
        return self._body.get("tags", ())[place]

    def __len__(self) -> int:
        return len(self._body.get("tags", ()))
