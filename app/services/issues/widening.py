"""What a search that found nothing would find if it asked for less. Read only where a list is empty."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.search import Query
from app.models import Issue, IssueTag
from app.services.issues.finding import COUNTED_UP_TO, Scope
from app.services.issues.matching import condition


def counts(session: Session, searches: Sequence[tuple[Scope, Query]], *, now: datetime) -> Sequence[int]:
    """How many issues each finds, up to the limit of the tabs."""
    each = [
        select(Issue.id)
        .where(scope.holds, condition(session, query, scope.places, now=now))
        .limit(COUNTED_UP_TO)
        .subquery()
        for scope, query in searches
    ]
    if not each:
        return []
    numbers = [select(func.count()).select_from(ids).scalar_subquery() for ids in each]
    return list(session.execute(select(*numbers)).one())


def unknown_tags(session: Session, scope: Scope, keys: Sequence[str]) -> Sequence[str]:
    """Those of the tags that no event here ever had."""
    if not keys:
        return []
    each = [
        select(IssueTag.key)
        .join(Issue, Issue.id == IssueTag.issue_id)
        .where(IssueTag.key == key, scope.holds)
        .limit(1)
        .scalar_subquery()
        for key in keys
    ]
    found = set(session.execute(select(*each)).one())
    return [key for key in keys if key not in found]
