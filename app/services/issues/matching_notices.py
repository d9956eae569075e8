"""Search terms for who was told of an issue, as conditions on `Issue`.

Told is who a message was accepted for, alone or in a summary.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.domain import delivery_states
from app.domain.delivery_states import ACCEPTED
from app.domain.routing import Outcome
from app.models import Issue, Notice, Verdict
from app.services.issues.undoing import UNDONE
from app.services.notices import verdicts

_LOST = (delivery_states.FAILED, delivery_states.EXPIRED, delivery_states.CANCELLED)


def told(is_theirs: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """A message about the issue was accepted for one of these people."""
    theirs = verdicts.with_deliveries(select(Verdict.notice_id)).where(
        Verdict.subject == "user", is_theirs(Verdict.subject_id), verdicts.STATE == ACCEPTED
    )
    of_issues = select(Notice.issue_id).where(Notice.issue_id.is_not(None), Notice.id.in_(theirs))
    return Issue.id.in_(of_issues)


def _unreached() -> ColumnElement[bool]:
    """Of its latest notice, if there is one, nothing was told to anybody, is on its way, or held."""
    latest, newer = aliased(Notice), aliased(Notice)
    is_newer = and_(newer.issue_id == Issue.id, newer.gate_code.is_distinct_from(UNDONE))
    newest = select(func.max(newer.id)).where(is_newer).correlate(Issue).scalar_subquery()
    alive = verdicts.with_deliveries(select(Verdict.id)).where(
        Verdict.notice_id == latest.id,
        Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
        or_(verdicts.STATE.is_(None), verdicts.STATE.not_in(_LOST)),
    )
    reached = or_(latest.planned_at.is_(None), alive.correlate(latest).exists())
    return ~exists().where(latest.id == newest, reached)


UNREACHED = _unreached()
