"""Secrets of integrations at rest: encrypted, with a key that is not in the database."""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_PURPOSE = b"tocsin integration secrets\0"
MASK = "••••"
SHOWN = 4


class Sealed(Exception):
    """None of the keys opens it."""


class Seal:
    """The first key encrypts, all of them decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        known = [Fernet(_derived(key)) for key in keys]
        self._first, self._fernet = known[0], MultiFernet(known)

    def close(self, secrets: Mapping[str, Any]) -> str:
        return self._fernet.encrypt(json.dumps(secrets).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """The secrets again, else `Sealed`."""
        try:
            found: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise Sealed from None
        return found

    def again(self, sealed: str) -> str:
        """The same under the first key, for when keys are changed; as it is if that encrypted it."""
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return self.close(self.open(sealed))
        return sealed


def masked(secret: str) -> str:
    """Its last four characters; of a short one none."""
    return MASK + (secret[-SHOWN:] if len(secret) >= 4 * SHOWN else "")


def without(text: str, secrets: Collection[str]) -> str:
    """The text with these secrets masked wherever it repeats them, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHOWN:
            text = text.replace(secret, masked(secret))
    return text


def _derived(key: str) -> bytes:
    """A setting may be any text; Fernet wants 32 bytes."""
    return base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key.encode()).digest())
