"""Check-ins of a batch kept, and what follows from them: who failed, who recovered, when the next is due.

The caller holds the stream's cursor, so one digester or sweep at a time comes here.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import schedules
from app.domain.check_ins import BAD, IN_PROGRESS, LATEST, MISSED, TIMEOUT
from app.domain.check_ins import CheckIn as Sent
from app.domain.monitors import FAILING, Config, Standing
from app.domain.schedules import INTERVAL
from app.models import CheckIn, MonitorEnvironment
from app.services.events.categories import MONITOR
from app.services.events.reading import Read
from app.services.events.stream_entry import ACCEPTED, DROPPED, DUPLICATE, Entry
from app.services.monitors import monitor_failures, monitor_rows


@dataclass(slots=True)
class Found:
    """`failures` are events to keep; `recovered` the environments whose issues are over."""

    failures: list[Read] = field(default_factory=list)
    recovered: dict[int, MonitorEnvironment] = field(default_factory=dict)


def take(session: Session, reads: Sequence[Read], *, now: datetime) -> Found:
    """Keep the check-ins of a batch, in their order."""
    found = Found()
    arrived = [(each, place, sent) for each in reads for place, sent in enumerate(each.check_ins)]
    if not arrived:
        return found
    roll = RollCall(session, found, now)
    book = monitor_rows.Book(session, [(each.project.id, sent) for each, _, sent in arrived])
    roll.look_up(book.monitor_ids, [_key_of(sent, each.entry, place) for each, place, sent in arrived])
    for each, place, sent in arrived:
        environment = book.place(sent, each.project, now=each.entry.received_at)
        outcome = DROPPED
        if environment is not None:
            key = _key_of(sent, each.entry, place)
            outcome = roll.take(environment, sent, key, each.entry.received_at)
        each.counts[MONITOR, outcome] += 1
    roll.close()
    return found


def lapse(session: Session, until: datetime, *, now: datetime, most: int) -> Found:
    """Find what did not come, or did not end, by then; nothing later than that is known yet."""
    found = Found()
    roll = RollCall(session, found, now)
    for environment in monitor_rows.due(session, until, most):
        roll.catch_up(environment, until)
    roll.close()
    return found


class RollCall:
    """What happens to environments, one thing after the other; `close` writes when to look again."""

    def __init__(self, session: Session, found: Found, now: datetime) -> None:
        self._session, self._found, self._now = session, found, now
        self._touched: dict[int, MonitorEnvironment] = {}
        self._runs: dict[tuple[int, str], CheckIn] = {}

    def look_up(self, monitor_ids: Collection[int], keys: Collection[str]) -> None:
        """The runs that are known by these keys, with one query."""
        same = CheckIn.monitor_id.in_(monitor_ids) & CheckIn.key.in_(keys)
        self._runs = {
            (row.monitor_id, row.key): row for row in self._session.scalars(select(CheckIn).where(same))
        }

    def take(self, environment: MonitorEnvironment, sent: Sent, key: str, at: datetime) -> str:
        """What became of it, as it is counted. `key` is that of its run, if it is a new one."""
        self.catch_up(environment, at)
        row = self._runs.get((environment.monitor_id, key)) or self._latest_open(environment, sent)
        is_new = row is None
        if row is None:
            row = self._begin(environment, sent, key, at)
        elif row.environment_id != environment.id:
            # What ends a run need not repeat where it began.
            environment = row.environment
            self.catch_up(environment, at)
        if row.status == TIMEOUT:
            return _note_late_end(row, sent, at)
        if row.status != IN_PROGRESS:
            return DUPLICATE
        config = monitor_rows.config_of(environment.monitor)
        self._advance(row, environment, sent, config, at)
        _expect(environment, config, at, is_new=is_new)
        return ACCEPTED

    def catch_up(self, environment: MonitorEnvironment, until: datetime) -> None:
        """What should have happened by then and did not."""
        if environment.wake_at is None or environment.wake_at > until:
            return
        self._touched[environment.id] = environment
        config = monitor_rows.config_of(environment.monitor)
        for row in self._overdue(environment, until):
            row.status = TIMEOUT
            assert row.timeout_at is not None
            _expect(environment, config, row.timeout_at, is_new=False)
            self._judge(row, environment, config)
        first, last = self._ends_of_open_runs(environment)
        self._find_missed(environment, config, until, running_until=last)
        environment.wake_at = monitor_rows.wake_at(environment, first)

    def _find_missed(
        self, environment: MonitorEnvironment, config: Config, until: datetime, running_until: datetime | None
    ) -> None:
        if config.schedule is None or environment.monitor.is_paused:
            environment.expected_at = None
        if environment.expected_at is None or config.schedule is None:
            return
        if config.schedule.kind == INTERVAL and running_until:
            # An interval counts from the end of a run: while one is open, nothing else is expected.
            environment.expected_at = max(environment.expected_at, running_until)
        lost, environment.expected_at = schedules.missed(
            config.schedule, environment.expected_at, config.grace, until
        )
        for expected in lost:
            self._judge(self._miss(environment, expected, expected + config.grace), environment, config)

    def close(self) -> None:
        """Whoever was touched is looked at again when the next is due, or an open run has taken too long."""
        self._session.flush()
        ids = list(self._touched)
        open_runs = (
            select(CheckIn.environment_id, func.min(CheckIn.timeout_at))
            .where(CheckIn.environment_id.in_(ids), CheckIn.status == IN_PROGRESS)
            .group_by(CheckIn.environment_id)
        )
        ends = {key: at for key, at in self._session.execute(open_runs)} if ids else {}
        for environment in self._touched.values():
            environment.wake_at = monitor_rows.wake_at(environment, ends.get(environment.id))
        for key in [key for key, each in self._found.recovered.items() if each.status == FAILING]:
            del self._found.recovered[key]
        self._session.flush()

    def _latest_open(self, environment: MonitorEnvironment, sent: Sent) -> CheckIn | None:
        """What is meant by a client that keeps no ids, when a run of its ends."""
        if sent.key != LATEST or sent.status == IN_PROGRESS:
            return None
        is_open = (CheckIn.environment_id == environment.id) & (CheckIn.status == IN_PROGRESS)
        return self._session.scalar(select(CheckIn).where(is_open).order_by(CheckIn.id.desc()).limit(1))

    def _begin(self, environment: MonitorEnvironment, sent: Sent, key: str, at: datetime) -> CheckIn:
        row = CheckIn(
            monitor_id=environment.monitor_id,
            environment_id=environment.id,
            key=key,
            status=IN_PROGRESS,
            started_at=at,
            expected_at=environment.expected_at,
            release=sent.release,
        )
        self._session.add(row)
        self._runs[environment.monitor_id, key] = row
        return row

    def _miss(self, environment: MonitorEnvironment, expected: datetime, at: datetime) -> CheckIn:
        row = CheckIn(
            monitor_id=environment.monitor_id,
            environment_id=environment.id,
            key=_digest(f"{environment.id} {expected.isoformat()}"),
            status=MISSED,
            started_at=expected,
            expected_at=expected,
            finished_at=at,
        )
        self._session.add(row)
        return row

    def _advance(
        self, row: CheckIn, environment: MonitorEnvironment, sent: Sent, config: Config, at: datetime
    ) -> None:
        """The run begins, is still at it, or ends."""
        self._touched[environment.id] = environment
        environment.last_check_in_at = at
        if sent.status == IN_PROGRESS:
            row.timeout_at = at + config.longest_run
            environment.wake_at = min(environment.wake_at or row.timeout_at, row.timeout_at)
            return
        row.status, row.finished_at, row.timeout_at = sent.status, at, None
        row.duration = _length(row, sent, at)
        if row.started_at == at and row.duration:
            row.started_at = at - timedelta(milliseconds=row.duration)
        self._judge(row, environment, config)

    def _judge(self, row: CheckIn, environment: MonitorEnvironment, config: Config) -> None:
        """What its end says of the environment; of a monitor that nobody set up, only the job itself says."""
        monitor = environment.monitor
        is_found_out = row.status in (MISSED, TIMEOUT)
        if monitor.is_paused or (is_found_out and config.schedule is None):
            return
        was = Standing(environment.status, environment.failures, environment.successes)
        is_bad = row.status in BAD
        standing = was.after_failure(config) if is_bad else was.after_success(config)
        environment.status = standing.status
        environment.failures, environment.successes = standing.failures, standing.successes
        if standing.status != FAILING:
            environment.failing_since = None
            if was.status == FAILING:
                self._found.recovered[environment.id] = environment
        elif environment.failing_since is None:
            environment.failing_since = _end_of(row)
        if is_bad and standing.status == FAILING and not monitor.is_muted and _is_told(environment, was, row):
            environment.event_at = _end_of(row)
            self._found.failures.append(monitor_failures.failure(row, environment, config, now=self._now))

    def _overdue(self, environment: MonitorEnvironment, until: datetime) -> Sequence[CheckIn]:
        is_open = (CheckIn.environment_id == environment.id) & (CheckIn.status == IN_PROGRESS)
        late = select(CheckIn).where(is_open, CheckIn.timeout_at <= until).order_by(CheckIn.timeout_at)
        return self._session.scalars(late).all()

    def _ends_of_open_runs(self, environment: MonitorEnvironment) -> tuple[datetime | None, datetime | None]:
        """When the first and the last of them would have taken too long."""
        is_open = (CheckIn.environment_id == environment.id) & (CheckIn.status == IN_PROGRESS)
        ends = select(func.min(CheckIn.timeout_at), func.max(CheckIn.timeout_at)).where(is_open)
        first, last = self._session.execute(ends).one()
        return first, last


def _expect(environment: MonitorEnvironment, config: Config, at: datetime, *, is_new: bool) -> None:
    """A new run is the one that was expected; an interval begins anew with every word of the job."""
    if config.schedule is None or environment.monitor.is_paused:
        return
    if is_new or config.schedule.kind == INTERVAL:
        environment.expected_at = config.schedule.expected_after(at)
        wake_at = monitor_rows.wake_at(environment, None)
        environment.wake_at = min(filter(None, (environment.wake_at, wake_at)), default=None)


def _is_told(environment: MonitorEnvironment, was: Standing, row: CheckIn) -> bool:
    """While it goes on failing one event in an hour says so: a stranger's call must not fill the project."""
    at, last = _end_of(row), environment.event_at
    return was.status != FAILING or last is None or at is None or _hour(at) > _hour(last)


def _end_of(row: CheckIn) -> datetime | None:
    """When it was plain what became of it."""
    return row.finished_at or row.timeout_at


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _note_late_end(row: CheckIn, sent: Sent, at: datetime) -> str:
    """A run that took too long stays timed out; how long it took is worth knowing."""
    if sent.status == IN_PROGRESS or row.finished_at is not None:
        return DUPLICATE
    row.finished_at = at
    row.duration = _length(row, sent, at)
    return ACCEPTED


def _length(row: CheckIn, sent: Sent, at: datetime) -> int | None:
    """As the client measured it, else as we saw it; not known of a run that was told of once."""
    if sent.duration is not None or row.started_at >= at:
        return sent.duration
    return int((at - row.started_at).total_seconds() * 1000)


def _key_of(sent: Sent, entry: Entry, place: int) -> str:
    """The client's own id; else the same for the same entry of the stream, however often it is read."""
    if sent.key and sent.key != LATEST:
        return sent.key
    if entry.event_id and not place:
        return entry.event_id
    return _digest(f"{entry.id} {entry.received_at.isoformat()} {place}")


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
