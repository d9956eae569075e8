"""Which issue each event of a batch belongs to; the issues that nobody had seen before are made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, lazyload

from app.domain import short_id
from app.domain.event import Event
from app.domain.lifecycle import UNRESOLVED
from app.domain.shapes import cut
from app.models import Issue, IssueHash, IssueText, Project
from app.services.access import IS_THERE
from app.services.events.reading import Lines, Read
from app.services.issues.matching_events import folded
from app.services.upserting import insert_all

MAX_TITLE = 255
# How often the owners of fingerprints may change under the hands of one batch.
TRIES = 10

HashKey = tuple[int, str]


@dataclass(slots=True)
class Seen:
    """An event of a batch in its issue, and what it did there.

    `is_reappeared`: with it the issue came back from being ignored. `was_ignored`, `was_resolved`: at its
    moment the issue still was, though a later event of the batch has ended that; no rule is asked about it.
    """

    project: Project
    event: Event
    body: bytes
    issue: Issue
    is_new: bool = False
    is_regression: bool = False
    is_reappeared: bool = False
    was_ignored: bool = False
    was_resolved: bool = False
    is_new_person: bool = False  # the first event of its issue that met this person
    met_before: datetime | None = None  # when its person was last met before the batch
    met_here_before: datetime | None = None  # and in the same environment
    lines: Lines | None = None  # as they were when it was read

    @property
    def was_silent(self) -> bool:
        return self.was_ignored or self.was_resolved


def place(session: Session, reads: Sequence[Read]) -> list[Seen]:
    """The events with their issues, in the order of the stream. Those of discarded issues are left out.

    The issues are locked: nobody deletes, merges or moves them before the batch is kept.
    """
    owners = _owners(session, reads)
    issues = {key: owner for key, owner in owners.items() if owner}
    unwanted = owners.keys() - issues.keys()
    for each in reads:
        if each.event and (each.project.id, each.event.hash) in unwanted:
            each.discard()
    first = _first_of_new_issues(reads, issues)
    issues |= _make_issues(session, first)
    founders = {id(each) for each in first.values()}
    return [
        Seen(
            each.project,
            event,
            each.body,
            issues[each.project.id, event.hash],
            is_new=id(each) in founders,
            lines=each.lines,
        )
        for each in reads
        if (event := each.event)
    ]


def _owners(session: Session, reads: Sequence[Read]) -> dict[HashKey, Issue | None]:
    """The issue of each fingerprint that is known; None for those of discarded issues.

    While a lock is waited for, the issue may be deleted or merged: then its fingerprints have another owner,
    or none, and are looked up anew.
    """
    wanted = {(each.project.id, each.event.hash) for each in reads if each.event}
    hashes = {hash_ for _, hash_ in wanted}
    query = select(IssueHash.project_id, IssueHash.hash, IssueHash.issue_id).where(IssueHash.hash.in_(hashes))
    for _ in range(TRIES):
        found = {(row.project_id, row.hash): row.issue_id for row in session.execute(query)}
        found = {key: issue_id for key, issue_id in found.items() if key in wanted}
        ids = {issue_id for issue_id in found.values() if issue_id is not None}
        issues = _lock(session, ids)
        if len(issues) == len(ids):
            return {key: issues[owner] if owner is not None else None for key, owner in found.items()}
    raise LookupError("fingerprints point at issues that are gone")


def _lock(session: Session, ids: Iterable[int]) -> dict[int, Issue]:
    """Those that are still there, as they are now; always in one order, so that nobody waits for ever."""
    query = (
        select(Issue)
        .where(Issue.id.in_(ids), IS_THERE)
        .order_by(Issue.id)
        .options(lazyload(Issue.project))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {issue.id: issue for issue in session.scalars(query)}


def _first_of_new_issues(reads: Sequence[Read], known: dict[HashKey, Issue]) -> dict[HashKey, Read]:
    """For each fingerprint that nobody knows the event that brings it."""
    first: dict[HashKey, Read] = {}
    for each in reads:
        if each.event and (key := (each.project.id, each.event.hash)) not in known:
            first.setdefault(key, each)
    return first


def _make_issues(session: Session, first: dict[HashKey, Read]) -> dict[HashKey, Issue]:
    if not first:
        return {}
    numbers = _reserve_numbers(session, Counter(project_id for project_id, _ in first))
    rows, keys = [], {}
    for key, each in first.items():
        assert each.event is not None
        number = next(numbers[each.project.id])
        rows.append(_issue_row(each.project, each.event, number))
        keys[each.project.id, number] = key
    made = session.scalars(insert(Issue).returning(Issue), rows)
    issues = {keys[issue.project_id, issue.number]: issue for issue in made}
    _remember_hashes(session, first, issues)
    insert_all(session, IssueText, [text_row(issue) for issue in issues.values()])
    return issues


def text_row(issue: Issue) -> dict[str, Any]:
    """Where its words are looked for."""
    return {"issue_id": issue.id, "text": folded(f"{issue.title}\n{issue.culprit}\n{issue.message}")}


def _reserve_numbers(session: Session, needed: Counter[int]) -> dict[int, Iterator[int]]:
    """For each project as many numbers as it needs, which nobody else will get."""
    taken = {}
    for project_id in sorted(needed):
        last = session.scalar(
            update(Project)
            .where(Project.id == project_id)
            .values(last_issue_number=Project.last_issue_number + needed[project_id])
            .returning(Project.last_issue_number)
            .execution_options(synchronize_session=False)
        )
        assert last is not None
        taken[project_id] = iter(range(last - needed[project_id] + 1, last + 1))
    return taken


def _remember_hashes(session: Session, first: dict[HashKey, Read], issues: dict[HashKey, Issue]) -> None:
    rows = [
        {
            "project_id": key[0],
            "hash": key[1],
            "hash_version": each.event.hash_version,
            "issue_id": issues[key].id,
        }
        for key, each in first.items()
        if each.event
    ]
    insert_all(session, IssueHash, rows)


def _issue_row(project: Project, event: Event, number: int) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "number": number,
        "short_id": short_id.encode(project.slug, number),
        "title": cut(event.title, MAX_TITLE),
        "culprit": event.culprit,
        "message": event.message,
        "level": event.level,
        "type": event.type,
        "logger": event.logger,
        "platform": event.platform,
        "details": event.metadata,
        "status": UNRESOLVED,
        "active_at": event.timestamp,
        "first_seen": event.timestamp,
        "last_seen": event.timestamp,
        "first_release": event.release or None,
        "last_release": event.release or None,
    }
