"""What waits for people while a past is gone through again: digests, and who was told when."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.domain import routing
from app.domain.pacing import MINUTE, Pace, pace_of
from app.domain.routing import Outcome
from app.services.calm import holding, pacing, pausing, quieting
from app.services.calm.pacing import CAPPED, HOUR, MOST_IN_AN_HOUR, Known
from app.services.simulating.occasions import Occasion
from app.services.simulating.recorded import Held
from app.services.simulating.world import World

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Waiting:
    """An open digest; `earlier` if it holds what is from before."""

    user_id: int
    key: str
    opened_at: datetime
    send_at: datetime
    number: int
    entries: dict[str, tuple[Occasion, routing.Verdict]] = field(default_factory=dict)
    earlier: bool = False

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]

    @property
    def message(self) -> str:
        return f"digest {self.key} {self.user_id} {self.number}"


class Shelf:
    """All that waits. A digest goes out when it is due, or when it did, if it waited for that very moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = world.past.recorded.held
        self._open: dict[tuple[int, str], Waiting] = {}
        self._number = 0
        for row in world.past.recorded.open_at_first:
            made = self._make(row.user_id, row.key, row.opened_at, row.send_at)
            made.earlier = True

    def _make(self, user_id: int, key: str, opened_at: datetime, send_at: datetime) -> Waiting:
        self._number += 1
        made = Waiting(user_id, key, opened_at, send_at, self._number)
        self._open[user_id, key] = made
        return made

    def open(self, user_id: int, key: str, until: datetime, *, now: datetime) -> Waiting:
        """As `holding.open_digests` does it."""
        found = self._open.get((user_id, key))
        if found is None:
            return self._make(user_id, key, now, until)
        if found.kind == pacing.TOGETHER:
            found.send_at = until
        elif found.kind == pausing.PAUSED:
            found.send_at = min(found.send_at, until)
        return found

    def retime(self, user_id: int, now: datetime) -> None:
        """Somebody changed their hours, or how often they are told: what is held goes out accordingly."""
        quiet_hours = self._open.get((user_id, quieting.HELD))
        if quiet_hours:
            quiet_hours.send_at = self._world.past.hours.quiet_until(now).get(user_id, now)
        together = self._open.get((user_id, pacing.key_of(self._world.past.project.id)))
        if together and self._world.past.hours.is_on_call(user_id, now):
            together.send_at = min(together.send_at, now)

    def shorten(self, user_id: int, until: datetime) -> None:
        together = self._open.get((user_id, pacing.key_of(self._world.past.project.id)))
        if together:
            together.send_at = min(together.send_at, until)

    def put_back(self, digest: Waiting, until: datetime) -> None:
        digest.send_at = until
        self._open[digest.user_id, digest.key] = digest

    def due(self, key: str, user_ids: Iterable[int]) -> dict[int, datetime]:
        return {each: found.send_at for each in user_ids if (found := self._open.get((each, key)))}

    def take(self, until: datetime) -> tuple[Waiting, datetime] | None:
        """The next one that goes out by then, and when."""
        found = [(self.closes_at(each), each.number, each) for each in self._open.values()]
        at, _, digest = min(found, default=(NEVER, 0, None), key=lambda each: each[:2])
        if digest is None or at > until:
            return None
        del self._open[digest.user_id, digest.key]
        return digest, at

    def take_of(self, key: str) -> list[Waiting]:
        """All with this key, whatever their time."""
        found = [each for each in self._open.values() if each.key == key]
        for each in found:
            del self._open[each.user_id, each.key]
        return sorted(found, key=lambda each: each.user_id)

    def left(self) -> list[Waiting]:
        return list(self._open.values())

    def closes_at(self, digest: Waiting) -> datetime:
        was = self._was(digest)
        if was and (was.send_at == digest.send_at or was.asked_for):
            return was.closed_at or NEVER
        return digest.send_at

    def is_asked_for(self, digest: Waiting) -> bool:
        """Its person wanted it then, whatever held it."""
        was = self._was(digest)
        return was is not None and was.asked_for

    def _was(self, digest: Waiting) -> Held | None:
        return self._held.get((digest.user_id, digest.key, digest.opened_at))


class Told(Known):
    """What `pacing` asks for, from what this run decided instead of the database."""

    def __init__(self, world: World, shelf: Shelf) -> None:
        self._world, self._shelf = world, shelf
        self._at: dict[int, datetime] = dict(world.past.recorded.sent_at)
        self._messages: defaultdict[int, list[datetime]] = defaultdict(list)
        for user_id, times in world.past.recorded.others.items():
            self._messages[user_id] = sorted(times)
        self._promised: dict[tuple[str, int], datetime] = {}
        self._now_is = world.past.recorded.since

    def shorten(self, user_id: int, moment: datetime) -> None:
        """Somebody chose another window: see `pacing.shorten`."""
        chosen, sent_at = self._world.choices(user_id, moment), self._at.get(user_id)
        if chosen and sent_at:
            pace = pace_of(self._world.pace, chosen.batching.value, chosen.batching.source)
            self._shelf.shorten(user_id, sent_at + pace.maximum * MINUTE)

    def reach(self, moment: datetime) -> None:
        self._now_is = moment
        self._promised.clear()

    def sent(self, user_id: int, at: datetime) -> None:
        """A message goes out: it counts for the cap."""
        insort(self._messages[user_id], at)

    def pace(self, project_id: int) -> Pace:
        return self._world.pace

    def lock(self, people: Mapping[int, Collection[int]]) -> None:
        """Nobody else is there."""

    def mark(self, project_id: int, user_ids: Collection[int]) -> None:
        self._at |= dict.fromkeys(user_ids, self._now_is)

    def sent_at(self, project_id: int, user_ids: Iterable[int]) -> dict[int, datetime]:
        return {each: self._at[each] for each in user_ids if each in self._at}

    def waiting(self, key: str, user_ids: Iterable[int]) -> dict[int, datetime]:
        ids = list(user_ids)
        found = self._shelf.due(key, ids)
        return found | {each: self._promised[key, each] for each in ids if (key, each) in self._promised}

    def on_call(self, user_ids: Iterable[int]) -> set[int]:
        hours = self._world.past.hours
        return {each for each in user_ids if hours.is_on_call(each, self._now_is)}

    def capped(self, user_ids: Collection[int]) -> dict[int, datetime]:
        full = [each for each in user_ids if self._lately(each) >= MOST_IN_AN_HOUR]
        waiting = self.waiting(CAPPED, full)
        return {each: waiting.get(each, self._now_is + pacing.CAP_WINDOW) for each in full}

    def _lately(self, user_id: int) -> int:
        times = self._messages[user_id]
        return bisect_right(times, self._now_is) - bisect_left(times, self._now_is - HOUR + _TICK)

    def learn(self, project_id: int, verdicts: Iterable[routing.Verdict], *, is_paced: bool) -> None:
        keys = {"batched": pacing.key_of(project_id), "recipient_cap": CAPPED}
        for each in verdicts:
            if each.outcome == Outcome.DEFER and each.code in keys and "until" in each.params:
                until = datetime.fromisoformat(each.params["until"])
                self._promised[keys[each.code], each.person_id] = until


_TICK = datetime.resolution


def until_of(verdict: routing.Verdict, now: datetime) -> datetime:
    return datetime.fromisoformat(verdict.params["until"]) if "until" in verdict.params else now


def key_of(occasion: Occasion, code: str) -> str:
    return holding.key_of(occasion.notice, code)
