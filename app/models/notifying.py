"""The flow of a notification as rows: activity, notice, verdict, delivery, attempt.

A row is the only thing one stage leaves for the next, so a stage can be killed at any line.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.alerting import AlertRule
from app.models.base import Keyed, only
from app.models.destinations import Destination
from app.models.issues import Issue
from app.models.projects import Project


def _returned_in(context: Any) -> str | None:
    """Of a row that is about to be inserted."""
    row = context.get_current_parameters()
    return row["data"].get("version") if row["type"] == "set_regression" else None


def _returned_from(context: Any) -> str | None:
    """Of a row that is about to be inserted. What waited for a release was resolved in none."""
    row = context.get_current_parameters()
    is_return = row["type"] == "set_regression" and not row["data"].get("pending")
    return (row["data"].get("than") or None) if is_return else None


class Activity(Keyed):
    """Something that happened to an issue: a row of its timeline."""

    __tablename__ = "activities"
    __table_args__ = (
        Index("ix_activities_issue", "issue_id", "id"),
        Index(
            "ix_activities_returns",
            "project_id",
            "returned_in",
            "issue_id",
            **only("returned_in IS NOT NULL"),
        ),
        Index(
            "ix_activities_undone",
            "project_id",
            "returned_from",
            "issue_id",
            **only("returned_from IS NOT NULL"),
        ),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))  # null: Tocsin
    data: Mapped[dict[str, Any]]
    # The release with whose event the issue came back, as `data` says it too: releases count by it.
    returned_in: Mapped[str | None] = mapped_column(String(200), default=_returned_in)
    # And the release that it had been resolved in until then, in which that counts as done nevertheless.
    returned_from: Mapped[str | None] = mapped_column(String(200), default=_returned_from)
    created_at: Mapped[datetime]

    actor: Mapped[User | None] = relationship()


class Notice(Keyed):
    """Something people may be told. `planned_at` null means: not yet decided who (the outbox)."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("rule_id", "event_id", "issue_id"),
        Index("ix_notices_issue", "issue_id", "id"),
        Index("ix_notices_event", "project_id", "event_id"),
        Index("ix_notices_occurred", "occurred_at"),
        Index(
            "ix_notices_outbox",
            "id",
            **only("planned_at IS NULL"),
        ),
        Index(
            "ix_notices_batch",
            "batch",
            **only("planned_at IS NULL"),
        ),
    )

    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"))
    # As they were, because a notice outlives its issue.
    issue_short_id: Mapped[str | None] = mapped_column(String(64))
    issue_title: Mapped[str | None] = mapped_column(String(255))
    event_id: Mapped[str | None] = mapped_column(String(32))
    activity_id: Mapped[int | None] = mapped_column(
        ForeignKey("activities.id", ondelete="SET NULL"), unique=True
    )
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("alert_rules.id", ondelete="SET NULL"))
    rule_version: Mapped[int | None]
    owners_version: Mapped[int | None]  # of the issue owners that were asked
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    data: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    batch: Mapped[str | None] = mapped_column(String(24))  # made by one action, and planned together
    plan_after: Mapped[datetime | None]  # held back until then, so that the action can be undone
    planned_at: Mapped[datetime | None]
    gate_code: Mapped[str | None] = mapped_column(String(24))
    mail_epoch: Mapped[int] = mapped_column(default=1)

    project: Mapped[Project | None] = relationship()
    issue: Mapped[Issue | None] = relationship()
    activity: Mapped[Activity | None] = relationship()
    rule: Mapped[AlertRule | None] = relationship()
    actor: Mapped[User | None] = relationship()
    verdicts: Mapped[list["Verdict"]] = relationship(back_populates="notice", order_by="Verdict.id")


class Digest(Keyed):
    """Messages that wait for a person, to be sent as one: deferred verdicts point here.

    `key` says what is collected: "quiet", "batch:…" for what one action did to several issues, "alerts:…"
    for alerts of a project, or "cap" where there was too much. One with a key is open at a time; when
    `send_at` comes it is closed, and what is left in it gets its delivery.
    """

    __tablename__ = "digests"
    __table_args__ = (
        Index(
            "uq_digests_open",
            "user_id",
            "key",
            unique=True,
            **only("closed_at IS NULL"),
        ),
        Index(
            "ix_digests_due",
            "send_at",
            **only("closed_at IS NULL"),
        ),
    )

    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(12))  # the key up to its colon
    key: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    opened_at: Mapped[datetime]
    send_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    user: Mapped[User] = relationship()
    verdicts: Mapped[list["Verdict"]] = relationship(back_populates="digest", order_by="Verdict.id")
    delivery: Mapped["Delivery | None"] = relationship(back_populates="digest")

    @property
    def is_asked_for(self) -> bool:
        """Its person wants it now, quiet hours or not."""
        return "asked_for" in self.data


class Verdict(Keyed):
    """The recorded answer for one person on one channel. Silence is one too, with its code."""

    __tablename__ = "verdicts"
    __table_args__ = (
        UniqueConstraint("notice_id", "subject", "subject_id", "channel"),
        Index("ix_verdicts_subject", "subject", "subject_id", "id"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(String(12))  # user, destination
    subject_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(8))  # send, defer, skip, collapse
    code: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any]]
    reasons: Mapped[list[Any]]
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id", ondelete="SET NULL"), index=True)

    digest: Mapped[Digest | None] = relationship(back_populates="verdicts")
    notice: Mapped[Notice] = relationship(back_populates="verdicts")
    delivery: Mapped["Delivery | None"] = relationship(back_populates="verdict")


class Delivery(Keyed):
    """One message on one channel: queued → sending → accepted, or deferred, failed, expired, cancelled."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "ix_deliveries_due",
            "send_at",
            **only("state IN ('queued', 'deferred', 'sending')"),
        ),
        # Most are of no digest: without them SQLite knows how few one has.
        Index("ix_deliveries_digest", "digest_id", **only("digest_id IS NOT NULL")),
        Index("ix_deliveries_user", "user_id", "id"),
        # How many a person was sent within the hour.
        Index("ix_deliveries_lately", "user_id", "created_at"),
        Index("ix_deliveries_destination", "destination_id", "id"),
        Index("ix_deliveries_created", "created_at"),
        Index(
            "ix_deliveries_failed",
            "finished_at",
            **only("state = 'failed'"),
        ),
    )

    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdicts.id", ondelete="CASCADE"), unique=True)
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # An integration that is removed leaves its deliveries behind: `address` is what it was called.
    destination_id: Mapped[int | None] = mapped_column(ForeignKey("destinations.id", ondelete="SET NULL"))
    lane: Mapped[int | None] = mapped_column(BigInteger)  # the issue, within which a destination keeps order
    channel: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(24))
    address: Mapped[str] = mapped_column(String(254))
    data: Mapped[dict[str, Any]]  # of messages that no notice stands behind: sign-in links and the like
    subject: Mapped[str] = mapped_column(String(255), default="")
    message_id: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempt_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    send_at: Mapped[datetime]  # when next to try
    put_off_until: Mapped[datetime | None]  # its lifetime counts from then, where it was not due before
    claimed_until: Mapped[datetime | None]  # a worker holds it until then
    finished_at: Mapped[datetime | None]

    verdict: Mapped[Verdict | None] = relationship(back_populates="delivery")
    digest: Mapped[Digest | None] = relationship(back_populates="delivery")
    user: Mapped[User | None] = relationship()
    destination: Mapped[Destination | None] = relationship()
    attempts: Mapped[list["Attempt"]] = relationship(order_by="Attempt.number")

    @property
    def carried(self) -> list[Verdict]:
        """What it tells: its own verdict, or what is still held in its digest. Nothing for a letter."""
        if self.verdict:
            return [self.verdict]
        held = self.digest.verdicts if self.digest else []
        return [verdict for verdict in held if verdict.outcome == "defer"]


class Attempt(Keyed):
    """One try at sending, with the other side's own words."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(12))  # accepted, deferred, failed, not sent
    code: Mapped[str] = mapped_column(String(16), default="")
    request: Mapped[str] = mapped_column(Text, default="")  # what a destination was asked, without secrets
    response: Mapped[str] = mapped_column(Text, default="")
    milliseconds: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(100), default="")
    peer: Mapped[str] = mapped_column(String(255), default="")


class InboundMessage(Keyed):
    """A mail that somebody sent to Tocsin, kept for a while as it came, and what was made of it."""

    __tablename__ = "inbound_messages"
    __table_args__ = (Index("ix_inbound_messages_received", "received_at"),)

    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16), default="waiting")  # waiting, accepted, refused, ignored
    detail: Mapped[str] = mapped_column(String(255), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"))
    activity_id: Mapped[int | None] = mapped_column(ForeignKey("activities.id", ondelete="SET NULL"))
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Storm(Keyed):
    """Many new issues of a project at once: instead of a message for each there is one that sums up.

    `notice_id` is the latest summary; a new one is made every hour while it lasts.
    """

    __tablename__ = "storms"
    __table_args__ = (
        Index(
            "uq_storms_open",
            "project_id",
            unique=True,
            **only("ended_at IS NULL"),
        ),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id", ondelete="SET NULL"), index=True)
    started_at: Mapped[datetime]
    latest_at: Mapped[datetime]  # of its new issues
    told_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    notice: Mapped[Notice | None] = relationship()
