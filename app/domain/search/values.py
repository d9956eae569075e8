"""What may stand behind the colon of a term, and the errors that say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from app.domain import importance, lifecycle, short_id, timestamps
from app.domain.normalising import LEVELS
from app.domain.search.terms import (
    Assigned,
    Attribute,
    BadSearch,
    Bounds,
    Important,
    InLatest,
    Is,
    IssueId,
    Pattern,
    SeenWithin,
    ShortId,
    Tag,
    Term,
    Tied,
    TimesSeen,
    Unreached,
)

# The key as it was typed, its value, whether it is negated, and the number of who asks.
Reader = Callable[[str, str, bool, int | None], Term]

LONGEST_AGO = timedelta(days=36_525)
LATEST = "latest"
STATUSES = ("unresolved", "resolved", "ignored")
BOOKMARKED, SUBSCRIBED, TOLD = "bookmarked", "subscribed", "told"
STATES: Mapping[str, str] = {
    **{status: status for status in STATUSES},
    "archived": "ignored",
    "assigned": "assigned",
    "unassigned": "unassigned",
    "for_review": "for_review",
    **{name: name for name in (lifecycle.REGRESSED, lifecycle.ESCALATING, lifecycle.NEW, lifecycle.ONGOING)},
    BOOKMARKED: BOOKMARKED,
    SUBSCRIBED: SUBSCRIBED,
    "linked": "linked",
    "unlinked": "unlinked",
}
_DURATION = re.compile(r"([+-])([0-9]{1,6})([mhdw])", re.ASCII)
_COMPARED = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def pattern(value: str) -> Pattern:
    parts = re.split(r"(?<!\\)\*+", value)
    return Pattern(tuple(part.replace("\\*", "*") for part in parts))


def state(key: str, value: str, negated: bool, me: int | None) -> Term:
    chosen = _one_of(STATES, key, value)
    if chosen in (BOOKMARKED, SUBSCRIBED):
        return Tied(chosen, user_id=me or 0, negated=negated)
    if chosen == "unlinked":
        return Is("linked", not negated)
    return Is(chosen, negated)


def status(key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Is(_one_of({name: name for name in STATUSES}, key, value), negated)


def level(key: str, value: str, negated: bool, _me: int | None) -> Term:
    chosen = _one_of({name: name for name in LEVELS}, key, value)
    return Attribute("level", Pattern((chosen,)), negated)


def priority(key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Important(_one_of({name: name for name in importance.CHOICES}, key, value), negated)


def reach(key: str, value: str, negated: bool, _me: int | None) -> Term:
    _one_of({"none": "none"}, key, value)
    return Unreached(negated)


def assigned(_key: str, value: str, negated: bool, me: int | None) -> Term:
    if value == "me":
        # Nobody has the number 0: a program without a person behind it is assigned nothing.
        return Assigned(user_id=me or 0, negated=negated)
    if value in ("none", ""):
        return Assigned(negated=negated)
    if value.startswith("#"):
        return Assigned(team=value[1:], negated=negated)
    return Assigned(person=value, negated=negated)


def tied(tie: str) -> Reader:
    """To the person that the value names."""

    def read(_key: str, value: str, negated: bool, me: int | None) -> Term:
        if value == "me":
            return Tied(tie, user_id=me or 0, negated=negated)
        return Tied(tie, person=None if value in ("none", "") else value, negated=negated)

    return read


def attribute(name: str) -> Reader:
    return lambda _key, value, negated, _me: Attribute(name, pattern(value), negated)


def any_tag(_key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Tag(None, pattern(value), negated)


def person(_key: str, value: str, negated: bool, _me: int | None) -> Term:
    """`user:email:x` is `user.email:x`."""
    kind, colon, rest = value.partition(":")
    if colon and kind in ("id", "email", "username", "ip"):
        return Attribute(f"user.{kind}", pattern(rest), negated)
    return Attribute("user", pattern(value), negated)


def has(_key: str, value: str, negated: bool, _me: int | None) -> Term:
    return Attribute(value, Pattern(("",)), not negated)


def release(name: str) -> Reader:
    def read(_key: str, value: str, negated: bool, _me: int | None) -> Term:
        if value == LATEST:
            return InLatest(name == "first_release", negated)
        return Attribute(name, pattern(value), negated)

    return read


def issue(key: str, value: str, negated: bool, _me: int | None) -> Term:
    parsed = short_id.parse(value)
    if parsed is None:
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes a short id such as SHOP-3F.")
    return ShortId(*parsed, negated)


def issue_id(key: str, value: str, negated: bool, _me: int | None) -> Term:
    if not re.fullmatch("[0-9]{1,18}", value, re.ASCII):
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes the number of an issue.")
    return IssueId(int(value), negated)


def times_seen(key: str, value: str, negated: bool, _me: int | None) -> Term:
    comparison, number = _compared(value)
    if not re.fullmatch("[0-9]{1,15}", number, re.ASCII):
        raise BadSearch(
            f"“{key}:{value}” is not understood. {key} takes a number, or >, >=, < or <= and one."
        )
    return TimesSeen(comparison or "=", int(number), negated)


def seen(member: str) -> Reader:
    return lambda key, value, negated, _me: SeenWithin(member, _bounds(key, value), negated)


def unkept(known: Iterable[str]) -> Reader:
    """For a name that looks as if it meant something, and does not."""
    names = ", ".join(known)

    def read(key: str, _value: str, _negated: bool, _me: int | None) -> Term:
        raise BadSearch(
            f"“{key}” is not kept. What is kept: {names}. A tag of that name is written tags[{key}]."
        )

    return read


def _one_of(values: Mapping[str, str], key: str, value: str) -> str:
    if value.lower() not in values:
        raise BadSearch(f"“{key}:{value}” is not understood. {key} takes {listed(values)}.")
    return values[value.lower()]


def listed(values: Iterable[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last


def _bounds(key: str, value: str) -> Bounds:
    try:
        return _moments(key, value)
    except OverflowError:  # beyond the calendar
        raise BadSearch(f"“{key}:{value}” lies outside the calendar.") from None


def _moments(key: str, value: str) -> Bounds:
    if match := _DURATION.fullmatch(value):
        ago = timedelta(**{_UNITS[match[3]]: int(match[2])})
        if ago > LONGEST_AGO:
            raise OverflowError
        return ((">=" if match[1] == "-" else "<=", ago),)
    comparison, written = _compared(value)
    moment = timestamps.parse(written) if "-" in written else None
    if moment is None:
        raise BadSearch(
            f"“{key}:{value}” is not understood. {key} takes -24h (the last 24 hours), +24h (longer ago), "
            "with m, h, d or w, or a date such as 2026-11-23, with >, >=, < or <= before it or not."
        )
    if comparison:
        return ((comparison, moment),)
    if len(written) == len("2026-11-23"):
        return ((">=", moment), ("<", moment + timedelta(days=1)))
    return ((">=", moment - timedelta(minutes=5)), ("<", moment + timedelta(minutes=6)))


def _compared(value: str) -> tuple[str | None, str]:
    match = _COMPARED.fullmatch(value)
    assert match is not None
    return match[1], match[2]
