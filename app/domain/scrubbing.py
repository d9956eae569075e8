"""Takes secrets out of free-form data, and makes it fit to store, in one walk."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from app.domain.secrets import (
    FILTERED,
    SESSION_COOKIES,
    SHORTEST,
    is_sensitive,
    key_pattern,
    without_secrets,
)
from app.domain.trimming import ELLIPSIS, as_json, fit

MAX_DEPTH = 7
_UNLIMITED = -1
# No card number has fewer digits.
_CARD_NUMBERS = 10**12
_CACHED_KEYS = 10_000
_CACHED_KEY_LENGTH = 64
_JSON_MEMBER = re.compile(r'"([^"\\]{1,64})"\s*:\s*("(?:[^"\\]|\\.)*+"?|[\w.+-]+)', re.DOTALL)

# Unless the project has a list of its own; these only look like `auth`.
SAFE_FIELDS = ("author", "authors")

Treatment = Callable[["Scrubber", Any, int], Any]


class _Treatments(dict[str, Treatment | None]):
    """What to do with the value of a key: None for nothing out of the ordinary. Filled as keys are met."""

    def __init__(self, extra_sensitive: tuple[str, ...], safe_fields: tuple[str, ...]) -> None:
        self.pattern = key_pattern(extra_sensitive)
        self.safe = frozenset(field.lower() for field in safe_fields)

    def __missing__(self, key: str) -> Treatment | None:
        lowered = key.lower()
        treatment = _BY_NAME.get(lowered)
        if is_sensitive(lowered, self.pattern, self.safe):
            treatment = Scrubber._filtered
        if len(key) <= _CACHED_KEY_LENGTH and len(self) < _CACHED_KEYS:
            self[key] = treatment
        return treatment


class _NoTreatment(dict[str, Treatment | None]):
    def __missing__(self, key: str) -> None:
        return None


class Scrubber:
    """Scrubs by one project's rules, or only trims."""

    __slots__ = ("_treatments", "active", "prose")

    def __init__(self, treatments: dict[str, Treatment | None], *, active: bool) -> None:
        self._treatments = treatments
        self.active = active
        self.prose: Callable[[str], str] = without_secrets if active else _unchanged

    def clean(self, value: Any, limit: int) -> Any:
        """The value without secrets, no deeper than 7 levels and of at most about `limit` bytes of JSON."""
        return fit(self._any(value, MAX_DEPTH), limit)

    def clean_members(self, value: dict[str, Any], limit: int) -> dict[str, Any]:
        """The same, with the limit for each member alone."""
        cleaned = self._object(value, MAX_DEPTH)
        return {key: fit(member, limit) for key, member in cleaned.items()}

    def is_sensitive(self, key: str) -> bool:
        return self._treatments[key] is Scrubber._filtered

    def named(self, key: str, value: Any) -> Any:
        """The value of a member whose key is known."""
        treatment = self._treatments[key] or Scrubber._any
        return treatment(self, value, MAX_DEPTH)

    def query(self, text: str) -> str:
        """`k=v&k=v` with the values of sensitive keys replaced, and everything that looks like a secret."""
        if "=" not in text:
            return self.prose(text)
        return self.prose("&".join(self._pair(pair) for pair in text.split("&")))

    def url(self, text: str) -> str:
        front, question_mark, query = text.partition("?")
        query, hash_mark, fragment = query.partition("#")
        return self.prose(front) + question_mark + self.query(query) + hash_mark + self.query(fragment)

    def broken_json(self, text: str) -> str:
        """Text that was JSON until it was cut off: its members are hidden one by one."""
        return _JSON_MEMBER.sub(self._json_member, text)

    def cookie(self, name: str, value: Any) -> Any:
        if self.active and name.lower() in SESSION_COOKIES:
            return FILTERED
        return self.named(name, value)

    def _filtered(self, value: Any, _depth: int) -> Any:
        return None if value is None else FILTERED

    def _as_it_is(self, value: Any, depth: int) -> Any:
        return value if isinstance(value, str) else self._any(value, depth)

    def _cookies(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return {name: self.cookie(name, member) for name, member in value.items()}
        return FILTERED if isinstance(value, str) else self._any(value, depth)

    def _url(self, value: Any, depth: int) -> Any:
        return self.url(value) if isinstance(value, str) else self._any(value, depth)

    def _query(self, value: Any, depth: int) -> Any:
        return self.query(value) if isinstance(value, str) else self._any(value, depth)

    def _pair(self, pair: str) -> str:
        name, equals, _ = pair.partition("=")
        return f"{name}={FILTERED}" if equals and self.is_sensitive(unquote_plus(name)) else pair

    def _json_member(self, match: re.Match[str]) -> str:
        return f'"{match[1]}":"{FILTERED}"' if self.is_sensitive(match[1]) else match[0]

    def _below(self, walk: Treatment, value: Any) -> str:
        """What lies too deep, as JSON text; even there nothing secret stays."""
        try:
            return as_json(walk(self, value, _UNLIMITED))
        except RecursionError:
            return ELLIPSIS

    def _any(self, value: Any, depth: int) -> Any:
        walk = _WALKS.get(type(value))
        return value if walk is None else walk(self, value, depth)

    def _text(self, value: str, _depth: int) -> str:
        return self.prose(value)

    def _integer(self, value: int, _depth: int) -> int | str:
        """A card number is a secret without quotes too, and what exceeds 64 bits is only storable as text."""
        if -_CARD_NUMBERS < value < _CARD_NUMBERS:
            return value
        text = str(value)
        if self.prose(text) == FILTERED:
            return FILTERED
        return value if -(1 << 63) <= value < 1 << 63 else text

    def _object(self, value: dict[str, Any], depth: int) -> Any:
        if depth == 0:
            return self._below(Scrubber._object, value)
        cleaned: dict[str, Any] = {}
        treatments, prose = self._treatments, self.prose
        for key, member in value.items():
            if treatment := treatments[key]:
                cleaned[key] = treatment(self, member, depth - 1)
            elif type(member) is str:
                cleaned[key] = member if len(member) < SHORTEST else prose(member)
            else:
                walk = _WALKS.get(type(member))
                cleaned[key] = member if walk is None else walk(self, member, depth - 1)
        return cleaned

    def _list(self, value: list[Any], depth: int) -> Any:
        if depth == 0:
            return self._below(Scrubber._list, value)
        if len(value) == 2 and isinstance(value[0], str) and (treatment := self._treatments[value[0]]):
            return [value[0], treatment(self, value[1], depth - 1)]
        return [self._any(member, depth - 1) for member in value]


def _unchanged(text: str) -> str:
    return text


_WALKS: dict[type, Treatment] = {
    str: Scrubber._text,
    int: Scrubber._integer,
    dict: Scrubber._object,
    list: Scrubber._list,
}

_BY_NAME: dict[str, Treatment] = {
    "user-agent": Scrubber._as_it_is,
    "http_user_agent": Scrubber._as_it_is,
    "cookie": Scrubber._filtered,
    "set-cookie": Scrubber._filtered,
    "http_cookie": Scrubber._filtered,
    "cookies": Scrubber._cookies,
    "url": Scrubber._url,
    "http.url": Scrubber._url,
    "url.full": Scrubber._url,
    "request_uri": Scrubber._url,
    "raw_uri": Scrubber._url,
    "referer": Scrubber._url,
    "query_string": Scrubber._query,
    "http.query": Scrubber._query,
    "url.query": Scrubber._query,
}

NO_SCRUBBER = Scrubber(_NoTreatment(), active=False)


@lru_cache(maxsize=256)
def scrubber(extra_sensitive: tuple[str, ...] = (), safe_fields: tuple[str, ...] = ()) -> Scrubber:
    return Scrubber(_Treatments(extra_sensitive, safe_fields), active=True)
