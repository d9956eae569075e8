"""The orders of issue lists as clients write them, and as Tocsin does."""

from collections.abc import Mapping

from app.api.blueprint import Invalid

# What clients write → our name of the order.
ORDERS: Mapping[str, str] = {
    "date": "date",
    "new": "new",
    "freq": "freq",
    "user": "users",
    "priority": "priority",
}
_WRITTEN = {ours: theirs for theirs, ours in ORDERS.items()}


def read(name: str, *, member: str = "detail") -> str:
    """Our name of what a client asks for; the usual order where it asks for none.

    `member` is at fault where it is of a body.
    """
    if (name or "date") not in ORDERS:
        raise Invalid(f"sort must be one of: {', '.join(ORDERS)}.", member)
    return ORDERS[name or "date"]


def written(order: str) -> str:
    return _WRITTEN[order]
