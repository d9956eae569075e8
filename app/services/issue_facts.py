"""What an issue's page tells beside its events: how busy it was, its tags, who follows it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from app.domain import wording
from app.domain.lifecycle import UNRESOLVED
from app.domain.preferences import Choices, InForce
from app.domain.routing import STRENGTH, Outcome, Reason, Verdict
from app.models import Bookmark, Issue, IssueHour, IssueTag, Subscription, Team, User
from app.services import access, assigning, foretelling, preferring, subscribing
from app.services.foretelling import Imagined
from app.services.preferring import Defaults

DAYS = 30
VALUES_SHOWN, TAGS_SHOWN = 3, 8
NEW_FOR = timedelta(days=7)
GETS = {Outcome.SEND: "gets email", Outcome.DEFER: "held for now"}
MARKS = {Outcome.SEND: "sent", Outcome.DEFER: "held"}


def substatus(issue: Issue, *, now: datetime) -> str | None:
    """What an unresolved issue is beyond that: regressed, escalating, new or ongoing."""
    if issue.status != UNRESOLVED:
        return None
    if issue.regressed_at:
        return "regressed"
    if issue.escalated_at:
        return "escalating"
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
    """A member of the project who follows the issue, with the codes of why.

    `mark` is what a change to the issue would mean for them: sent, held or skipped, "" where nobody asked;
    `words` say so, with as much of the reason as the reader may know.
    """

    user: User
    reasons: Sequence[str]
    mark: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class TeamOnIt:
    """The assigned team, and how many of its members a change to the issue would reach, where that was asked.

    Members who follow for no other reason stand behind it.
    """

    team: Team
    members: int | None = None
    reached: int = 0


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
        return self.state in ("subscribed", "always")

    @property
    def can_silence(self) -> bool:
        """Whether it is alerts alone that unsubscribing would end."""
        return self.state == "off" and self.alerts_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Who follows the issue; `is_asked` once it is known what would reach each of them."""

    participants: Sequence[Participant]
    team_on_it: TeamOnIt | None = None
    is_asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class People(Around):
    """Also who can be given the issue, and the reader among them."""

    members: Sequence[User]
    teams: Sequence[Team]
    following: Following
    has_bookmarked: bool


def people(session: Session, issue: Issue, reader: User, instance: Defaults) -> People:
    """Three queries. `instance` is what holds for people who chose nothing."""
    lines = _lines(session, issue, reader)
    around = _around(issue, lines)
    [own] = [line for line in lines if line.User.id == reader.id]
    chosen = preferring.choices(session, [reader.id], issue.project_id, instance)[reader.id]
    return People(
        participants=around.participants,
        team_on_it=around.team_on_it,
        members=[line.User for line in lines if line.is_member],
        teams=access.project_teams(session, issue.project),
        following=following(own.Subscription, chosen, is_member=own.is_member),
        has_bookmarked=own.has_bookmarked,
    )


def reached(session: Session, issue: Issue, *, reader: User, now: datetime, instance: Defaults) -> Around:
    """The participants with what a change to the issue would mean for each: the evaluator's answer."""
    around = _around(issue, _lines(session, issue, reader))
    verdicts = foretelling.outcomes(session, issue, Imagined(None, now, instance))
    return Around(
        participants=[_asked(each, verdicts[each.user.id], reader) for each in around.participants],
        team_on_it=around.team_on_it and _team_reached(session, around.team_on_it.team, verdicts),
        is_asked=True,
    )


def _around(issue: Issue, lines: Sequence[Any]) -> Around:
    team = issue.assignee_team
    participants = [
        Participant(line.User, line.Subscription.reasons)
        for line in lines
        if line.is_member and line.Subscription and _stands_alone(line.Subscription, team)
    ]
    return Around(participants=sorted(participants, key=_rank), team_on_it=TeamOnIt(team) if team else None)


def _asked(participant: Participant, verdict: Verdict, reader: User) -> Participant:
    is_own = participant.user.id == reader.id
    words = GETS.get(verdict.outcome) or wording.code_sentence(verdict.code, verdict.params, own=is_own)
    return replace(participant, mark=MARKS.get(verdict.outcome, "skipped"), words=words)


def _team_reached(session: Session, team: Team, verdicts: Mapping[int, Verdict]) -> TeamOnIt:
    members = assigning.people_of(session, team)
    heard = [each for each in members if each in verdicts and verdicts[each].outcome in GETS]
    return TeamOnIt(team, len(members), len(heard))


def _lines(session: Session, issue: Issue, reader: User) -> Sequence[Any]:
    """The members and the reader by name, each with their row for this issue."""
    is_member = access.is_member(issue.project_id)
    its_row = (Subscription.user_id == User.id) & (Subscription.issue_id == issue.id)
    bookmarked = exists().where(Bookmark.issue_id == issue.id, Bookmark.user_id == User.id)
    found = (
        select(User, Subscription, is_member.label("is_member"), bookmarked.label("has_bookmarked"))
        .outerjoin(Subscription, its_row)
        .where(or_(is_member, User.id == reader.id))
        .order_by(User.name, User.id)
    )
    return session.execute(found).all()


def _stands_alone(row: Subscription, team: Team | None) -> bool:
    """Whether somebody is a participant by themselves, not only as one of the assigned team."""
    behind_team = team is not None and row.reasons == [Reason.TEAM_ASSIGNED]
    return row.state == subscribing.SUBSCRIBED and not behind_team


def _rank(participant: Participant) -> int:
    """The strongest tie first; equal ones stay as they are, by name."""
    return min((STRENGTH[Reason(reason)] for reason in participant.reasons), default=len(STRENGTH))


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
