"""A message that somebody sent to Tocsin, as far as it matters: who, to whom, what; and is it a person's?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr

from app.domain import reply_text

# Where mail servers and programs write to whom a message really went.
TO_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
BULK = ("bulk", "junk", "auto_reply")


@dataclass(frozen=True, slots=True)
class Letter:
    """`text` is what its writer wrote, without the quotation."""

    message_id: str
    sender: str
    recipients: Sequence[str]
    text: str
    is_automatic: bool
    results: Sequence[str]  # Authentication-Results, the receiving server's first


def read(raw: bytes) -> Letter:
    """Raises ValueError (or one of its kind) for what is no mail."""
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise ValueError("no headers")
    return Letter(
        message_id=_line(message, "Message-ID")[:255],
        sender=parseaddr(_line(message, "From"))[1].lower(),
        recipients=_recipients(message),
        text=_text(message),
        is_automatic=_is_automatic(message),
        results=[str(value) for value in message.get_all("Authentication-Results", [])],
    )


def dmarc_passes(letter: Letter, authserv_id: str) -> bool:
    """Did our own receiving server, and nobody else, find that the sender's domain stands behind this?"""
    ours = [
        result
        for result in letter.results
        if result.split(";")[0].split()[:1] == [authserv_id]  # the name, then perhaps a version
    ]
    return bool(ours) and re.search(r"\bdmarc=pass\b", ours[0]) is not None


def _is_automatic(message: EmailMessage) -> bool:
    """RFC 3834, and what programs do that do not know of it. Nor do we answer ourselves."""
    marks = (
        _line(message, "Auto-Submitted").split(";")[0].strip().lower() not in ("", "no"),
        _line(message, "Precedence").strip().lower() in BULK,
        _line(message, "Return-Path").strip() == "<>",
        any(name in message for name in ("X-Autoreply", "X-Autorespond")),
        any(name.lower().startswith("x-tocsin-") for name in message.keys()),  # noqa: SIM118 (a message, no dict)
    )
    return any(marks)


def _recipients(message: EmailMessage) -> list[str]:
    lines = [str(value) for name in TO_HEADERS for value in message.get_all(name, [])]
    return [address.lower() for _, address in getaddresses(lines) if address]


def _text(message: EmailMessage) -> str:
    plain = message.get_body(("plain",))
    if plain is not None:
        return reply_text.reply(str(plain.get_content()))
    html = message.get_body(("html",))
    return reply_text.reply(reply_text.text_of_html(str(html.get_content()))) if html is not None else ""


def _line(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())
