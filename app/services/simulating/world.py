"""Everybody and everything that decides, as it was at each moment of a past, with drafts laid over it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.pacing import Pace
from app.domain.preferences import Choices
from app.domain.routing import Person, Reason
from app.domain.targets import Target
from app.models import Activity, Destination, Notice, Project
from app.services import access
from app.services.calm import pacing
from app.services.calm.pausing import Hold
from app.services.integrations import destinations
from app.services.notices import notifying
from app.services.notices.considering import Crowd, Subscribed, Ties
from app.services.preferences import reaching
from app.services.preferences.preferring import Defaults
from app.services.rules.rule_silence import EVERYONE, Mutes, RuleMutes
from app.services.simulating import chosen, issues, recorded, ties
from app.services.simulating.chosen import Chosen, ChosenThen
from app.services.simulating.drafts import Drafts
from app.services.simulating.issues import Issues
from app.services.simulating.recorded import Recorded
from app.services.simulating.ties import Hours, Maintenance, RuleSilence, Subscriptions

# What the verdict of then says beside the subscription.
DERIVED = frozenset({Reason.WORKFLOW_ALWAYS, Reason.REQUIRED, Reason.RESUBSCRIBED})


@dataclass(frozen=True, slots=True)
class Past:
    """All that was read; nothing of it changes with a draft."""

    project: Project
    recorded: Recorded
    members: Sequence[int]
    reachable: Collection[int]
    chosen: Chosen
    hours: Hours
    maintenance: Maintenance
    subscriptions: Subscriptions
    mutes: ties.Mutes
    silence: RuleSilence
    issues: Issues
    destinations: Sequence[Destination]
    last_resort: Collection[int]


@dataclass(frozen=True, slots=True)
class Span:
    """Which time is read, how many notices of it, and which issues beside those that they are about."""

    since: datetime
    until: datetime
    most: int
    issue_ids: Collection[int] = ()


def load(session: Session, project: Project, span: Span, *, instance: Defaults) -> Past:
    """A number of queries that grows with nothing but the pages in which notices are read."""
    people = access.project_member_ids(session, project.id)
    known = recorded.load(session, project, people, span.since, span.until, span.most)
    issue_ids = {notice.issue_id for notice in known.notices if notice.issue_id} | set(span.issue_ids)
    activities = [notice.activity for notice in known.notices if notice.activity]
    return read(session, project, known, issue_ids, activities, instance)


def read(
    session: Session,
    project: Project,
    known: Recorded,
    issue_ids: Collection[int],
    activities: Sequence[Activity],
    instance: Defaults,
) -> Past:
    people = access.project_member_ids(session, project.id)
    return Past(
        project=project,
        recorded=known,
        members=sorted(people),
        reachable=reaching.addresses_of(session, people, project.id).keys(),
        chosen=chosen.load(session, project, people, known.since, instance),
        hours=ties.hours(session, people),
        maintenance=ties.maintenance(session, project, known.since),
        subscriptions=ties.subscriptions(session, issue_ids, people, activities),
        mutes=ties.mutes(session, issue_ids, people),
        silence=ties.rule_silence(session, project, people),
        issues=issues.load(session, project, issue_ids, known.since),
        destinations=destinations.of_project(session, project.id),
        last_resort=notifying.last_resort(session, project.id),
    )


class World:
    """A past as the evaluator is told of it. `carried`: rules whose alerts came to somebody with others'."""

    def __init__(self, past: Past, drafts: Drafts) -> None:
        self.past, self.drafts = past, drafts
        self.carried: dict[tuple[int, int], set[int]] = {}
        self._chosen = ChosenThen(past.chosen, drafts)
        self._moment: datetime | None = None
        self._quiet: Mapping[int, datetime] = {}
        self._silent: Mutes = {}

    @property
    def pace(self) -> Pace:
        return self.drafts.pace or pacing.of_project(self.past.project)

    def choices(self, user_id: int, moment: datetime) -> Choices | None:
        return self._chosen.at(moment).get(user_id)

    def is_silent(self, rule_id: int | None, moment: datetime) -> bool:
        """Whether a rule was muted for everyone."""
        self._reach(moment)
        return EVERYONE in self._silent.get(rule_id or 0, ())

    def hold(self, notice: Notice, environment: str | None, moment: datetime) -> Hold | None:
        return self.past.maintenance.hold(notice.kind, environment, moment)

    def people(
        self,
        notice: Notice,
        moment: datetime,
        *,
        named: Mapping[int, Target] | None,
        environment: str | None,
        only: Collection[int] | None = None,
    ) -> list[Person]:
        """Every candidate, or exactly these people; as `considering.people` finds them when it happens."""
        self._reach(moment)
        past, issue_id = self.past, notice.issue_id or 0
        members = set(past.members)
        chosen = self._chosen.at(moment)
        crowd = Crowd(
            ids=past.members if only is None else sorted(set(only) & members),
            asked=only is not None,
            members=members,
            active=members,
            reachable=past.reachable,
            choices=chosen,
            quiet=self._quiet,
        )
        hold = self.hold(notice, environment, moment)
        around = Ties(
            subscriptions={issue_id: self._subscribed(notice, issue_id, moment, crowd.ids)},
            muted={issue_id: past.mutes.at(issue_id, moment)},
            rule_mutes=RuleMutes(self._silent, self.carried),
            held={notice: hold} if hold else {},
        )
        return crowd.around(notice, around, named)

    def _reach(self, moment: datetime) -> None:
        if moment != self._moment:
            self._moment = moment
            self._quiet = self.past.hours.quiet_until(moment)
            self._silent = self.past.silence.at(moment)

    def _subscribed(
        self, notice: Notice, issue_id: int, moment: datetime, people: Collection[int]
    ) -> dict[int, Subscribed]:
        """Why people followed the issue is on record with the notice; whether they did, elsewhere."""
        known, found = self.past.subscriptions, {}
        for user_id in people:
            pair = issue_id, user_id
            state = known.state(pair, moment)
            reasons = self.past.recorded.reasons.get((notice.public_id, user_id))
            row = known.rows.get(pair)
            if reasons is not None:
                theirs = [str(each) for each in reasons if each not in DERIVED]
                found[user_id] = Subscribed(state, theirs)
            elif state or row:
                found[user_id] = Subscribed(state, row.reasons if row and row.state == state else [])
        return found
