"""Which issue each event of a batch belongs to; the issues that nobody had seen before are made."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, lazyload

from app.domain import short_id
from app.domain.event import Event
from app.domain.lifecycle import UNRESOLVED
from app.models import Issue, IssueHash, Project
from app.services.reading import Read
from app.services.upserting import insert_all

HashKey = tuple[int, str]


@dataclass(slots=True)
class Seen:
    """An event of a batch in its issue, and what it did there."""

    project: Project
    event: Event
    body: bytes
    issue: Issue
    is_new: bool = False
    is_regression: bool = False


def place(session: Session, reads: Sequence[Read]) -> list[Seen]:
    """The events with their issues, in the order of the stream."""
    known = _known_issues(session, reads)
    made: dict[HashKey, Issue] = {}
    numbers = _reserve_numbers(session, reads, known)
    seen = []
    for each in reads:
        event = each.event
        assert event is not None
        key = (each.project.id, event.hash)
        issue = known.get(key)
        if issue is None:
            numbers[each.project.id] += 1
            issue = known[key] = made[key] = _new_issue(each.project, event, numbers[each.project.id])
            seen.append(Seen(each.project, event, each.body, issue, is_new=True))
        else:
            seen.append(Seen(each.project, event, each.body, issue))
    _insert(session, made, seen)
    return seen


def _known_issues(session: Session, reads: Sequence[Read]) -> dict[HashKey, Issue]:
    hashes = {each.event.hash for each in reads if each.event}
    query = select(IssueHash.project_id, IssueHash.hash, IssueHash.issue_id).where(IssueHash.hash.in_(hashes))
    wanted = {(each.project.id, each.event.hash) for each in reads if each.event}
    found = {(row.project_id, row.hash): row.issue_id for row in session.execute(query)}
    found = {key: issue_id for key, issue_id in found.items() if key in wanted}
    issues = _load(session, set(found.values()))
    return {key: issues[issue_id] for key, issue_id in found.items()}


def _load(session: Session, ids: Iterable[int]) -> dict[int, Issue]:
    query = select(Issue).where(Issue.id.in_(ids)).options(lazyload(Issue.project))
    return {issue.id: issue for issue in session.scalars(query)}


def _reserve_numbers(session: Session, reads: Sequence[Read], known: dict[HashKey, Issue]) -> dict[int, int]:
    """For each project with new issues the last number in use, once as many as it needs are taken."""
    new = {(each.project.id, each.event.hash) for each in reads if each.event} - known.keys()
    needed = Counter(project_id for project_id, _ in new)
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
        taken[project_id] = last - needed[project_id]
    return taken


def _new_issue(project: Project, event: Event, number: int) -> Issue:
    return Issue(
        project_id=project.id,
        number=number,
        short_id=short_id.encode(project.slug, number),
        title=event.title,
        culprit=event.culprit,
        message=event.message,
        level=event.level,
        type=event.type,
        logger=event.logger,
        platform=event.platform,
        details=event.metadata,
        status=UNRESOLVED,
        active_at=event.timestamp,
        first_seen=event.timestamp,
        last_seen=event.timestamp,
        first_release=event.release or None,
        last_release=event.release or None,
    )


def _insert(session: Session, made: dict[HashKey, Issue], seen: Sequence[Seen]) -> None:
    if not made:
        return
    session.add_all(made.values())
    session.flush()
    versions = {(each.project.id, each.event.hash): each.event.hash_version for each in seen if each.is_new}
    rows = [
        {"project_id": key[0], "hash": key[1], "hash_version": versions[key], "issue_id": issue.id}
        for key, issue in made.items()
    ]
    insert_all(session, IssueHash, rows)
