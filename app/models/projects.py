"""Organizations, teams, projects, and the keys with which SDKs send events."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.scrubbing import SAFE_FIELDS
from app.models.accounts import User
from app.models.base import Base, Keyed

if TYPE_CHECKING:
    from app.models.alerting import Pause

team_projects = Table(
    "team_projects",
    Base.metadata,
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True),
)

invitation_teams = Table(
    "invitation_teams",
    Base.metadata,
    Column("invitation_id", ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Organization(Keyed):
    __tablename__ = "organizations"

    slug: Mapped[str] = mapped_column(String(50), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    enhanced_privacy: Mapped[bool] = mapped_column(default=False)  # mails carry no event data
    created_at: Mapped[datetime]


class Membership(Keyed):
    """Roles, low to high: billing, member, admin, manager, owner."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("organization_id", "user_id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16), default="member")
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="joined")
    user: Mapped[User] = relationship(lazy="joined")


class Invitation(Keyed):
    """Somebody asked in by mail. They belong to nothing before they accept, and then this row goes.

    An address, not an account: whether there is one is nobody's business. Of the link's secret only its
    SHA-256 is kept.
    """

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("organization_id", "address"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="joined")
    teams: Mapped[list["Team"]] = relationship(secondary=invitation_teams, order_by="Team.slug")


class Team(Keyed):
    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("organization_id", "slug"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="joined")
    projects: Mapped[list["Project"]] = relationship(secondary=team_projects, back_populates="teams")


class TeamMember(Base):
    __tablename__ = "team_members"

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Project(Keyed):
    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("organization_id", "slug"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    platform: Mapped[str] = mapped_column(String(32), default="other")
    subject_prefix: Mapped[str] = mapped_column(String(64), default="")
    subject_template: Mapped[str] = mapped_column(String(200), default="")
    mail_detail: Mapped[str] = mapped_column(String(8), default="full")  # full, counts, link
    resolve_age_hours: Mapped[int] = mapped_column(default=0)  # 0: issues are never resolved by age
    # Who hears of a fatal alert that would wake nobody; without either, all members of the project.
    last_resort_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_resort_team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id", ondelete="SET NULL"))
    scrub_data: Mapped[bool] = mapped_column(default=True)
    store_ips: Mapped[bool] = mapped_column(default=True)
    sensitive_fields: Mapped[list[str]] = mapped_column(default=list)
    safe_fields: Mapped[list[str]] = mapped_column(default=lambda: list(SAFE_FIELDS))
    allowed_origins: Mapped[list[str]] = mapped_column(default=list)
    # The first alert goes to a person at once, those that follow come together: minutes between messages.
    digest_minimum: Mapped[int] = mapped_column(default=5)
    digest_maximum: Mapped[int] = mapped_column(default=5)
    last_issue_number: Mapped[int] = mapped_column(default=0)
    first_event_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="joined")
    teams: Mapped[list[Team]] = relationship(
        secondary=team_projects, back_populates="projects", order_by="Team.slug"
    )
    pauses: Mapped[list["Pause"]] = relationship(viewonly=True)


class ProjectKey(Keyed):
    """What a DSN names. `public` is 32 lower-case hex digits: some SDKs refuse anything else."""

    __tablename__ = "project_keys"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    public: Mapped[str] = mapped_column(String(32), unique=True)
    label: Mapped[str] = mapped_column(String(64), default="Default")
    is_active: Mapped[bool] = mapped_column(default=True)
    rate_limit_count: Mapped[int | None]
    rate_limit_window: Mapped[int | None]  # seconds
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]  # to within a minute

    project: Mapped[Project] = relationship(lazy="joined")


class Environment(Keyed):
    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    first_seen: Mapped[datetime]
