"""Search terms for who was told of an issue, as conditions on `Issue`.

Told is who a message was accepted for, alone or in a summary.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, type_coerce
from sqlalchemy.orm import aliased

from app.domain import delivery_states
from app.domain.delivery_states import ACCEPTED
from app.domain.routing import Outcome
from app.models import Issue, Notice, Verdict
from app.services.issues import undoing
from app.services.issues.matching_events import walking, within
from app.services.notices import verdicts
from app.services.notices.verdicts import CARRIED, OWN

# `verdicts.STATE` is that. Of each by itself PostgreSQL knows how many there are.
_ARRIVED = or_(OWN.state == ACCEPTED, and_(OWN.state.is_(None), CARRIED.state == ACCEPTED))
_LOST = (delivery_states.FAILED, delivery_states.EXPIRED, delivery_states.CANCELLED)


def told(is_theirs: Callable[[Any], ColumnElement[bool]], *, walks: bool) -> ColumnElement[bool]:
    """A message about the issue was accepted for one of these people; `walks` if it often was."""
    theirs = (Verdict.subject == "user", is_theirs(Verdict.subject_id), _ARRIVED)
    issue_id: ColumnElement[int] = type_coerce(Notice.issue_id, Issue.id.type)
    messages = verdicts.with_deliveries(select(issue_id).join(Verdict, Verdict.notice_id == Notice.id))
    ids = messages.where(Notice.issue_id.is_not(None), *theirs)
    if not walks:
        return within(ids)
    # Nested so, neither database begins with all that these people were ever told.
    tells = verdicts.with_deliveries(select(Verdict.id)).where(Verdict.notice_id == Notice.id, *theirs)
    one = select(Notice.id).where(Notice.issue_id == Issue.id, tells.correlate(Notice).exists())
    return walking(ids, one.correlate(Issue).limit(1).scalar_subquery().is_not(None))


def _unreached() -> ColumnElement[bool]:
    """Of its latest notice, if there is one, nothing was told to anybody, is on its way, or held.

    The index has those of which `Issue.told` does not know better; few of them are looked at in vain.
    """
    latest = aliased(Notice)
    alive = verdicts.with_deliveries(select(Verdict.id)).where(
        Verdict.notice_id == latest.id,
        Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
        or_(verdicts.STATE.is_(None), verdicts.STATE.not_in(_LOST)),
    )
    reached = or_(latest.planned_at.is_(None), alive.correlate(latest).exists())
    return and_(~Issue.told, ~exists().where(latest.id == undoing.latest_notice(), reached))


UNREACHED = _unreached()
