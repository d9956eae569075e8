"""How silent an issue is, and what could make it so: what its page says of ignoring and of muting."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.domain import ignoring as rules
from app.domain.lifecycle import IGNORED
from app.models import IgnoreCondition, Issue, IssueMute, User
from app.services.issues import ignoring


@dataclass(frozen=True, slots=True)
class Ignored:
    """Who ignores the issue, and until when; `is_hourly` if it depends on the events of an hour."""

    by: str
    until: str
    is_hourly: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """`lately` are the events of the last hour; `limit` what would count as worse; `tomorrow` theirs."""

    ignored: Ignored | None
    muted: str | None
    lately: int
    busiest: int
    tomorrow: date

    @property
    def limit(self) -> int:
        return rules.worse_limit(self.busiest)


def of(session: Session, issue: Issue, *, reader: User, by: str | None, now: datetime) -> Silence:
    """One query. `by` is who ignores it, if it is ignored, and if that is known."""
    lately, busiest, since, until, limit, row = _numbers(session, issue, reader, now)
    is_muted = since is not None and rules.mute_holds(until, limit, lately=lately or 0, now=now)
    return Silence(
        _ignored(row, by, reader) if issue.status == IGNORED else None,
        rules.words(rules.of_mute(until, limit), zone=reader.timezone) if is_muted else None,
        lately or 0,
        busiest or 0,
        now.astimezone(ZoneInfo(reader.timezone)).date() + timedelta(days=1),
    )


def _numbers(
    session: Session, issue: Issue, reader: User, now: datetime
) -> Row[int | None, int | None, datetime | None, datetime | None, int | None, IgnoreCondition | None]:
    """Events of the last hour, those of the busiest one, the reader's mute, and what ends the ignore."""
    mine = (IssueMute.issue_id == Issue.id) & (IssueMute.user_id == reader.id)
    found = select(
        ignoring.lately(issue.id, now=now).scalar_subquery(),
        ignoring.busiest(issue.id, now=now).scalar_subquery(),
        IssueMute.created_at,
        IssueMute.until,
        IssueMute.event_limit,
        IgnoreCondition,
    ).execution_options(populate_existing=True)
    return session.execute(
        found.select_from(Issue)
        .outerjoin(IssueMute, mine)
        .outerjoin(IgnoreCondition, IgnoreCondition.issue_id == Issue.id)
        .where(Issue.id == issue.id)
    ).one()


def _ignored(row: IgnoreCondition | None, by: str | None, reader: User) -> Ignored:
    condition = ignoring.condition_of(row)
    is_hourly = condition is not None and condition.event_window == rules.HOUR
    return Ignored(by or "somebody", rules.words(condition, zone=reader.timezone), is_hourly)
