"""What a replay of the past comes to: messages before and after a change, and what stands out.

A replay says what would have been different, and the difference is laid over what is on record. So what is
the same in both of its runs stays exactly as it was recorded, whatever a replay may not know.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from app.domain.routing import Outcome

PERSON, DESTINATION = "user", "destination"
HOUR = timedelta(hours=1)
FLOOD = 20
MOST_ISSUES = 3
TOLD = (Outcome.SEND, Outcome.DEFER)


class Subject(NamedTuple):
    """A person or an integration."""

    kind: str
    id: int


class Key(NamedTuple):
    """A notice, and whom it is asked about."""

    notice: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Told:
    """The answer for one of them. `message` is what carries it, at `at`; several answers may share one."""

    outcome: str
    code: str
    message: Hashable = field(default=None, compare=False)
    at: datetime | None = field(default=None, compare=False)

    @property
    def is_told(self) -> bool:
        """Now or later, by itself or together with others."""
        return self.outcome in TOLD


Answers = Mapping[Key, Told]


@dataclass(frozen=True, slots=True)
class Run:
    """What was answered about some notices. `gates`: the code at which each of them stopped, if it did."""

    answers: Answers
    gates: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """A past and what it would have been. `agreed` of `asked` answers came out as they are on record."""

    before: Run
    after: Run
    agreed: int
    asked: int


def laid_over(recorded: Run, again: Run, drafted: Run) -> Compared:
    """What is on record, with what the two runs disagree about: without a draft, and with it."""
    answers = dict(recorded.answers)
    for key in again.answers.keys() | drafted.answers.keys():
        was, would = again.answers.get(key), drafted.answers.get(key)
        if was == would:
            continue
        if would is None:
            answers.pop(key, None)
        else:
            answers[key] = would
    gates = {
        name: gate
        for name, gate in recorded.gates.items()
        if name in drafted.gates or name not in again.gates
    }
    gates |= {
        name: gate
        for name, gate in drafted.gates.items()
        if name not in again.gates or again.gates[name] != gate
    }
    keys = again.answers.keys() | recorded.answers.keys()
    agreed = sum(recorded.answers.get(key) == again.answers.get(key) for key in keys)
    return Compared(recorded, Run(answers, gates), agreed, len(keys))


# Messages


@dataclass(frozen=True, slots=True)
class Count:
    """Messages to one person or integration, and the most of them within an hour."""

    before: int
    after: int
    most_after: int = 0

    @property
    def change(self) -> int:
        return self.after - self.before

    @property
    def is_flood(self) -> bool:
        return self.most_after > FLOOD


def counts(recorded: Run, again: Run, drafted: Run) -> Mapping[Subject, Count]:
    """Messages before are those on record; after, those and what the draft adds to or takes from the run."""
    was, rerun, would = (_messages(run.answers) for run in (recorded, again, drafted))
    found = {}
    for subject in {*was, *rerun, *would}:
        before, more = len(was[subject]), len(would[subject]) - len(rerun[subject])
        most, most_more = (
            _most(was[subject].values()),
            _most(would[subject].values()) - _most(rerun[subject].values()),
        )
        found[subject] = Count(before, max(before + more, 0), max(most + most_more, 0))
    return found


def _messages(answers: Answers) -> defaultdict[Subject, dict[Hashable, datetime]]:
    """What goes out to each, and when."""
    found: defaultdict[Subject, dict[Hashable, datetime]] = defaultdict(dict)
    for (_, subject), told in answers.items():
        if told.is_told and told.message is not None and told.at is not None:
            found[subject][told.message] = told.at
    return found


def _most(times: Iterable[datetime]) -> int:
    """How many within the fullest hour."""
    sorted_ = sorted(times)
    first = most = 0
    for last, at in enumerate(sorted_):
        while at - sorted_[first] >= HOUR:
            first += 1
        most = max(most, last + 1 - first)
    return most


# What stands out


def untold(run: Run, alerts: Collection[str]) -> set[str]:
    """Those of the alerts of which nobody heard: no person, and no integration."""
    heard = {
        key.notice for key, told in run.answers.items() if told.is_told or told.outcome == Outcome.COLLAPSE
    }
    return {name for name in alerts if name in run.gates and name not in heard and _rings(run.gates[name])}


def _rings(gate: str | None) -> bool:
    """Whether it got as far as asking about people: what was settled by then is nobody's loss."""
    return gate in (None, "no_owner")


@dataclass(frozen=True, slots=True)
class Moved:
    """An issue of which others hear, or fewer, or more; each counted once for every notice."""

    issue_id: int
    more: int
    fewer: int
    otherwise: int  # told all the same, but at another time or with other things


def most_changed(before: Answers, after: Answers, issue_of: Mapping[str, int]) -> Sequence[Moved]:
    """The issues whose outcome changes most; what merely moves to another notice of an issue is no change."""
    gained: defaultdict[tuple[int, Subject], list[datetime | None]] = defaultdict(list)
    lost: defaultdict[tuple[int, Subject], list[datetime | None]] = defaultdict(list)
    otherwise: Counter[int] = Counter()
    for key in before.keys() | after.keys():
        was, would = before.get(key), after.get(key)
        issue_id = issue_of.get(key.notice)
        if issue_id is None or was == would:
            continue
        was_told, is_told = was is not None and was.is_told, would is not None and would.is_told
        if was_told and is_told:
            otherwise[issue_id] += 1
        elif was and was_told:
            lost[issue_id, key.subject].append(was.at)
        elif would and is_told:
            gained[issue_id, key.subject].append(would.at)
    more, fewer = _net(gained, lost, otherwise), _net(lost, gained, Counter())
    found = [Moved(each, more[each], fewer[each], otherwise[each]) for each in {*more, *fewer, *+otherwise}]
    found.sort(key=lambda each: (-each.more - each.fewer, -each.otherwise, each.issue_id))
    return found[:MOST_ISSUES]


def _net(
    these: Mapping[tuple[int, Subject], Sequence[datetime | None]],
    those: Mapping[tuple[int, Subject], Sequence[datetime | None]],
    otherwise: Counter[int],
) -> Counter[int]:
    """How many more of these than of those, by issue; of the others, those at another time count as such."""
    found: Counter[int] = Counter()
    for (issue_id, subject), times in these.items():
        against = those.get((issue_id, subject), ())
        found[issue_id] += max(len(times) - len(against), 0)
        at_another = (Counter(times) - Counter(against)).total()
        otherwise[issue_id] += min(at_another, len(times), len(against))
    return +found


# One situation


ORDER = {Outcome.SEND: 0, Outcome.DEFER: 1, Outcome.COLLAPSE: 2, Outcome.SKIP: 3}


def sign(now: Told | None, after: Told | None) -> str:
    """What changes for one of them: told now, told no longer, told otherwise, or nothing."""
    was, would = bool(now and now.is_told), bool(after and after.is_told)
    if was != would:
        return "+" if would else "−"
    return "=" if now == after else "~"
