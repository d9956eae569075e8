"""Ways out. `CHANNELS` are those that integrations can be made of, one line a channel."""

from app.channels.base import Channel
from app.channels.webhook import Webhook

CHANNELS: dict[str, type[Channel]] = {channel.about.name: channel for channel in (Webhook,)}


def is_paging(name: str) -> bool:
    """Whether the channel keeps an incident open until it is closed."""
    return CHANNELS[name].about.is_paging
