"""How silent an issue is, and what could make it so: what its page says of ignoring and of muting."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.domain import ignoring as rules
from app.domain.lifecycle import IGNORED
from app.models import Activity, Issue, IssueMute, User
from app.services import ignoring


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


def of(session: Session, issue: Issue, *, reader: User, now: datetime) -> Silence:
    lately, busiest, since, until, limit = _numbers(session, issue, reader, now)
    is_muted = since is not None and rules.mute_holds(until, limit, lately=lately or 0, now=now)
    return Silence(
        _ignored(session, issue, reader) if issue.status == IGNORED else None,
        rules.words(rules.of_mute(until, limit), zone=reader.timezone) if is_muted else None,
        lately or 0,
        busiest or 0,
        now.astimezone(ZoneInfo(reader.timezone)).date() + timedelta(days=1),
    )


def _numbers(
    session: Session, issue: Issue, reader: User, now: datetime
) -> Row[int | None, int | None, datetime | None, datetime | None, int | None]:
    """Events of the last hour, those of the busiest one, and the reader's mute: one query."""
    mine = (IssueMute.issue_id == Issue.id) & (IssueMute.user_id == reader.id)
    found = select(
        ignoring.lately(issue.id, now=now).scalar_subquery(),
        ignoring.busiest(issue.id, now=now).scalar_subquery(),
        IssueMute.created_at,
        IssueMute.until,
        IssueMute.event_limit,
    )
    return session.execute(
        found.select_from(Issue).outerjoin(IssueMute, mine).where(Issue.id == issue.id)
    ).one()


def _ignored(session: Session, issue: Issue, reader: User) -> Ignored:
    by = session.scalar(
        select(User.name)
        .join(Activity, Activity.actor_id == User.id)
        .where(Activity.issue_id == issue.id, Activity.type == "set_ignored")
        .order_by(Activity.id.desc())
        .limit(1)
    )
    condition = ignoring.condition_of(ignoring.row_of(session, issue.id))
    is_hourly = condition is not None and condition.event_window == rules.HOUR
    return Ignored(by or "somebody", rules.words(condition, zone=reader.timezone), is_hourly)
