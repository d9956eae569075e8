"""What people chose about their notifications: read for many at once, changed one at a time, audited."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import (
    ALERTS,
    BUILT_IN,
    FATAL_RINGS,
    OWN_ACTIVITY,
    PER_PROJECT,
    VALUES,
    WORKFLOW,
    Choices,
    InForce,
    in_force,
)
from app.models import NotificationSetting, Project, SettingAudit, User

ACCOUNT, PROJECT = "account", "project"
Key = tuple[str, str, str, int]  # category, kind, scope, scope id


@dataclass(frozen=True, slots=True)
class Defaults:
    """The instance's own defaults: what the environment says."""

    by_category: Mapping[str, str]

    def of(self, category: str) -> str | None:
        return self.by_category.get(category)


def defaults(*, workflow: str) -> Defaults:
    """`workflow` is DEFAULT_WORKFLOW_NOTIFICATIONS; as long as it is the built-in value, nobody chose it."""
    return Defaults({} if workflow == BUILT_IN[WORKFLOW] else {WORKFLOW: workflow})


def choices(
    session: Session, user_ids: Collection[int], project_id: int, instance: Defaults
) -> dict[int, Choices]:
    """Everything that decides for these people in this project, with one query."""
    rows = session.scalars(
        select(NotificationSetting).where(
            NotificationSetting.user_id.in_(user_ids),
            or_(
                NotificationSetting.scope == ACCOUNT,
                (NotificationSetting.scope == PROJECT) & (NotificationSetting.scope_id == project_id),
            ),
        )
    )
    of_person: dict[int, dict[Key, str]] = {user_id: {} for user_id in user_ids}
    for row in rows:
        of_person[row.user_id][row.category, row.kind, row.scope, row.scope_id] = row.value
    return {user_id: _choices(chosen, project_id, instance) for user_id, chosen in of_person.items()}


def _choices(chosen: Mapping[Key, str], project_id: int, instance: Defaults) -> Choices:
    return Choices(
        alerts=_in_force(chosen, ALERTS, project_id, instance),
        workflow=_in_force(chosen, WORKFLOW, project_id, instance),
        wants_own=chosen.get((OWN_ACTIVITY, "", ACCOUNT, 0)) == "on",
        fatal_rings=chosen.get((FATAL_RINGS, "", ACCOUNT, 0)) != "off",
        kinds_off=frozenset(
            kind for kind in WORKFLOW_SWITCHES if chosen.get((WORKFLOW, kind, ACCOUNT, 0)) == "off"
        ),
    )


def _in_force(chosen: Mapping[Key, str], category: str, project_id: int, instance: Defaults) -> InForce:
    return in_force(
        category,
        project=chosen.get((category, "", PROJECT, project_id)),
        account=chosen.get((category, "", ACCOUNT, 0)),
        instance=instance.of(category),
    )


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of a settings page: what is chosen here, what would hold without it, what holds now."""

    category: str
    project: Project | None
    chosen: str | None
    inherited: InForce
    now: InForce
    version: int
    via: str | None
    updated_at: datetime | None


def account_row(session: Session, user: User, category: str, instance: Defaults) -> SettingRow:
    """The account's own line for a category."""
    setting = setting_of(session, user, category)
    return _row(category, None, setting, in_force(category, instance=instance.of(category)))


def project_rows(
    session: Session, user: User, category: str, projects: Collection[Project], instance: Defaults
) -> list[SettingRow]:
    """A line for each project, with one query for all of them."""
    account = account_row(session, user, category, instance).now
    found = {
        setting.scope_id: setting
        for setting in session.scalars(
            select(NotificationSetting).where(
                NotificationSetting.user_id == user.id,
                NotificationSetting.category == category,
                NotificationSetting.kind == "",
                NotificationSetting.scope == PROJECT,
            )
        )
    }
    return [_row(category, project, found.get(project.id), account) for project in projects]


def _row(
    category: str, project: Project | None, setting: NotificationSetting | None, inherited: InForce
) -> SettingRow:
    scope = PROJECT if project else ACCOUNT
    return SettingRow(
        category=category,
        project=project,
        chosen=setting.value if setting else None,
        inherited=inherited,
        now=InForce(setting.value, scope) if setting else inherited,
        version=setting.version if setting else 0,
        via=setting.via if setting else None,
        updated_at=setting.updated_at if setting else None,
    )


def kinds_off(session: Session, user: User) -> frozenset[str]:
    """The workflow kinds that this person switched off."""
    rows = session.scalars(
        select(NotificationSetting.kind).where(
            NotificationSetting.user_id == user.id,
            NotificationSetting.category == WORKFLOW,
            NotificationSetting.kind != "",
            NotificationSetting.value == "off",
        )
    )
    return frozenset(rows)


def choose(
    session: Session,
    user: User,
    category: str,
    value: str | None,
    *,
    project: Project | None = None,
    kind: str = "",
    via: str,
    now: datetime,
    by: User | None = None,
) -> str | None:
    """Choose a value, or None for "Default"; what was chosen before is returned, for Undo.

    Raises `Refused` for a value that the category does not have.
    """
    _check(category, kind, value, project)
    scope, scope_id = (PROJECT, project.id) if project else (ACCOUNT, 0)
    setting = setting_of(session, user, category, kind=kind, project_id=scope_id)
    old = setting.value if setting else None
    if old == value:
        return old
    changed: dict[str, Any] = {"updated_at": now, "updated_by_id": (by or user).id, "via": via}
    where = {"user_id": user.id, "category": category, "kind": kind, "scope": scope, "scope_id": scope_id}
    _store(session, setting, value, where, changed)
    session.add(SettingAudit(**where, at=now, actor_id=changed["updated_by_id"], old=old, new=value, via=via))
    session.flush()
    return old


def _store(
    session: Session,
    setting: NotificationSetting | None,
    value: str | None,
    where: Mapping[str, Any],
    changed: Mapping[str, Any],
) -> None:
    """Write a value over the row there is, or a row; no value, no row."""
    if setting is None:
        session.add(NotificationSetting(**where, **changed, value=value))
    elif value is None:
        session.delete(setting)
    else:
        setting.value, setting.version = value, setting.version + 1
        for name, new in changed.items():
            setattr(setting, name, new)


def setting_of(
    session: Session, user: User, category: str, *, kind: str = "", project_id: int = 0
) -> NotificationSetting | None:
    """What the person chose for a project, or for the account if there is none (0)."""
    return session.scalar(
        select(NotificationSetting).where(
            NotificationSetting.user_id == user.id,
            NotificationSetting.category == category,
            NotificationSetting.kind == kind,
            NotificationSetting.scope == (PROJECT if project_id else ACCOUNT),
            NotificationSetting.scope_id == project_id,
        )
    )


def _check(category: str, kind: str, value: str | None, project: Project | None) -> None:
    if category not in VALUES:
        raise Refused(f"“{category}” is no kind of notification. There are: {', '.join(VALUES)}.")
    if kind and (category != WORKFLOW or kind not in WORKFLOW_SWITCHES):
        raise Refused(f"“{kind}” is no workflow change. There are: {', '.join(WORKFLOW_SWITCHES)}.")
    if project and category not in PER_PROJECT:
        raise Refused(f"“{category}” is set for the account, not for a project.")
    allowed = ("on", "off") if kind else VALUES[category]
    if value is not None and value not in allowed:
        raise Refused(f"“{value}” is not a choice for {category}. Choose one of: {', '.join(allowed)}.")
