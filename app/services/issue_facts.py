"""What an issue's page tells beside its events: how busy it was, its tags, who follows it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.lifecycle import UNRESOLVED
from app.domain.preferences import Choices, InForce
from app.models import Issue, IssueHour, IssueTag, Subscription, Team, User
from app.services import access, preferring, subscribing
from app.services.preferring import Defaults

DAYS = 30
VALUES_SHOWN, TAGS_SHOWN = 3, 8
NEW_FOR = timedelta(days=7)


def substatus(issue: Issue, *, now: datetime) -> str | None:
    """What an unresolved issue is beyond that: regressed, new or ongoing."""
    if issue.status != UNRESOLVED:
        return None
    if issue.regressed_at:
        return "regressed"
    return "new" if now - issue.first_seen < NEW_FOR else "ongoing"


def daily(session: Session, issue: Issue, *, now: datetime) -> list[int]:
    """Events in each of the last thirty days, UTC, today last."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    rows = session.execute(
        select(IssueHour.hour, IssueHour.count).where(IssueHour.issue_id == issue.id, IssueHour.hour >= first)
    )
    points = [0] * DAYS
    for hour, count in rows:
        points[min((hour - first).days, DAYS - 1)] += count
    return points


@dataclass(frozen=True, slots=True)
class TagShare:
    """A tag's value, and how much of all the issue's values of that tag it is."""

    value: str
    percent: int


def tag_shares(session: Session, issue: Issue) -> Mapping[str, Sequence[TagShare]]:
    """The most frequent values of each tag; those that an issue was seen with most often come first."""
    rank = func.row_number().over(partition_by=IssueTag.key, order_by=(IssueTag.count.desc(), IssueTag.value))
    total = func.sum(IssueTag.count).over(partition_by=IssueTag.key)
    ranked = (
        select(IssueTag.key, IssueTag.value, IssueTag.count, rank.label("rank"), total.label("total"))
        .where(IssueTag.issue_id == issue.id)
        .subquery()
    )
    top = (
        select(ranked.c.key, ranked.c.value, ranked.c.count, ranked.c.total)
        .where(ranked.c.rank <= VALUES_SHOWN)
        .order_by(ranked.c.total.desc(), ranked.c.key, ranked.c.rank)
    )
    shares: dict[str, list[TagShare]] = {}
    for key, value, count, whole in session.execute(top):
        shares.setdefault(key, []).append(TagShare(value, round(100 * count / whole) if whole else 0))
    return dict(list(shares.items())[:TAGS_SHOWN])


@dataclass(frozen=True, slots=True)
class Participant:
    """A member of the project who follows the issue, with the codes of why."""

    user: User
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Following:
    """How the reader stands to it: subscribed, always, alerts_only, unsubscribed, off or outside."""

    state: str
    workflow: InForce
    alerts_on: bool
    reasons: Sequence[str] = ()
    since: datetime | None = None
    via: str | None = None

    @property
    def can_subscribe(self) -> bool:
        return self.state in ("alerts_only", "unsubscribed")

    @property
    def can_unsubscribe(self) -> bool:
        return self.state in ("subscribed", "always") or (self.state == "off" and self.alerts_on)


@dataclass(frozen=True, slots=True)
class People:
    """Who can be given the issue, who follows it, and the reader among them."""

    members: Sequence[User]
    teams: Sequence[Team]
    participants: Sequence[Participant]
    following: Following


def people(session: Session, issue: Issue, reader: User, instance: Defaults) -> People:
    """`instance` is what holds for people who chose nothing."""
    members, teams = access.assignable(session, issue.project)
    found = session.scalars(select(Subscription).where(Subscription.issue_id == issue.id))
    rows = {row.user_id: row for row in found}
    participants = [
        Participant(user, rows[user.id].reasons)
        for user in members
        if user.id in rows and rows[user.id].state == subscribing.SUBSCRIBED
    ]
    is_member = any(user.id == reader.id for user in members)
    chosen = preferring.choices(session, [reader.id], issue.project_id, instance)[reader.id]
    return People(members, teams, participants, following(rows.get(reader.id), chosen, is_member=is_member))


def following(row: Subscription | None, choices: Choices, *, is_member: bool) -> Following:
    """The one state that explains what reaches a person: the first that applies."""
    alerts_on = choices.alerts.value == "on"
    if not is_member:
        return Following("outside", choices.workflow, alerts_on)
    if row and row.state == subscribing.UNSUBSCRIBED:
        return Following("unsubscribed", choices.workflow, alerts_on, since=row.updated_at, via=row.via)
    if choices.workflow.value == "never":
        return Following("off", choices.workflow, alerts_on)
    if row:
        return Following("subscribed", choices.workflow, alerts_on, row.reasons, row.updated_at, row.via)
    state = "always" if choices.workflow.value == "always" else "alerts_only"
    return Following(state, choices.workflow, alerts_on)
