"""What a batch adds to the counts that pages read: exactly, in the transaction that keeps its events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.domain import priority, traits
from app.models import (
    ClientLoss,
    IngestCount,
    Issue,
    IssueCount,
    IssueEnvironmentUser,
    IssueHour,
    IssueTag,
    IssueTrait,
    IssueUser,
)
from app.services.events.digest_issues import Seen
from app.services.events.reading import Read
from app.services.upserting import add_counts, insert_missing, keep_latest

_PERSON = ("issue_id", "ident")
_PERSON_HERE = (*_PERSON, "environment")
_SEEN = {"latest": "last_seen", "before": "seen_before"}


@dataclass(slots=True)
class Change:
    """What the events of a batch add up to for one issue."""

    issue: Issue
    events: int = 0
    people: int = 0
    first: datetime = field(init=False)
    last: datetime = field(init=False)
    level: str = field(init=False)
    release: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.last = self.issue.first_seen, self.issue.last_seen
        self.level, self.release = self.issue.level, self.issue.last_release

    def add(self, seen: Seen) -> None:
        self.events += 1
        self.first = min(self.first, seen.event.timestamp)
        if seen.event.timestamp >= self.last:
            self.last = seen.event.timestamp
            self.level = seen.event.level
            self.release = seen.event.release or self.release

    def row(self) -> dict[str, Any]:
        return {
            "the_id": self.issue.id,
            "events": self.events,
            "people": self.people,
            "first_seen": self.first,
            "last_seen": self.last,
            "priority": priority.of(self.issue.times_seen + self.events, self.last),
            "level": self.level,
            "last_release": self.release,
            "first_release": self.issue.first_release or self.release,
        }


def count_seen(session: Session, seen: Sequence[Seen]) -> None:
    changes = {issue.id: Change(issue) for issue in {each.issue for each in seen}}
    for each in seen:
        changes[each.issue.id].add(each)
    for issue_id, people in _new_people(session, seen).items():
        changes[issue_id].people = people
    _update_issues(session, changes)
    _meet_in_environments(session, seen)
    _add_hours(session, seen)
    _add_received(session, seen)
    _add_tags(session, seen)
    _add_traits(session, seen)


def count_items(session: Session, reads: Sequence[Read]) -> None:
    """Everything that came in, by project, hour, category and what became of it."""
    counts: Counter[tuple[int, datetime, str, str]] = Counter()
    for each in reads:
        hour = _hour(each.entry.received_at)
        for (category, outcome), count in each.counts.items():
            counts[each.project.id, hour, category, outcome] += count
    rows = [
        {"project_id": key[0], "hour": key[1], "category": key[2], "outcome": key[3], "count": count}
        for key, count in counts.items()
        if count
    ]
    add_counts(session, IngestCount, rows, "project_id", "hour", "category", "outcome")


def count_losses(session: Session, reads: Sequence[Read]) -> None:
    """What SDKs say that they did not send, by when they said so: their own clocks may be wrong."""
    counts: Counter[tuple[int, datetime, str, str]] = Counter()
    for each in reads:
        for (category, reason), count in each.losses.items():
            counts[each.project.id, _hour(each.entry.received_at), category, reason] += count
    keys = ("project_id", "hour", "category", "reason")
    rows = [dict(zip(keys, key, strict=True), count=count) for key, count in counts.items()]
    add_counts(session, ClientLoss, rows, *keys)


def _new_people(session: Session, seen: Sequence[Seen]) -> Counter[int]:
    """How many people each issue had not met before; the events that met them are marked."""
    of_person: dict[tuple[int, str], list[Seen]] = defaultdict(list)
    for each in seen:
        if each.event.user_ident:
            of_person[each.issue.id, each.event.user_ident].append(each)
    new: Counter[int] = Counter()
    for row in keep_latest(session, IssueUser, _people(of_person), *_PERSON, **_SEEN):
        met = of_person[row["issue_id"], row["ident"]]
        for each in met:
            each.met_before = row["seen_before"]
        if row["seen_before"] is None:
            met[0].is_new_person = True
            new[row["issue_id"]] += 1
    return new


def _people(of_person: dict[tuple[int, str], list[Seen]]) -> list[dict[str, Any]]:
    return [
        {
            "issue_id": issue_id,
            "ident": ident,
            "first_seen": met[0].event.timestamp,
            "last_seen": max(each.event.received_at for each in met),
        }
        for (issue_id, ident), met in of_person.items()
    ]


def _meet_in_environments(session: Session, seen: Sequence[Seen]) -> None:
    of_person: dict[tuple[int, str, str], list[Seen]] = defaultdict(list)
    for each in seen:
        if each.event.user_ident:
            of_person[each.issue.id, each.event.user_ident, each.event.environment].append(each)
    rows = [
        dict(zip(_PERSON_HERE, key, strict=True), last_seen=max(each.event.received_at for each in met))
        for key, met in of_person.items()
    ]
    for row in keep_latest(session, IssueEnvironmentUser, rows, *_PERSON_HERE, **_SEEN):
        for each in of_person[row["issue_id"], row["ident"], row["environment"]]:
            each.met_here_before = row["seen_before"]


def _update_issues(session: Session, changes: dict[int, Change]) -> None:
    if not changes:
        return
    table = Issue.__table__
    statement = (
        update(Issue)
        .where(table.c.id == bindparam("the_id"))
        .values(
            times_seen=table.c.times_seen + bindparam("events"),
            users_seen=table.c.users_seen + bindparam("people"),
            first_seen=bindparam("first_seen"),
            last_seen=bindparam("last_seen"),
            priority=bindparam("priority"),
            level=bindparam("level"),
            last_release=bindparam("last_release"),
            first_release=bindparam("first_release"),
        )
    )
    session.connection().execute(statement, [changes[key].row() for key in sorted(changes)])


def _add_hours(session: Session, seen: Sequence[Seen]) -> None:
    counts = Counter((each.issue.id, _hour(each.event.timestamp)) for each in seen)
    rows = [{"issue_id": key[0], "hour": key[1], "count": count} for key, count in counts.items()]
    add_counts(session, IssueHour, rows, "issue_id", "hour")


def _add_received(session: Session, seen: Sequence[Seen]) -> None:
    counts: Counter[tuple[int, int, datetime, str]] = Counter()
    for each in seen:
        minute = each.event.received_at.replace(second=0, microsecond=0)
        for minutes, start in ((1, minute), (60, minute.replace(minute=0))):
            counts[each.issue.id, minutes, start, each.event.environment] += 1
    keys = ("issue_id", "minutes", "start", "environment")
    add_counts(
        session,
        IssueCount,
        [dict(zip(keys, key, strict=True), count=count) for key, count in counts.items()],
        *keys,
    )


def _add_tags(session: Session, seen: Sequence[Seen]) -> None:
    counts: Counter[tuple[int, str, str]] = Counter()
    newest: dict[tuple[int, str, str], datetime] = {}
    for each in seen:
        issue_id, at = each.issue.id, each.event.timestamp
        for name, value in each.event.tags:
            key = (issue_id, name, value)
            counts[key] += 1
            newest[key] = max(newest.get(key, at), at)
    rows = [
        {"issue_id": key[0], "key": key[1], "value": key[2], "count": count, "last_seen": newest[key]}
        for key, count in counts.items()
    ]
    add_counts(session, IssueTag, rows, "issue_id", "key", "value", latest="last_seen")


def _add_traits(session: Session, seen: Sequence[Seen]) -> None:
    found = {
        (*trait, each.issue.id) for each in seen for trait in traits.of(each.event, is_first=each.is_new)
    }
    rows = [{"key": key, "value": value, "issue_id": issue_id} for key, value, issue_id in found]
    insert_missing(session, IssueTrait, rows, "key", "value", "issue_id")


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
