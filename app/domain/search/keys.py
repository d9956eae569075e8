"""The keys of the search language: how each is spelt, what it takes, and what it asks for.

The page's help and `docs/search.md` print this table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain import importance, traits
from app.domain.normalising import LEVELS
from app.domain.search import values
from app.domain.search.values import Reader, listed

_MOMENT = "-24h, +7d, >2026-11-23, 2026-11-23T12:00"
_TEXT = "text, with * for anything"
_PERSON = "an address, a handle or me"


@dataclass(frozen=True, slots=True)
class Key:
    """`names` are spellings of one key; case, dashes and underscores do not matter in any of them."""

    names: tuple[str, ...]
    takes: str
    means: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Family:
    """Keys with one beginning, which are of one kind."""

    names: tuple[str, ...]
    means: str


_OWN = (
    Key(("is",), listed(values.STATES), "The state of the issue", values.state),
    Key(("status",), listed(values.STATUSES), "The same, of its status alone", values.status),
    Key(("assigned",), f"{_PERSON}, #team or none", "Who has the issue", values.assigned),
    Key(("bookmarks",), _PERSON, "Who bookmarked it", values.tied(values.BOOKMARKED)),
    Key(("subscribed",), _PERSON, "Who subscribed to it", values.tied(values.SUBSCRIBED)),
    Key(
        ("told",),
        f"{_PERSON}, or none",
        "A message about the issue was accepted for that person, or for nobody",
        values.tied(values.TOLD),
    ),
    Key(("reach",), "none", "Its latest notice was told to nobody, and nothing is held", values.reach),
    Key(("has",), "a key of this table or of a tag", "An event of the issue has it", values.has),
    Key(("level",), listed(LEVELS), "The level of an event", values.level),
    Key(
        ("issue.priority",),
        listed(importance.CHOICES),
        "Its priority, as somebody chose or by its level",
        values.priority,
    ),
    Key(("environment", "env"), _TEXT, "Where it was seen", values.attribute("environment")),
    Key(
        ("release",),
        "a version, with * for anything, or latest",
        "A release that it was seen in",
        values.release("release"),
    ),
    Key(
        ("first-release",), "a version or latest", "The release it began in", values.release("first_release")
    ),
    Key(("firstSeen", "age"), _MOMENT, "When it was first seen", values.seen("first_seen")),
    Key(("lastSeen",), _MOMENT, "When it was last seen", values.seen("last_seen")),
    Key(("event.timestamp",), _MOMENT, "When one of its events happened", values.seen("timestamp")),
    Key(("timesSeen",), "5, >5, >=5, <5 or <=5", "How many events it has", values.times_seen),
    Key(("issue",), "a short id", "That issue", values.issue),
    Key(("issue.id",), "a number", "That issue", values.issue_id),
    Key(("user",), f"{_TEXT}; also user:email:…", "A person it happened to", values.person),
    Key(("any_tag",), _TEXT, "Any tag with that value", values.any_tag),
)
# What issues and events say of themselves under other names is read alike.
_ALIKE: Mapping[str, str] = {
    "title": "The title of the issue",
    "message": "Its message",
    "culprit": "Where it went wrong, as the list shows it",
    "platform": "The platform",
    "logger": "The logger",
    "server_name": "The machine",
    "dist": "The build of a release",
    "transaction": "The route or task",
    "url": "The address that was asked for",
    "error.type": "The class of an exception, also of one behind another",
}
_SPELLINGS: Mapping[str, tuple[str, ...]] = {"user.ip": ("user.ip_address",)}
FAMILIES: Sequence[Family] = (
    Family(traits.named("user"), "Who it happened to"),
    Family(traits.named("device"), "The device"),
    Family(traits.named("os"), "The operating system"),
    Family(traits.named("browser"), "The browser"),
    Family(traits.named("runtime"), "The language’s runtime"),
    Family(traits.named("geo"), "Where the person was"),
    Family(traits.named("stack"), "A frame of the stack: your own code, the ten innermost"),
)


def _alike(name: str, means: str) -> Key:
    return Key((name, *_SPELLINGS.get(name, ())), _TEXT, means, values.attribute(name))


KEYS: Sequence[Key] = (*_OWN, *(_alike(name, means) for name, means in _ALIKE.items()))
_UNKEPT = values.unkept(traits.named("stack"))


def canonical(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


_READERS: Mapping[str, Reader] = {
    canonical(name): key.read
    for key in (*KEYS, *(_alike(name, family.means) for family in FAMILIES for name in family.names))
    for name in key.names
}


def reader(key: str) -> Reader | None:
    """How values of this key are read; None for a tag."""
    name = canonical(key)
    return _READERS.get(name) or (_UNKEPT if name.startswith("stack.") else None)
