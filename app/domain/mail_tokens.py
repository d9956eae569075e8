"""The signed token of a mail's unsubscribe link: who, what, and a proof; no expiry (`experience.md` 1.6).

It grants exactly one thing, less mail for one person. Layout, 32 bytes before base64:
version (1) | scope (1) | user id (5) | scope id (5) | mail version (4) | HMAC-SHA-256 cut to 128 bits.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

VERSION = 1
SIGNATURE_BYTES = 16
BODY_BYTES = 16
SCOPES = (
    "issue",  # alerts and workflow of one issue
    "project_alerts",
    "project_workflow",
    "all_alerts",
    "all_workflow",
    "everything",  # all but security mail
    "all_health",  # of integrations; the place of each in this list is written into links
    "organization_deploys",
    "all_deploys",
    "rule_changes",
)


class BadToken(Exception):
    """The token was altered, or was signed with a key that is no longer accepted."""


@dataclass(frozen=True, slots=True)
class MailToken:
    """`scope_id` is the issue's or project's id, 0 for the scopes of an account."""

    scope: str
    user_id: int
    scope_id: int
    mail_version: int


def sign(token: MailToken, keys: Sequence[str]) -> str:
    """43 URL-safe characters, signed with the first key."""
    body = _pack(token)
    return base64.urlsafe_b64encode(body + _signature(body, keys[0])).rstrip(b"=").decode()


def read(text: str, keys: Sequence[str]) -> MailToken:
    """The token, if any of the keys signed it; else `BadToken`."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken from None
    body, signature = raw[:BODY_BYTES], raw[BODY_BYTES:]
    signed = [hmac.compare_digest(_signature(body, key), signature) for key in keys]
    # The last character carries unused bits: only the one spelling that we wrote is accepted.
    if not any(signed) or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise BadToken
    return _unpack(body)


def _pack(token: MailToken) -> bytes:
    return (
        bytes((VERSION, SCOPES.index(token.scope)))
        + token.user_id.to_bytes(5, "big")
        + token.scope_id.to_bytes(5, "big")
        + token.mail_version.to_bytes(4, "big")
    )


def _unpack(body: bytes) -> MailToken:
    if body[0] != VERSION or body[1] >= len(SCOPES):
        raise BadToken
    return MailToken(
        SCOPES[body[1]],
        int.from_bytes(body[2:7], "big"),
        int.from_bytes(body[7:12], "big"),
        int.from_bytes(body[12:16], "big"),
    )


def _signature(body: bytes, key: str) -> bytes:
    return hmac.new(key.encode(), b"tocsin mail link\0" + body, hashlib.sha256).digest()[:SIGNATURE_BYTES]
