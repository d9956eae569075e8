"""Issues whose state changes with time alone: ignores that are over, and what was silent for too long."""

from datetime import datetime

from app.clock import now
from app.db import reading, transaction
from app.jobs import doorbell
from app.services.issues import auto_resolving, waking
from app.services.preferences import muting

MOST_CHUNKS = 100


def wake(at: datetime) -> None:
    """End what was ignored or muted until now. Looks first: where nothing is due, nobody waits for a lock."""
    with reading() as session:
        is_due = bool(waking.due(session, now=at, limit=1))
        worse = muting.got_worse(session, now=at)
    if is_due:
        _wake_issues(at)
    if worse:
        with transaction() as session:
            muting.end(session, worse)


def _wake_issues(at: datetime) -> None:
    for _ in range(MOST_CHUNKS):
        with transaction() as session:
            if waking.wake_due(session, now=at) < waking.CHUNK:
                return


def resolve_old(at: datetime) -> None:
    """Resolve by age, wherever a project asks for it."""
    with reading() as session:
        project_ids = auto_resolving.projects(session)
    for project_id in project_ids:
        _resolve_old_of(project_id, at)


def _resolve_old_of(project_id: int, at: datetime) -> None:
    run = auto_resolving.begin(now=now())
    for _ in range(MOST_CHUNKS):
        with transaction() as session:
            run = auto_resolving.going_on(run, now=now())
            resolved = auto_resolving.resolve_old(session, project_id, batch=run, now=at)
        if resolved < auto_resolving.CHUNK:
            break
    with transaction() as session:
        notice_ids = auto_resolving.end(session, run)
    doorbell.ring(notice_ids)
