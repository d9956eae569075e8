"""What Slack tells us: presses of buttons, and links that somebody posted. Checked, then read.

Whoever holds the signing secret can make calls up, so nothing in them is believed beyond that: rights are
those of the person who linked the account that presses, and are looked up where the call is carried out.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.channels.base import Call, Heard
from app.channels.slack_blocks import ASSIGN, IGNORE, OPEN, REOPEN, RESOLVE
from app.domain.message import clean

INTERACTIONS, EVENTS = "interactions", "events"
SLACK_ACTION, UNFURL = "slack_action", "unfurl"
ALLOWED_SECONDS = 300
MOST_LINKS, LONGEST = 20, 500
ANSWER_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
NOTHING = Heard(content_type=None)
STRANGE = Heard(400, "No account or workspace of Slack's has such an id.\n")
_ID = re.compile(r"[A-Z0-9]{2,64}")


def signature(secret: str, timestamp: int | str, body: bytes) -> str:
    signed = b"v0:%s:%s" % (str(timestamp).encode(), body)
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_genuine(call: Call, secret: str, *, now: datetime) -> bool:
    """Whether who knows the secret made the call, within the last five minutes."""
    timestamp = call.headers.get("x-slack-request-timestamp", "")
    given = call.headers.get("x-slack-signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > ALLOWED_SECONDS:
        return False
    return hmac.compare_digest(signature(secret, timestamp, call.body).encode(), given.encode())


def realm_of(secret: str) -> str:
    """What stands for the app that holds this secret, and says nothing about it: it is long and random."""
    return hashlib.sha256(b"slack app\0" + secret.encode()).hexdigest() if secret else ""


def heard(call: Call) -> Heard:
    """What a genuine call means."""
    key = call.headers.get("x-slack-signature", "")[:100]
    if call.name == INTERACTIONS:
        fields = parse_qs(call.body.decode("utf-8", "replace"), max_num_fields=10)
        return pressed(_object((fields.get("payload") or [""])[0]), key=key)
    return happened(_object(call.body.decode("utf-8", "replace")), key=key)


def pressed(payload: Mapping[str, Any], *, key: str) -> Heard:
    """A button or menu below one of our messages."""
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if payload.get("type") != "block_actions" or not isinstance(first, dict):
        return NOTHING
    asked = _asked(first)
    account, team = _text(payload, "user", "id"), _text(payload, "team", "id")
    if asked is None or not account or not team:
        return NOTHING
    if not (_ID.fullmatch(account) and _ID.fullmatch(team)):
        return STRANGE
    act = {
        "do": SLACK_ACTION,
        **asked,
        "account": account,
        "team": team,
        "names": {
            "account": _text(payload, "user", "username") or _text(payload, "user", "name"),
            "workspace": _text(payload, "team", "domain"),
            "channel": _text(payload, "channel", "name"),
        },
        "channel": _text(payload, "channel", "id"),
        "ts": _text(payload, "container", "message_ts"),
        "answer_to": answer_address(payload.get("response_url")),
    }
    return Heard(content_type=None, key=key, act=act)


def _asked(action: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is to be done with which issue. The button that opens a page asks for nothing."""
    name, _, about = _text(action, "action_id").partition("/")
    if name == IGNORE:
        about, _, choice = _text(action, "selected_option", "value").partition("/")
    elif name == ASSIGN:
        choice = _text(action, "selected_user")
    else:
        about, choice = _text(action, "value"), ""
    if name not in (RESOLVE, IGNORE, ASSIGN, REOPEN) or name == OPEN:
        return None
    if not (about.isascii() and about.isdigit() and len(about) <= 18):
        return None
    return {"what": name, "issue": int(about), "choice": choice[:40]}


def happened(payload: Mapping[str, Any], *, key: str) -> Heard:
    """An event of the workspace: the proof that the address is ours, or links that somebody posted."""
    if payload.get("type") == "url_verification":
        return Heard(text=_text(payload, "challenge"))
    event = payload.get("event")
    if not isinstance(event, dict) or event.get("type") != "link_shared":
        return NOTHING
    team, found = _text(payload, "team_id"), event.get("links")
    if not _ID.fullmatch(team):
        return STRANGE
    links = (
        [_text(each, "url") for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    )
    act = {
        "do": UNFURL,
        "team": team,
        "links": [each for each in links if each][:MOST_LINKS],
        "to": _place(event),
    }
    # Slack repeats an event that was not answered in time: signed anew, under the same id.
    return Heard(content_type=None, key=_text(payload, "event_id")[:100] or key, act=act)


def _place(event: Mapping[str, Any]) -> dict[str, str]:
    """Where the links stand: in what somebody is writing, or in a message."""
    if event.get("unfurl_id") and event.get("source"):
        return {"unfurl_id": _text(event, "unfurl_id"), "source": _text(event, "source")}
    return {"channel": _text(event, "channel"), "ts": _text(event, "message_ts")}


def answer_address(given: object) -> str:
    """Where to answer somebody alone; "" for what is not Slack's own."""
    if not isinstance(given, str) or len(given) > LONGEST:
        return ""
    try:
        parts = urlsplit(given)
        is_slacks = parts.scheme == "https" and parts.netloc in ANSWER_HOSTS
    except ValueError:
        return ""
    return given if is_slacks and given.isascii() and given.isprintable() else ""


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(data: Any, *names: str) -> str:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return clean(data[:LONGEST]) if isinstance(data, str) else ""
