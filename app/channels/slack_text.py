"""Text as Slack reads it: escaped, cut by the unit that it counts in, and never empty."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.message import NO_TEXT, units

LONGEST_TEXT = 4000
HEADER, SECTION, FIELD, CONTEXT, BUTTON = 150, 3000, 2000, 2000, 75
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# These cannot be escaped in a link's words, nor a backtick in a code span: what looks like them stands in.
_IN_LINK = str.maketrans({"|": "¦", "<": "‹", ">": "›"})
_BACKTICK, _LIKE_IT = "`", "ˋ"
_WAKES = {
    "here": "<!here>",
    "@here": "<!here>",
    "channel": "<!channel>",
    "@channel": "<!channel>",
    "everyone": "<!everyone>",
    "@everyone": "<!everyone>",
}
_PERSON = re.compile(r"<?@?([UW][A-Z0-9]{2,})>?")
_GROUP = re.compile(r"(?:<!subteam\^)?@?(S[A-Z0-9]{2,})>?")


def cut(text: str, most: int, *, is_escaped: bool = False) -> str:
    """What fits, with `...` where something is missing; `is_escaped`: it fits once it is escaped.

    In UTF-16 units: what is safe by these is safe by characters too.
    """
    if _size(text, is_escaped) <= most:
        return text
    left, kept = most - 3, 0
    for character in text:
        left -= _size(character, is_escaped)
        if left < 0:
            break
        kept += 1
    return f"{text[:kept].rstrip()}..."


def _size(text: str, is_escaped: bool) -> int:
    return units(text.translate(_ESCAPES) if is_escaped else text)


def one_line(text: str) -> str:
    return " ".join(text.split())


def escaped(text: str, most: int = SECTION) -> str:
    return cut(text, most, is_escaped=True).translate(_ESCAPES)


def code(text: str, most: int = 1000) -> str:
    """In a code span: nothing in it means anything. Empty for what is empty."""
    flat = one_line(text).replace(_BACKTICK, _LIKE_IT)
    return f"`{escaped(flat, most)}`" if flat else ""


def link(url: str, words: str, most: int = 300) -> str:
    address = url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C").replace("&", "&amp;")
    return f"<{address}|{escaped(one_line(words).translate(_IN_LINK) or NO_TEXT, most)}>"


def date(at: datetime) -> str:
    """Shown on each reader's own clock."""
    shown = at.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{shown}>"


def plain(text: str, most: int) -> dict[str, Any]:
    """Words in which nothing is markup."""
    return {"type": "plain_text", "text": cut(one_line(text) or NO_TEXT, most), "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    """What is escaped already; addresses in it are no links of their own."""
    return {"type": "mrkdwn", "text": text or NO_TEXT, "verbatim": True}


def person(account: str) -> str:
    """Somebody, so that Slack tells them."""
    return f"<@{account}>"


def woken(typed: str) -> str:
    """Who is to be told, as Slack writes it: `@here`, a member's id, a group's."""
    return " ".join(filter(None, (_woken(each) for each in _parts(typed))))


def wrong_with_woken(typed: str) -> str:
    """What is none of these, or ""."""
    strange = [each for each in _parts(typed) if not _woken(each)]
    if not strange:
        return ""
    return f"“{strange[0]}” is nobody: @here, @channel, a member's id (U…) or a user group's (S…)."


def _parts(typed: str) -> list[str]:
    return typed.replace(",", " ").split()


def _woken(part: str) -> str:
    known: Mapping[str, str] = {**_WAKES, **{value: value for value in _WAKES.values()}}
    if part in known:
        return known[part]
    if match := _PERSON.fullmatch(part):
        return person(match[1])
    match = _GROUP.fullmatch(part)
    return f"<!subteam^{match[1]}>" if match else ""
