"""What a monitor watches for, as SDKs and people say it, and how its standing follows from its check-ins."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app.domain.schedules import CRONTAB, INTERVAL, BadSchedule, Schedule, checked

LONGEST_SLUG, LONGEST_NAME = 50, 128
# Pages of ours beside those of monitors.
RESERVED = frozenset({"new"})
# 28 days: longer than any job runs.
MOST_MINUTES = 40_320
MOST_IN_A_ROW = 720

WAITING, OK, FAILING = "waiting", "ok", "failing"


@dataclass(frozen=True, slots=True)
class Config:
    """Without a schedule nothing is expected: only what the job itself reports is a failure.

    `margin` and `max_runtime` are minutes; `failures` and `recoveries` how many in a row it takes. Where
    nobody says otherwise they are what stands here.
    """

    schedule: Schedule | None = None
    margin: int = 1
    max_runtime: int = 30
    failures: int = 1
    recoveries: int = 1

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.margin)

    @property
    def longest_run(self) -> timedelta:
        return timedelta(minutes=self.max_runtime)

    @property
    def numbers(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in MEMBERS}


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one environment: failing from the failure that reached the limit until it has recovered."""

    status: str = WAITING
    failures: int = 0
    successes: int = 0

    def after_failure(self, config: Config) -> Standing:
        failures = self.failures + 1
        status = FAILING if failures >= config.failures else self.status
        return Standing(status, failures, 0)

    def after_success(self, config: Config) -> Standing:
        successes = self.successes + 1
        is_well = self.status != FAILING or successes >= config.recoveries
        return Standing(OK if is_well else FAILING, 0, successes)


@dataclass(frozen=True, slots=True)
class Member:
    """A number of a config: its name in the JSON, in ours, and what it may be."""

    sent: str
    name: str
    least: int
    most: int


MEMBERS = (
    Member("checkin_margin", "margin", 1, MOST_MINUTES),
    Member("max_runtime", "max_runtime", 1, MOST_MINUTES),
    Member("failure_issue_threshold", "failures", 1, MOST_IN_A_ROW),
    Member("recovery_threshold", "recoveries", 1, MOST_IN_A_ROW),
)


# What a form begins with.
SUGGESTED = Config(margin=5)


def read_config(given: Any, known: Config) -> tuple[Config, list[str]]:
    """What an SDK sent, laid over what is known; and what of it could not be used."""
    if not isinstance(given, Mapping):
        return known, ["The configuration is not an object."]
    notes: list[str] = []
    numbers: dict[str, Any] = {}
    for member in MEMBERS:
        value = given.get(member.sent)
        if value is None:
            continue
        if type(value) is int and member.least <= value <= member.most:
            numbers[member.name] = value
        else:
            notes.append(f"{member.sent} must be a whole number from {member.least} to {member.most:,}.")
    config = replace(known, **numbers)
    try:
        schedule = _schedule(given, known.schedule)
    except BadSchedule as error:
        return config, [str(error), *notes]
    return replace(config, schedule=schedule), notes


def difference(old: Config, new: Config) -> str:
    """What is another now, for people."""
    said = []
    if old.schedule != new.schedule:
        before, after = (each.schedule.words if each.schedule else "no schedule" for each in (old, new))
        said.append(f"{before} → {after}")
    for member in MEMBERS:
        number, other = getattr(old, member.name), getattr(new, member.name)
        if number != other:
            said.append(f"{member.sent} {number:,} → {other:,}")
    return "; ".join(said)


def _schedule(given: Mapping[str, Any], known: Schedule | None) -> Schedule | None:
    sent = given.get("schedule")
    zone = given.get("timezone")
    zone = (known.zone if known else "UTC") if zone in (None, "") else str(zone)
    if sent is None:
        return checked(known.kind, known.text, zone) if known else None
    kind, text = _spelt(sent, given.get("schedule_type"))
    return checked(kind, text, zone)


def _spelt(sent: Any, kind: Any) -> tuple[str, str]:
    """SDKs send an object; the older form is a text or a pair beside a type."""
    if isinstance(sent, str):
        return CRONTAB, sent
    if isinstance(sent, list) and len(sent) == 2 and kind in (INTERVAL, None):
        return INTERVAL, f"{sent[0]} {sent[1]}"
    if not isinstance(sent, Mapping):
        raise BadSchedule("The schedule is not an object.")
    kind, value = str(sent.get("type")), sent.get("value")
    return kind, f"{value} {sent.get('unit')}" if kind == INTERVAL else str(value)


def slug_of(text: Any) -> str:
    """The name in addresses; "" for what no name can be made of."""
    if not isinstance(text, str):
        return ""
    plain = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    return f"{slug}-job" if slug in RESERVED else slug


def name_of(text: str) -> str:
    return "".join(letter for letter in text.strip() if letter.isprintable())[:LONGEST_NAME].strip()


def sent_schedule(schedule: Schedule | None) -> tuple[str, Any]:
    """Its type and value, as the API gives them."""
    if schedule is None:
        return CRONTAB, None
    return (INTERVAL, list(schedule.interval)) if schedule.kind == INTERVAL else (CRONTAB, schedule.text)
