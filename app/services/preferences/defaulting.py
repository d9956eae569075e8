"""What the instance starts everybody out with: who follows it, what a change would do, and the change itself.

A default only ever concerns those who chose nothing: whoever chose keeps what they chose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain import changes
from app.domain.errors import Refused, Stale
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import (
    ALERTS,
    BATCHING,
    CLAIM,
    DEPLOYS,
    FATAL_RINGS,
    HEALTH,
    OWN_ACTIVITY,
    WORKFLOW,
    InForce,
    values,
)
from app.models import (
    EmailAddress,
    NotificationDefault,
    NotificationSetting,
    QuietHours,
    SettingAudit,
    User,
)
from app.services import access, auditing
from app.services.preferences import preferring
from app.services.preferences.preferring import ACCOUNT, Defaults

INSTANCE = "instance"  # the scope of these changes in the log
CATEGORIES = (ALERTS, WORKFLOW, DEPLOYS, HEALTH, OWN_ACTIVITY, CLAIM, FATAL_RINGS, BATCHING)
LINES = (*((category, "") for category in CATEGORIES), *((WORKFLOW, kind) for kind in WORKFLOW_SWITCHES))
LOG_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A default: what was chosen, what holds, and for how many of the people whom it concerns."""

    category: str
    kind: str
    chosen: str | None
    without: InForce  # what holds if nothing is chosen here
    now: InForce
    version: int
    set_by: str | None
    set_at: datetime | None
    following: int
    people: int

    @property
    def key(self) -> str:
        return f"{self.category}-{self.kind}" if self.kind else self.category

    @property
    def name(self) -> str:
        return changes.name(self.category, self.kind)

    @property
    def note(self) -> str:
        return changes.KINDS[self.kind][1] if self.kind else changes.NOTES[self.category]

    @property
    def options(self) -> list[tuple[str, str]]:
        source = "Built-in" if self.without.source == "built-in" else "As configured"
        first = ("", f"{source} ({changes.choice(self.without.value)})")
        return [first, *((value, changes.choice(value)) for value in values(self.category, self.kind))]

    @property
    def in_force(self) -> str:
        return changes.value(self.now.value)

    @property
    def chosen_for_themselves(self) -> int:
        return self.people - self.following


@dataclass(frozen=True, slots=True)
class Effect:
    """What choosing another default would do."""

    line: Line
    value: str | None
    to: str  # what would hold

    @property
    def words(self) -> str:
        """Who would get more or less, in a sentence."""
        if self.to == self.line.now.value:
            return "Nothing changes for anybody: it holds already."
        return changes.effect(self.line.category, self.line.kind, self.to, self.line.following)

    @property
    def shown(self) -> str:
        return changes.value(self.to)

    @property
    def unmoved(self) -> str:
        count = self.line.chosen_for_themselves
        if not count:
            return ""
        return (
            f"{count} {'person' if count == 1 else 'people'} chose for themselves, and keep what they chose."
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the log."""

    at: datetime
    by: str
    sentence: str


def lines(session: Session, *, workflow: str) -> list[Line]:
    """Every default, with a constant number of queries; `workflow` is DEFAULT_WORKFLOW_NOTIFICATIONS."""
    instance = preferring.defaults(session, workflow=workflow)
    found = {(row.category, row.kind): row for row in session.scalars(select(NotificationDefault))}
    chose, people = _chose(session), _people(session)
    return [
        _line(category, kind, found.get((category, kind)), instance, workflow, people[category], chose)
        for category, kind in LINES
    ]


def _line(
    category: str,
    kind: str,
    row: NotificationDefault | None,
    instance: Defaults,
    workflow: str,
    people: int,
    chose: Mapping[tuple[str, str], int],
) -> Line:
    return Line(
        category=category,
        kind=kind,
        chosen=row.value if row else None,
        without=preferring.configured(workflow=workflow).in_force(category, kind),
        now=instance.in_force(category, kind),
        version=row.version if row else 0,
        set_by=instance.setter(category, kind),
        set_at=row.set_at if row else None,
        following=people - chose.get((category, kind), 0),
        people=people,
    )


# Whom a default can make a difference to: an account that no project's notices reach is none of them.
_CAN_GET_MAIL: ColumnElement[bool] = and_(
    User.is_active,
    access.is_in_a_team(),
    exists().where(EmailAddress.user_id == User.id, EmailAddress.verified_at.is_not(None)),
)
_HAS_QUIET_HOURS: ColumnElement[bool] = exists().where(QuietHours.user_id == User.id)


def _people(session: Session) -> Mapping[str, int]:
    """How many people each category concerns."""
    all_of_them, with_hours = session.execute(
        select(func.count(), func.coalesce(func.sum(case((_HAS_QUIET_HOURS, 1), else_=0)), 0))
        .select_from(User)
        .where(_CAN_GET_MAIL)
    ).one()
    return {**dict.fromkeys(CATEGORIES, all_of_them), FATAL_RINGS: with_hours}


def _chose(session: Session) -> Mapping[tuple[str, str], int]:
    """How many of them chose something of their own for their account."""
    concerned = or_(NotificationSetting.category != FATAL_RINGS, _HAS_QUIET_HOURS)
    counted = (
        select(NotificationSetting.category, NotificationSetting.kind, func.count())
        .join(User, User.id == NotificationSetting.user_id)
        .where(_CAN_GET_MAIL, NotificationSetting.scope == ACCOUNT, concerned)
        .group_by(NotificationSetting.category, NotificationSetting.kind)
    )
    return {(category, kind): count for category, kind, count in session.execute(counted)}


def effect(session: Session, category: str, kind: str, value: str | None, *, workflow: str) -> Effect:
    """What choosing this would do. `Refused` for what cannot be chosen."""
    _check(category, kind, value)
    wanted = LINES.index((category, kind))
    line = lines(session, workflow=workflow)[wanted]
    return Effect(line, value, line.without.value if value is None else value)


def choose(
    session: Session,
    category: str,
    kind: str,
    value: str | None,
    *,
    version: int,
    by: User,
    now: datetime,
) -> tuple[str | None, int]:
    """Set the default; None goes back to what it would be without. `Stale` unless it is as it was shown.

    What was chosen before and the version it has now are returned, for Undo.
    """
    _check(category, kind, value)
    row = session.get(NotificationDefault, (category, kind), with_for_update=True)
    if (row.version if row else 0) != version:
        raise Stale
    old = row.value if row else None
    if old == value:
        return old, version
    try:
        with session.begin_nested():
            _store(session, row, category, kind, value, by, now)
    except IntegrityError:  # two at once have set what nobody had set before
        raise Stale from None
    auditing.note(
        session,
        by.id,
        category,
        by_id=by.id,
        kind=kind,
        at=now,
        via="web",
        place=(INSTANCE, 0),
        old=old,
        new=value,
    )
    session.flush()
    made = session.get(NotificationDefault, (category, kind))
    return old, made.version if made else 0


def _store(
    session: Session,
    row: NotificationDefault | None,
    category: str,
    kind: str,
    value: str | None,
    by: User,
    now: datetime,
) -> None:
    if row and value is None:
        session.delete(row)
    elif row and value is not None:
        row.value, row.version, row.set_by_id, row.set_at = value, row.version + 1, by.id, now
    else:
        session.add(
            NotificationDefault(category=category, kind=kind, value=value, set_by_id=by.id, set_at=now)
        )


def _check(category: str, kind: str, value: str | None) -> None:
    preferring.check(category, kind, value)
    if (category, kind) not in LINES:
        raise Refused("There is no such default.")


def log(session: Session) -> Sequence[Change]:
    """The latest changes, newest first."""
    found = (
        select(SettingAudit, User.name)
        .outerjoin(User, User.id == SettingAudit.actor_id)
        .where(SettingAudit.scope == INSTANCE)
        .order_by(SettingAudit.id.desc())
        .limit(LOG_LENGTH)
    )
    return [
        Change(
            audit.at,
            name or "somebody who is gone",
            changes.sentence(audit.category, audit.kind, None, audit.old, audit.new),
        )
        for audit, name in session.execute(found)
    ]
