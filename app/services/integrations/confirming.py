"""Whoever an integration sends to agrees first, where its channel asks for that: by a code that was sent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Confirming, ToConfirm
from app.domain.errors import NotFound, Refused
from app.models import Destination
from app.services.integrations import channel_settings, connecting
from app.services.sealing import Seal, Sealed


def to_confirm(destination: Destination, seal: Seal, *, now: datetime) -> Sequence[ToConfirm]:
    """Everybody it sends to, and how they stand; nobody where the channel does not ask them."""
    try:
        channel = channel_settings.opened(destination, seal)
    except Sealed:
        return ()
    return channel.to_confirm(now=now) if isinstance(channel, Confirming) else ()


def confirm(session: Session, destination_id: int, key: str, code: str, seal: Seal, *, now: datetime) -> str:
    """What is wrong with the code that was entered, or "". A wrong one counts, and so has to be committed."""
    held = select(Destination).where(Destination.id == destination_id).with_for_update()
    destination = session.scalar(held.execution_options(populate_existing=True))
    if destination is None:
        raise NotFound
    try:
        channel = channel_settings.opened(destination, seal)
    except Sealed:
        raise Refused("Its secrets cannot be read: enter them again.") from None
    if not isinstance(channel, Confirming):
        raise NotFound
    said = channel.confirm(key, code, now=now)
    channel_settings.take_over(destination, said.changes, seal)
    if not said.wrong:
        connecting.forget_failures(destination)
    session.flush()
    return said.wrong
