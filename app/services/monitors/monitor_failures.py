"""A failure of a monitor as an event: grouped, counted and told like any other."""

import hashlib
from datetime import datetime
from typing import Any

from app.domain import check_ins, grouping, phrases, timestamps
from app.domain import event as events
from app.domain.check_ins import ERROR, MISSED, TIMEOUT
from app.domain.clocks import Clock
from app.domain.event import Receipt
from app.domain.monitors import Config
from app.models import CheckIn, Monitor, MonitorEnvironment
from app.services.events import event_body
from app.services.events.reading import Read
from app.services.events.stream_entry import CHECK_IN, Entry

KINDS = {MISSED: "Missed check-in", TIMEOUT: "Timed-out check-in", ERROR: "Failed check-in"}
TAG, LOGGER = "monitor.slug", "monitors"


def fingerprint(environment_id: int) -> list[str]:
    """All failures of a monitor in one environment are one issue."""
    return ["monitor", str(environment_id)]


def hash_of(environment_id: int) -> str:
    """By which the issue of an environment is found."""
    return grouping.group({"platform": "other", "fingerprint": fingerprint(environment_id)}).hash


def failure(row: CheckIn, environment: MonitorEnvironment, config: Config, *, now: datetime) -> Read:
    """The event of a check-in that failed, as if it had come in; the row keeps its id.

    The id follows from the check-in: what is found out twice is one event.
    """
    monitor = environment.monitor
    row.event_id = hashlib.md5(
        f"{environment.id} {row.key} {row.status}".encode(), usedforsecurity=False
    ).hexdigest()
    payload = _payload(row, environment, config)
    receipt = Receipt(event_id=row.event_id, received_at=now, scrub=False)
    event = events.regular(payload, receipt)
    entry = Entry(monitor.project_id, CHECK_IN, now, b"", event_id=row.event_id)
    return Read(entry, monitor.project, event, event_body.of(event))


def _payload(row: CheckIn, environment: MonitorEnvironment, config: Config) -> dict[str, Any]:
    monitor = environment.monitor
    clock = _clock(row, monitor)
    says = {MISSED: _missed, TIMEOUT: _timed_out, ERROR: _failed}[row.status]
    said = f"{KINDS[row.status]}. {says(row, environment, config, clock)}{_in_a_row(environment)}"
    facts = {
        "name": monitor.name,
        "slug": monitor.slug,
        "schedule": config.schedule.words if config.schedule else None,
        "expected": clock.full(row.expected_at) if row.expected_at else None,
        "check_in_id": None if row.status == MISSED else row.key,
        "failures_in_a_row": environment.failures,
    }
    return {
        "timestamp": timestamps.format(_at(row)),
        "platform": "other",
        "level": "error",
        "logger": LOGGER,
        "environment": environment.name,
        "release": row.release or None,
        "transaction": monitor.slug,
        # The first line is the issue's title and the mails' subject: true of whatever fails next.
        "logentry": {"formatted": f"{monitor.name} is failing\n{said}"},
        "fingerprint": fingerprint(environment.id),
        "tags": {TAG: monitor.slug, "monitor.status": row.status},
        "contexts": {"monitor": {name: value for name, value in facts.items() if value is not None}},
    }


def _at(row: CheckIn) -> datetime:
    """When it was plain that it failed."""
    return row.finished_at or row.timeout_at or row.started_at


def _clock(row: CheckIn, monitor: Monitor) -> Clock:
    return Clock(_at(row), monitor.timezone)


def _missed(row: CheckIn, environment: MonitorEnvironment, config: Config, clock: Clock) -> str:
    last = environment.last_check_in_at
    heard = f"The last check-in came {clock.full(last)}." if last else "There was no check-in before."
    when = clock.full(row.expected_at or row.started_at)
    return f"Expected {when}; nothing came within {phrases.plural(config.margin, 'minute')}. {heard}"


def _timed_out(row: CheckIn, environment: MonitorEnvironment, config: Config, clock: Clock) -> str:
    longest = phrases.plural(config.max_runtime, "minute")
    return f"The run that started {clock.full(row.started_at)} did not end within {longest}."


def _failed(row: CheckIn, environment: MonitorEnvironment, config: Config, clock: Clock) -> str:
    took = f" after {check_ins.length(row.duration)}" if row.duration else ""
    return f"The run that started {clock.full(row.started_at)} reported an error{took}."


def _in_a_row(environment: MonitorEnvironment) -> str:
    return f" It is failure {environment.failures:,} in a row." if environment.failures > 1 else ""
