"""What Twilio's answers mean, by the code of its error (`integrations.md` 9.4)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.channels import meanings
from app.channels.base import Answer, Outcome
from app.channels.http import Reply

STOPPED, BAD_CALLBACK = "21610", "21609"
# One number is out; the others go on.
RECIPIENT: Mapping[str, str] = {
    "21211": "is no number",
    "21614": "cannot receive text messages",
    "21265": "is a short code",
    STOPPED: "sent STOP",
    "21408": "is in a country that the account does not send to",
    "21612": "cannot be reached from this sender",
    "30004": "blocks messages",
    "30005": "is not known any more",
    "30006": "is a landline, or cannot be reached",
}
CREDENTIALS = "Twilio does not accept the key or token. Enter them again; each region has its own."
SENDER = "Twilio does not let this account send from that number or service. Check the sender."
BROKEN: Mapping[str, str] = {
    "20003": CREDENTIALS,
    "20005": "The account is suspended or closed.",
    "20404": "Twilio does not know the account, or not in this region.",
    "21608": "A trial account sends to verified numbers alone: verify them at Twilio, or upgrade it.",
    **dict.fromkeys(("21212", "21606", "21659", "21660", "21703", "21705"), SENDER),
}
OURS = ("21602", "21617", "21619")
QUEUE_FULL, TOO_FAST = "21611", "20429"
QUEUE_WAIT, PAUSE = timedelta(minutes=5), timedelta(seconds=1)
# Reports of messages that did not arrive: what ends a number, and what the account's owner has to mend.
LOST = ("30004", "30005", "30006")
CARRIER: Mapping[str, str] = {
    "30007": "Carriers filter out messages of this sender (30007).",
    "30032": "The sender's toll-free number is not verified (30032).",
    "30034": "The sender is not registered for messages to the United States (30034).",
}
_SID, _WORD, _NUMBER = (
    re.compile(pattern) for pattern in (r"[A-Z]{2}[0-9a-f]{32}", "[a-z_-]{1,32}", "[0-9]{1,6}")
)


def code_of(reply: Reply) -> str:
    """The code of its error, else the status."""
    code = reply.data.get("code")
    return str(code) if isinstance(code, int) and reply.status >= 400 else str(reply.status)


def said(reply: Reply) -> str:
    """What may be shown of an answer: the rest repeats the text, with its code, and whom it went to."""
    known = {"sid": _SID, "status": _WORD, "code": _NUMBER}
    given = {name: str(reply.data.get(name, "")) for name in known}
    lines = (f"{name}: {text}" for name, text in given.items() if known[name].fullmatch(text))
    return "\n".join((f"HTTP {reply.status}", *lines))


def meaning_of(reply: Reply, *, now: datetime) -> Answer:
    return replace(_meaning(reply, now), response=said(reply))


def _meaning(reply: Reply, now: datetime) -> Answer:
    code = code_of(reply)
    if 200 <= reply.status < 300:
        sid = reply.data.get("sid")
        return Answer(Outcome.DELIVERED, references={"sid": sid} if isinstance(sid, str) else {})
    if code in RECIPIENT or code in OURS or code == BAD_CALLBACK:
        return Answer(Outcome.BAD_MESSAGE, code)
    if code in BROKEN or reply.status == 401:
        return Answer(Outcome.BROKEN, code, advice=BROKEN.get(code, CREDENTIALS))
    if code == QUEUE_FULL:
        return Answer(Outcome.RETRY, code, retry_after=QUEUE_WAIT)
    if code == TOO_FAST or reply.status in meanings.BUSY:
        return Answer(Outcome.RETRY, code, retry_after=meanings.retry_after(reply.headers, now=now) or PAUSE)
    return _usual(reply, code, now)


def _usual(reply: Reply, code: str, now: datetime) -> Answer:
    answer = meanings.usual(reply, now=now)
    return Answer(answer.outcome, code, advice=answer.advice)
