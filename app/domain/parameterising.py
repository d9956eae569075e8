"""Replaces what varies in a message, such as numbers and addresses, by the kind of thing that it is."""

from __future__ import annotations

import re
from functools import lru_cache

_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_UNITS = "ns|us|µs|ms|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|[smhd]"
_ZONE = r"(?:\s?(?:z|utc|gmt|[+-]\d\d:?\d\d)\b)?"

# Where several match at one place, the first of them counts.
_KINDS = {
    "email": r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",
    "url": r"\b(?:https?|wss?|ftp)://[^\s\"'<>)\]}]+",
    "uuid": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "ip": (
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)"
        r"|(?<![\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?=(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:]))"
        r"[0-9a-f:]*::[0-9a-f:]*)(?![\w:])"
    ),
    "date": (
        rf"\b\d{{4}}-\d\d-\d\d(?:[t ]{_CLOCK}{_ZONE})?(?!\w)"
        rf"|\b(?:{_WEEKDAY},? )?\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}(?: {_CLOCK})?{_ZONE}(?!\w)"
        rf"|\b{_WEEKDAY},? {_MONTH} \d{{1,2}}(?: {_CLOCK})?{_ZONE}(?: \d{{4}})?(?!\w)"
        rf"|(?<![\w:.])\d{{1,2}}:\d\d:\d\d(?:[.,]\d{{1,9}})?{_ZONE}(?![\w:])"
    ),
    "duration": rf"(?<![\w.])\d+(?:\.\d+)?\s?(?:{_UNITS})\b",
    "hex": (
        r"\b0x[0-9a-f]+\b"
        r"|(?<!\w)(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,128}(?!\w)"
    ),
    "float": r"(?<![\w.])-?\d+\.\d+(?:e[+-]?\d+)?(?![\w.]*\w)",
    "int": r"(?<![A-Za-z0-9_])-?\d+(?![A-Za-z0-9_])",
    "quoted": r"(?<==)(?:'[^'\n]*'|\"[^\"\n]*\")",
    "bool": r"(?<==)(?:true|false)\b",
}  # fmt: skip

_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()), re.IGNORECASE)
_MAY_VARY = re.compile(r"[0-9@=]|://|::")
_LINES = 2
_MAX_LENGTH = 2048


@lru_cache(maxsize=4096)
def parameterised(text: str) -> str:
    """The first two lines that say anything, without what differs from one occurrence to the next."""
    lines = [line for line in text.splitlines() if line.strip()][:_LINES]
    front = "\n".join(lines)[:_MAX_LENGTH]
    if not _MAY_VARY.search(front):
        return front
    return _ANY.sub(lambda match: f"<{match.lastgroup}>", front)
