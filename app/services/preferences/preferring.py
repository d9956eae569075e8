"""What people chose about their notifications: read for many at once, changed one at a time, audited."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, CompoundSelect, Select, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.kinds import WORKFLOW_SWITCHES
from app.domain.preferences import (
    ALERTS,
    BATCHING,
    BUILT_IN,
    CLAIM,
    DEPLOYS,
    FATAL_RINGS,
    HEALTH,
    OWN_ACTIVITY,
    PER_ORGANIZATION,
    PER_PROJECT,
    VALUES,
    WORKFLOW,
    Choices,
    InForce,
    in_force,
    values,
)
from app.models import NotificationDefault, NotificationSetting, Organization, Project, User
from app.services import auditing
from app.services.calm import pacing

ACCOUNT, PROJECT, ORGANIZATION = "account", "project", "organization"
INSTANCE = "instance"  # its own defaults, among the rows of `deciding`
PUT_BACK = "put_back"  # in the log: how a value that came back had been chosen
Place = Project | Organization
Key = tuple[str, str, str, int]  # category, kind, scope, scope id


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value as somebody chose it once, so that Undo puts back more than the value."""

    value: str
    via: str
    at: datetime
    by_id: int | None

    @property
    def marks(self) -> dict[str, Any]:
        return {"updated_at": self.at, "updated_by_id": self.by_id, "via": self.via}


@dataclass(frozen=True, slots=True)
class Defaults:
    """The instance's own defaults: what its administrators chose, else what the environment says."""

    by_category: Mapping[str, str]
    by_kind: Mapping[str, str] = field(default_factory=dict)  # of workflow
    setters: Mapping[tuple[str, str], str] = field(default_factory=dict)  # category, kind → a person's name

    def of(self, category: str, kind: str = "") -> str | None:
        return self.by_kind.get(kind) if kind else self.by_category.get(category)

    def setter(self, category: str, kind: str = "") -> str | None:
        """Who chose it, if that was a person who is still known."""
        return self.setters.get((category, kind))

    def in_force(self, category: str, kind: str = "") -> InForce:
        """What holds for whoever chose nothing."""
        return in_force(category, kind=kind, instance=self.of(category, kind))


def configured(*, workflow: str) -> Defaults:
    """What the environment says; as long as it is the built-in value, nobody chose it."""
    return Defaults({} if workflow == BUILT_IN[WORKFLOW] else {WORKFLOW: workflow})


def defaults(session: Session, *, workflow: str) -> Defaults:
    """What holds for whoever chose nothing; `workflow` is DEFAULT_WORKFLOW_NOTIFICATIONS."""
    found = session.execute(
        select(
            NotificationDefault.category, NotificationDefault.kind, NotificationDefault.value, User.name
        ).outerjoin(User, User.id == NotificationDefault.set_by_id)
    ).all()
    chosen = {(row.category, row.kind): row.value for row in found}
    setters = {(row.category, row.kind): row.name for row in found if row.name}
    return _chosen_over(configured(workflow=workflow), chosen, setters)


def _chosen_over(
    environment: Defaults,
    chosen: Mapping[tuple[str, str], str],
    setters: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Defaults:
    by_category = {category: value for (category, kind), value in chosen.items() if not kind}
    by_kind = {kind: value for (_, kind), value in chosen.items() if kind}
    return Defaults({**environment.by_category, **by_category}, {**environment.by_kind, **by_kind}, setters)


def choices(
    session: Session, user_ids: Collection[int], project_id: int, instance: Defaults
) -> dict[int, Choices]:
    """Everything that decides for these people in this project, with one query."""
    rows = session.scalars(
        select(NotificationSetting).where(NotificationSetting.user_id.in_(user_ids), _decides_in(project_id))
    )
    of_person: dict[int, dict[Key, str]] = {user_id: {} for user_id in user_ids}
    for row in rows:
        of_person[row.user_id][row.category, row.kind, row.scope, row.scope_id] = row.value
    return {user_id: _choices(chosen, project_id, instance) for user_id, chosen in of_person.items()}


def deciding(user: User, project_id: int) -> CompoundSelect[int, str, str, str, int, str]:
    """The rows that decide for this person in this project, for a query of one's own: see `choices_among`."""
    own = select(
        NotificationSetting.user_id,
        NotificationSetting.category,
        NotificationSetting.kind,
        NotificationSetting.scope,
        NotificationSetting.scope_id,
        NotificationSetting.value,
    ).where(NotificationSetting.user_id == user.id, _decides_in(project_id))
    instance = select(
        literal(user.id, BigInteger),
        NotificationDefault.category,
        NotificationDefault.kind,
        literal(INSTANCE),
        literal(0),
        NotificationDefault.value,
    )
    return union_all(own, instance)


def choices_among(rows: Iterable[Any], project_id: int, environment: Defaults) -> Choices:
    """What the rows of `deciding` say; others, which have no category, are passed over."""
    known = [row for row in rows if row.category is not None]
    chosen = {(row.category, row.kind, row.scope, row.scope_id): row.value for row in known}
    instance = {(row.category, row.kind): row.value for row in known if row.scope == INSTANCE}
    return _choices(chosen, project_id, _chosen_over(environment, instance))


def _decides_in(project_id: int) -> ColumnElement[bool]:
    of_project = (NotificationSetting.scope == PROJECT) & (NotificationSetting.scope_id == project_id)
    organization = select(Project.organization_id).where(Project.id == project_id).scalar_subquery()
    of_organization = (NotificationSetting.scope == ORGANIZATION) & (
        NotificationSetting.scope_id == organization
    )
    return or_(NotificationSetting.scope == ACCOUNT, of_project, of_organization)


def _choices(chosen: Mapping[Key, str], project_id: int, instance: Defaults) -> Choices:
    of_organization = {key[:2]: value for key, value in chosen.items() if key[2] == ORGANIZATION}

    def held(category: str, kind: str = "") -> InForce:
        return in_force(
            category,
            kind=kind,
            project=chosen.get((category, kind, PROJECT, project_id)),
            organization=of_organization.get((category, kind)),
            account=chosen.get((category, kind, ACCOUNT, 0)),
            instance=instance.of(category, kind),
        )

    return Choices(
        alerts=held(ALERTS),
        workflow=held(WORKFLOW),
        wants_own=held(OWN_ACTIVITY).value == "on",
        fatal_rings=held(FATAL_RINGS).value == "on",
        kinds_off=frozenset(kind for kind in WORKFLOW_SWITCHES if held(WORKFLOW, kind).value == "off"),
        batching=held(BATCHING),
        health=held(HEALTH),
        deploys=held(DEPLOYS),
    )


def claims(session: Session, user: User) -> bool:
    """Whether an issue that nobody has becomes this person's when they resolve it."""
    own = setting_of(session, user, CLAIM)
    instance = session.get(NotificationDefault, (CLAIM, ""))
    held = in_force(CLAIM, account=own.value if own else None, instance=instance.value if instance else None)
    return held.value == "on"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of a settings page: what is chosen here, what would hold without it, what holds now."""

    category: str
    kind: str
    place: Place | None
    chosen: str | None
    inherited: InForce
    now: InForce
    version: int
    via: str | None
    updated_at: datetime | None
    updated_by_id: int | None

    @property
    def key(self) -> Key:
        return self.category, self.kind, *where(self.place)


def where(place: Place | None) -> tuple[str, int]:
    """The scope of a choice, and the id of what it is for."""
    if place is None:
        return ACCOUNT, 0
    return (PROJECT if isinstance(place, Project) else ORGANIZATION), place.id


def account_rows(
    session: Session, user: User, lines: Sequence[tuple[str, str]], instance: Defaults
) -> list[SettingRow]:
    """The account's own lines, each for a category and kind, with one query for all of them."""
    found = {
        (setting.category, setting.kind): setting
        for setting in session.scalars(_of(user).where(NotificationSetting.scope == ACCOUNT))
    }
    return [
        _row(category, kind, None, found.get((category, kind)), instance.in_force(category, kind))
        for category, kind in lines
    ]


def account_row(
    session: Session, user: User, category: str, instance: Defaults, kind: str = ""
) -> SettingRow:
    """The account's own line for a category."""
    [row] = account_rows(session, user, [(category, kind)], instance)
    return row


def place_rows(
    session: Session, user: User, category: str, places: Sequence[Place], instance: Defaults
) -> list[SettingRow]:
    """A line for each project or organization, with a constant number of queries."""
    account = account_row(session, user, category, instance).now
    found = {
        (setting.scope, setting.scope_id): setting
        for setting in session.scalars(
            _of(user).where(
                NotificationSetting.category == category,
                NotificationSetting.kind == "",
                NotificationSetting.scope != ACCOUNT,
            )
        )
    }
    return [_row(category, "", place, found.get(where(place)), account) for place in places]


def _row(
    category: str, kind: str, place: Place | None, setting: NotificationSetting | None, inherited: InForce
) -> SettingRow:
    return SettingRow(
        category=category,
        kind=kind,
        place=place,
        chosen=setting.value if setting else None,
        inherited=inherited,
        now=InForce(setting.value, setting.scope) if setting else inherited,
        version=setting.version if setting else 0,
        via=setting.via if setting else None,
        updated_at=setting.updated_at if setting else None,
        updated_by_id=setting.updated_by_id if setting else None,
    )


def lock(session: Session, user: User) -> None:
    """One change of a person's settings at a time: two at once would both find nothing to replace."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())


def choose(
    session: Session,
    user: User,
    category: str,
    value: str | None,
    *,
    project: Project | None = None,
    organization: Organization | None = None,
    kind: str = "",
    via: str,
    now: datetime,
    by: User | None = None,
    batch: str = "",
    put_back: Chosen | None = None,
) -> str | None:
    """Choose a value, or None for "Default"; what was chosen before is returned, for Undo.

    `batch` ties together what one action changed. With `put_back` the value is as it was chosen once: by
    that way, at that time. Raises `Refused` for a value that the category does not have.
    """
    place = project or organization
    _check(category, kind, value, place)
    scope, scope_id = where(place)
    setting = find(session, user, (category, kind, scope, scope_id))
    old = setting.value if setting else None
    if old == value:
        return old
    actor_id = (by or user).id
    changed = put_back.marks if put_back else {"updated_at": now, "updated_by_id": actor_id, "via": via}
    key = {"user_id": user.id, "category": category, "kind": kind, "scope": scope, "scope_id": scope_id}
    _store(session, setting, value, key, changed)
    detail: dict[str, Any] = {"batch": batch} if batch else {}
    if put_back:
        detail |= {PUT_BACK: {"via": put_back.via, "at": put_back.at.isoformat()}}
    auditing.note(
        session,
        user.id,
        category,
        kind=kind,
        by_id=actor_id,
        at=now,
        via=via,
        place=(scope, scope_id),
        old=old,
        new=value,
        detail=detail,
    )
    session.flush()
    if category == BATCHING:
        pacing.shorten(session, user, value)
    return old


def _store(
    session: Session,
    setting: NotificationSetting | None,
    value: str | None,
    key: Mapping[str, Any],
    changed: Mapping[str, Any],
) -> None:
    """Write a value over the row there is, or a row; no value, no row."""
    if setting is None:
        session.add(NotificationSetting(**key, **changed, value=value))
    elif value is None:
        session.delete(setting)
    else:
        setting.value, setting.version = value, setting.version + 1
        for name, new in changed.items():
            setattr(setting, name, new)


def setting_of(
    session: Session,
    user: User,
    category: str,
    *,
    kind: str = "",
    project_id: int = 0,
    organization_id: int = 0,
) -> NotificationSetting | None:
    """What the person chose for a project or an organization, or for the account if there is none (0)."""
    if project_id:
        return find(session, user, (category, kind, PROJECT, project_id))
    if organization_id:
        return find(session, user, (category, kind, ORGANIZATION, organization_id))
    return find(session, user, (category, kind, ACCOUNT, 0))


def find(session: Session, user: User, key: Key) -> NotificationSetting | None:
    category, kind, scope, scope_id = key
    return session.scalar(
        _of(user).where(
            NotificationSetting.category == category,
            NotificationSetting.kind == kind,
            NotificationSetting.scope == scope,
            NotificationSetting.scope_id == scope_id,
        )
    )


def _of(user: User) -> Select[NotificationSetting]:
    return select(NotificationSetting).where(NotificationSetting.user_id == user.id)


def _check(category: str, kind: str, value: str | None, place: Place | None) -> None:
    check(category, kind, value)
    if isinstance(place, Project) and category not in PER_PROJECT:
        raise Refused(f"“{category}” is not set project by project.")
    if isinstance(place, Organization) and category not in PER_ORGANIZATION:
        raise Refused(f"“{category}” is not set organization by organization.")
    if place and kind:
        raise Refused("Kinds of workflow changes are set for the account.")


def check(category: str, kind: str, value: str | None) -> None:
    """`Refused`, unless there is such a setting and it has this value."""
    if category not in VALUES:
        raise Refused(f"“{category}” is no kind of notification. There are: {', '.join(VALUES)}.")
    if kind and (category != WORKFLOW or kind not in WORKFLOW_SWITCHES):
        raise Refused(f"“{kind}” is no workflow change. There are: {', '.join(WORKFLOW_SWITCHES)}.")
    allowed = values(category, kind)
    if value is not None and value not in allowed:
        raise Refused(f"“{value}” is not a choice for {category}. Choose one of: {', '.join(allowed)}.")
