"""Alert rules, the owners of code, and what keeps alerts calm: mutes, pauses, paces and storms."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Keyed
from app.models.projects import Project


class AlertRule(Keyed):
    """What rings, and for whom. `conditions`, `filters` and `actions` are as the API writes them.

    `repeats`: "interval" (at most every `frequency_minutes` for an issue; 0 is every time), "once" for an
    issue, or "until_resolved": once until the issue is resolved. A reason that is set makes the rule
    required, or lets it interrupt quiet hours.
    """

    __tablename__ = "alert_rules"
    __table_args__ = (Index("ix_alert_rules_active", "project_id", "is_active"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    environment: Mapped[str | None] = mapped_column(String(64))
    condition_match: Mapped[str] = mapped_column(String(4), default="all")
    conditions: Mapped[list[dict[str, Any]]]
    filter_match: Mapped[str] = mapped_column(String(4), default="all")
    filters: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    actions: Mapped[list[dict[str, Any]]]
    frequency_minutes: Mapped[int] = mapped_column(default=30)
    repeats: Mapped[str] = mapped_column(String(16), default="interval")
    required_reason: Mapped[str | None] = mapped_column(String(200))
    interrupt_reason: Mapped[str | None] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    trouble: Mapped[str | None] = mapped_column(String(255))  # why it could not be evaluated the last time
    trouble_at: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    created_by: Mapped[User | None] = relationship()


class RuleVersion(Keyed):
    """A rule as it was from a moment on. `content` is the whole rule as the API writes it."""

    __tablename__ = "rule_versions"
    __table_args__ = (UniqueConstraint("rule_id", "version"),)

    rule_id: Mapped[int] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    via: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]

    by: Mapped[User | None] = relationship()


class RuleTemplate(Keyed):
    """A rule that new projects of an organization start with, instead of the usual one."""

    __tablename__ = "rule_templates"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    content: Mapped[dict[str, Any]]


class RuleMute(Keyed):
    """A rule that rings for nobody (`user_id` null), or not for one person, for a while."""

    __tablename__ = "rule_mutes"
    __table_args__ = (
        UniqueConstraint("rule_id", "user_id"),
        Index(
            "uq_rule_mutes_everyone",
            "rule_id",
            unique=True,
            sqlite_where=text("user_id IS NULL"),
            postgresql_where=text("user_id IS NULL"),
        ),
    )

    rule_id: Mapped[int] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    until: Mapped[datetime | None]  # null: until somebody ends it
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    rule: Mapped[AlertRule] = relationship()
    by: Mapped[User | None] = relationship(foreign_keys=[by_id])


class RuleFiring(Base):
    """When a rule last fired for an issue; claimed with one conditional update."""

    __tablename__ = "rule_firings"

    rule_id: Mapped[int] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    last_fired: Mapped[datetime]


class Ownership(Base):
    """Whose code is whose in a project: the text people wrote, and what follows from it.

    `fallthrough`: where no line names anybody, all members are told, else nobody. `only_assignee`: an alert
    about an issue that somebody is assigned to goes to them instead of its owners.
    """

    __tablename__ = "ownerships"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    raw: Mapped[str] = mapped_column(Text, default="")
    fallthrough: Mapped[bool] = mapped_column(default=True)
    auto_assign: Mapped[bool] = mapped_column(default=False)
    only_assignee: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    updated_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    updated_by: Mapped[User | None] = relationship()


class OwnershipVersion(Keyed):
    """A project's owners as they were from a moment on; `content` as the API writes them."""

    __tablename__ = "ownership_versions"
    __table_args__ = (UniqueConstraint("project_id", "version"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    via: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]

    by: Mapped[User | None] = relationship()


class Codeowners(Base):
    """An imported CODEOWNERS file. Its lines come before those that people wrote.

    `names` maps the file's names to `#team` or an address; `source_root` is where the repository's root is
    found in stack traces, as [path in stack traces, path in the repository].
    """

    __tablename__ = "codeowners"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    raw: Mapped[str] = mapped_column(Text)
    names: Mapped[dict[str, Any]]
    stack_root: Mapped[str] = mapped_column(String(200), default="")
    source_root: Mapped[str] = mapped_column(String(200), default="")
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    updated_at: Mapped[datetime]


class Pause(Keyed):
    """A maintenance window: from one moment to another, or every week at the same times of its zone.

    While it lasts rules fire, and what they would tell is held to its end. `scope`: "alerts" (and
    regressions), or "all" notices of the project. Null environment: whichever.
    """

    __tablename__ = "pauses"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    environment: Mapped[str | None] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(8), default="alerts")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    weekly: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    summed_up_at: Mapped[datetime | None]  # up to when integrations were told what it had held

    created_by: Mapped[User | None] = relationship()


class AlertPace(Base):
    """When a person was last sent alerts of a project: the first goes at once, the rest together."""

    __tablename__ = "alert_paces"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    sent_at: Mapped[datetime]
