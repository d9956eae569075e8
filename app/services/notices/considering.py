"""What the evaluator needs to know: what happened, and about everybody who might hear of it.

Read for many notices at once: the number of queries grows with their projects, not with notices or people.
Candidates of an alert are whom its rule names, of all else the members of the project.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Label, false, literal_column, select, true, tuple_, union_all
from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.kinds import ALERTS, DEPLOYS, KINDS, OUTWARD, RULE_CHANGED
from app.domain.preferences import Choices
from app.domain.routing import Happening, Person, Reason
from app.domain.targets import Target
from app.models import Event, IssueMute, Notice, Pause, Subscription, User
from app.services import access
from app.services.calm import pausing, quieting
from app.services.calm.pausing import Hold
from app.services.preferences import muting, preferring, reaching
from app.services.preferences.preferring import Defaults
from app.services.releases import deployed
from app.services.rules import rule_changing, rule_readers, rule_silence, targeting
from app.services.rules.rule_silence import RuleMutes

FATAL = "fatal"
Named = Mapping[Notice, Mapping[int, Target]]  # whom rules name, for alerts
NOT_NAMED = Target(frozenset(), {})


@dataclass(frozen=True, slots=True)
class Known:
    """What has been read of a project: the ids of its members, and all its maintenance windows."""

    members: Collection[int] | None = None
    pauses: Collection[Pause] | None = None


UNREAD = Known()


def happenings(session: Session, notices: Collection[Notice]) -> dict[Notice, Happening]:
    """What the evaluator is asked about. An alert is as grave as the event that rang it."""
    fatal = _fatal_events(session, notices)
    rules = targeting.rules_of(session, [notice for notice in notices if targeting.is_rung(notice)])
    return {
        notice: Happening(
            KINDS[notice.kind],
            notice.actor_id,
            is_fatal=(notice.project_id, notice.event_id) in fatal,
            may_interrupt=notice in rules and rules[notice].interrupt_reason is not None,
            is_required=notice in rules and rules[notice].required_reason is not None,
        )
        for notice in notices
    }


def _fatal_events(session: Session, notices: Iterable[Notice]) -> set[tuple[int, str]]:
    rang = {
        (notice.project_id, notice.event_id)
        for notice in notices
        if notice.event_id and KINDS[notice.kind].category == ALERTS
    }
    found = select(Event.project_id, Event.event_id).where(
        tuple_(Event.project_id, Event.event_id).in_(rang), Event.level == FATAL
    )
    return {(row.project_id, row.event_id) for row in session.execute(found)} if rang else set()


def gate(notice: Notice) -> str | None:
    """The code with which the notice stops as a whole: its comment or its issue is gone, or is settled."""
    if notice.activity and notice.activity.type == "note_deleted":
        return "undone"
    if notice.kind == RULE_CHANGED and rule_changing.is_undone(notice.data):
        return "undone"
    return routing.gate_of_notice(KINDS[notice.kind], notice.issue.status if notice.issue else None)


def people_around(
    session: Session,
    notice: Notice,
    instance: Defaults,
    *,
    now: datetime,
    only: Collection[int] | None = None,
    known: Known = UNREAD,
) -> list[Person]:
    """Every candidate for one notice; see `people`."""
    return people(session, [notice], instance, now=now, only=only, known=known)[notice]


def people(
    session: Session,
    notices: Collection[Notice],
    instance: Defaults,
    *,
    now: datetime,
    only: Collection[int] | None = None,
    named: Named | None = None,
    known: Known = UNREAD,
) -> dict[Notice, list[Person]]:
    """Every candidate for each of these notices.

    Candidates are members of the project: nobody else, whatever rows exist. `only` narrows them to these
    people, and then keeps those who lost access, so that a decision can be taken again before sending: they
    were named once, and that stands. `named` says whom rules name, where that is known already; `known` what
    else is, of the one project that all of them are of.
    """
    of_project: dict[int, list[Notice]] = defaultdict(list)
    for notice in notices:
        of_project[notice.project_id or 0].append(notice)
    if named is None:
        named = _named(session, notices) if only is None else targeting.recorded(session, notices, only)
    if only is None:
        named = {**named, **rule_readers.named(session, notices)}
    found: dict[Notice, list[Person]] = {}
    for project_id, theirs in of_project.items():
        meant = _meant_by_all(theirs, named)
        crowd = _crowd(session, project_id, instance, now, only, meant=meant, members=known.members)
        ties = _ties(session, theirs, crowd, now, pauses=known.pauses)
        found |= {notice: crowd.around(notice, ties, named.get(notice)) for notice in theirs}
    return found


def _named(session: Session, notices: Collection[Notice]) -> Named:
    return {notice: found.targets.people for notice, found in targeting.of_notices(session, notices).items()}


class Subscribed(NamedTuple):
    """A person's row for an issue."""

    state: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Ties:
    """How people stand to issues and rules: their subscriptions, and what they muted; and what is paused."""

    subscriptions: Mapping[int, Mapping[int, Subscribed]]
    muted: Mapping[int, Mapping[int, datetime | None]]
    rule_mutes: RuleMutes
    held: Mapping[Notice, Hold]
    committed: Mapping[Notice, Mapping[int, int]] = field(default_factory=dict)  # by deploy and person


@dataclass(frozen=True, slots=True)
class Crowd:
    """What holds for the candidates of a project, whatever the notice; `asked`: exactly they are."""

    ids: Sequence[int]
    asked: bool
    members: Collection[int]
    active: Collection[int]
    reachable: Collection[int]
    choices: Mapping[int, Choices]
    quiet: Mapping[int, datetime]

    def around(self, notice: Notice, ties: Ties, named: Mapping[int, Target] | None) -> list[Person]:
        """`named` are those whom the notice is for, where a rule says that."""
        rows = ties.subscriptions.get(notice.issue_id or 0, {})
        muted = ties.muted.get(notice.issue_id or 0, {})
        tied_by = _tied_by(notice)
        meant = None if self.asked else _meant(notice, named)
        if named is None and KINDS[notice.kind].category == DEPLOYS:
            named = deployed.named(notice, ties.committed.get(notice, {}), self.choices)
        targets = dict.fromkeys(self.ids, NOT_NAMED) | dict(named) if named is not None else {}
        hold = ties.held.get(notice)
        return [
            Person(
                id=each,
                reasons=targets[each].reasons
                if named is not None
                else _reasons(notice, rows.get(each), self.choices[each], tied_by.get(each, ())),
                choices=self.choices[each],
                is_active=each in self.active,
                can_see=each in self.members,
                unsubscribed=each in rows and rows[each].state == "unsubscribed",
                is_muted=each in muted,
                muted_until=muted.get(each),
                has_address=each in self.reachable,
                paused_until=hold.until if hold else None,
                paused_for=hold.why if hold else "",
                quiet_until=self.quiet.get(each),
                because=targets[each].because if named is not None else {},
                **ties.rule_mutes.of(notice, each),
            )
            for each in self.ids
            if meant is None or each in meant
        ]


def _meant(notice: Notice, named: Mapping[int, Target] | None) -> Collection[int] | None:
    """The only people whom it concerns, or None where all members may hear of it.

    What Tocsin assigns by itself is news for whoever has the issue now.
    """
    if KINDS[notice.kind].category == OUTWARD:
        return ()
    if named is not None:
        return named.keys()
    data = notice.activity.data if notice.activity else {}
    if notice.kind == "assigned" and notice.actor_id is None and "because" in data:
        return {*data.get("assigned", ()), *data.get("team_assigned", ())}
    return None


def _meant_by_all(notices: Iterable[Notice], named: Named) -> Collection[int] | None:
    """Everybody whom one of these notices is for, or None where one is for all members."""
    found: set[int] = set()
    for notice in notices:
        meant = _meant(notice, named.get(notice))
        if meant is None:
            return None
        found.update(meant)
    return found


def _crowd(
    session: Session,
    project_id: int,
    instance: Defaults,
    now: datetime,
    only: Collection[int] | None,
    *,
    meant: Collection[int] | None,
    members: Collection[int] | None,
) -> Crowd:
    members = access.project_member_ids(session, project_id) if members is None else set(members)
    candidates = members if meant is None else members & set(meant)
    ids = sorted(candidates if only is None else only)
    # Members are active people: only others have to be asked about.
    active = select(User.id).where(User.id.in_(ids), User.is_active)
    return Crowd(
        ids=ids,
        asked=only is not None,
        members=members,
        active=members if only is None else set(session.scalars(active)),
        reachable=reaching.addresses_of(session, ids, project_id).keys(),
        choices=preferring.choices(session, ids, project_id, instance),
        quiet=quieting.quiet_until(session, ids, now=now),
    )


def _ties(
    session: Session,
    notices: Sequence[Notice],
    crowd: Crowd,
    now: datetime,
    *,
    pauses: Collection[Pause] | None,
) -> Ties:
    found = _rows_of_issues(session, {each.issue_id for each in notices if each.issue_id}, crowd.ids)
    rows: dict[int, dict[int, Subscribed]] = defaultdict(dict)
    for row in found:
        if not row.is_mute:
            rows[row.issue_id][row.user_id] = Subscribed(row.state, row.reasons)
    return Ties(
        rows,
        muting.holding(session, [row for row in found if row.is_mute], now),
        rule_silence.among(session, notices, crowd.ids, now=now, late=crowd.asked),
        pausing.held(session, notices, now=now, known=pauses),
        deployed.committed(session, notices, crowd.ids),
    )


def _rows_of_issues(session: Session, issue_ids: Collection[int], user_ids: Collection[int]) -> Sequence[Any]:
    """What stands of these people at these issues, with one query: their subscriptions, and their mutes."""
    if not issue_ids:
        return ()
    subscriptions = select(
        Subscription.issue_id,
        Subscription.user_id,
        false().label("is_mute"),
        Subscription.state,
        Subscription.reasons,
        _missing(IssueMute.until),
        _missing(IssueMute.event_limit),
    ).where(Subscription.issue_id.in_(issue_ids), Subscription.user_id.in_(user_ids))
    mutes = select(
        IssueMute.issue_id,
        IssueMute.user_id,
        true().label("is_mute"),
        _missing(Subscription.state),
        _missing(Subscription.reasons),
        IssueMute.until,
        IssueMute.event_limit,
    ).where(IssueMute.issue_id.in_(issue_ids), IssueMute.user_id.in_(user_ids))
    return session.execute(union_all(subscriptions, mutes)).all()


def _missing(column: Any) -> Label[Any]:
    """In a row of the other sort."""
    return literal_column("NULL", column.type).label(column.key)


# What the change itself says of people: who got or lost the assignment, who was named, who was brought
# back. Rows of subscriptions may have moved on since.
_TIED_BY = (
    ("assigned", Reason.ASSIGNED),
    ("team_assigned", Reason.TEAM_ASSIGNED),
    ("lost", Reason.UNASSIGNED),
    ("mentioned", Reason.MENTION),
    ("team_mentioned", Reason.TEAM_MENTION),
    ("resubscribed", Reason.RESUBSCRIBED),
)


def _tied_by(notice: Notice) -> Mapping[int, set[Reason]]:
    tied: dict[int, set[Reason]] = defaultdict(set)
    data = notice.activity.data if notice.activity else {}
    for key, reason in _TIED_BY:
        for user_id in data.get(key, ()):
            tied[user_id].add(reason)
    return tied


def _reasons(
    notice: Notice,
    row: Subscribed | None,
    chosen: Choices,
    tied_by: Collection[Reason],
) -> frozenset[Reason]:
    if KINDS[notice.kind].category == ALERTS:
        return frozenset({Reason.FALLBACK_ALL})
    always = (Reason.WORKFLOW_ALWAYS,) if chosen.workflow.value == "always" else ()
    return frozenset({*(Reason(reason) for reason in (row.reasons if row else ())), *tied_by, *always})
