"""Reads the JSON that SDKs really send: quickly when it is sound, with patience when it is not.

Sound JSON goes through msgspec. NaN and Infinity, half surrogate pairs, bytes that are not UTF-8 and integers
longer than Python will parse come from old or careless clients; those are read slowly and mended.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from app.domain.rejections import Malformed

MAX_DEPTH = 100
_MAX_INT_DIGITS = 4300
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udfff]")
_NUL_ESCAPE = b"\\u0000"

_decode = msgspec.json.Decoder().decode


def read(payload: bytes) -> Any:
    """Any JSON value, free of NUL characters and half surrogates; Malformed when it is no JSON at all."""
    refuse_deep(payload)
    try:
        value = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return mend(_read_slowly(payload))
    except RecursionError:
        raise Malformed("the JSON is nested too deeply") from None
    return mend(value) if _NUL_ESCAPE in payload else value


def read_object(payload: bytes, what: str) -> dict[str, Any]:
    value = read(payload)
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object")
    return value


def refuse_deep(payload: bytes) -> None:
    """Malformed for nesting beyond the limit, found without parsing.

    Brackets inside of texts can make a first look wrong: too deep is looked at again without the texts, too
    shallow is still bounded by the parsers' own limit.
    """
    if _is_deep(payload) and _is_deep(_TEXTS.sub(b"", payload)):
        raise Malformed("the JSON is nested too deeply")


def _is_deep(payload: bytes) -> bool:
    brackets = payload.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        # Each round folds away the innermost pairs: sound JSON is gone after as many rounds as it is deep.
        folded = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(folded) == len(brackets):
            return False
        brackets = folded
    return bool(brackets)


def mend(value: Any) -> Any:
    """The same value with all of it storable: no NUL, no half surrogate pair, no infinity."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value.replace("\0", ""))
    if isinstance(value, dict):
        return {mend(key): mend(member) for key, member in value.items()}
    if isinstance(value, list):
        return [mend(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _read_slowly(payload: bytes) -> Any:
    text = payload.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_int_or_text)
    except (ValueError, RecursionError) as error:
        raise Malformed("invalid JSON", [str(error)]) from None


def _no_constant(_name: str) -> None:
    return None


def _int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else digits
