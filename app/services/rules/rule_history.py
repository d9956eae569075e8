"""A rule's past: what it said at every moment and who changed that, and when it fired, for what, for whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.domain import rule_lines
from app.domain.rule_rows import Names
from app.domain.wording import Reach
from app.models import AlertRule, Notice, RuleVersion, User
from app.services.notices import explaining
from app.services.owners import owner_versions
from app.services.owners.owner_versions import Change

PAGE = 25
MOST_VERSIONS, MOST_CHANGES = 30, 60
RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Version:
    """`more` counts the changes that are not among `changes`."""

    row: RuleVersion
    changes: Sequence[Change]
    more: int


@dataclass(frozen=True, slots=True)
class Firing:
    """A notice that the rule rang. Notices outlive their issues."""

    notice: Notice
    reach: Reach


def versions(session: Session, rule: AlertRule, names: Names) -> list[Version]:
    """The newest first, each with what it changed."""
    found = (
        select(RuleVersion)
        .where(RuleVersion.rule_id == rule.id)
        .order_by(RuleVersion.version.desc())
        .limit(MOST_VERSIONS + 1)
        .options(joinedload(RuleVersion.by))
    )
    rows = list(session.scalars(found))
    earlier: list[Mapping[str, Any] | None] = [*(row.content for row in rows[1:]), None]
    return [_version(row, was, names) for row, was in zip(rows, earlier, strict=False)][:MOST_VERSIONS]


def _version(row: RuleVersion, was: Mapping[str, Any] | None, names: Names) -> Version:
    lines = rule_lines.lines(row.content, names)
    before = rule_lines.lines(was, names) if was else []
    found = owner_versions.lines("\n".join(before), "\n".join(lines))
    shown = list(islice(found, MOST_CHANGES))
    return Version(row, shown, sum(1 for _ in found))


def firings(
    session: Session, rule: AlertRule, *, reader: User, now: datetime, before: int | None = None
) -> list[Firing]:
    """A page of them, older than the one with the id `before`."""
    found = select(Notice).where(Notice.rule_id == rule.id).order_by(Notice.id.desc()).limit(PAGE)
    if before:
        found = found.where(Notice.id < before)
    notices = session.scalars(found.options(joinedload(Notice.issue))).all()
    reach = explaining.reach_of(session, notices, reader=reader, now=now)
    return [Firing(notice, reach[notice.id]) for notice in notices]


def fired_lately(session: Session, rule_ids: Collection[int], *, now: datetime) -> Mapping[int, int]:
    """How often each fired within the last seven days."""
    found = (
        select(Notice.rule_id, func.count())
        .where(Notice.rule_id.in_(rule_ids), Notice.occurred_at > now - RECENT)
        .group_by(Notice.rule_id)
    )
    return {rule_id: count for rule_id, count in session.execute(found) if rule_id is not None}
