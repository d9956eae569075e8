"""What people chose. An absent row inherits; a row equal to "Default" is never written."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Keyed


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
