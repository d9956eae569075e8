"""How people stood to issues and rules at a moment, whose hours were quiet, and what maintenance held."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.domain import ignoring, pauses, quiet
from app.domain.kinds import KINDS
from app.models import (
    Activity,
    AlertRule,
    Event,
    IssueMute,
    OnCall,
    Pause,
    Project,
    QuietHours,
    RuleMute,
    SettingAudit,
    Subscription,
    User,
)
from app.services.calm import pausing, quieting
from app.services.calm.pausing import Hold
from app.services.notices.considering import Subscribed
from app.services.preferences import muting, subscribing
from app.services.rules import rule_muting

CHUNK = 500
Pair = tuple[int, int]  # issue or rule, and person


@dataclass(frozen=True, slots=True)
class Turn:
    """A change: what held from then on, and what before, where that is known."""

    at: datetime
    now: object
    was: object = None


class Course:
    """Changes in order; `current` is what holds where none is known of."""

    def __init__(self, turns: Iterable[Turn], current: object = None) -> None:
        self._turns = sorted(turns, key=lambda each: each.at)
        self._times = [each.at for each in self._turns]
        self._current = current

    def at(self, moment: datetime) -> object:
        place = bisect_right(self._times, moment)
        if place:
            return self._turns[place - 1].now
        return self._turns[0].was if self._turns else self._current


# Subscriptions


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Who followed which issue; of `states` it is known how they changed."""

    rows: Mapping[Pair, Subscribed]
    states: Mapping[Pair, Course]

    def state(self, pair: Pair, moment: datetime) -> str:
        row = self.rows.get(pair)
        course = self.states.get(pair)
        return str((course.at(moment) if course else row.state if row else None) or "")


def subscriptions(
    session: Session, issue_ids: Collection[int], people: Collection[int], activities: Iterable[Activity]
) -> Subscriptions:
    """`activities` brought people back who had left."""
    rows: dict[Pair, Subscribed] = {}
    turns: defaultdict[Pair, list[Turn]] = defaultdict(list)
    for some in _chunks(issue_ids):
        found = select(Subscription).where(Subscription.issue_id.in_(some), Subscription.user_id.in_(people))
        for row in session.scalars(found):
            rows[row.issue_id, row.user_id] = Subscribed(row.state, row.reasons)
        for audit in session.scalars(_audits(subscribing.CATEGORY, "issue", some, people)):
            turns[audit.scope_id, audit.user_id].append(Turn(audit.at, audit.new, audit.old))
    for activity in activities:
        for user_id in activity.data.get("resubscribed", ()):
            turn = Turn(activity.created_at, subscribing.SUBSCRIBED, subscribing.UNSUBSCRIBED)
            turns[activity.issue_id or 0, user_id].append(turn)
    return Subscriptions(rows, {pair: Course(theirs) for pair, theirs in turns.items()})


def _audits(category: str, scope: str, ids: Collection[int], people: Collection[int]) -> Select[SettingAudit]:
    return (
        select(SettingAudit)
        .where(SettingAudit.user_id.in_(people), SettingAudit.category == category)
        .where(SettingAudit.scope == scope, SettingAudit.scope_id.in_(ids))
        .order_by(SettingAudit.id)
    )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    known = sorted(ids)
    for start in range(0, len(known), CHUNK):
        yield known[start : start + CHUNK]


# Issues that somebody muted


@dataclass(frozen=True, slots=True)
class Muted:
    """From when on, until when, and above how many events an hour it ends by itself."""

    since: datetime
    until: datetime | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Mutes:
    """By issue and person."""

    courses: Mapping[Pair, Course]
    of_issue: Mapping[int, Sequence[int]]
    events: Mapping[int, Sequence[datetime]]

    def at(self, issue_id: int, moment: datetime) -> dict[int, datetime | None]:
        """Who has it muted, until when."""
        found = {}
        for user_id in self.of_issue.get(issue_id, ()):
            mute = self.courses[issue_id, user_id].at(moment)
            if isinstance(mute, Muted) and self._holds(issue_id, mute, moment):
                found[user_id] = mute.until
        return found

    def _holds(self, issue_id: int, mute: Muted, moment: datetime) -> bool:
        """What has got worse once stays over."""
        times = self.events.get(issue_id, ())
        first, last = bisect_left(times, mute.since), bisect_right(times, moment)
        fullest = max(
            (at + 1 - bisect_left(times, times[at] - muting.HOUR) for at in range(first, last)), default=0
        )
        return ignoring.mute_holds(mute.until, mute.limit, lately=fullest, now=moment)


def mutes(session: Session, issue_ids: Collection[int], people: Collection[int]) -> Mutes:
    turns: defaultdict[Pair, list[Turn]] = defaultdict(list)
    current: dict[Pair, Muted] = {}
    for some in _chunks(issue_ids):
        rows = select(IssueMute).where(IssueMute.issue_id.in_(some), IssueMute.user_id.in_(people))
        for row in session.scalars(rows):
            current[row.issue_id, row.user_id] = Muted(row.created_at, row.until, row.event_limit)
        for audit in session.scalars(_audits(muting.CATEGORY, "issue", some, people)):
            after, before = (_muted(audit.detail.get(name), audit.at) for name in ("after", "before"))
            turns[audit.scope_id, audit.user_id].append(Turn(audit.at, after, before))
    pairs = {*turns, *current}
    of_issue: defaultdict[int, list[int]] = defaultdict(list)
    for issue_id, user_id in sorted(pairs):
        of_issue[issue_id].append(user_id)
    return Mutes(
        {pair: Course(turns[pair], current.get(pair)) for pair in pairs}, of_issue, _events(session, of_issue)
    )


def _muted(ends: Mapping[str, object] | None, since: datetime) -> Muted | None:
    if not ends:
        return None
    until, limit = ends.get("until"), ends.get("event_limit")
    return Muted(
        since,
        datetime.fromisoformat(until) if isinstance(until, str) else None,
        limit if isinstance(limit, int) else None,
    )


def _events(session: Session, issue_ids: Iterable[int]) -> Mapping[int, list[datetime]]:
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for some in _chunks(issue_ids):
        times = select(Event.issue_id, Event.timestamp).where(Event.issue_id.in_(some))
        for issue_id, at in session.execute(times.order_by(Event.timestamp)):
            found[issue_id].append(at)
    return found


# Rules that somebody muted


EVERYONE = 0  # in place of a person


@dataclass(frozen=True, slots=True)
class Quieted:
    """Until when; None: until somebody ends it."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class RuleSilence:
    courses: Mapping[Pair, Course]

    def at(self, moment: datetime) -> dict[int, dict[int | None, datetime | None]]:
        """By rule and person, as `rule_silence` has it."""
        found: defaultdict[int, dict[int | None, datetime | None]] = defaultdict(dict)
        for (rule_id, user_id), course in self.courses.items():
            mute = course.at(moment)
            if isinstance(mute, Quieted) and (mute.until is None or mute.until > moment):
                found[rule_id][user_id or None] = mute.until
        return dict(found)


def rule_silence(session: Session, project: Project, people: Collection[int]) -> RuleSilence:
    """When a mute that is gone was to end is not known: it held until somebody ended it."""
    rule_ids = session.scalars(select(AlertRule.id).where(AlertRule.project_id == project.id)).all()
    turns: defaultdict[Pair, list[Turn]] = defaultdict(list)
    audits = (
        select(SettingAudit)
        .where(SettingAudit.category == rule_muting.CATEGORY, SettingAudit.scope_id.in_(rule_ids))
        .order_by(SettingAudit.id)
    )
    for audit in session.scalars(audits):
        whose = EVERYONE if audit.detail.get("for") == rule_muting.FOR_EVERYONE else audit.user_id
        ends = str(audit.detail.get("new", "")).startswith("no longer")
        turns[audit.scope_id, whose].append(Turn(audit.at, None if ends else Quieted(None)))
    wanted = or_(RuleMute.user_id.is_(None), RuleMute.user_id.in_(people))
    for row in session.scalars(select(RuleMute).where(RuleMute.rule_id.in_(rule_ids), wanted)):
        turns[row.rule_id, row.user_id or EVERYONE].append(Turn(row.created_at, Quieted(row.until)))
    return RuleSilence({pair: Course(theirs) for pair, theirs in turns.items()})


# Quiet hours and maintenance


@dataclass(frozen=True, slots=True)
class Hours:
    """Quiet hours, and until when people had said to be on call, as both changed.

    `changes`: when somebody changed either, which matters for what was held for them.
    """

    zones: Mapping[int, ZoneInfo]
    windows: Mapping[int, Course]
    calls: Mapping[int, Course]
    changes: Sequence[tuple[datetime, int]]

    def is_on_call(self, user_id: int, moment: datetime) -> bool:
        until = self.calls[user_id].at(moment) if user_id in self.calls else None
        return isinstance(until, datetime) and moment < until

    def quiet_until(self, moment: datetime) -> dict[int, datetime]:
        ends = {
            user_id: quiet.quiet_until(windows, self.zones[user_id], moment)
            for user_id, course in self.windows.items()
            if isinstance(windows := course.at(moment), list) and not self.is_on_call(user_id, moment)
        }
        return {user_id: until for user_id, until in ends.items() if until}


def hours(session: Session, people: Collection[int]) -> Hours:
    now: defaultdict[int, list[quiet.Window]] = defaultdict(list)
    rows = select(QuietHours).where(QuietHours.user_id.in_(people)).order_by(QuietHours.id)
    for row in session.scalars(rows):
        now[row.user_id].append(quieting.window(row))
    calls: defaultdict[int, list[Turn]] = defaultdict(list)
    turns: defaultdict[int, list[Turn]] = defaultdict(list)
    audits = session.scalars(_of_hours(people)).all()
    for audit in audits:
        if audit.category == "on_call":
            until = datetime.fromisoformat(audit.detail["until"]) if "until" in audit.detail else audit.at
            calls[audit.user_id].append(Turn(audit.at, until))
        elif "before" in audit.detail:
            turns[audit.user_id].append(Turn(audit.at, None, _windows(audit.detail["before"])))
    for call in session.scalars(select(OnCall).where(OnCall.user_id.in_(people))):
        calls[call.user_id].append(Turn(call.since, call.until))
    zones = select(User.id, User.timezone).where(User.id.in_(people))
    return Hours(
        {user_id: ZoneInfo(zone) for user_id, zone in session.execute(zones)},
        {each: Course(_linked(turns[each], now[each])) for each in {*now, *turns}},
        {each: Course(theirs) for each, theirs in calls.items()},
        [(audit.at, audit.user_id) for audit in audits],
    )


def _of_hours(people: Collection[int]) -> Select[SettingAudit]:
    found = select(SettingAudit).where(SettingAudit.user_id.in_(people))
    return found.where(SettingAudit.category.in_(("quiet_hours", "on_call"))).order_by(SettingAudit.id)


def _windows(plain: Iterable[Sequence[Any]]) -> list[quiet.Window]:
    return [quieting.window_of(each) for each in plain]


def _linked(turns: Sequence[Turn], current: list[quiet.Window]) -> list[Turn]:
    """The log says what was before each change: that is what the one before led to."""
    if not turns:
        return [Turn(datetime.min.replace(tzinfo=UTC), current)]
    led_to = [*(each.was for each in turns[1:]), current]
    return [Turn(each.at, now, each.was) for each, now in zip(turns, led_to, strict=True)]


@dataclass(frozen=True, slots=True)
class Maintenance:
    rows: Sequence[Pause]

    def hold(self, kind: str, environment: str | None, moment: datetime) -> Hold | None:
        """Until when a notice of this kind waits."""
        meant = [row for row in self.rows if pausing.window(row).holds_for(KINDS[kind], environment)]
        until = pauses.until([pausing.window(row) for row in meant], moment) if meant else None
        if until is None:
            return None
        now = (row.reason for row in meant if pausing.window(row).span_at(moment))
        return Hold(until, next(now, ""))


def maintenance(session: Session, project: Project, since: datetime) -> Maintenance:
    matters = and_(Pause.project_id == project.id, or_(Pause.weekly, Pause.ends_at > since))
    return Maintenance(session.scalars(select(Pause).where(matters).order_by(Pause.id)).all())
