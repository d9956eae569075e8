"""The addresses that people answer and unsubscribe to by mail: signed, and safe to be lower-cased.

`r+…` takes a reply to an issue, `u+…` an empty message that stops mail (`experience.md` 1.6 and 1.7).
Base32 of version (1) | what (1) | user id (5) | object id (5) | mail version (4) | HMAC-SHA-256 cut to
80 bits, 42 characters: with its prefix under the 64 octets that a local part may have.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.mail_tokens import SCOPES, BadToken, MailToken

VERSION = 1
BODY_BYTES, SIGNATURE_BYTES = 16, 10
REPLY, UNSUBSCRIBE = "r", "u"


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Whose answer a message is, and to which issue."""

    user_id: int
    issue_id: int
    mail_version: int


def for_reply(to: ReplyTo, keys: Sequence[str], domain: str) -> str:
    """The address that takes this person's replies to the issue; signed with the first key."""
    return _address(REPLY, 0, to.user_id, to.issue_id, to.mail_version, keys, domain)


def for_unsubscribe(token: MailToken, keys: Sequence[str], domain: str) -> str:
    """The address that does what the link with this token does."""
    scope = SCOPES.index(token.scope)
    return _address(UNSUBSCRIBE, scope, token.user_id, token.scope_id, token.mail_version, keys, domain)


def read(address: str, keys: Sequence[str], domain: str) -> ReplyTo | MailToken | None:
    """What an address of ours stands for; None if it is none, `BadToken` if its signature is not ours."""
    local, _, host = address.strip().lower().rpartition("@")
    prefix, plus, text = local.partition("+")
    if host != domain.lower() or not plus or prefix not in (REPLY, UNSUBSCRIBE):
        return None
    body = _verified(prefix, text, keys)
    what, user_id, object_id, mail_version = (
        body[1],
        int.from_bytes(body[2:7], "big"),
        int.from_bytes(body[7:12], "big"),
        int.from_bytes(body[12:16], "big"),
    )
    if prefix == REPLY:
        return ReplyTo(user_id, object_id, mail_version)
    if what >= len(SCOPES):
        raise BadToken
    return MailToken(SCOPES[what], user_id, object_id, mail_version)


def _address(
    prefix: str, what: int, user_id: int, object_id: int, version: int, keys: Sequence[str], domain: str
) -> str:
    body = (
        bytes((VERSION, what))
        + user_id.to_bytes(5, "big")
        + object_id.to_bytes(5, "big")
        + version.to_bytes(4, "big")
    )
    text = base64.b32encode(body + _signature(prefix, body, keys[0])).rstrip(b"=").decode().lower()
    return f"{prefix}+{text}@{domain}"


def _verified(prefix: str, text: str, keys: Sequence[str]) -> bytes:
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise BadToken from None
    body, signature = raw[:BODY_BYTES], raw[BODY_BYTES:]
    signed = [hmac.compare_digest(_signature(prefix, body, key), signature) for key in keys]
    if not any(signed) or body[0] != VERSION:
        raise BadToken
    return body


def _signature(prefix: str, body: bytes, key: str) -> bytes:
    """The prefix is signed too: an address to unsubscribe with cannot be used to comment."""
    return hmac.new(key.encode(), f"tocsin {prefix}+ address\0".encode() + body, hashlib.sha256).digest()[
        :SIGNATURE_BYTES
    ]
