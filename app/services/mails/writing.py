"""Writing a mail that no notice stands behind, such as a link to sign in with."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Delivery, User
from app.services.mails import delivering


def write_to(
    session: Session, address: str, kind: str, data: dict[str, str], *, user: User | None, now: datetime
) -> Delivery:
    """Leave it for the worker to send."""
    delivery = Delivery(
        public_id=delivering.new_id(),
        user_id=user.id if user else None,
        channel="email",
        kind=kind,
        address=address,
        data=data,
        created_at=now,
        send_at=now,
    )
    session.add(delivery)
    return delivery
