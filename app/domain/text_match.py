"""How the texts of an event are compared with what a rule asks for (`notifications.md` 3.4)."""

from collections.abc import Callable, Iterable, Sequence

from app.domain.rule_rows import items

Compare = Callable[[str, str], bool]

# Operator → how one value is compared; those that deny pass if no value matches.
_POSITIVE: dict[str, Compare] = {
    "eq": lambda value, wanted: value == wanted,
    "sw": lambda value, wanted: value.startswith(wanted),
    "ew": lambda value, wanted: value.endswith(wanted),
    "co": lambda value, wanted: wanted in value,
    "in": lambda value, wanted: value in items(wanted),
    "is": lambda value, wanted: bool(value),
}
_DENIED = {"ne": "eq", "nsw": "sw", "new": "ew", "nc": "co", "nin": "in", "ns": "is"}


def matcher(operator: str, wanted: str = "") -> Callable[[Iterable[str]], bool]:
    """Tells whether some values match, whatever the case of their letters. KeyError: no such operator.

    An operator such as "contains" passes if any value does; "does not contain" if none does, hence also
    where there is none.
    """
    compare = _POSITIVE[_DENIED.get(operator, operator)]
    expected, lowered = operator not in _DENIED, wanted.strip().lower()
    return lambda values: any(compare(value.strip().lower(), lowered) for value in values) is expected


def matches(operator: str, values: Sequence[str], wanted: str = "") -> bool:
    return matcher(operator, wanted)(values)
