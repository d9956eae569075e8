"""What is pressed and posted in Slack, carried out: as the person who linked the account, with their rights.

An app has one address for all its calls, so a press may be about another project than that of the
integration that was called. It counts there only in the same organization, and if an integration of that
project holds the same app's secret.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels import slack_api, slack_blocks
from app.channels.http import Http
from app.channels.slack import Slack
from app.channels.slack_api import Calls
from app.channels.slack_blocks import ASSIGN, IGNORE, REOPEN, RESOLVE
from app.channels.slack_text import link
from app.domain import message_words
from app.domain.errors import NotFound, Refused
from app.domain.ignoring import Condition
from app.domain.message import Message
from app.models import Activity, Delivery, Destination, Issue, Project, User
from app.services import access
from app.services.integrations import channel_accounts, channel_settings, messages
from app.services.integrations.asked import Afterwards, Asked
from app.services.integrations.standings import OPENING_KINDS
from app.services.issues import assigning, ignoring, reopening, resolving
from app.services.mails import mail_detail
from app.services.sealing import Sealed

NAME = "slack"
NOT_HERE = "You do not see this issue in Tocsin, or it is not there any more. Nothing was changed."
NO_CHANGE = "Nothing changed: it was so already."
# The kind of message that the card becomes.
BECOMES = {RESOLVE: "resolved", IGNORE: "ignored", REOPEN: "reopened"}


@dataclass(frozen=True, slots=True)
class Place:
    """An integration of the app that was called, opened."""

    row: Destination
    slack: Slack


# Presses


def press(session: Session, asked: Asked) -> Afterwards | None:
    """Do what a button says; who is unknown is shown the way to become known, and nothing else happens."""
    act = asked.act
    realm = _opened(asked.destination, asked).realm_now
    who = channel_accounts.owner(session, realm=realm, team=act["team"], account=act["account"])
    if who is None:
        return _introduced(session, asked, realm)
    try:
        issue = access.visible_issue(session, who, act["issue"])
        place = _place(session, asked, issue.project, realm)
        activity = DOES[act["what"]](session, issue, who, asked, realm)
    except NotFound:
        return _privately(asked, NOT_HERE)
    except Refused as refusal:
        return _privately(asked, refusal.message)
    card = _card(session, asked, place, issue, who)
    words = "" if activity else NO_CHANGE
    return lambda http: _shown(http, asked, place, card, words)


def _introduced(session: Session, asked: Asked, realm: str) -> Afterwards | None:
    """The way to the page on which somebody says who they are: it is told to who pressed, alone."""
    act = asked.act
    names = act.get("names") or {}
    to = {"realm": realm, "team": act["team"], "account": act["account"]}
    secret = channel_accounts.ask(session, asked.destination, **to, names=names, now=asked.now)
    url = f"{asked.url.rstrip('/')}/settings/account/connections/link/{secret}/"
    words = "Nothing was changed: Tocsin does not know who you are."
    return _privately(asked, f"{words} {link(url, 'Link your account')}, then press again.")


def _place(session: Session, asked: Asked, project: Project, realm: str) -> Place:
    """The integration of the issue's project that the press came from, as far as can be told."""
    places = list(_places(session, asked, project, realm))
    if not places:
        raise NotFound
    same = [each for each in places if each.slack.channel == asked.act.get("channel")]
    return (same or [each for each in places if each.row is asked.destination] or places)[0]


def _places(session: Session, asked: Asked, project: Project, realm: str) -> Iterator[Place]:
    """The project's integrations that hold the secret of the app that was called."""
    if not realm or project.organization_id != asked.destination.project.organization_id:
        return
    rows = select(Destination).where(
        Destination.project_id == project.id, Destination.channel == NAME, Destination.enabled
    )
    for row in session.scalars(rows.order_by(Destination.id)):
        try:
            slack = _opened(row, asked)
        except Sealed:
            continue
        if slack.realm_now == realm:
            yield Place(row, slack)


def _opened(row: Destination, asked: Asked) -> Slack:
    opened = channel_settings.opened(row, asked.seal)
    if not isinstance(opened, Slack):
        raise NotFound
    return opened


# What each does: the very services that pages use


def _resolve(session: Session, issue: Issue, who: User, asked: Asked, realm: str) -> Activity | None:
    return resolving.resolve(session, issue, by=who, now=asked.now)


def _reopen(session: Session, issue: Issue, who: User, asked: Asked, realm: str) -> Activity | None:
    return reopening.reopen(session, issue, by=who, now=asked.now)


def _ignore(session: Session, issue: Issue, who: User, asked: Asked, realm: str) -> Activity | None:
    until = _until(asked.act["choice"], asked)
    return ignoring.ignore(session, issue, by=who, now=asked.now, until=until)


def _until(choice: str, asked: Asked) -> Condition | None:
    if choice not in slack_blocks.IGNORE_CHOICES:
        raise Refused("Choose how long to ignore it.")
    if choice == "ever":
        return None
    kind, _, number = choice.rpartition("-")
    if kind:
        return Condition(event_count=int(number))
    return Condition(until=asked.now + timedelta(minutes=int(number)))


def _assign(session: Session, issue: Issue, who: User, asked: Asked, realm: str) -> Activity | None:
    to = channel_accounts.named(session, realm=realm, team=asked.act["team"], account=asked.act["choice"])
    return assigning.assign(session, issue, to=to, by=who, now=asked.now)


Does = Callable[[Session, Issue, User, Asked, str], Activity | None]
DOES: Mapping[str, Does] = {RESOLVE: _resolve, IGNORE: _ignore, ASSIGN: _assign, REOPEN: _reopen}


# What Slack shows of it


def _card(session: Session, asked: Asked, place: Place, issue: Issue, who: User) -> Message | None:
    """The alert that was pressed, as the issue is now."""
    arrived = select(Delivery).where(
        Delivery.destination_id == place.row.id,
        Delivery.lane == issue.id,
        Delivery.kind.in_(OPENING_KINDS),
        Delivery.state == "accepted",
    )
    delivery = session.scalar(arrived.order_by(Delivery.id.desc()).limit(1))
    if delivery is None or delivery.verdict is None:
        return None
    was = messages.compose(session, delivery, url=asked.url)
    called = channel_accounts.called(session, place.row, {"assignee": issue.assignee_user_id})
    called["actor"] = asked.act["account"]
    kind = BECOMES.get(asked.act["what"], was.kind)
    about = was.headline.partition(": ")[2]
    headline = f"{message_words.WORDS[kind]}: {about}" if kind in BECOMES.values() else was.headline
    return replace(was, kind=kind, headline=headline, actor=who.name, called=called, at=asked.now)


def _shown(http: Http, asked: Asked, place: Place, card: Message | None, words: str) -> None:
    """The message that was pressed says what is so now: a bot changes it, a hook's answer replaces it."""
    act, slack = asked.act, place.slack
    if card and slack.is_bot and act.get("ts") and slack.channel == act.get("channel"):
        calls = Calls(http, asked.now, slack.bot_token, slack.host)
        calls.call("chat.update", slack.update(card, act["ts"]))
    elif card and not slack.is_bot and _is_in(slack, act.get("answer_to") or ""):
        body = {**slack.payload(card), "replace_original": True}
        slack_api.post_to_hook(http, act["answer_to"], body, now=asked.now)
    if words:
        _say(http, asked, words)


def _is_in(slack: Slack, answer_to: str) -> bool:
    """Whether the answer goes to the workspace of the webhook: both addresses have its id in one place."""
    one, other = (urlsplit(each).path.split("/")[2:3] for each in (answer_to, slack.webhook_url))
    return bool(one) and one == other


def _privately(asked: Asked, words: str) -> Afterwards | None:
    """Said to who pressed, and to nobody else."""
    if not asked.act.get("answer_to"):
        return None
    return lambda http: _say(http, asked, words)


def _say(http: Http, asked: Asked, words: str) -> None:
    address = asked.act.get("answer_to")
    body = {"response_type": "ephemeral", "replace_original": False, "text": words}
    if address:
        slack_api.post_to_hook(http, address, body, now=asked.now)


# Links


def unfurl(session: Session, asked: Asked) -> Afterwards | None:
    """Show what the links in a message lead to: issues of projects that this app serves in that workspace."""
    slack = _opened(asked.destination, asked)
    is_ours = slack.is_bot and slack.team and slack.team == asked.act.get("team")
    to = _where(asked.act.get("to") or {})
    if not is_ours or not to:
        return None
    found = {url: blocks for url in asked.act["links"] if (blocks := _blocks(session, asked, url, slack))}
    if not found:
        return None
    body = {**to, "unfurls": {url: {"blocks": blocks} for url, blocks in found.items()}}
    return lambda http: _unfurled(http, asked, slack, body)


def _where(to: Mapping[str, str]) -> dict[str, str]:
    if to.get("unfurl_id"):
        known = to.get("source") in ("composer", "conversations_history")
        return {"unfurl_id": to["unfurl_id"], "source": to["source"]} if known else {}
    return {"channel": to["channel"], "ts": to["ts"]} if to.get("channel") and to.get("ts") else {}


def _unfurled(http: Http, asked: Asked, slack: Slack, body: Mapping[str, Any]) -> None:
    Calls(http, asked.now, slack.bot_token, slack.host).call("chat.unfurl", body)


def _blocks(session: Session, asked: Asked, url: str, slack: Slack) -> list[dict[str, Any]]:
    issue = _issue(session, asked, url)
    if issue is None or not _is_served(session, asked, issue.project, slack):
        return []
    detail = mail_detail.detail_of(issue.project)
    if detail == mail_detail.LINK:
        return []
    return slack_blocks.unfurled(messages.subject(issue, url, detail), issue.project.name)


def _issue(session: Session, asked: Asked, url: str) -> Issue | None:
    """The issue at one of our own addresses: /org/project/issues/7/."""
    base = asked.url.rstrip("/") + "/"
    if not url.startswith(base):
        return None
    parts = urlsplit(url[len(base) :]).path.strip("/").split("/")
    if len(parts) != 4 or parts[2] != "issues" or not (parts[3].isascii() and parts[3].isdigit()):
        return None
    number = int(parts[3][:18])
    issue = session.scalar(select(Issue).where(access.named(number), access.IS_THERE).limit(1))
    if issue is None:
        return None
    place = [issue.project.organization.slug, issue.project.slug]
    return issue if place == parts[:2] else None


def _is_served(session: Session, asked: Asked, project: Project, slack: Slack) -> bool:
    places = _places(session, asked, project, slack.realm_now)
    return any(each.slack.is_bot and each.slack.team == slack.team for each in places)
