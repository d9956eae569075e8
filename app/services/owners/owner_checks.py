"""What lines of owners do before they are saved: what they match, whom they reach, what they change."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import ownership, ownership_sights
from app.domain.ownership import Rules
from app.domain.ownership_lines import Line, Match, Owner, Problem
from app.domain.phrases import plural
from app.models import Project, User
from app.services import access
from app.services.issues import auto_assigning
from app.services.owners import entrusting, owner_samples, owning
from app.services.owners.owner_samples import Sample
from app.services.owners.owner_scenes import Matcher
from app.services.owners.owning import Directory
from app.services.preferences import preferring, reaching
from app.services.preferences.preferring import Defaults

TOP_PATHS = 5


@dataclass(frozen=True, slots=True)
class Told:
    """Whom an owner stands for: a team and how many of it hear of alerts, or a person and whether they do."""

    called: str
    people: int
    reachable: int

    @property
    def words(self) -> str:
        if not self.called.startswith("#"):
            return self.called if self.reachable else f"{self.called} (cannot be reached)"
        return f"{self.called} ({self.reachable} of {self.people})"

    @property
    def warning(self) -> str:
        if self.reachable == self.people and self.people:
            return ""
        if not self.called.startswith("#"):
            return f"{self.called} cannot be reached: no verified address, or alerts off"
        return (
            f"{self.reachable} of {self.people} in {self.called} reachable"
            if self.people
            else (f"{self.called} has no members")
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """A line with what is to be said of it; `tone` is ok, warning, wrong, or unused."""

    number: int
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Of how many open issues other people would hear, and for each person of how many more and fewer."""

    issues: int = 0
    people: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True, slots=True)
class Checks:
    """All that the page says about a text; `uncovered` counts the recent events that no line matches."""

    lines: Sequence[Checked]
    length: int
    events: int
    uncovered: int
    areas: Sequence[tuple[str, int]]
    effect: Effect

    @property
    def share(self) -> int:
        return round(100 * self.uncovered / self.events) if self.events else 0

    @property
    def by_number(self) -> Mapping[int, Sequence[Checked]]:
        found: dict[int, list[Checked]] = {}
        for line in self.lines:
            found.setdefault(line.number, []).append(line)
        return found


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of a project by name, and who of them hears of its alerts."""

    names: Mapping[int, str]
    reachable: Collection[int]

    def told(self, owner: Owner, known: Directory) -> Told:
        people = known.members[owner.name] if owner.is_team else [known.people[owner.name]]
        called = owner.written if owner.is_team else self.names[known.people[owner.name]]
        return Told(called, len(people), len(set(people) & set(self.reachable)))


def crowd(session: Session, project: Project, instance: Defaults) -> Crowd:
    members = select(User.id, User.name).where(access.is_member(project.id)).order_by(User.name, User.id)
    names = {row.id: row.name for row in session.execute(members)}
    addresses = reaching.addresses_of(session, names, project.id)
    choices = preferring.choices(session, names, project.id, instance)
    return Crowd(names, [each for each in addresses if choices[each].alerts.value == "on"])


def drafted(session: Session, project: Project, raw: str) -> tuple[Rules, list[Problem]]:
    """The rules as they would be with this text, and what cannot be read of it."""
    in_force = owning.rules_of(session, project.id).rules
    written, problems = ownership.read(raw)
    kept = tuple(line for line in in_force.lines if line.is_imported)
    return Rules((*kept, *written.lines), in_force.roots), problems


def check(
    session: Session, project: Project, raw: str, *, fallthrough: bool, now: datetime, instance: Defaults
) -> Checks:
    """Everything that can be said of a text, whether it could be saved or not."""
    before = owning.rules_of(session, project.id)
    rules, problems = drafted(session, project, raw)
    owners = entrusting.owners_of(rules.lines) | entrusting.owners_of(before.rules.lines)
    known = owning.directory(session, project.id, owners)
    people = crowd(session, project, instance)
    sample = owner_samples.of(session, project, now=now)
    lines = Matcher(rules)
    matched = [each.matches(lines) for each in sample.recent]
    uncovered = [each.scene for each, found in zip(sample.recent, matched, strict=True) if not found]
    areas = Counter(scene.area for scene in uncovered if scene.area)
    wrong = [*problems, *entrusting.strangers(session, project, rules.lines, known)]
    after = owning.OwnersInForce(rules, fallthrough)
    return Checks(
        lines=_lines(rules.lines, wrong, _Use(sample, matched, lines), known, people),
        length=raw.count("\n") + 1,
        events=len(sample.recent),
        uncovered=len(uncovered),
        areas=areas.most_common(TOP_PATHS),
        effect=_effect(
            sample,
            _Asked(before, Matcher(before.rules), known, people),
            _Asked(after, lines, known, people),
        ),
    )


class _Use:
    """How often each line that people wrote matches: the recent events, and the issues of the last weeks."""

    def __init__(self, sample: Sample, matched: Sequence[Sequence[Match]], lines: Matcher) -> None:
        self._events = len(sample.recent)
        self._recent = self._counts(matched)
        self._lately = self._counts([each.matches(lines) for each in sample.latest])

    @staticmethod
    def _counts(matched: Iterable[Sequence[Match]]) -> Counter[int]:
        return Counter(each.number for found in matched for each in found if not each.line.is_imported)

    def of(self, number: int) -> Checked:
        if count := self._recent[number]:
            return Checked(number, "ok", f"{count} of the last {plural(self._events, 'event')}")
        if count := self._lately[number]:
            return Checked(number, "ok", f"{plural(count, 'issue')} of the last 30 days")
        return Checked(number, "unused", "no match in 30 days" if self._events else "no event yet")


def _lines(
    lines: Iterable[Line],
    wrong: Iterable[Problem],
    use: _Use,
    known: Directory,
    people: Crowd,
) -> list[Checked]:
    checked = [Checked(each.line, "wrong", f"column {each.column}: {each.message}") for each in wrong]
    for line in lines:
        if not line.is_imported:
            told = [people.told(owner, known) for owner in line.owners if known.knows(owner)]
            checked += [Checked(line.number, "warning", each.warning) for each in told if each.warning]
            checked.append(use.of(line.number))
    return sorted(checked, key=lambda each: each.number)


# What a change means


@dataclass(frozen=True, slots=True)
class _Asked:
    """Owners, of which events are asked about."""

    owners: owning.OwnersInForce
    lines: Matcher
    known: Directory
    crowd: Crowd

    def people(self, event: owner_samples.Sampled) -> frozenset[int]:
        """Who hears of the issue of this event."""
        named = self.known.resolve(event.matches(self.lines)).users
        return frozenset(named or (self.crowd.names if self.owners.fallthrough else ()))


def _effect(sample: Sample, before: _Asked, after: _Asked) -> Effect:
    more, fewer, issues = Counter[int](), Counter[int](), 0
    for event in sample.open:
        was, will = before.people(event), after.people(event)
        issues += was != will
        more.update(will - was)
        fewer.update(was - will)
    changed = sorted(more.keys() | fewer.keys(), key=lambda each: (-more[each] - fewer[each], each))
    names = after.crowd.names
    return Effect(issues, [(names[each], more[each], fewer[each]) for each in changed])


# Trying


@dataclass(frozen=True, slots=True)
class Trial:
    """What lines do for one event: which match, whom they tell, and who would get the issue."""

    called: str
    matches: Sequence[Match]
    told: Sequence[Told] = ()
    unknown: Sequence[str] = ()
    fallback: int | None = None  # how many members are told since no line names anybody
    assignee: str = ""
    assigned_by: int = 0
    by_length: bool = field(default=False)
    is_whole: bool = True  # whether all frames were compared

    @property
    def limits(self) -> str:
        return ownership_sights.LIMITS


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form."""

    raw: str
    fallthrough: bool
    auto_assign: bool


def attempt(
    session: Session,
    project: Project,
    draft: Draft,
    *,
    called: str,
    data: Mapping[str, object],
    tags: Sequence[Sequence[str]],
    instance: Defaults,
) -> Trial:
    rules, _problems = drafted(session, project, draft.raw)
    matches = ownership.match(rules, data, tags)
    known = owning.directory(session, project.id, {one for each in matches for one in each.line.owners})
    people = crowd(session, project, instance)
    resolved = known.resolve(matches)
    named = dict.fromkeys(owner for each in matches for owner in each.line.owners if known.knows(owner))
    fallback = len(people.names) if draft.fallthrough else 0
    chosen = auto_assigning.choice(matches, known) if draft.auto_assign else None
    return Trial(
        called=called,
        matches=matches,
        told=[people.told(owner, known) for owner in named] if resolved.users else (),
        unknown=resolved.unknown,
        fallback=None if resolved.users else fallback,
        assignee=people.told(chosen[1], known).called if chosen else "",
        assigned_by=chosen[0].number if chosen else 0,
        by_length=len(matches) > 1,
        is_whole=not ownership_sights.is_beyond_limits(data),
    )
