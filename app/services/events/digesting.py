"""Entries of the ingest stream become events, issues, counts and the notices of alerts.

`read_all` does the thinking and needs no lock; `keep` writes a batch with a constant number of statements.
The caller holds the stream's cursor, so one digester at a time runs `keep`.
"""

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.domain.shapes import cut
from app.models import Attachment, Event, Notice, Project
from app.services.events import digest_counts, digest_issues, keys_used
from app.services.events.categories import ATTACHMENT, ERROR
from app.services.events.digest_issues import MAX_TITLE, Seen
from app.services.events.reading import Read, Unminify, read
from app.services.events.setting_aside import set_aside
from app.services.events.stream_entry import ACCEPTED, DROPPED, DUPLICATE, UNREADABLE, Entry
from app.services.issues import auto_assigning, feedback, regressing, waking
from app.services.monitors import checking_in, recovering
from app.services.releases import artifacts, releases_seen, watching
from app.services.releases.unminifying import Unminifier
from app.services.rules import alerting
from app.services.rules.ceilings import Ceilings
from app.services.upserting import insert_all

EventKey = tuple[int, str]

# Attachments may inflate to much more than came in.
MAX_BYTES = 64 << 20
# A check-in or what somebody wrote is a few statements: a hundred of them are a batch.
MAX_ROWS = 100

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """The first `taken` of some entries, read; `failures` are those that cannot be, with what was raised."""

    taken: int = 0
    reads: list[Read] = field(default_factory=list)
    failures: list[tuple[Entry, Exception]] = field(default_factory=list)
    bundles: set[int] = field(default_factory=set)  # those whose source maps the events needed

    def leave_out(self, is_digested: Callable[[Entry], bool]) -> None:
        """Forget the entries that another digester was quicker with."""
        self.reads = [each for each in self.reads if not is_digested(each.entry)]
        self.failures = [each for each in self.failures if not is_digested(each[0])]


@dataclass(frozen=True, slots=True)
class Digested:
    """What a batch became: the notices to plan, and how many events were kept."""

    notice_ids: list[int]
    events: int


def digest(session: Session, entries: Sequence[Entry], *, now: datetime) -> Digested:
    """Read and keep entries, all of them in the transaction of the session."""
    return keep(session, read_all(session, entries, room=sys.maxsize), now=now)


def read_all(
    session: Session,
    entries: Sequence[Entry],
    *,
    room: int = MAX_BYTES,
    unminifier: Unminifier | None = None,
) -> Batch:
    """What the entries say, up to some bytes of it. Those of projects that are gone are left out."""
    projects = _projects(session, entries)
    batch = Batch()
    for entry in entries:
        if room <= 0:
            break
        batch.taken += 1
        project = projects.get(entry.project_id)
        if entry.kind == UNREADABLE:
            batch.failures.append((entry, ValueError("not an entry of this stream")))
        elif project is not None:
            unminify = unminifier.of(project) if unminifier else None
            room -= _read_into(batch, entry, project, unminify)
    batch.bundles = unminifier.used if unminifier else set()
    auto_assigning.read_lines(session, batch.reads)
    return batch


def _read_into(batch: Batch, entry: Entry, project: Project, unminify: Unminify | None) -> int:
    """The bytes that it takes to hold what was read, or that the time it takes to keep it is worth."""
    try:
        made = read(entry, project, unminify)
    except (OperationalError, InterfaceError):
        raise  # the database is away, and all entries wait for it
    except Exception as error:  # whatever a broken entry raises must not stop the others
        batch.failures.append((entry, error))
        return len(entry.body)
    batch.reads.append(made)
    rows = len(made.check_ins) + len(made.feedback)
    held = len(made.body) + sum(len(row["body"]) for row in made.attachments)
    return held + rows * MAX_BYTES // MAX_ROWS


def keep(session: Session, batch: Batch, *, now: datetime, ceilings: Ceilings | None = None) -> Digested:
    """Write a batch. Run again for the same events it counts them as duplicates and keeps nothing.

    Who keeps many passes `ceilings`, the same ones each time: see `counting`.
    """
    for entry, error in batch.failures:
        log.warning("entry %s is set aside: %s", entry.id, type(error).__name__)
        set_aside(session, entry, error, now=now)
    reads = _of_living_projects(session, batch.reads)
    checked = checking_in.take(session, reads, now=now)
    reads += checked.failures
    fresh = _sort_out_duplicates(session, reads)
    seen = digest_issues.place(session, fresh)
    releases_seen.remember(session, seen)
    watching.follow_new(session, seen, now=now)
    regressed = regressing.regress(session, seen, now=now)
    insert_all(session, Event, [_event_row(each) for each in seen])
    digest_counts.count_seen(session, seen)
    woken = waking.wake(session, seen, now=now)
    _mark_first_events(session, seen)
    _keep_enclosures(session, reads, seen)
    digest_counts.count_items(session, reads)
    digest_counts.count_losses(session, reads)
    keys_used.note(session, reads)
    artifacts.note_use(session, batch.bundles, now=now)
    assigned = auto_assigning.assign(session, seen, now=now)
    notice_ids = alerting.fire(session, seen, now=now, ceilings=ceilings)
    recovered = recovering.recover(session, checked.recovered, now=now)
    return Digested(_notices_of(session, regressed + woken + assigned + recovered) + notice_ids, len(seen))


def _projects(session: Session, entries: Iterable[Entry]) -> dict[int, Project]:
    ids = {entry.project_id for entry in entries}
    return {project.id: project for project in session.scalars(select(Project).where(Project.id.in_(ids)))}


def _of_living_projects(session: Session, reads: Sequence[Read]) -> list[Read]:
    """A project that was deleted since it was read takes its events along."""
    ids = {each.project.id for each in reads}
    alive = set(session.scalars(select(Project.id).where(Project.id.in_(ids))))
    return [each for each in reads if each.project.id in alive]


def _sort_out_duplicates(session: Session, reads: Sequence[Read]) -> list[Read]:
    """The reads whose events are new; the others are counted, and their attachments dropped."""
    known = _known_events(session, ((each.project.id, each.event.event_id) for each in reads if each.event))
    fresh = []
    for each in reads:
        if each.event is None:
            continue
        key = (each.project.id, each.event.event_id)
        if key in known:
            each.event = None
            each.counts[ERROR, DUPLICATE] += 1
            each.counts[ATTACHMENT, DUPLICATE] += len(each.attachments)
            each.attachments = []
        else:
            known.add(key)
            each.counts[ERROR, ACCEPTED] += 1
            fresh.append(each)
    return fresh


def _known_events(session: Session, keys: Iterable[EventKey]) -> set[EventKey]:
    """Those that are stored; the projects are named because the index begins with them."""
    wanted = set(keys)
    query = select(Event.project_id, Event.event_id).where(
        Event.project_id.in_({project_id for project_id, _ in wanted}),
        Event.event_id.in_({event_id for _, event_id in wanted}),
    )
    return {(project_id, event_id) for project_id, event_id in session.execute(query)}


def _event_row(seen: Seen) -> dict[str, object]:
    event = seen.event
    return {
        "project_id": seen.project.id,
        "issue_id": seen.issue.id,
        "event_id": event.event_id,
        "timestamp": event.timestamp,
        "received_at": event.received_at,
        "level": event.level,
        "platform": event.platform,
        "type": event.type,
        "title": cut(event.title, MAX_TITLE),
        "culprit": event.culprit,
        "environment": event.environment,
        "release": event.release or None,
        "user_ident": event.user_ident,
        "hash": event.hash,
        "body": seen.body,
    }


def _mark_first_events(session: Session, seen: Sequence[Seen]) -> None:
    first = {each.project.id: each.event.received_at for each in reversed(seen)}
    waiting = {each.project.id for each in seen if each.project.first_event_at is None}
    for project_id in sorted(waiting):
        session.execute(
            update(Project)
            .where(Project.id == project_id, Project.first_event_at.is_(None))
            .values(first_event_at=first[project_id])
        )


def _keep_enclosures(session: Session, reads: Sequence[Read], seen: Sequence[Seen]) -> None:
    """Feedback may come before its event; an attachment without an event is nobody's."""
    feedback.take_in(session, [row for each in reads for row in each.feedback])
    feedback.claim(session, {(each.project.id, each.event.event_id): each.issue.id for each in seen})
    known = {(each.project.id, each.event.event_id) for each in seen}
    orphans = [each for each in reads if each.attachments and _key(each) not in known]
    if orphans:
        known |= _known_events(session, (_key(each) for each in orphans))
    rows = []
    for each in reads:
        kept = _key(each) in known
        each.counts[ATTACHMENT, ACCEPTED if kept else DROPPED] += len(each.attachments)
        rows += each.attachments if kept else []
    insert_all(session, Attachment, rows)


def _key(each: Read) -> EventKey:
    return each.project.id, each.entry.event_id or ""


def _notices_of(session: Session, activity_ids: Sequence[int]) -> list[int]:
    if not activity_ids:
        return []
    return list(session.scalars(select(Notice.id).where(Notice.activity_id.in_(activity_ids))))
