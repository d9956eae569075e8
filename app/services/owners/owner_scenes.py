"""Where stored events happened, as far as lines of owners look at that; kept from one keystroke to the next.

An event never changes once it is stored, and reading it is what costs: so each process keeps in mind what it
has read of the last few thousand. Events of one issue share their stacks, so that this takes little room.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.domain import ownership, ownership_sights, ownership_suggestions
from app.domain.ownership import Rules
from app.domain.ownership_lines import Match
from app.domain.ownership_sights import OF_FRAMES, Sight
from app.models import Event
from app.services.events import event_body

MOST_KEPT = 4000

Stack = tuple[Sight, ...]  # what its frames say
Looks = Mapping[str, Stack]  # by the type of pattern
Key = tuple[int, str, datetime]
# A row of `COLUMNS`.
Stored = Row[int, int, str, datetime]
COLUMNS = (Event.id, Event.issue_id, Event.event_id, Event.received_at)


@dataclass(frozen=True, slots=True)
class Scene:
    """What lines may be compared with; `rest` is all but frames. `area` is the pattern for where it was."""

    looks: Looks
    rest: Mapping[str, Any]
    area: str | None


class Matcher:
    """One text's lines against many scenes: what stacks have in common is looked up once."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[tuple[str, int], tuple[Stack, Mapping[int, Sight]]] = {}

    def matches(self, scene: Scene) -> list[Match]:
        return ownership.matched(self._rules, {name: self._seen(name, scene) for name in self._rules.engines})

    def _seen(self, name: str, scene: Scene) -> Mapping[int, Sight]:
        if name in OF_FRAMES:
            return self._seen_in(name, scene.looks[name])
        tags = scene.rest.get("tags") or ()
        sights = ownership_sights.sights(name, scene.rest, tags, self._rules.roots)
        return ownership.seen(self._rules, name, sights)

    def _seen_in(self, name: str, stack: Stack) -> Mapping[int, Sight]:
        """Stacks are told apart by what they are, not by what is in them: that would take as long."""
        known = self._known.get((name, id(stack)))
        if known is None:
            named = ownership_sights.in_repository(name, stack, self._rules.roots)
            known = self._known[name, id(stack)] = stack, ownership.seen(self._rules, name, named)
        return known[1]


class _Memory:
    """The scenes of the events that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scenes: OrderedDict[Key, Scene] = OrderedDict()
        self._stacks: dict[tuple[Stack, ...], Looks] = {}

    def known(self, keys: Iterable[Key]) -> dict[Key, Scene]:
        with self._lock:
            found = {key: self._scenes[key] for key in keys if key in self._scenes}
            for key in found:
                self._scenes.move_to_end(key)
        return found

    def keep(self, scenes: Mapping[Key, Scene]) -> None:
        with self._lock:
            self._scenes |= scenes
            while len(self._scenes) > MOST_KEPT:
                self._scenes.popitem(last=False)
            if len(self._stacks) > MOST_KEPT:
                self._stacks.clear()

    def shared(self, looks: Looks) -> Looks:
        """The one that is kept of equal ones."""
        return self._stacks.setdefault(tuple(looks.values()), looks)


_memory = _Memory()


def of(session: Session, rows: Collection[Stored]) -> Mapping[int, Scene]:
    """The scenes of these events by their ids; with one query for those that are not in mind."""
    keys = [(row.id, row.event_id, row.received_at) for row in rows]
    scenes = _memory.known(keys)
    if missing := {key[0]: key for key in keys if key not in scenes}:
        found = session.execute(select(Event.id, Event.body).where(Event.id.in_(missing)))
        read = {missing[event_id]: _scene(event_body.outline(body)) for event_id, body in found}
        _memory.keep(read)
        scenes |= read
    return {key[0]: scene for key, scene in scenes.items()}


def _scene(data: Mapping[str, Any]) -> Scene:
    looks = {name: tuple(ownership_sights.of_frames(name, data)) for name in OF_FRAMES}
    rest = {name: data[name] for name in ("request", "user", "release", "tags") if data.get(name)}
    if "request" in rest:
        rest["request"] = {"url": rest["request"].get("url")}
    return Scene(_memory.shared(looks), rest, ownership_suggestions.area(data))
