"""Where else than to people a project's messages go: integrations, as pages call them."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Keyed
from app.models.projects import Project


class Destination(Keyed):
    """A configured target on a channel. `secrets` is encrypted; `settings` holds what is no secret.

    `disabled_reason` is set when Tocsin switched it off, because it does not work; a person who does so
    gives none. While it fails, `failing_since`, `failure_count` and `detail` say since when, how often in a
    row, and how the last time. `held_until`: nothing is tried before.
    `callback_key` is the part of the addresses that the other side calls which nobody guesses.
    """

    __tablename__ = "destinations"
    # Verdicts and rules name it by its id: that of a removed one is never given to another.
    __table_args__ = ({"sqlite_autoincrement": True},)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]]
    enabled: Mapped[bool] = mapped_column(default=True)
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(String(255), default="")
    failing_since: Mapped[datetime | None]
    failure_count: Mapped[int] = mapped_column(default=0)
    detail: Mapped[str] = mapped_column(String(255), default="")
    held_until: Mapped[datetime | None]
    callback_key: Mapped[str] = mapped_column(String(32), unique=True, default=lambda: secrets.token_hex(16))
    delivered_at: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    project: Mapped[Project] = relationship()
    created_by: Mapped[User | None] = relationship()

    @property
    def state(self) -> str:
        """ok, failing or disabled."""
        if not self.enabled:
            return "disabled"
        return "failing" if self.failing_since else "ok"

    @property
    def works_again(self) -> bool:
        """Whether it was switched off because it did not, and something has arrived since."""
        off_at = self.disabled_at if self.disabled_reason else None
        return bool(off_at and self.delivered_at and self.delivered_at > off_at)

    @property
    def since(self) -> datetime | None:
        return self.failing_since if self.enabled else self.disabled_at


class DestinationIssue(Keyed):
    """How an issue stands with a destination. It outlives the issue, so that what is open can be closed.

    `references` are what the other side calls it: the id of a message, of a thread. `is_dropped`: what would
    have opened it never arrived.
    """

    __tablename__ = "destination_issues"
    __table_args__ = (
        UniqueConstraint("destination_id", "lane"),
        Index("ix_destination_issues_lane", "lane"),
    )

    destination_id: Mapped[int] = mapped_column(ForeignKey("destinations.id", ondelete="CASCADE"))
    lane: Mapped[int] = mapped_column(BigInteger)  # the issue's id, as it was
    is_open: Mapped[bool] = mapped_column(default=False)
    is_dropped: Mapped[bool] = mapped_column(default=False)
    references: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changed_at: Mapped[datetime]


class Callback(Keyed):
    """A call of the other side that counts, with what is to be done about it: the inbox of integrations.

    `key` tells calls that come twice. `done_at` null: it is still to be done. What cannot be done is given up
    after some tries, and says why.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        UniqueConstraint("destination_id", "key"),
        Index("ix_callbacks_received", "received_at"),
        Index(
            "ix_callbacks_waiting",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    destination_id: Mapped[int] = mapped_column(ForeignKey("destinations.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(128))
    act: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(255), default="")

    destination: Mapped[Destination] = relationship()


class ChannelAccount(Keyed):
    """Somebody's account on the other side: what it presses there, they did. Only they themselves link it.

    `realm` stands for the app whose secret signs its calls, `team` for the workspace, `account` is its id
    there; `names` are what the other side says it is called. Without a person it was asked for, and waits
    for who opens the link with this secret, signed in, within an hour.
    """

    __tablename__ = "channel_accounts"
    __table_args__ = (UniqueConstraint("realm", "team", "account"),)

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    destination_id: Mapped[int | None] = mapped_column(
        ForeignKey("destinations.id", ondelete="SET NULL"), index=True
    )
    channel: Mapped[str] = mapped_column(String(16))
    realm: Mapped[str] = mapped_column(String(64))
    team: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(64))
    names: Mapped[dict[str, Any]]
    secret_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime]
    linked_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()
    destination: Mapped[Destination | None] = relationship()


class InstanceName(Base):
    """What dedup keys call this instance, by its public address.

    A copy of the database under another address gets a name of its own, and closes nothing of the first.
    """

    __tablename__ = "instance_names"

    url: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(16))
