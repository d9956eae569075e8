"""The rows of a person's notification settings: what is in force, where it comes from, what it was before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain import changes, delivery_states
from app.domain.errors import NotFound, Refused
from app.domain.kinds import KINDS, WORKFLOW_SWITCHES
from app.domain.preferences import ALERTS, OWN_ACTIVITY, SOURCES, VALUES, WORKFLOW, InForce
from app.models import (
    Delivery,
    Notice,
    NotificationSetting,
    Project,
    SettingAudit,
    TeamMember,
    User,
    Verdict,
    team_projects,
)
from app.services import access, preferring
from app.services.preferring import ACCOUNT, PROJECT, Defaults, SettingRow

CATEGORIES = (ALERTS, WORKFLOW, OWN_ACTIVITY)
RECENT = timedelta(days=7)
KIND_DEFAULT = InForce("on", "built-in")


@dataclass(frozen=True, slots=True)
class Tuned:
    """A row, and what its page adds to it."""

    row: SettingRow
    kind: str = ""
    undo_to: str | None = None  # what was chosen before the last change; None is "Default"
    can_undo: bool = False
    messages: int = 0
    differing: int = 0

    @property
    def name(self) -> str:
        return changes.name(self.row.category, self.kind, self.row.project.name if self.row.project else None)

    @property
    def key(self) -> str:
        """Names the row's controls on its page."""
        return f"{self.kind or self.row.category}-{self.row.project.id if self.row.project else 0}"

    @property
    def note(self) -> str:
        """When it rings."""
        return changes.KINDS[self.kind][1] if self.kind else changes.NOTES[self.row.category]

    @property
    def options(self) -> list[tuple[str, str]]:
        """What can be chosen. "Default" says what it means at present."""
        values = ("on", "off") if self.kind else VALUES[self.row.category]
        default = ("", f"Default ({changes.choice(self.row.inherited.value)})")
        return [default, *((value, changes.choice(value)) for value in values)]

    @property
    def in_force(self) -> str:
        return changes.value(self.row.now.value)

    @property
    def source(self) -> str:
        """Where the value comes from."""
        if self.row.chosen is None:
            return SOURCES[self.row.now.source]
        where = SOURCES[PROJECT] if self.row.project else "your choice"
        way = changes.WAYS.get(self.row.via or "")
        return f"{where}, {way}" if way else where

    @property
    def undo_words(self) -> str:
        return f"{self.name}: back to {changes.value(self.undo_to)}"


@dataclass(frozen=True, slots=True)
class AccountRows:
    """The rows of the account itself."""

    categories: Sequence[Tuned]
    kinds: Sequence[Tuned]


class Stale(Exception):
    """Somebody, or the same person in another window, changed the row since it was shown."""


def overview(session: Session, user: User, *, instance: Defaults, now: datetime) -> AccountRows:
    undo = _undoable(session, user, now)
    differing = _differing(session, user)
    categories = [
        _with_undo(
            Tuned(
                preferring.account_row(session, user, category, instance),
                differing=differing.get(category, 0),
            ),
            undo,
        )
        for category in CATEGORIES
    ]
    kinds = [_with_undo(Tuned(row, kind), undo) for kind, row in _kind_rows(session, user).items()]
    return AccountRows(categories, kinds)


def fine_tuned(
    session: Session, user: User, category: str, *, instance: Defaults, now: datetime
) -> list[Tuned]:
    """A row for each project that tells this person anything, with a constant number of queries."""
    undo = _undoable(session, user, now)
    messages = _messages(session, user, category, since=now - RECENT)
    return [
        _with_undo(Tuned(row, messages=messages.get(row.project.id, 0) if row.project else 0), undo)
        for row in preferring.project_rows(session, user, category, projects(session, user), instance)
    ]


def project(session: Session, user: User, project_id: int) -> Project:
    """A project in one of the person's teams; else `NotFound`."""
    found = session.scalar(_projects(user).where(Project.id == project_id))
    if found is None:
        raise NotFound
    return found


def projects(session: Session, user: User) -> Sequence[Project]:
    """The projects that tell this person anything."""
    return session.scalars(_projects(user).order_by(Project.name, Project.id)).all()


def change(
    session: Session,
    user: User,
    category: str,
    value: str | None,
    *,
    kind: str,
    where: Project | None,
    version: int,
    via: str,
    now: datetime,
) -> None:
    """Choose, if the row is as it was shown: `Stale` if not, `Refused` for a value that does not exist."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())
    if category not in CATEGORIES or (kind and kind not in WORKFLOW_SWITCHES):
        raise Refused("There is no such setting here.")
    setting = preferring.setting_of(session, user, category, kind=kind, project_id=where.id if where else 0)
    if (setting.version if setting else 0) != version:
        raise Stale
    preferring.choose(session, user, category, value, project=where, kind=kind, via=via, now=now)


def one(
    session: Session,
    user: User,
    category: str,
    *,
    kind: str,
    where: Project | None,
    instance: Defaults,
    now: datetime,
) -> Tuned:
    """The row as it is now."""
    undo = _undoable(session, user, now)
    if kind:
        return _with_undo(Tuned(_kind_rows(session, user)[kind], kind), undo)
    if where is None:
        row = preferring.account_row(session, user, category, instance)
        return _with_undo(Tuned(row, differing=_differing(session, user).get(category, 0)), undo)
    [row] = preferring.project_rows(session, user, category, [where], instance)
    messages = _messages(session, user, category, since=now - RECENT)
    return _with_undo(Tuned(row, messages=messages.get(where.id, 0)), undo)


def _projects(user: User) -> Select[Project]:
    mine = (
        select(team_projects.c.project_id)
        .join(TeamMember, TeamMember.team_id == team_projects.c.team_id)
        .where(TeamMember.user_id == user.id)
    )
    return select(Project).where(access.sees_project(user), Project.id.in_(mine))


def _kind_rows(session: Session, user: User) -> dict[str, SettingRow]:
    found = session.scalars(
        select(NotificationSetting).where(
            NotificationSetting.user_id == user.id,
            NotificationSetting.category == WORKFLOW,
            NotificationSetting.scope == ACCOUNT,
            NotificationSetting.kind != "",
        )
    )
    chosen = {setting.kind: setting for setting in found}
    return {kind: _kind_row(chosen.get(kind)) for kind in WORKFLOW_SWITCHES}


def _kind_row(setting: NotificationSetting | None) -> SettingRow:
    return SettingRow(
        category=WORKFLOW,
        project=None,
        chosen=setting.value if setting else None,
        inherited=KIND_DEFAULT,
        now=InForce(setting.value, ACCOUNT) if setting else KIND_DEFAULT,
        version=setting.version if setting else 0,
        via=setting.via if setting else None,
        updated_at=setting.updated_at if setting else None,
    )


def _differing(session: Session, user: User) -> Mapping[str, int]:
    """For how many projects the person chose something of their own, by category."""
    counted = (
        select(NotificationSetting.category, func.count())
        .where(NotificationSetting.user_id == user.id, NotificationSetting.scope == PROJECT)
        .where(NotificationSetting.scope_id.in_(_projects(user).with_only_columns(Project.id)))
        .group_by(NotificationSetting.category)
    )
    return {category: count for category, count in session.execute(counted)}


Key = tuple[str, str, str, int]  # category, kind, scope, scope id


def _undoable(session: Session, user: User, now: datetime) -> Mapping[Key, str | None]:
    """What was chosen before the last change of each setting, if that was lately."""
    newest = (
        select(func.max(SettingAudit.id))
        .where(SettingAudit.user_id == user.id, SettingAudit.at > now - RECENT)
        .group_by(SettingAudit.category, SettingAudit.kind, SettingAudit.scope, SettingAudit.scope_id)
    )
    found = session.scalars(select(SettingAudit).where(SettingAudit.id.in_(newest)))
    return {(audit.category, audit.kind, audit.scope, audit.scope_id): audit.old for audit in found}


def _with_undo(tuned: Tuned, undo: Mapping[Key, str | None]) -> Tuned:
    project = tuned.row.project
    scope, scope_id = (PROJECT, project.id) if project else (ACCOUNT, 0)
    key = (tuned.row.category, tuned.kind, scope, scope_id)
    return replace(tuned, undo_to=undo[key], can_undo=True) if key in undo else tuned


def _messages(session: Session, user: User, category: str, *, since: datetime) -> Mapping[int, int]:
    """How many messages of the category arrived, by project."""
    kinds = [kind.name for kind in KINDS.values() if kind.category == category]
    counted = (
        select(Notice.project_id, func.count())
        .join(Verdict, Verdict.notice_id == Notice.id)
        .join(Delivery, Delivery.verdict_id == Verdict.id)
        .where(
            Delivery.user_id == user.id,
            Delivery.state == delivery_states.ACCEPTED,
            Delivery.created_at > since,
        )
        .where(Notice.kind.in_(kinds), Notice.project_id.is_not(None))
        .group_by(Notice.project_id)
    )
    return {project_id: count for project_id, count in session.execute(counted) if project_id}
