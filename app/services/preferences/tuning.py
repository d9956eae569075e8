"""The rows of a person's notification settings: what is in force, where it comes from, what it was before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.domain import changes, delivery_states, roles
from app.domain.errors import NotFound, Refused, Stale
from app.domain.kinds import KINDS, WORKFLOW_SWITCHES
from app.domain.preferences import (
    ALERTS,
    BATCHING,
    CLAIM,
    DEPLOYS,
    FATAL_RINGS,
    HEALTH,
    OWN_ACTIVITY,
    PER_ORGANIZATION,
    PER_PROJECT,
    SOURCES,
    WORKFLOW,
    values,
)
from app.models import (
    AlertRule,
    Delivery,
    Membership,
    Notice,
    NotificationSetting,
    Organization,
    Project,
    SettingAudit,
    TeamMember,
    User,
    Verdict,
    team_projects,
)
from app.services import access
from app.services.preferences import preferring
from app.services.preferences.preferring import ORGANIZATION, PROJECT, Defaults, Key, Place, SettingRow
from app.services.rules import required_rules

CATEGORIES = (ALERTS, WORKFLOW, DEPLOYS, HEALTH, OWN_ACTIVITY, CLAIM, BATCHING)
FINE_TUNED = (*PER_PROJECT, *PER_ORGANIZATION)
RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Tuned:
    """A row, and what its page adds to it."""

    row: SettingRow
    set_by: str | None = None  # who chose the instance's default, if that is in force
    undo_to: str | None = None  # what was chosen before the last change; None is "Default"
    can_undo: bool = False
    messages: int = 0
    differing: int = 0
    anchor: str = ""
    required: Sequence[AlertRule] = ()  # that ring all the same

    @property
    def name(self) -> str:
        place = self.row.place
        return changes.name(self.row.category, self.row.kind, place.name if place else None)

    @property
    def key(self) -> str:
        """Names the row's controls on its page."""
        return f"{self.row.kind or self.row.category}-{self.row.place.id if self.row.place else 0}"

    @property
    def note(self) -> str:
        """When it rings."""
        return changes.KINDS[self.row.kind][1] if self.row.kind else changes.NOTES[self.row.category]

    @property
    def options(self) -> list[tuple[str, str]]:
        """What can be chosen. "Default" says what it means at present."""
        default = ("", f"Default ({changes.choice(self.row.inherited.value)})")
        found = values(self.row.category, self.row.kind)
        return [default, *((value, changes.choice(value)) for value in found)]

    @property
    def in_force(self) -> str:
        return changes.value(self.row.now.value)

    @property
    def source(self) -> str:
        """Where the value comes from."""
        if self.row.chosen is None:
            return changes.source(self.row.now.source, self.set_by)
        here = SOURCES[preferring.where(self.row.place)[0]] if self.row.place else "your choice"
        way = changes.WAYS.get(self.row.via or "")
        return f"{here}, {way}" if way else here

    @property
    def undo_words(self) -> str:
        return f"{self.name}: back to {changes.value(self.undo_to)}"


@dataclass(frozen=True, slots=True)
class AccountRows:
    """The rows of the account itself."""

    categories: Sequence[Tuned]
    kinds: Sequence[Tuned]


def overview(session: Session, user: User, *, instance: Defaults, now: datetime) -> AccountRows:
    lines = [(category, "") for category in CATEGORIES]
    lines += [(WORKFLOW, kind) for kind in WORKFLOW_SWITCHES]
    rows = preferring.account_rows(session, user, lines, instance)
    tuned = _account(session, user, rows, instance, now)
    return AccountRows(tuned[: len(CATEGORIES)], tuned[len(CATEGORIES) :])


def _account(
    session: Session, user: User, rows: Sequence[SettingRow], instance: Defaults, now: datetime
) -> list[Tuned]:
    undo, differing = _undoable(session, user, now), _differing(session, user)
    return [
        _dressed(row, instance, undo, anchor="", differing=0 if row.kind else differing.get(row.category, 0))
        for row in rows
    ]


def fine_tuned(
    session: Session, user: User, category: str, *, instance: Defaults, now: datetime
) -> list[Tuned]:
    """A row for each place that tells this person anything, with a constant number of queries."""
    found = places(session, user, category)
    return _placed(session, user, category, found, found, instance, now)


def _placed(
    session: Session,
    user: User,
    category: str,
    shown: Sequence[Place],
    every: Sequence[Place],
    instance: Defaults,
    now: datetime,
) -> list[Tuned]:
    undo, named = _undoable(session, user, now), anchors(every)
    messages = _messages(session, user, category, since=now - RECENT)
    project_ids = [each.id for each in shown if isinstance(each, Project)]
    required = required_rules.of(session, user, project_ids) if category == ALERTS else {}
    rows = preferring.place_rows(session, user, category, shown, instance)
    return [
        _dressed(
            row,
            instance,
            undo,
            anchor=named[row.place.id],
            messages=messages.get(row.place.id, 0) if isinstance(row.place, Project) else 0,
            required=required.get(row.place.id, ()),
        )
        for row in rows
        if row.place
    ]


def _dressed(
    row: SettingRow,
    instance: Defaults,
    undo: Mapping[Key, str | None],
    *,
    anchor: str,
    messages: int = 0,
    differing: int = 0,
    required: Sequence[AlertRule] = (),
) -> Tuned:
    inherits = row.now.source == "instance"
    tuned = Tuned(
        row,
        set_by=instance.setter(row.category, row.kind) if inherits else None,
        messages=messages,
        differing=differing,
        anchor=anchor,
        required=required,
    )
    return replace(tuned, undo_to=undo[row.key], can_undo=True) if row.key in undo else tuned


def account_row(session: Session, user: User, category: str, instance: Defaults) -> Tuned:
    """What the account says, for the head of a page."""
    return _dressed(preferring.account_row(session, user, category, instance), instance, {}, anchor="")


def anchors(places: Sequence[Place]) -> Mapping[int, str]:
    """A name in the page for each row: `p-shop`. Of two projects with one slug, one has a longer name."""
    named: dict[str, int] = {}
    for place in places:
        is_project = isinstance(place, Project)
        short = f"{'p' if is_project else 'o'}-{place.slug}"
        longer = f"p-{place.organization.slug}-{place.slug}" if isinstance(place, Project) else short
        named.setdefault(longer if short in named else short, place.id)
    return {id_: anchor for anchor, id_ in named.items()}


def places(session: Session, user: User, category: str) -> Sequence[Place]:
    """Where the category can be set otherwise than for the account."""
    return organizations(session, user) if category in PER_ORGANIZATION else projects(session, user)


def place(session: Session, user: User, scope: str, id_: int) -> Place:
    """A project in one of the person's teams, or an organization that has them; else `NotFound`."""
    found: Place | None = None
    if scope == PROJECT:
        found = session.scalar(_projects(user).where(Project.id == id_))
    elif scope == ORGANIZATION:
        found = session.scalar(_organizations(user).where(Organization.id == id_))
    if found is None:
        raise NotFound
    return found


def project(session: Session, user: User, project_id: int) -> Project:
    """A project in one of the person's teams; else `NotFound`."""
    found = session.scalar(_projects(user).where(Project.id == project_id))
    if found is None:
        raise NotFound
    return found


def projects(session: Session, user: User) -> Sequence[Project]:
    """The projects that tell this person anything, by organization."""
    found = _projects(user).join(Project.organization).options(contains_eager(Project.organization))
    return session.scalars(found.order_by(Organization.name, Organization.id, Project.name, Project.id)).all()


def organizations(session: Session, user: User) -> Sequence[Organization]:
    """The organizations that have this person and show them projects."""
    return session.scalars(_organizations(user).order_by(Organization.name, Organization.id)).all()


def change(
    session: Session,
    user: User,
    category: str,
    value: str | None,
    *,
    kind: str,
    where: Place | None,
    version: int,
    via: str,
    now: datetime,
) -> None:
    """Choose, if the row is as it was shown: `Stale` if not, `Refused` for a value that does not exist."""
    preferring.lock(session, user)
    if category not in (*CATEGORIES, FATAL_RINGS) or (kind and kind not in WORKFLOW_SWITCHES):
        raise Refused("There is no such setting here.")
    project, organization = split(where)
    setting = preferring.setting_of(
        session,
        user,
        category,
        kind=kind,
        project_id=project.id if project else 0,
        organization_id=organization.id if organization else 0,
    )
    if (setting.version if setting else 0) != version:
        raise Stale
    preferring.choose(
        session,
        user,
        category,
        value,
        project=project,
        organization=organization,
        kind=kind,
        via=via,
        now=now,
    )


def split(place: Place | None) -> tuple[Project | None, Organization | None]:
    """A place as one of the two that it can be."""
    return (
        place if isinstance(place, Project) else None,
        place if isinstance(place, Organization) else None,
    )


def one(
    session: Session,
    user: User,
    category: str,
    *,
    kind: str,
    where: Place | None,
    instance: Defaults,
    now: datetime,
) -> Tuned:
    """The row as it is now."""
    if where is None:
        row = preferring.account_row(session, user, category, instance, kind)
        return _account(session, user, [row], instance, now)[0]
    every = places(session, user, category)
    return _placed(session, user, category, [where], every, instance, now)[0]


def _projects(user: User) -> Select[Project]:
    mine = (
        select(team_projects.c.project_id)
        .join(TeamMember, TeamMember.team_id == team_projects.c.team_id)
        .where(TeamMember.user_id == user.id)
    )
    return select(Project).where(access.sees_project(user), Project.id.in_(mine))


def _organizations(user: User) -> Select[Organization]:
    mine = select(Membership.organization_id).where(
        Membership.user_id == user.id, Membership.role.not_in(roles.SEES_NO_PROJECT)
    )
    return select(Organization).where(Organization.id.in_(mine))


def _differing(session: Session, user: User) -> Mapping[str, int]:
    """For how many places the person chose something of their own, by category."""
    reachable = or_(
        (NotificationSetting.scope == PROJECT)
        & NotificationSetting.scope_id.in_(_projects(user).with_only_columns(Project.id)),
        (NotificationSetting.scope == ORGANIZATION)
        & NotificationSetting.scope_id.in_(_organizations(user).with_only_columns(Organization.id)),
    )
    counted = (
        select(NotificationSetting.category, func.count())
        .where(NotificationSetting.user_id == user.id, reachable)
        .group_by(NotificationSetting.category)
    )
    return {category: count for category, count in session.execute(counted)}


def _undoable(session: Session, user: User, now: datetime) -> Mapping[Key, str | None]:
    """What was chosen before the last change of each setting, if that was lately."""
    newest = (
        select(func.max(SettingAudit.id))
        .where(SettingAudit.user_id == user.id, SettingAudit.at > now - RECENT)
        .group_by(SettingAudit.category, SettingAudit.kind, SettingAudit.scope, SettingAudit.scope_id)
    )
    found = session.scalars(select(SettingAudit).where(SettingAudit.id.in_(newest)))
    return {(audit.category, audit.kind, audit.scope, audit.scope_id): audit.old for audit in found}


def _messages(session: Session, user: User, category: str, *, since: datetime) -> Mapping[int, int]:
    """How many messages of the category arrived, by project; one that gathers several counts in each."""
    kinds = [kind.name for kind in KINDS.values() if kind.category == category]
    carries = or_(Delivery.verdict_id == Verdict.id, Delivery.digest_id == Verdict.digest_id)
    counted = (
        select(Notice.project_id, func.count(Delivery.id.distinct()))
        .select_from(Delivery)
        .join(Verdict, carries)
        .join(Notice, Notice.id == Verdict.notice_id)
        .where(
            Delivery.user_id == user.id,
            Delivery.state == delivery_states.ACCEPTED,
            Delivery.created_at > since,
        )
        .where(Notice.kind.in_(kinds), Notice.project_id.is_not(None))
        .group_by(Notice.project_id)
    )
    return {project_id: count for project_id, count in session.execute(counted) if project_id}
