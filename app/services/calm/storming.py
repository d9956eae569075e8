"""Many new issues of a project at once: one message for each person instead of one for each issue.

A storm is a row, one open a project: the unique index is the referee, and whoever plans an alert of it holds
its lock, so that each person gets one verdict about each of its notices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import routing, storms
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome, Person, Reason
from app.domain.targets import Target
from app.models import Issue, Notice, Storm, Verdict
from app.services.calm import pacing, pausing
from app.services.integrations import destinations
from app.services.notices import considering
from app.services.notices.announcing import announce
from app.services.preferences.preferring import Defaults
from app.services.upserting import insert_into

# New issues are numbered in their order: as many of them as can matter.
NEAR = 200
Answers = list[tuple[Notice, routing.Verdict]]


# While alerts are planned


def of_alert(session: Session, notice: Notice, what: Happening, *, now: datetime) -> Notice | None:
    """What sums up the storm that an alert about a new issue is part of; begun if this issue is one too many.

    A fatal one rings by itself. During a maintenance nothing rings: there it is held like all else.
    """
    if notice.kind != storms.NEW or notice.issue is None or what.is_fatal or what.storm:
        return None
    if pausing.held(session, [notice], now=now):
        return None
    storm, first_seen = _lock(session, notice.project_id), _new_issues(session, notice.issue)
    is_one_too_many = storms.is_one(first_seen, at=notice.issue.first_seen)
    if storm is None:
        return _begin(session, notice.issue, min(first_seen), now) if is_one_too_many else None
    return join(storm, notice.issue, is_one_too_many=is_one_too_many)


def join(storm: Storm, issue: Issue, *, is_one_too_many: bool) -> Notice | None:
    """Alerts are not always planned in the order in which their issues came."""
    if storm.notice is None or storms.is_over(storm.latest_at, now=issue.first_seen):
        return None
    if not is_one_too_many and issue.number < storm.notice.data["from"]:
        return None
    storm.latest_at = max(storm.latest_at, issue.first_seen)
    return storm.notice


def _lock(session: Session, project_id: int | None) -> Storm | None:
    is_open = select(Storm).where(Storm.project_id == project_id, Storm.ended_at.is_(None))
    return session.scalar(is_open.with_for_update(of=Storm).execution_options(populate_existing=True))


def _new_issues(session: Session, issue: Issue) -> Sequence[datetime]:
    """When the issues before this one, and it, were first seen, as far as that is near."""
    near = Issue.number.between(issue.number - NEAR, issue.number)
    found = select(Issue.first_seen).where(Issue.project_id == issue.project_id, near)
    return [at for at in session.scalars(found) if abs(at - issue.first_seen) <= storms.WITHIN]


def _begin(session: Session, issue: Issue, since: datetime, now: datetime) -> Notice:
    """Of several who see it begin at the same time one makes the storm, and all are part of it."""
    place = issue.project_id
    row = {"project_id": place, "started_at": since, "latest_at": issue.first_seen, "told_at": now}
    statement = insert_into(session, Storm).values(row)
    is_open = Storm.ended_at.is_(None)
    statement = statement.on_conflict_do_nothing(index_elements=("project_id",), index_where=is_open)
    session.execute(statement)
    storm = _lock(session, place)
    assert storm is not None
    if storm.notice is None:
        storm.notice = _notice(session, storm, now, first=issue.number)
    return storm.notice


def _notice(session: Session, storm: Storm, now: datetime, *, first: int) -> Notice:
    """The next message about a storm: integrations get it at once, people as it concerns them.

    `first`: with which issue it began.
    """
    data = {"since": storm.started_at.isoformat(), "from": first}
    notice = announce(session, storms.STORM, storm.project_id, data, now=now)
    destinations.tell(session, [notice], now=now)
    return notice


def tell(
    session: Session,
    summary: Notice,
    what: Happening,
    people: Sequence[Person],
    verdicts: Sequence[routing.Verdict],
    *,
    now: datetime,
) -> Answers:
    """What is answered to those whom the storm keeps from being told of an issue, and who do not know of it.

    `what`, `people` and `verdicts` are about the alert.
    """
    concerned = {verdict.person_id for verdict in verdicts if verdict.code == "storm"}
    asked = select(Verdict.subject_id).where(Verdict.notice_id == summary.id, Verdict.subject == "user")
    concerned -= set(session.scalars(asked.where(Verdict.subject_id.in_(concerned)))) if concerned else set()
    crowd = [replace(who, carried_by=None) for who in people if who.id in concerned]
    happening = replace(what, kind=KINDS[storms.STORM], storm=None, flapping=None)
    return _answers(session, summary, happening, crowd, now)


def _answers(
    session: Session, summary: Notice, what: Happening, people: Sequence[Person], now: datetime
) -> Answers:
    if not people:
        return []
    decided = routing.plan(what, people)
    slowed = pacing.slowed(session, summary.project_id, what, people, decided, now=now)
    summary.data = {**summary.data, "members": summary.data.get("members", 0) + len(people)}
    return [(summary, verdict) for verdict in slowed]


# While it lasts


def open_ids(session: Session) -> Sequence[int]:
    return session.scalars(select(Storm.id).where(Storm.ended_at.is_(None))).all()


def go_on(session: Session, storm_id: int, *, now: datetime, instance: Defaults) -> Answers:
    """End a storm that has calmed down, or say once more how it stands, to those who know of it."""
    locked = select(Storm).where(Storm.id == storm_id, Storm.ended_at.is_(None)).with_for_update(of=Storm)
    storm = session.scalar(locked.execution_options(populate_existing=True))
    if storm is None:
        return []
    newest = select(func.max(Issue.first_seen)).where(Issue.project_id == storm.project_id)
    latest = session.scalar(newest.where(Issue.first_seen.between(storm.latest_at, now)))
    storm.latest_at = max(storm.latest_at, latest) if latest else storm.latest_at
    if storms.is_over(storm.latest_at, now=now):
        storm.ended_at = now
        return []
    if storm.notice is None or now - storm.told_at < storms.UPDATE:
        return []
    return _update(session, storm, storm.notice, now, instance)


def _update(session: Session, storm: Storm, before: Notice, now: datetime, instance: Defaults) -> Answers:
    named = _told(session, before)
    storm.notice, storm.told_at = _notice(session, storm, now, first=before.data["from"]), now
    summary = storm.notice
    found = considering.people(
        session, [summary], instance, now=now, only=list(named), named={summary: named}
    )
    return _answers(session, summary, Happening(KINDS[storms.STORM]), found[summary], now)


def _told(session: Session, notice: Notice) -> Mapping[int, Target]:
    """Who was told by this notice, or will be, and why they."""
    found = select(Verdict).where(
        Verdict.notice_id == notice.id,
        Verdict.subject == "user",
        Verdict.outcome.in_((Outcome.SEND, Outcome.DEFER)),
    )
    return {
        verdict.subject_id: Target(
            frozenset(map(Reason, verdict.reasons)) - {Reason.REQUIRED}, verdict.params.get("because") or {}
        )
        for verdict in session.scalars(found)
    }
