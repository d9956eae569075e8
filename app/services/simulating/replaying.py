"""The last days once more, as they were and with a draft laid over them: who would have been told of what."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.simulating import (
    Compared,
    Count,
    Key,
    Moved,
    Run,
    Subject,
    Told,
    counts,
    laid_over,
    most_changed,
    untold,
)
from app.models import Project
from app.services.owners import owning
from app.services.preferences.preferring import Defaults
from app.services.simulating import aging, firing, occasions, world
from app.services.simulating.bell import Bell
from app.services.simulating.drafts import NOTHING, Drafts
from app.services.simulating.firing import Fired
from app.services.simulating.occasions import Occasion
from app.services.simulating.world import Past, World

DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a replay may take, and how many notices it takes."""

    seconds: float = 2.0
    notices: int = 2000
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Replayed:
    """`covered` of `total` notices, the first ones, up to `until`. `untold`: alerts nobody heard of."""

    since: datetime
    until: datetime
    covered: int
    total: int
    compared: Compared
    counts: Mapping[Subject, Count]
    untold_before: int
    untold_after: int
    moved: Sequence[Moved]
    standing: int  # notices that stand as they are on record
    fired: Fired | None = None
    notes: Sequence[str] = ()
    alerts: frozenset[str] = field(default_factory=frozenset)
    again: Mapping[Key, Told] = field(default_factory=dict)  # what the run without a draft came to

    @property
    def is_whole(self) -> bool:
        return self.covered >= self.total


def replay(
    session: Session,
    project: Project,
    *,
    days: int,
    drafts: Drafts = NOTHING,
    instance: Defaults,
    now: datetime,
    budget: Budget | None = None,
) -> Replayed:
    """Changes nothing, and writes nothing."""
    budget = budget or Budget()
    deadline = budget.clock() + budget.seconds
    since = now - timedelta(days=days)
    with session.no_autoflush:
        fired = firing.of_draft(session, project, drafts, now=now, since=since, seconds=budget.seconds / 2)
        added = {each.issue_id for each, _ in fired.changed.added} if fired else set()
        if drafts.resolve_hours is not None:
            longest = max(drafts.resolve_hours, project.resolve_age_hours)
            added |= aging.issue_ids(session, project, since, longest)
        span = world.Span(since, now, budget.notices, added)
        past = world.load(session, project, span, instance=instance)
        sides = _sides(session, past, drafts, fired)
        again, drafted, covered, until = _both(
            session, past, drafts, sides, lambda: budget.clock() < deadline
        )
    return _replayed(past, sides, again, drafted, covered, until, fired)


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is planned again as it was, and as it would have been."""

    was: Sequence[Occasion]
    would: Sequence[Occasion]
    is_same: bool


def _sides(session: Session, past: Past, drafts: Drafts, fired: Fired | None) -> _Sides:
    changed = fired.changed if fired else occasions.Changed()
    also = [name for _, name in changed.added]
    known = occasions.sources(session, past, with_lines=drafts.owners is not None or bool(also), also=also)
    was = occasions.of_record(session, past, known)
    if drafts.is_empty:
        return _Sides(was, was, True)
    would = occasions.drafted(session, past, known, was, drafts, changed)
    if drafts.resolve_hours is not None:
        would = aging.aged(session, past, would, drafts.resolve_hours)
    if drafts.owners:
        # Lines are tried against those that are saved, whatever was saved at the time.
        saved = Drafts(owners=owning.rules_of(session, past.project.id))
        was = occasions.drafted(session, past, known, was, saved, occasions.Changed())
    return _Sides(was, would, False)


def _both(
    session: Session, past: Past, drafts: Drafts, sides: _Sides, goes_on: Callable[[], bool]
) -> tuple[Run, Run, set[str], datetime]:
    """Both at the same pace, as far as there is time for: what was covered, and up to when."""
    was = Bell(session, World(past, NOTHING))
    would = was if sides.is_same else Bell(session, World(past, drafts))
    covered: set[str] = set()
    until = past.recorded.until
    for at, theirs, others in _steps(sides):
        if not goes_on():
            until = at
            break
        was.ring(at, theirs)
        if would is not was:
            would.ring(at, others)
        covered |= {each.name for each in (*theirs, *others)}
    was.finish(until)
    if would is not was:
        would.finish(until)
    return was.run, would.run, covered, until


def _steps(sides: _Sides) -> Iterator[tuple[datetime, Sequence[Occasion], Sequence[Occasion]]]:
    """What was planned together, in the order in which it was."""
    found: defaultdict[tuple[datetime, occasions.Group], tuple[list[Occasion], list[Occasion]]]
    found = defaultdict(lambda: ([], []))
    for place, side in enumerate((sides.was, sides.would)):
        for each in side:
            found[each.at, each.group][place].append(each)
    ordered = sorted(found.items(), key=lambda item: (item[0][0], _first(*item[1])))
    for (at, _), (was, would) in ordered:
        yield at, was, would


def _first(*sides: Sequence[Occasion]) -> int:
    return min(each.notice.id for side in sides for each in side)


def _replayed(
    past: Past,
    sides: _Sides,
    again: Run,
    drafted: Run,
    covered: set[str],
    until: datetime,
    fired: Fired | None,
) -> Replayed:
    recorded = _covered(past, covered, until)
    compared = laid_over(recorded, _answered(again, sides.was), _answered(drafted, sides.would))
    everything = {each.name: each for each in (*sides.was, *sides.would)}
    alerts = frozenset(name for name, each in everything.items() if each.is_alert and name in covered)
    issue_of = {name: each.notice.issue_id for name, each in everything.items() if each.notice.issue_id}
    return Replayed(
        since=past.recorded.since,
        until=until,
        covered=len(recorded.gates),
        total=past.recorded.total,
        compared=compared,
        counts=counts(recorded, again, drafted),
        untold_before=len(untold(compared.before, alerts)),
        untold_after=len(untold(compared.after, alerts)),
        moved=most_changed(compared.before.answers, compared.after.answers, issue_of),
        standing=sum(each.stands and each.name in covered for each in sides.was),
        fired=fired,
        alerts=alerts,
        again=again.answers,
    )


def _covered(past: Past, names: set[str], until: datetime) -> Run:
    """What is on record of them, and of the storms meanwhile."""
    told = past.recorded.told
    summaries = {
        name
        for name in told.gates
        if name.startswith("storm ") and datetime.fromisoformat(name.removeprefix("storm ")) <= until
    }
    wanted = names | summaries
    return Run(
        {key: answer for key, answer in told.answers.items() if key.notice in wanted},
        {name: gate for name, gate in told.gates.items() if name in wanted},
    )


def _answered(run: Run, side: Sequence[Occasion]) -> Run:
    """A run without what stands: that is nobody's to decide again."""
    standing = {each.name for each in side if each.stands}
    return Run(
        {key: answer for key, answer in run.answers.items() if key.notice not in standing},
        {name: gate for name, gate in run.gates.items() if name not in standing},
    )
