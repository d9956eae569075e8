"""The job that takes away what is left of issues that were deleted or merged."""

from datetime import datetime

from app.db import reading, transaction
from app.services.issues import clearing

# Chunks, and issues, of one sweep.
MOST = 100


def run(*issue_ids: int) -> None:
    """Until nothing is left of them. Safe to run twice, and at the same time."""
    for issue_id in issue_ids:
        while _chunk(issue_id):
            pass


def sweep(_at: datetime) -> None:
    """What no worker was woken for, or one died over: a bounded part of it, the rest next time."""
    chunks = MOST
    with reading() as session:
        waiting = clearing.waiting(session, limit=MOST)
    for issue_id in waiting:
        while chunks > 0 and _chunk(issue_id):
            chunks -= 1


def _chunk(issue_id: int) -> bool:
    with transaction() as session:
        return clearing.clear(session, issue_id)
