"""A test that a person sends to themselves: through the evaluator, the queue and the relay, like all else."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome, Person
from app.models import Delivery, Notice, User, Verdict
from app.services.mails import delivering
from app.services.notices.announcing import announce
from app.services.preferences import reaching

KIND = KINDS["test"]


def send_test(session: Session, user: User, *, now: datetime) -> Notice:
    """A notice about nothing, for this person alone, decided and on its way."""
    notice = announce(session, KIND.name, None, {"user": user.id}, now=now)
    tell(session, notice, user, now=now)
    return notice


def tell(session: Session, notice: Notice, user: User, *, now: datetime) -> None:
    """The evaluator's answer for whoever asked for a test, and the message that follows from it."""
    address = reaching.addresses_of(session, [user.id], notice.project_id).get(user.id)
    person = Person(user.id, is_active=user.is_active, has_address=address is not None)
    decided = routing.decide(Happening(KIND), person)
    verdict = Verdict(
        notice=notice,
        subject="user",
        subject_id=user.id,
        channel=decided.channel,
        outcome=str(decided.outcome),
        code=decided.code,
        params=dict(decided.params),
        reasons=[],
    )
    session.add(verdict)
    if decided.outcome == Outcome.SEND and address:
        session.add(_delivery(verdict, user, address, now))
    session.flush()


def _delivery(verdict: Verdict, user: User, address: str, now: datetime) -> Delivery:
    return Delivery(
        public_id=delivering.new_id(),
        verdict=verdict,
        user_id=user.id,
        channel=verdict.channel,
        kind=KIND.name,
        address=address,
        data={},
        created_at=now,
        send_at=now,
    )
