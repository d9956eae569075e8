"""What people chose. An absent row inherits; a row equal to "Default" is never written."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Keyed


class NotificationSetting(Keyed):
    """One choice: category (alerts, workflow, own_activity…) at a scope (account, project, organization).

    `scope_id` is 0 for the account, so that the unique key also holds there: NULLs never collide.
    """

    __tablename__ = "notification_settings"
    __table_args__ = (UniqueConstraint("user_id", "category", "kind", "scope", "scope_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    category: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16), default="")
    scope: Mapped[str] = mapped_column(String(12))
    scope_id: Mapped[int] = mapped_column(default=0)
    value: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    via: Mapped[str] = mapped_column(String(12))


class NotificationDefault(Base):
    """The instance's own default for a category; beats the environment, loses to what anybody chose."""

    __tablename__ = "notification_defaults"

    category: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True, default="")
    value: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=1)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    set_at: Mapped[datetime]

    set_by: Mapped[User | None] = relationship()


class EmailRoute(Base):
    """The address that a person wants a project's mail at, instead of the primary one."""

    __tablename__ = "email_routes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    address_id: Mapped[int] = mapped_column(ForeignKey("email_addresses.id", ondelete="CASCADE"), index=True)


class QuietHours(Keyed):
    """Hours in which a person's mail is held, on the clock of that person's own time zone.

    `days` are those on which it begins, Monday 0; minutes count from midnight. One that ends at or before
    its start ends on the next day.
    """

    __tablename__ = "quiet_hours"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    days: Mapped[list[Any]]
    start_minute: Mapped[int]
    end_minute: Mapped[int]


class OnCall(Base):
    """A person who said "on call now": quiet hours do not hold for them until then."""

    __tablename__ = "on_call"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]


class IssueMute(Base):
    """An issue that one person does not want to hear of for a while.

    It ends at `until`, or when the issue has more than `event_limit` events in an hour, whichever is first.
    """

    __tablename__ = "issue_mutes"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    until: Mapped[datetime | None]
    event_limit: Mapped[int | None]
    created_at: Mapped[datetime]


class Subscription(Keyed):
    """A person and an issue: subscribed with a set of reasons, or explicitly unsubscribed."""

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("issue_id", "user_id"), Index("ix_subscriptions_user", "user_id"))

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(12))  # subscribed, unsubscribed
    reasons: Mapped[list[str]]
    updated_at: Mapped[datetime]
    via: Mapped[str] = mapped_column(String(12))

    user: Mapped[User] = relationship()


class SettingAudit(Keyed):
    """Who changed what about whose notifications, and by which way."""

    __tablename__ = "setting_audit"
    __table_args__ = (Index("ix_setting_audit_user", "user_id", "id"),)

    at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    category: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16), default="")
    scope: Mapped[str] = mapped_column(String(12))
    scope_id: Mapped[int] = mapped_column(default=0)
    old: Mapped[str | None] = mapped_column(String(16))
    new: Mapped[str | None] = mapped_column(String(16))
    via: Mapped[str] = mapped_column(String(12))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
