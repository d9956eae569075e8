"""Merging issues that are one and the same: the one with the most events takes in the others.

Hashes, counts, history and people move with the merge itself, in its transaction. Events may be many: they
follow a chunk at a time (`clearing`), the first one at once. Whatever led to a merged issue leads to the
primary, through its redirect.
"""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain import priority
from app.domain.errors import NotFound, Refused
from app.domain.lifecycle import PENDING_MERGE
from app.domain.resolutions import REFUTED
from app.models import (
    Activity,
    Base,
    Bookmark,
    IgnoreCondition,
    InboundMessage,
    Issue,
    IssueCommit,
    IssueCount,
    IssueEnvironmentUser,
    IssueHash,
    IssueHour,
    IssueMute,
    IssueRedirect,
    IssueSight,
    IssueTag,
    IssueTrait,
    IssueUser,
    Notice,
    Resolution,
    RuleFiring,
    Subscription,
    User,
)
from app.models.base import BigKey
from app.services.access import IS_THERE
from app.services.issues import clearing, removing, timeline
from app.services.issues.assigning import BY_ASSIGNMENT
from app.services.notices import telling
from app.services.preferences.subscribing import UNSUBSCRIBED
from app.services.upserting import insert_into, insert_missing

Column = InstrumentedAttribute[Any]
Term = ColumnElement[Any]

NOBODY = (None, None)
SUM, LATEST, EARLIEST = "sum", "max", "min"
# How a measure of several issues is that of one.
JOINED: Mapping[str, Callable[[Term, Term], Term]] = {
    SUM: operator.add,
    LATEST: lambda one, other: case((one > other, one), else_=other),
    EARLIEST: lambda one, other: case((one < other, one), else_=other),
}

# Rows that name their issue, and need nothing else to belong to another one.
REPOINTED = (IssueHash, Activity, Notice, InboundMessage)
# One row a person or commit; where both have one, the primary's stays.
UNITED: Sequence[tuple[type[Base], str]] = (
    (Bookmark, "user_id"),
    (IssueMute, "user_id"),
    (IssueCommit, "commit_id"),
)


def primary_of(issues: Collection[Issue]) -> Issue:
    """The one that stays: with the most events, and of equals the newest."""
    return max(issues, key=lambda issue: (issue.times_seen, issue.id))


def merge(session: Session, issues: Collection[Issue], *, by: User, now: datetime) -> Issue:
    """Make one issue of several; the one that stays, with its own status. No person is told.

    Raises `Refused` for fewer than two, or for issues of several projects.
    """
    check(issues)
    _hold(session, issues)
    primary = primary_of(issues)
    others = sorted((each for each in issues if each is not primary), key=_weight, reverse=True)
    ids = [each.id for each in others]
    removing.hide(session, others, PENDING_MERGE)
    _redirect(session, others, primary)
    for model in REPOINTED:
        _repoint(session, model.issue_id, ids, primary)
    telling.look_again(session, [primary.id])
    for united, key in UNITED:
        _unite(session, united, key, ids, primary)
    _bring_refutations(session, ids, primary)
    people = _add_up(session, ids, primary)
    _bring_assignee(others, primary)
    _bring_importance(others, primary)
    _bring_subscriptions(session, others, primary)
    _add_columns(session, others, primary, people)
    clearing.move_events(session, ids, primary.id)
    merged = [{"id": each.id, "short_id": each.short_id} for each in others]
    timeline.record(session, primary, "merge", by=by, now=now, data={"merged": merged})
    for each in others:
        timeline.record_gone(session, each, by=by, now=now, into=primary)
    return primary


def check(issues: Collection[Issue]) -> None:
    """`Refused` unless these can be one issue."""
    if len({issue.id for issue in issues}) < 2:
        raise Refused("Select two issues or more to merge.")
    if len({issue.project_id for issue in issues}) > 1:
        raise Refused("Issues of different projects cannot be merged.")


def _weight(issue: Issue) -> tuple[int, int]:
    return issue.times_seen, issue.id


def _hold(session: Session, issues: Collection[Issue]) -> None:
    """Keep all of them as they are, locked in the order of digesters; `NotFound` if one went meanwhile."""
    ids = sorted(issue.id for issue in issues)
    held = select(Issue).where(Issue.id.in_(ids), IS_THERE).order_by(Issue.id)
    held = held.with_for_update(of=Issue).execution_options(populate_existing=True)
    if len(session.scalars(held).all()) != len(ids):
        raise NotFound


def _redirect(session: Session, others: Sequence[Issue], primary: Issue) -> None:
    """Also what was merged into one of the others before."""
    _repoint(session, IssueRedirect.to_id, [each.id for each in others], primary)
    session.add_all(
        IssueRedirect(from_id=each.id, project_id=each.project_id, short_id=each.short_id, to_id=primary.id)
        for each in others
    )


def _repoint(session: Session, column: Column, ids: Sequence[int], primary: Issue) -> None:
    session.execute(
        update(column.class_)
        .where(column.in_(ids))
        .values({column.key: primary.id})
        .execution_options(synchronize_session=False)
    )


def _unite(session: Session, model: type[Base], key: str, ids: Sequence[int], primary: Issue) -> None:
    """Of several merged issues the one with more events comes first."""
    table = model.__table__
    found = session.execute(select(table).where(table.c.issue_id.in_(ids))).mappings()
    rows = sorted(found, key=lambda row: ids.index(row["issue_id"]), reverse=True)
    by_key = {row[key]: {**row, "issue_id": primary.id} for row in rows}
    insert_missing(session, model, list(by_key.values()), "issue_id", key)


def _bring_refutations(session: Session, ids: Sequence[int], primary: Issue) -> None:
    """A commit that does not fix one of them fixes none; but what resolved the primary still does."""
    resolved_by = select(Resolution.commit_id).where(
        Resolution.issue_id == primary.id, Resolution.commit_id.is_not(None)
    )
    refuted = select(IssueCommit.commit_id).where(IssueCommit.issue_id.in_(ids), IssueCommit.tie == REFUTED)
    session.execute(
        update(IssueCommit)
        .where(
            IssueCommit.issue_id == primary.id,
            IssueCommit.commit_id.in_(refuted),
            IssueCommit.commit_id.not_in(resolved_by),
        )
        .values(tie=REFUTED)
        .execution_options(synchronize_session=False)
    )


def _add_up(session: Session, ids: Sequence[int], primary: Issue) -> int:
    """Hours, tags, people, sights, when rules last fired; how many people the primary had not met before."""
    _sum(session, IssueHour, {IssueHour.count: SUM}, ids, primary)
    _sum(session, IssueCount, {IssueCount.count: SUM}, ids, primary)
    _sum(session, IssueEnvironmentUser, {IssueEnvironmentUser.last_seen: LATEST}, ids, primary)
    _sum(session, IssueTag, {IssueTag.count: SUM, IssueTag.last_seen: LATEST}, ids, primary)
    _bring_traits(session, ids, primary)
    _sum(session, RuleFiring, {RuleFiring.last_fired: LATEST}, ids, primary)
    _sum(session, IssueSight, {IssueSight.seen_at: LATEST}, ids, primary)
    known = _people(session, primary)
    met = {IssueUser.first_seen: EARLIEST, IssueUser.last_seen: LATEST}
    _sum(session, IssueUser, met, ids, primary)
    return _people(session, primary) - known


def _sum(
    session: Session, model: type[Base], measures: Mapping[Column, str], ids: Sequence[int], primary: Issue
) -> None:
    """Put rows of the merged issues together with the primary's, measure by measure, in the database."""
    table = model.__table__
    keys = [column for column in table.primary_key if column.key != "issue_id"]
    made = [getattr(func, how)(table.c[measure.key]) for measure, how in measures.items()]
    rows = select(literal(primary.id, BigKey), *keys, *made).where(table.c.issue_id.in_(ids)).group_by(*keys)
    names = ["issue_id", *(key.key for key in keys)]
    statement = insert_into(session, model).from_select([*names, *(each.key for each in measures)], rows)
    both = {
        measure.key: JOINED[how](table.c[measure.key], statement.excluded[measure.key])
        for measure, how in measures.items()
    }
    session.connection().execute(statement.on_conflict_do_update(index_elements=names, set_=both))


def _bring_traits(session: Session, ids: Sequence[int], primary: Issue) -> None:
    table = IssueTrait.__table__
    rows = select(table.c.key, table.c.value, literal(primary.id, BigKey)).where(table.c.issue_id.in_(ids))
    statement = insert_into(session, IssueTrait).from_select(["key", "value", "issue_id"], rows.distinct())
    session.connection().execute(statement.on_conflict_do_nothing())


def _people(session: Session, issue: Issue) -> int:
    return session.scalar(select(func.count()).where(IssueUser.issue_id == issue.id)) or 0


def _bring_assignee(others: Sequence[Issue], primary: Issue) -> None:
    """Give the primary, if nobody has it, to whoever has the first of the others."""
    if _assignee(primary) == NOBODY:
        taken = next((_assignee(each) for each in others if _assignee(each) != NOBODY), NOBODY)
        primary.assignee_user_id, primary.assignee_team_id = taken


def _bring_importance(others: Sequence[Issue], primary: Issue) -> None:
    """What was chosen for the first of the others, if nothing was for the primary."""
    if primary.importance is None:
        primary.importance = next((each.importance for each in others if each.importance), None)


def _assignee(issue: Issue) -> tuple[int | None, int | None]:
    return issue.assignee_user_id, issue.assignee_team_id


def _bring_subscriptions(session: Session, others: Sequence[Issue], primary: Issue) -> None:
    """A person's own row for the primary stays; else the one for the issue with more events comes along.

    Whoever does not keep the assignment is not subscribed because of it.
    """
    kept: dict[int, dict[str, Any]] = {}
    for each in others:
        lost = frozenset() if _assignee(each) == _assignee(primary) else frozenset(map(str, BY_ASSIGNMENT))
        for row in session.scalars(select(Subscription).where(Subscription.issue_id == each.id)):
            reasons = [reason for reason in row.reasons if reason not in lost]
            if reasons or row.state == UNSUBSCRIBED:
                kept.setdefault(row.user_id, _subscription(row, primary, reasons))
    insert_missing(session, Subscription, list(kept.values()), "issue_id", "user_id")


def _subscription(row: Subscription, primary: Issue, reasons: list[str]) -> dict[str, Any]:
    return {
        "issue_id": primary.id,
        "user_id": row.user_id,
        "state": row.state,
        "reasons": reasons,
        "updated_at": row.updated_at,
        "via": row.via,
    }


def _add_columns(session: Session, others: Sequence[Issue], primary: Issue, people: int) -> None:
    """What the primary's own row says of all of them."""
    everyone = [primary, *others]
    events = sum(each.times_seen for each in others)
    oldest, newest = min(everyone, key=_first_seen), max(everyone, key=_last_seen)
    primary.first_release = oldest.first_release or primary.first_release
    primary.last_release = newest.last_release or primary.last_release
    primary.first_seen, primary.last_seen = oldest.first_seen, newest.last_seen
    primary.level = newest.level
    primary.times_seen += events
    primary.priority = priority.of(primary.times_seen, primary.last_seen)
    primary.users_seen += people
    primary.comment_count += sum(each.comment_count for each in others)
    _raise_baseline(session, primary, events, people)
    session.flush()


def _first_seen(issue: Issue) -> datetime:
    return issue.first_seen


def _last_seen(issue: Issue) -> datetime:
    return issue.last_seen


def _raise_baseline(session: Session, primary: Issue, events: int, people: int) -> None:
    """What came along does not count towards the end of an ignore."""
    condition = session.get(IgnoreCondition, primary.id)
    if condition is not None:
        condition.events_before += events
        condition.users_before += people
