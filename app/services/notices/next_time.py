"""Tell me next time: what somebody would have to change, what that would bring, and the change itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain import changes as words
from app.domain import next_time
from app.domain.errors import Refused
from app.domain.next_time import Change
from app.domain.preferences import Choices
from app.domain.routing import Outcome
from app.models import AlertRule, Issue, IssueMute, Notice, Project, User, Verdict
from app.services.notices import considering
from app.services.preferences import muting, preferring, subscribing
from app.services.preferences.preferring import Defaults
from app.services.rules import rule_muting

LOOKED_BACK = timedelta(days=7)
ENDLESS = "endless"


@dataclass(frozen=True, slots=True)
class Offer:
    """The smallest change with which the person would have been told; empty if they would be by now."""

    changes: Sequence[Change]
    sentences: Sequence[str]
    more_mails: int  # that it would have brought them in the last week


def offer(
    session: Session, notice: Notice, user: User, verdict: Verdict, *, instance: Defaults, now: datetime
) -> Offer | None:
    """None where no setting of theirs would have made a difference."""
    if notice.project is None or verdict.outcome != Outcome.SKIP:
        return None
    [who] = considering.people_around(session, notice, instance, now=now, only=[user.id])
    what, inherited = considering.happenings(session, [notice])[notice], _inherited(session, user, instance)
    if next_time.is_told(what, who):
        return Offer((), (), 0)
    found = next_time.smallest(what, who, inherited)
    if not found:
        return None
    said = sentences(session, found, notice, user, instance)
    return Offer(found, said, _more_mails(session, notice, user, found, instance=instance, now=now))


def sentences(
    session: Session, changes: Sequence[Change], notice: Notice, user: User, instance: Defaults
) -> list[str]:
    """What would be changed, as commands; "Default" says what it means."""
    inherited = _inherited(session, user, instance)
    return [_sentence(change, notice, inherited, TO_DO) for change in changes]


def said_of(
    session: Session, changes: Sequence[Change], notice: Notice, user: User, instance: Defaults
) -> list[str]:
    """What was changed, and so holds now."""
    inherited = _inherited(session, user, instance)
    return [_sentence(change, notice, inherited, DONE) for change in changes]


def _inherited(session: Session, user: User, instance: Defaults) -> Choices:
    """What "Default" means in a project."""
    return preferring.choices(session, [user.id], 0, instance)[user.id]


def _sentence(change: Change, notice: Notice, inherited: Choices, words_of: "Words") -> str:
    if change.scope == next_time.ISSUE:
        said = words_of.of_issue.get((change.name, change.value), words_of.muted)
        return said.format(issue=notice.issue_short_id)
    if change.scope == next_time.RULE:
        said = words_of.unmuted_rule if change.value is None else words_of.muted_rule
        return said.format(rule=notice.rule.name if notice.rule else "")
    where = notice.project.name if notice.project and change.scope == next_time.PROJECT else None
    called = words.name("workflow" if change.kind else change.name, change.kind, where)
    value = words.value(change.value)
    if change.value is None and where:
        value = f"{value} ({words.value(getattr(inherited, change.name).value)})"
    return words_of.setting.format(called=called, value=value)


@dataclass(frozen=True, slots=True)
class Words:
    """How changes are said: of an issue by what is changed and to what, and of a setting."""

    setting: str
    of_issue: Mapping[tuple[str, str | None], str]
    muted: str
    unmuted_rule: str
    muted_rule: str


TO_DO = Words(
    "Set {called} to {value}",
    {
        ("mute", None): "Unmute {issue}",
        ("subscription", None): "Take back that you unsubscribed from {issue}",
        ("subscription", "subscribed"): "Subscribe to {issue}",
        ("subscription", "unsubscribed"): "Unsubscribe from {issue}",
    },
    "Mute {issue} again",
    "Unmute the rule “{rule}”",
    "Mute the rule “{rule}” again",
)
DONE = Words(
    "{called} was set to {value}",
    {
        ("mute", None): "{issue} was unmuted",
        ("subscription", None): "It was taken back that you unsubscribed from {issue}",
        ("subscription", "subscribed"): "You were subscribed to {issue}",
        ("subscription", "unsubscribed"): "You were unsubscribed from {issue}",
    },
    "{issue} was muted again",
    "The rule “{rule}” was unmuted",
    "The rule “{rule}” was muted again",
)


def _more_mails(
    session: Session,
    notice: Notice,
    user: User,
    changes: Sequence[Change],
    *,
    instance: Defaults,
    now: datetime,
) -> int:
    """How many messages of the last week were withheld that the evaluator would send with these changes.

    Counted by event: one mail tells of all notices of an event.
    """
    kept_back = _kept_back(session, notice, user, changes, since=now - LOOKED_BACK)
    happened = considering.happenings(session, kept_back)
    found = considering.people(session, kept_back, instance, now=now, only=[user.id])
    inherited = _inherited(session, user, instance)
    told = set()
    for other, [who] in found.items():
        theirs = [change for change in changes if _reaches(change, notice, other)]
        if next_time.is_told(happened[other], next_time.applied(theirs, who, inherited)):
            told.add((other.project_id, other.event_id or other.public_id))
    return len(told)


def _kept_back(
    session: Session, notice: Notice, user: User, changes: Sequence[Change], *, since: datetime
) -> Sequence[Notice]:
    """What was refused them and the changes could lift: of the issue, the project or all, as they reach."""
    found = (
        select(Notice)
        .join(Notice.verdicts)
        .where(Verdict.subject == "user", Verdict.subject_id == user.id, Verdict.outcome == Outcome.SKIP)
        .where(Notice.occurred_at > since, Notice.project_id.is_not(None))
        .options(joinedload(Notice.activity))
    )
    scopes = {change.scope for change in changes}
    if next_time.ACCOUNT not in scopes:
        found = found.where(Notice.project_id == notice.project_id)
    if scopes == {next_time.ISSUE}:
        found = found.where(Notice.issue_id == notice.issue_id)
    return session.scalars(found).all()


def _reaches(change: Change, notice: Notice, other: Notice) -> bool:
    """Whether what is changed because of one notice would have mattered to the other one."""
    if change.scope == next_time.ISSUE:
        return other.issue_id == notice.issue_id
    if change.scope == next_time.RULE:
        return other.rule_id == notice.rule_id
    return change.scope == next_time.ACCOUNT or other.project_id == notice.project_id


def make(
    session: Session,
    changes: Sequence[Change],
    *,
    issue: Issue | None,
    project: Project,
    rule: AlertRule | None = None,
    user: User,
    now: datetime,
) -> list[Change]:
    """Make the changes; what to make to take them back, in the order to do it."""
    back = [
        _mute_rule(session, change, rule, user, now)
        if change.scope == next_time.RULE
        else _make(session, change, issue, project, user, now)
        for change in changes
    ]
    return [change for change in reversed(back) if change]


def _mute_rule(
    session: Session, change: Change, rule: AlertRule | None, user: User, now: datetime
) -> Change | None:
    """As for an issue; a mute that had no end has the value "endless"."""
    if rule is None:
        raise Refused("The rule is gone.")
    if change.value is None:
        was = rule_muting.silences(session, [rule.id], user=user, now=now)[rule.id].mine
        rule_muting.unmute(session, rule, user=user, by=user, via="web", now=now)
        if was is None:
            return None
        return Change("rule_mute", next_time.RULE, was.until.isoformat() if was.until else ENDLESS)
    until = None if change.value == ENDLESS else _moment(change.value)
    rule_muting.mute(session, rule, user=user, until=until, by=user, via="web", now=now)
    return None


def _make(
    session: Session, change: Change, issue: Issue | None, project: Project, user: User, now: datetime
) -> Change | None:
    if change.scope == next_time.ISSUE:
        if issue is None:
            raise Refused("The issue is gone.")
        return _OF_ISSUES[change.name](session, change, issue, user, now)
    category = "workflow" if change.name == "kind" else change.name
    where = project if change.scope == next_time.PROJECT else None
    old = preferring.choose(
        session, user, category, change.value, kind=change.kind, project=where, via="web", now=now
    )
    return Change(change.name, change.scope, old, change.kind)


def _subscription(session: Session, change: Change, issue: Issue, user: User, now: datetime) -> Change | None:
    row = subscribing.of(session, issue, user)
    was = row.state if row else None
    if change.value == subscribing.SUBSCRIBED:
        subscribing.subscribe(session, issue, user=user, now=now, via="web")
    elif change.value == subscribing.UNSUBSCRIBED:
        subscribing.unsubscribe(session, issue, user=user, now=now, via="web")
    elif change.value is not None:
        raise Refused("There is no such subscription.")
    else:
        subscribing.restore(session, issue, user=user, now=now, via="web")
    return Change("subscription", next_time.ISSUE, was)


def _mute(session: Session, change: Change, issue: Issue, user: User, now: datetime) -> Change | None:
    """Without a value the mute ends; else it is as it was: until a moment, or so many events an hour."""
    if change.value is None:
        row = session.get(IssueMute, (issue.id, user.id))
        muting.unmute(session, issue, user=user, now=now)
        if row is None:
            return None
        was = row.until.isoformat() if row.until else str(row.event_limit)
        return Change("mute", next_time.ISSUE, was)
    limit = int(change.value) if re.fullmatch(r"[0-9]{1,10}", change.value) else None
    until = _moment(change.value) if limit is None else None
    muting.mute(session, issue, user=user, until=until, event_limit=limit, now=now)
    return None


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("That is no time.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_OF_ISSUES = {"subscription": _subscription, "mute": _mute}
