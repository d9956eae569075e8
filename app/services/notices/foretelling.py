"""Who would hear of a change before it is made: the evaluator's own answer, about an imagined notice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import routing, wording
from app.domain.errors import Refused
from app.domain.kinds import KINDS, WORKFLOW, Kind
from app.domain.routing import STRENGTH, Happening, Outcome, Person, Reason, Verdict
from app.models import Activity, Issue, Notice, Team, User
from app.services import access
from app.services.issues import assigning, commenting
from app.services.notices import considering
from app.services.notices.considering import Known
from app.services.preferences.preferring import Defaults

# What people may ask about: all that somebody can do to an issue and others hear of.
ASKABLE = tuple(kind.name for kind in KINDS.values() if kind.category == WORKFLOW and kind.in_thread)
# No kind in particular: whatever a person switched off, this is not.
ANY_CHANGE = replace(KINDS["comment"], switch=None)
# An activity's words for people whom a change brings back, however they left the issue.
CALLING = ("assigned", "team_assigned", "mentioned", "team_mentioned")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who would make the change, when, and what holds then for people who chose nothing."""

    by: User | None
    now: datetime
    instance: Defaults


@dataclass(frozen=True, slots=True)
class Foretold:
    """Members by what would reach them; `untold` with the reason, as far as others may know it.

    Whoever does it is left out, unless they hear of their own doings. `warning` says what stands in its way,
    `hint` what may be a slip.
    """

    told: Sequence[User] = ()
    held: Sequence[User] = ()
    untold: Sequence[tuple[User, str]] = ()
    warning: str = ""
    hint: str = ""


def of_comment(session: Session, issue: Issue, text: str, how: Circumstances) -> Foretold:
    named = commenting.named_in(session, issue, text)
    found = _sorted_out(session, issue, KINDS["comment"], commenting.ties(session, named), how)
    if not named.strangers:
        hint = commenting.unknown_sentence(named.unknown, issue) if named.unknown else ""
        return replace(found, hint=hint)
    return replace(found, warning=commenting.stranger_sentence(named.strangers, issue))


def of_handover(session: Session, issue: Issue, to: User | Team | None, how: Circumstances) -> Foretold:
    ties = assigning.handover(session, issue, to=to).ties
    return _sorted_out(session, issue, KINDS["assigned" if to else "unassigned"], ties, how)


def of_kind(session: Session, issue: Issue, name: str, how: Circumstances) -> Foretold:
    """Of a change that concerns nobody in particular. `Refused` for one that there is not."""
    if name not in ASKABLE:
        raise Refused(f"There are: {', '.join(ASKABLE)}.", field="kind")
    return _sorted_out(session, issue, KINDS[name], {}, how)


def outcomes(
    session: Session, issue: Issue, how: Circumstances, *, members: Collection[int]
) -> Mapping[int, Verdict]:
    """What any change to the issue would mean for each of its project's members: sent, held or neither."""
    return _verdicts(session, issue, ANY_CHANGE, {}, how, members)


def outcome_for(verdict: Verdict, reader: User | None) -> Outcome:
    """What it would come to, as the reader may know: asked again and again, it must tell nobody's hours."""
    is_own = reader is not None and reader.id == verdict.person_id
    hides = verdict.outcome == Outcome.DEFER and wording.CODES[verdict.code].private and not is_own
    return Outcome.SEND if hides else verdict.outcome


def _sorted_out(
    session: Session, issue: Issue, kind: Kind, ties: Mapping[str, Sequence[int]], how: Circumstances
) -> Foretold:
    members = select(User).where(access.is_member(issue.project_id))
    people = {user.id: user for user in session.scalars(members)}
    verdicts = _verdicts(session, issue, kind, ties, how, people)
    ranked = sorted(verdicts.values(), key=lambda each: (_rank(each), people[each.person_id].name))

    def those(outcome: Outcome) -> list[Verdict]:
        wanted = (each for each in ranked if outcome_for(each, how.by) == outcome)
        return [each for each in wanted if each.code != "own_activity"]

    return Foretold(
        told=[people[each.person_id] for each in those(Outcome.SEND)],
        held=[people[each.person_id] for each in those(Outcome.DEFER)],
        untold=[(people[each.person_id], _why_not(each, how.by)) for each in those(Outcome.SKIP)],
    )


def _rank(verdict: Verdict) -> int:
    """Those whom it concerns most come first."""
    return min((STRENGTH[reason] for reason in verdict.reasons), default=len(STRENGTH))


def _why_not(verdict: Verdict, reader: User | None) -> str:
    is_own = reader is not None and reader.id == verdict.person_id
    return wording.code_sentence(verdict.code, verdict.params, own=is_own)


def _verdicts(
    session: Session,
    issue: Issue,
    kind: Kind,
    ties: Mapping[str, Sequence[int]],
    how: Circumstances,
    members: Collection[int],
) -> Mapping[int, Verdict]:
    """The notice that the change would make is given to the evaluator, and never to the session."""
    actor_id = how.by.id if how.by else None
    notice = Notice(
        kind=kind.name,
        project_id=issue.project_id,
        issue_id=issue.id,
        activity=Activity(data=dict(ties)),
        actor_id=actor_id,
        data={},
        occurred_at=how.now,
    )
    called = {user_id for key in CALLING for user_id in ties.get(key, ())}
    known = Known(members, issue.project.pauses)
    people = considering.people_around(session, notice, how.instance, now=how.now, known=known)
    found = routing.plan(Happening(kind, actor_id), [_called_back(each, called) for each in people])
    return {verdict.person_id: verdict for verdict in found}


def _called_back(person: Person, called: set[int]) -> Person:
    """As the change would leave them, before anybody is asked."""
    if not person.unsubscribed or person.id not in called:
        return person
    return replace(person, unsubscribed=False, reasons=person.reasons | {Reason.RESUBSCRIBED})
