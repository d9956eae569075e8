"""What counts as a secret: names of things that hold one, and the patterns that give one away in text."""

from __future__ import annotations

import re
from collections.abc import Iterable

FILTERED = "[Filtered]"
# No shorter text can hold a secret that a pattern finds.
SHORTEST = 8

_SENSITIVE = (
    "password|secret|passwd|api[_-]?key|auth|credentials|mysql_pwd|private[_-]?key|token|two[_-]factor"
)
_EXACT = frozenset({"otp"})
SESSION_COOKIES = frozenset(
    {
        "sessionid", "session", "session_id", "sid", "ssid", "phpsessid", "jsessionid", "asp.net_sessionid",
        "csrftoken", "csrf", "_csrf", "xsrf", "xsrf-token", "_xsrf", "csrf-token", "connect.sid",
        "laravel_session", "symfony", "ci_session", "_session_id", "user_session", "remember_me", "jwt",
    }
)  # fmt: skip


def key_pattern(extra: Iterable[str] = ()) -> re.Pattern[str]:
    """Finds a sensitive word anywhere in a lower-case key."""
    words = [re.escape(word.lower()) for word in extra if word.strip()]
    return re.compile("|".join([_SENSITIVE, *words]))


def is_sensitive(lowered: str, pattern: re.Pattern[str], safe: frozenset[str]) -> bool:
    return lowered not in safe and (lowered in _EXACT or pattern.search(lowered) is not None)


_MANY_DIGITS = re.compile(r"[0-9][0-9 -]{7,}[0-9]")
_CARD = re.compile(r"(?<![0-9A-Za-z])(?:[3-6][0-9]|2[2-7])(?:[ -]?[0-9]){11,14}(?![0-9A-Za-z])")
_SSN = re.compile(r"(?<![0-9A-Za-z-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z-])")
_BEARER = re.compile(r"\b(bearer)\s+[\w.~+/=:-]+", re.IGNORECASE)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
_USER_INFO = re.compile(r"://[^\s/?#:@]*:[^\s/?#]*@")


def without_secrets(text: str) -> str:
    """The text with all that looks like a secret replaced. Cheap looks come first: most texts have none."""
    if len(text) < SHORTEST:
        return text
    if _MANY_DIGITS.search(text):
        text = _CARD.sub(_card_or_number, text)
        text = _SSN.sub(FILTERED, text)
    if "@" in text and "://" in text:
        text = _USER_INFO.sub(f"://{FILTERED}@", text)
    if "earer" in text or "EARER" in text:
        text = _BEARER.sub(rf"\1 {FILTERED}", text)
    if "-----BEGIN" in text:
        text = _PEM.sub(FILTERED, text)
    return text


def is_card_number(digits: str) -> bool:
    """Luhn's sum: every second digit from the right counts double, and all of it must end in 0."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _card_or_number(match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
    return FILTERED if is_card_number(digits) else match[0]
