"""What an issue's page tells of people: who can have it, who follows it and why, how the reader stands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.domain import explanations, wording
from app.domain.lifecycle import ESCALATING, NEW, NEW_FOR, ONGOING, REGRESSED, UNRESOLVED
from app.domain.preferences import Choices, InForce
from app.domain.routing import STRENGTH, Outcome, Reason, Verdict
from app.models import Bookmark, Issue, IssueSight, Subscription, Team, User
from app.services import access
from app.services.issues import assigning, seeing
from app.services.notices import foretelling
from app.services.notices.foretelling import Circumstances
from app.services.preferences import preferring, subscribing
from app.services.preferences.preferring import Defaults

GETS = {Outcome.SEND: "gets email", Outcome.DEFER: "held for now"}
MARKS = {Outcome.SEND: "sent", Outcome.DEFER: "held"}
FOLLOWS = "follows"


def substatus(issue: Issue, *, now: datetime) -> str | None:
    """What an unresolved issue is beyond that: regressed, escalating, new or ongoing."""
    if issue.status != UNRESOLVED:
        return None
    if issue.regressed_at:
        return REGRESSED
    if issue.escalated_at:
        return ESCALATING
    return NEW if now - issue.first_seen < NEW_FOR else ONGOING


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
    alerts: InForce
    reasons: Sequence[str] = ()
    since: datetime | None = None
    via: str | None = None

    @property
    def alerts_on(self) -> bool:
        return self.alerts.value == "on"

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

    @property
    def can_mute(self) -> bool:
        return self.state != "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Who follows the issue, among the members; `is_asked` once it is known what would reach each of them."""

    participants: Sequence[Participant]
    member_ids: Collection[int] = ()
    team_on_it: TeamOnIt | None = None
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class SeenBy:
    """When somebody last looked at the issue."""

    user: User
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class People(Around):
    """Also who can be given the issue, who else looked at it, the last one first, and the reader."""

    members: Sequence[User]
    teams: Sequence[Team]
    following: Following
    has_bookmarked: bool
    seen_by: Sequence[SeenBy]
    seen_at: datetime | None  # when the reader did
    role: str | None  # the reader's, in the organization


def people(session: Session, issue: Issue, reader: User, environment: Defaults) -> People:
    """One query, where the project's teams are read. `environment` holds where nobody chose anything."""
    rows = _rows(session, issue, reader)
    lines = _lines(rows)
    around = _around(issue, lines, reader)
    [own] = [line for line in lines if line.User.id == reader.id]
    chosen = preferring.choices_among(rows, issue.project_id, environment)
    return People(
        participants=around.participants,
        member_ids=around.member_ids,
        team_on_it=around.team_on_it,
        members=[line.User for line in lines if line.is_member],
        teams=issue.project.teams,
        following=following(own.Subscription, chosen, is_member=own.is_member),
        has_bookmarked=own.has_bookmarked,
        seen_by=_seen_by(lines, reader),
        seen_at=own.seen_at,
        role=own.role,
    )


def _seen_by(lines: Sequence[Any], reader: User) -> Sequence[SeenBy]:
    others = [SeenBy(line.User, line.seen_at) for line in lines if line.seen_at and line.User.id != reader.id]
    return sorted(others, key=lambda sight: sight.at, reverse=True)


def who_follows(session: Session, issue: Issue, reader: User) -> Around:
    """The participants alone; one query."""
    return _around(issue, _lines(_rows(session, issue, reader)), reader)


def reached(
    session: Session, issue: Issue, around: Around, *, reader: User, now: datetime, instance: Defaults
) -> Around:
    """The participants with what a change to the issue would mean for each: the evaluator's answer."""
    how = Circumstances(None, now, instance)
    verdicts = foretelling.outcomes(session, issue, how, members=around.member_ids)
    return Around(
        participants=[_asked(each, verdicts[each.user.id], reader) for each in around.participants],
        member_ids=around.member_ids,
        team_on_it=around.team_on_it and _team_reached(session, around.team_on_it.team, verdicts),
        is_asked=True,
    )


def _around(issue: Issue, lines: Sequence[Any], reader: User) -> Around:
    team = issue.assignee_team
    participants = [
        Participant(line.User, _told(line.Subscription, reader))
        for line in lines
        if line.is_member and line.Subscription and _stands_alone(line.Subscription, team)
    ]
    return Around(
        participants=sorted(participants, key=_rank),
        member_ids={line.User.id for line in lines if line.is_member},
        team_on_it=TeamOnIt(team) if team else None,
    )


def _asked(participant: Participant, verdict: Verdict, reader: User) -> Participant:
    is_own = participant.user.id == reader.id
    outcome = foretelling.outcome_for(verdict, reader)
    words = GETS.get(outcome) or wording.code_sentence(verdict.code, verdict.params, own=is_own)
    return replace(participant, mark=MARKS.get(outcome, "skipped"), words=words)


def _told(row: Subscription, reader: User) -> Sequence[str]:
    """Why, as far as the reader may know; for one who only did something for themselves, that they follow."""
    if row.user_id == reader.id:
        return row.reasons
    return [reason for reason in row.reasons if reason not in explanations.PRIVATE] or [FOLLOWS]


def _team_reached(session: Session, team: Team, verdicts: Mapping[int, Verdict]) -> TeamOnIt:
    members = assigning.people_of(session, team)
    heard = [each for each in members if each in verdicts and verdicts[each].outcome in GETS]
    return TeamOnIt(team, len(members), len(heard))


def _rows(session: Session, issue: Issue, reader: User) -> Sequence[Any]:
    """The members, who else here looked at it and the reader by name, each with their row for this issue.

    The reader comes once for each choice that decides for them.
    """
    is_member = access.is_member(issue.project_id)
    its_row = (Subscription.user_id == User.id) & (Subscription.issue_id == issue.id)
    looked = (IssueSight.user_id == User.id) & (IssueSight.issue_id == issue.id)
    who_looked = select(IssueSight.user_id).where(seeing.by_members(issue))
    bookmarked = exists().where(Bookmark.issue_id == issue.id, Bookmark.user_id == User.id)
    deciding = preferring.deciding(reader, issue.project_id).subquery("deciding")
    role = access.role_of(reader, issue.project.organization_id).scalar_subquery()
    facts = is_member.label("is_member"), bookmarked.label("has_bookmarked"), role.label("role")
    found = (
        select(User, Subscription, IssueSight.seen_at, *facts, *deciding.c)
        .outerjoin(Subscription, its_row)
        .outerjoin(IssueSight, looked)
        .outerjoin(deciding, deciding.c.user_id == User.id)
        .where(or_(is_member, User.id == reader.id, User.id.in_(who_looked)))
        .order_by(User.name, User.id)
    )
    return session.execute(found).all()


def _lines(rows: Sequence[Any]) -> Sequence[Any]:
    """Everybody once."""
    return list({row.User.id: row for row in rows}.values())


def _stands_alone(row: Subscription, team: Team | None) -> bool:
    """Whether somebody is a participant by themselves, not only as one of the assigned team."""
    behind_team = team is not None and row.reasons == [Reason.TEAM_ASSIGNED]
    return row.state == subscribing.SUBSCRIBED and not behind_team


def _rank(participant: Participant) -> int:
    """The strongest tie first; equal ones stay as they are, by name."""
    known = [Reason(reason) for reason in participant.reasons if reason != FOLLOWS]
    return min((STRENGTH[reason] for reason in known), default=len(STRENGTH))


def following(row: Subscription | None, choices: Choices, *, is_member: bool) -> Following:
    """The one state that explains what reaches a person: the first that applies."""
    workflow, alerts = choices.workflow, choices.alerts
    if not is_member:
        return Following("outside", workflow, alerts)
    if row and row.state == subscribing.UNSUBSCRIBED:
        return Following("unsubscribed", workflow, alerts, since=row.updated_at, via=row.via)
    if workflow.value == "never":
        return Following("off", workflow, alerts)
    if row:
        return Following("subscribed", workflow, alerts, row.reasons, row.updated_at, row.via)
    return Following("always" if workflow.value == "always" else "alerts_only", workflow, alerts)
