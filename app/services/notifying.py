"""Notice → facts about people → `routing.plan` → verdicts and deliveries, in one transaction."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import Session

from app.domain import routing
from app.domain.kinds import ALERTS, KINDS
from app.domain.preferences import Choices
from app.domain.routing import Happening, Outcome, Person, Reason
from app.models import Delivery, EmailAddress, Issue, Notice, Subscription, User, Verdict
from app.services import access, preferring
from app.services.preferring import Defaults

# A mail thread is renewed before mail programs cap or clip it (`experience.md` 1.3).
THREAD_LENGTH = 80
THREAD_IDLE_DAYS = 90


def by_event(session: Session, notice_ids: Collection[int]) -> list[list[int]]:
    """These notices, and unplanned others of the same events, in groups that are planned together."""
    found = select(Notice.id, Notice.project_id, Notice.event_id).where(Notice.planned_at.is_(None))
    asked = session.execute(found.where(Notice.id.in_(notice_ids))).all()
    events = {(row.project_id, row.event_id) for row in asked if row.event_id}
    beside = tuple_(Notice.project_id, Notice.event_id).in_(events)
    others = session.execute(found.where(beside)).all() if events else []
    groups: dict[object, list[int]] = {}
    for row in {row.id: row for row in (*asked, *others)}.values():
        key = (row.project_id, row.event_id) if row.event_id else row.id
        groups.setdefault(key, []).append(row.id)
    return list(groups.values())


def plan(session: Session, notice_ids: Collection[int], *, now: datetime, instance: Defaults) -> list[int]:
    """Decide who is told of the notices of one event; the deliveries to send now. Run twice, it plans once.

    The notice that carries the others comes first, and takes along whoever it tells.
    """
    delivery_ids: list[int] = []
    carried: dict[int, str] = {}
    for notice in _claim(session, notice_ids, now):
        delivery_ids += _plan_one(session, notice, carried, now=now, instance=instance)
    return delivery_ids


def _claim(session: Session, notice_ids: Collection[int], now: datetime) -> list[Notice]:
    """The notices that are ours to plan: the database is the referee. Their issue is locked too."""
    won = session.scalars(
        update(Notice)
        .where(Notice.id.in_(notice_ids), Notice.planned_at.is_(None))
        .values(planned_at=now)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    issue_ids = select(Notice.issue_id).where(Notice.id.in_(won))
    session.execute(select(Issue.id).where(Issue.id.in_(issue_ids)).order_by(Issue.id).with_for_update())
    notices = session.scalars(select(Notice).where(Notice.id.in_(won))).all()
    return sorted(notices, key=lambda notice: (-KINDS[notice.kind].carries, notice.id))


def _plan_one(
    session: Session, notice: Notice, carried: dict[int, str], *, now: datetime, instance: Defaults
) -> list[int]:
    kind = KINDS[notice.kind]
    notice.gate_code = routing.gate_of_notice(kind, notice.issue.status if notice.issue else None)
    if notice.gate_code:
        return []
    people = people_around(session, notice, instance, carried)
    notice.data = {**notice.data, "members": len(people)}
    verdicts = routing.plan(Happening(kind, notice.actor_id), people)
    told = [verdict for verdict in verdicts if verdict.outcome == Outcome.SEND]
    carried |= {verdict.person_id: notice.public_id for verdict in told}
    verdict_ids = _store_verdicts(session, notice, verdicts)
    if told and notice.issue and kind.in_thread:
        notice.mail_epoch = _join_thread(notice.issue, now)
    return _store_deliveries(session, notice, told, verdict_ids, now)


def people_around(
    session: Session,
    notice: Notice,
    instance: Defaults,
    carried: dict[int, str] | None = None,
    only: Collection[int] | None = None,
) -> list[Person]:
    """What the evaluator needs to know of every candidate, with a constant number of queries.

    Candidates are the project's members: nobody else, whatever rows exist. `only` narrows them to these
    people, and then keeps those who lost access, so that a decision can be taken again before sending.
    """
    members = access.project_member_ids(session, notice.project_id or 0)
    ids = sorted(members if only is None else only)
    chosen = preferring.choices(session, ids, notice.project_id or 0, instance)
    rows = _subscriptions(session, notice.issue_id, ids)
    addresses = addresses_of(session, ids)
    active = set(session.scalars(select(User.id).where(User.id.in_(ids), User.is_active)))
    return [
        Person(
            id=user_id,
            reasons=_reasons(notice, user_id, rows.get(user_id), chosen[user_id]),
            choices=chosen[user_id],
            is_active=user_id in active,
            can_see=user_id in members,
            unsubscribed=user_id in rows and rows[user_id].state == "unsubscribed",
            has_address=user_id in addresses,
            carried_by=(carried or {}).get(user_id),
        )
        for user_id in ids
    ]


def _reasons(notice: Notice, user_id: int, row: Subscription | None, chosen: Choices) -> frozenset[Reason]:
    if KINDS[notice.kind].category == ALERTS:
        return frozenset({Reason.FALLBACK_ALL})
    reasons = {Reason(reason) for reason in row.reasons} if row else set()
    data = notice.activity.data if notice.activity else {}
    for key, reason in _TIED_BY:
        if user_id in data.get(key, ()):
            reasons.add(reason)
    if chosen.workflow.value == "always":
        reasons.add(Reason.WORKFLOW_ALWAYS)
    return frozenset(reasons)


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


def _subscriptions(session: Session, issue_id: int | None, ids: Sequence[int]) -> dict[int, Subscription]:
    found = select(Subscription).where(Subscription.issue_id == issue_id, Subscription.user_id.in_(ids))
    return {row.user_id: row for row in session.scalars(found)}


def addresses_of(session: Session, user_ids: Collection[int]) -> dict[int, str]:
    """The verified primary address of each; people without one are missing."""
    found = select(EmailAddress.user_id, EmailAddress.address).where(
        EmailAddress.user_id.in_(user_ids), EmailAddress.is_primary, EmailAddress.verified_at.is_not(None)
    )
    return {user_id: address for user_id, address in session.execute(found)}


def _store_verdicts(session: Session, notice: Notice, verdicts: Sequence[routing.Verdict]) -> dict[int, int]:
    """Write the verdicts; the row's id by person."""
    rows = [
        {
            "notice_id": notice.id,
            "subject": "user",
            "subject_id": verdict.person_id,
            "channel": verdict.channel,
            "outcome": str(verdict.outcome),
            "code": verdict.code,
            "params": dict(verdict.params),
            "reasons": [str(reason) for reason in verdict.reasons],
        }
        for verdict in verdicts
    ]
    if not rows:
        return {}
    stored = session.execute(insert(Verdict).returning(Verdict.subject_id, Verdict.id), rows)
    return {person_id: verdict_id for person_id, verdict_id in stored}


def _join_thread(issue: Issue, now: datetime) -> int:
    """The epoch of the issue's mail thread for a mail of now; the first mail freezes the subject."""
    idle = issue.mailed_at is not None and (now - issue.mailed_at).days >= THREAD_IDLE_DAYS
    if issue.mail_count >= THREAD_LENGTH or idle:
        issue.mail_epoch, issue.mail_count = issue.mail_epoch + 1, 0
    issue.mail_count += 1
    issue.mailed_at = now
    if issue.mail_subject is None:
        issue.mail_subject = _subject(issue)
    return issue.mail_epoch


def _subject(issue: Issue) -> str:
    prefix = f"{issue.project.subject_prefix.strip()} " if issue.project.subject_prefix.strip() else ""
    title = "" if issue.project.mail_detail == "link" else f" - {' '.join(issue.title.split())}"
    return f"{prefix}{issue.short_id}{title}"[:128]


def _store_deliveries(
    session: Session,
    notice: Notice,
    told: Sequence[routing.Verdict],
    verdict_ids: dict[int, int],
    now: datetime,
) -> list[int]:
    addresses = addresses_of(session, [verdict.person_id for verdict in told])
    subject = (notice.issue.mail_subject or "") if notice.issue else ""
    rows = [
        {
            "public_id": new_delivery_id(),
            "verdict_id": verdict_ids[verdict.person_id],
            "user_id": verdict.person_id,
            "channel": verdict.channel,
            "kind": notice.kind,
            "address": addresses[verdict.person_id],
            "data": {},
            "subject": subject,
            "state": "queued",
            "created_at": now,
            "send_at": now,
        }
        for verdict in told
    ]
    if not rows:
        return []
    return list(session.scalars(insert(Delivery).returning(Delivery.id), rows))


def new_delivery_id() -> str:
    """Public name of a delivery; part of its Message-ID."""
    return f"d.{secrets.token_hex(8)}"
