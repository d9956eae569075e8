"""Signatures of Standard Webhooks 1.0.0, symmetric (`v1`): whoever receives a message can tell it is ours."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES, MADE_BYTES = 24, 64, 32


def secret_of(raw: bytes) -> str:
    """As people see and copy it."""
    return PREFIX + base64.b64encode(raw).decode()


def wrong_with_secret(secret: str) -> str:
    """Why somebody's own secret cannot be taken, or ""."""
    try:
        raw = _decoded(secret)
    except (binascii.Error, ValueError):
        return f"{PREFIX} and base64."
    if not FEWEST_BYTES <= len(raw) <= MOST_BYTES:
        return f"The secret has to be {FEWEST_BYTES} to {MOST_BYTES} bytes, in base64."
    return ""


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the signature of exactly these bytes."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(_decoded(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers; several secrets sign while one is exchanged for another."""
    timestamp = int(at.timestamp())
    signatures = (signature(secret, message_id, timestamp, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _decoded(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
