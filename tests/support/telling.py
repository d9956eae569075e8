"""What told somebody: a delivery of the verdict's own, or the one of its digest."""

from sqlalchemy import and_, or_

from app.domain.routing import Outcome
from app.models import Delivery, Verdict

TELLS = or_(
    Delivery.verdict_id == Verdict.id,
    and_(Delivery.digest_id == Verdict.digest_id, Verdict.outcome == Outcome.DEFER),
)
