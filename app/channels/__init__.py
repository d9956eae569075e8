"""Ways out. `CHANNELS` are those that integrations can be made of, one line a channel."""

from app.channels.apprise import Apprise
from app.channels.base import Channel
from app.channels.campfire import Campfire
from app.channels.irc import Irc
from app.channels.opsgenie import OpsGenie
from app.channels.pagerduty import PagerDuty
from app.channels.pushover import Pushover
from app.channels.slack import Slack
from app.channels.slack_compatible import SlackCompatible
from app.channels.twilio import Twilio
from app.channels.victorops import VictorOps
from app.channels.webhook import Webhook

CHANNELS: dict[str, type[Channel]] = {
    channel.about.name: channel
    for channel in (
        Apprise,
        Campfire,
        Irc,
        OpsGenie,
        PagerDuty,
        Pushover,
        Slack,
        SlackCompatible,
        Twilio,
        VictorOps,
        Webhook,
    )
}


def rings(name: str) -> bool:
    """Whether a message there gets somebody out of bed."""
    return is_paging(name) or CHANNELS[name].about.rings


def is_paging(name: str) -> bool:
    """Whether the channel keeps an incident open until it is closed."""
    return CHANNELS[name].about.is_paging


def takes(name: str, kind: str) -> bool:
    """Whether the channel has a form for messages of that kind."""
    return kind in CHANNELS[name].about.kinds


def needs_open(name: str, kind: str) -> bool:
    """Whether such a message means something only while an incident is open there."""
    return kind in CHANNELS[name].about.needs_open
