"""Slack's calls over a connection of our own (Socket Mode): whom they are for, and what they mean.

What arrives there was asked for with the app's own token, so it needs no signature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import slack_calls
from app.channels.base import Heard
from app.channels.slack import Slack
from app.models import Destination
from app.services.integrations import channel_settings
from app.services.sealing import Seal, Sealed

INTERACTIVE, EVENTS = "interactive", "events_api"


@dataclass(frozen=True, slots=True)
class Ear:
    """An app that listens, and the integration that its calls come to: the first one that has its token."""

    token: str
    host: str
    destination_id: int


def ears(session: Session, seal: Seal) -> dict[str, Ear]:
    """One for each app-level token that an integration has."""
    rows = select(Destination).where(Destination.channel == Slack.about.name, Destination.enabled)
    found: dict[str, Ear] = {}
    for row in session.scalars(rows.order_by(Destination.id)):
        try:
            slack = channel_settings.opened(row, seal)
        except Sealed:
            continue
        if isinstance(slack, Slack) and slack.is_bot and slack.app_token:
            found.setdefault(slack.app_token, Ear(slack.app_token, slack.host, row.id))
    return found


def heard(kind: str, payload: Mapping[str, Any], *, envelope: str) -> Heard:
    """What an envelope means; one that comes twice counts once."""
    key = f"envelope:{envelope}"[:100]
    if kind == INTERACTIVE:
        return slack_calls.pressed(payload, key=key)
    return slack_calls.happened(payload, key=key) if kind == EVENTS else slack_calls.NOTHING
