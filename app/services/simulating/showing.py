"""The answers of the simulator in words, as far as their reader may know (`experience.md` 3.6).

Whoever looks after the project sees every person; a member sees themselves, and the others as a number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import explanations, wording
from app.domain.clocks import Clock
from app.domain.phrases import plural
from app.domain.routing import Outcome
from app.domain.simulating import PERSON, Count, Moved, Subject
from app.models import AlertRule, Destination, Issue, Notice, Project, User
from app.services.simulating import firing
from app.services.simulating.drafts import Drafts
from app.services.simulating.replaying import Replayed
from app.services.simulating.situations import Answer, Line, Side

TONES = {Outcome.SEND: "sent", Outcome.DEFER: "held", Outcome.COLLAPSE: "collapsed", Outcome.SKIP: "skipped"}
WORDS = {
    Outcome.SEND: "told at once",
    Outcome.DEFER: "told later",
    Outcome.COLLAPSE: "with another message",
    Outcome.SKIP: "not told",
}
UNNAMED = ("skipped", "not named")
OTHERS = "Everybody else"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, whether they see everybody, and when."""

    user: User
    sees_all: bool
    clock: Clock


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table about one situation; a tone and words for each side."""

    sign: str
    name: str
    is_person: bool
    now: tuple[str, str]
    after: tuple[str, str]
    because: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Messages to one, before and after; the longest bar of all is 100."""

    name: str
    is_person: bool
    count: Count
    was: int
    would: int


@dataclass(frozen=True, slots=True)
class Change:
    """An issue whose outcome changes most."""

    issue: Issue
    moved: Moved

    @property
    def words(self) -> str:
        said = (
            (self.moved.more, "told besides"),
            (self.moved.fewer, "told no longer"),
            (self.moved.otherwise, "told otherwise"),
        )
        parts = [f"{count} {what}" for count, what in said if count]
        return ", ".join(parts)


def names(session: Session, project: Project, subjects: Iterable[Subject]) -> Mapping[Subject, str]:
    known = list(subjects)
    people = {each.id for each in known if each.kind == PERSON}
    found = session.execute(select(User.id, User.name).where(User.id.in_(people)))
    called = {Subject(PERSON, row.id): row.name for row in found}
    ours = select(Destination.id, Destination.name).where(Destination.project_id == project.id)
    elsewhere = {row.id: row.name for row in session.execute(ours)}
    return {
        each: called.get(each) or elsewhere.get(each.id, "An integration that is gone")
        if each.kind != PERSON
        else called.get(each, "A former member")
        for each in known
    }


# One situation


def rows(session: Session, project: Project, answer: Answer, reader: Reader) -> list[Row]:
    """Changed ones first, then by name."""
    called = names(session, project, (each.subject for each in answer.lines))
    shown = [
        _row(each, called[each.subject], reader) for each in answer.lines if _may_see(each.subject, reader)
    ]
    shown.sort(key=lambda each: (each.sign == "=", not each.is_person, each.name.casefold()))
    hidden = [each for each in answer.lines if not _may_see(each.subject, reader)]
    return [*shown, _summed_up(hidden)] if hidden else shown


def _may_see(subject: Subject, reader: Reader) -> bool:
    return reader.sees_all or subject.kind != PERSON or subject.id == reader.user.id


def _row(line: Line, name: str, reader: Reader) -> Row:
    is_own = line.subject == Subject(PERSON, reader.user.id)
    side = line.after or line.now
    return Row(
        sign=line.sign,
        name=name,
        is_person=line.subject.kind == PERSON,
        now=_said(line.now, is_own, reader),
        after=_said(line.after, is_own, reader),
        because=_because(line.after or side, is_own, reader) if side else "",
    )


def _said(side: Side | None, is_own: bool, reader: Reader) -> tuple[str, str]:
    if side is None:
        return UNNAMED
    outcome = Outcome(side.told.outcome)
    until = side.verdict.params.get("until") if side.verdict and outcome == Outcome.DEFER else None
    may_know_when = is_own or side.told.code != "quiet_hours"
    if until and may_know_when:
        return TONES[outcome], f"held until {reader.clock.short(datetime.fromisoformat(until))}"
    return TONES[outcome], WORDS[outcome]


def _because(side: Side, is_own: bool, reader: Reader) -> str:
    """Why, or why not; of what is held, both."""
    verdict, code = side.verdict, side.told.code
    if verdict is None:
        return "" if code == "send" else wording.code_sentence(code, {"integration_kind": "new"})
    facts = _present(wording.person_facts(verdict.params))
    why = ""
    if verdict.reasons and verdict.outcome != Outcome.SKIP:
        why = (
            explanations.reason_if_now(verdict.reasons, facts)
            if is_own
            else explanations.reasons_of_others(verdict.reasons, facts, private=reader.sees_all)[0]
        )
    why = f"{wording.sentence_case(why)}." if why else ""
    if code == "send":
        return why
    said = wording.code_sentence(
        code,
        verdict.params,
        own=is_own or reader.sees_all,
        timeless=code == "quiet_hours" and not is_own,
        clock=reader.clock,
    )
    return f"{said} {why}".strip()


def _present(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What has not happened yet is told in the present."""
    because = facts.get("because") or {}
    everyone = str(because.get("everyone") or "")
    for past, present in ((" were", " are"), (" was", " is")):
        if everyone.endswith(past):
            everyone = everyone.removesuffix(past) + present
    return {**facts, "because": {**because, **({"everyone": everyone} if everyone else {})}}


def _summed_up(lines: Sequence[Line]) -> Row:
    """What is held for others is theirs to know: asked again and again, it must tell nobody's hours."""

    def told(sides: Iterable[Side | None]) -> str:
        count = sum(bool(side and side.told.is_told) for side in sides)
        return f"{count} of {len(lines)} told"

    now, after = told(each.now for each in lines), told(each.after for each in lines)
    sign = "=" if all(each.sign in "=~" for each in lines) else "~"
    return Row(sign, OTHERS, True, ("", now), ("", after), "Their own answers are theirs, and their admins’.")


# A replay


def bars(session: Session, project: Project, replayed: Replayed, reader: Reader) -> list[Bar]:
    """People first, the most messages at the top; then integrations."""
    called = names(session, project, replayed.counts)
    shown = {each: count for each, count in replayed.counts.items() if _may_see(each, reader)}
    hidden = [count for each, count in replayed.counts.items() if not _may_see(each, reader)]
    longest = max((max(each.before, each.after) for each in replayed.counts.values()), default=0)
    found = [_bar(called[each], each.kind == PERSON, count, longest) for each, count in shown.items()]
    found.sort(
        key=lambda each: (
            not each.is_person,
            -abs(each.count.change),
            -each.count.before,
            each.name.casefold(),
        )
    )
    if hidden:
        total = Count(sum(each.before for each in hidden), sum(each.after for each in hidden))
        most = max(longest, total.before, total.after)
        name = f"{OTHERS} ({len(hidden)})"
        found.append(_bar(name, True, total, most))
    return found


def _bar(name: str, is_person: bool, count: Count, longest: int) -> Bar:
    def length(number: int) -> int:
        return max(round(100 * number / longest), 2) if number and longest else 0

    return Bar(name, is_person, count, length(count.before), length(count.after))


def changes(session: Session, replayed: Replayed) -> list[Change]:
    moved = {each.issue_id: each for each in replayed.moved}
    found = select(Issue).where(Issue.id.in_(moved)).options(joinedload(Issue.project))
    issues = {issue.id: issue for issue in session.scalars(found)}
    return [Change(issues[key], each) for key, each in moved.items() if key in issues]


def dead_rules(session: Session, project: Project, *, now: datetime) -> list[str]:
    """The names of rules that are on, old enough, and rang for nothing in 30 days."""
    since = now - firing.LONG
    rang = select(Notice.rule_id).where(
        Notice.project_id == project.id, Notice.occurred_at >= since, Notice.rule_id.is_not(None)
    )
    silent = select(AlertRule.name).where(
        AlertRule.project_id == project.id,
        AlertRule.is_active,
        AlertRule.created_at < since,
        AlertRule.id.not_in(rang),
    )
    return list(session.scalars(silent.order_by(AlertRule.name)))


def notes(replayed: Replayed, drafts: Drafts) -> list[str]:
    """What the answer cannot know, and what it takes from today."""
    compared, found = replayed.compared, []
    if replayed.standing:
        found.append(
            f"{plural(replayed.standing, 'notice')} stood as recorded: the issue, rule or event behind "
            "them is no longer kept, or they are for integrations alone."
        )
    if compared.agreed < compared.asked:
        found.append(
            f"{plural(compared.asked - compared.agreed, 'answer')} of {compared.asked} depended on what is "
            "no longer known, or were called off on the way. Where your change makes no difference, they "
            "stay as recorded."
        )
    found.append("Teams, addresses and integrations are those of today.")
    if drafts.owners:
        found.append(
            "Your lines are compared with those saved today: before is what happened under the owners of "
            "then, and after is that with what differs between the two."
        )
        found.append("Assignments that owners would have made are not part of it: they stay as they were.")
    if drafts.resolve_hours is not None:
        found.append(
            "Resolving by age goes by hours: its times are ± 1 hour bucket. Alerts that rules would ring "
            "when such an issue comes back are not part of it."
        )
    if replayed.fired and replayed.fired.replayed:
        found += _of_rule(replayed.fired.replayed.is_whole, replayed.fired.replayed.failed)
    return found


def _of_rule(is_whole: bool, failed: tuple[int, str]) -> list[str]:
    found = []
    if not is_whole:
        found.append("There was no time to ask the rule about every event of the last 30 days.")
    if failed[0]:
        found.append(f"It could not be asked about {plural(failed[0], 'event')}: {failed[1]}")
    return found
