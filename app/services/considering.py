"""What the evaluator needs to know: what happened, and about everybody who might hear of it.

Read for many notices at once: the number of queries grows with their projects, not with notices or people.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select, tuple_
from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.kinds import ALERTS, KINDS
from app.domain.preferences import Choices
from app.domain.routing import Happening, Person, Reason
from app.models import Event, IssueMute, Notice, Subscription, User
from app.services import access, muting, preferring, quieting, reaching
from app.services.preferring import Defaults

FATAL = "fatal"


def happenings(session: Session, notices: Collection[Notice]) -> dict[Notice, Happening]:
    """What the evaluator is asked about. An alert is as grave as the event that rang it."""
    fatal = _fatal_events(session, notices)
    return {
        notice: Happening(
            KINDS[notice.kind], notice.actor_id, is_fatal=(notice.project_id, notice.event_id) in fatal
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
    return routing.gate_of_notice(KINDS[notice.kind], notice.issue.status if notice.issue else None)


def people_around(
    session: Session,
    notice: Notice,
    instance: Defaults,
    *,
    now: datetime,
    only: Collection[int] | None = None,
) -> list[Person]:
    """Every candidate for one notice; see `people`."""
    return people(session, [notice], instance, now=now, only=only)[notice]


def people(
    session: Session,
    notices: Collection[Notice],
    instance: Defaults,
    *,
    now: datetime,
    only: Collection[int] | None = None,
) -> dict[Notice, list[Person]]:
    """Every candidate for each of these notices.

    Candidates are the project's members: nobody else, whatever rows exist. `only` narrows them to these
    people, and then keeps those who lost access, so that a decision can be taken again before sending.
    """
    of_project: dict[int, list[Notice]] = defaultdict(list)
    for notice in notices:
        of_project[notice.project_id or 0].append(notice)
    found: dict[Notice, list[Person]] = {}
    for project_id, theirs in of_project.items():
        crowd = _crowd(session, project_id, instance, now, only)
        ties = _ties(session, [notice.issue_id for notice in theirs if notice.issue_id], crowd.ids, now)
        found |= {notice: crowd.around(notice, ties) for notice in theirs}
    return found


@dataclass(frozen=True, slots=True)
class _Ties:
    """How people stand to issues: their subscriptions, and what they muted."""

    subscriptions: Mapping[int, Mapping[int, Row[int, int, str, list[str]]]]
    muted: Mapping[int, Mapping[int, datetime | None]]


@dataclass(frozen=True, slots=True)
class _Crowd:
    """What holds for the candidates of a project, whatever the notice."""

    ids: Sequence[int]
    members: Collection[int]
    active: Collection[int]
    reachable: Collection[int]
    choices: Mapping[int, Choices]
    quiet: Mapping[int, datetime]

    def around(self, notice: Notice, ties: _Ties) -> list[Person]:
        rows = ties.subscriptions.get(notice.issue_id or 0, {})
        muted = ties.muted.get(notice.issue_id or 0, {})
        tied_by = _tied_by(notice)
        return [
            Person(
                id=each,
                reasons=_reasons(notice, rows.get(each), self.choices[each], tied_by.get(each, ())),
                choices=self.choices[each],
                is_active=each in self.active,
                can_see=each in self.members,
                unsubscribed=each in rows and rows[each].state == "unsubscribed",
                is_muted=each in muted,
                muted_until=muted.get(each),
                has_address=each in self.reachable,
                quiet_until=self.quiet.get(each),
            )
            for each in self.ids
        ]


def _crowd(
    session: Session, project_id: int, instance: Defaults, now: datetime, only: Collection[int] | None
) -> _Crowd:
    members = access.project_member_ids(session, project_id)
    ids = sorted(members if only is None else only)
    # Members are active people: only others have to be asked about.
    active = select(User.id).where(User.id.in_(ids), User.is_active)
    return _Crowd(
        ids=ids,
        members=members,
        active=members if only is None else set(session.scalars(active)),
        reachable=reaching.addresses_of(session, ids, project_id).keys(),
        choices=preferring.choices(session, ids, project_id, instance),
        quiet=quieting.quiet_until(session, ids, now=now),
    )


def _ties(session: Session, issue_ids: Collection[int], user_ids: Sequence[int], now: datetime) -> _Ties:
    rows: dict[int, dict[int, Row[int, int, str, list[str]]]] = defaultdict(dict)
    columns = (Subscription.issue_id, Subscription.user_id, Subscription.state, Subscription.reasons)
    theirs = Subscription.issue_id.in_(issue_ids) & Subscription.user_id.in_(user_ids)
    for row in session.execute(select(*columns).where(theirs)):
        rows[row.issue_id][row.user_id] = row
    muted = select(IssueMute.issue_id).where(IssueMute.issue_id.in_(issue_ids)).distinct()
    return _Ties(rows, {each: muting.muted(session, each, user_ids, now) for each in session.scalars(muted)})


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
    notice: Notice, row: Row[int, int, str, list[str]] | None, chosen: Choices, tied_by: Collection[Reason]
) -> frozenset[Reason]:
    if KINDS[notice.kind].category == ALERTS:
        return frozenset({Reason.FALLBACK_ALL})
    always = (Reason.WORKFLOW_ALWAYS,) if chosen.workflow.value == "always" else ()
    return frozenset({*(Reason(reason) for reason in (row.reasons if row else ())), *tied_by, *always})
