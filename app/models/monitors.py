"""Monitors: jobs that check in, what is expected of them, and the check-ins themselves."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain import monitors
from app.models.base import Keyed
from app.models.projects import Project

_OPEN = text("status = 'in_progress'")


class Monitor(Keyed):
    """A job. Without a schedule it was only heard of: nothing is expected of it yet.

    `is_sent`: its check-ins may change its settings, and what people change lasts until the next one.
    """

    __tablename__ = "monitors"
    __table_args__ = (UniqueConstraint("project_id", "slug"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(128))
    schedule_kind: Mapped[str] = mapped_column(String(8), default="")  # crontab, interval
    schedule_text: Mapped[str] = mapped_column(String(100), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    margin: Mapped[int]  # minutes
    max_runtime: Mapped[int]  # minutes
    failure_threshold: Mapped[int]
    recovery_threshold: Mapped[int]
    is_sent: Mapped[bool] = mapped_column(default=False)
    is_paused: Mapped[bool] = mapped_column(default=False)  # nothing is expected
    is_muted: Mapped[bool] = mapped_column(default=False)  # failures make no events
    notes: Mapped[list[str]] = mapped_column(default=list)  # what of the settings that were sent is wrong
    created_at: Mapped[datetime]

    project: Mapped[Project] = relationship(lazy="joined")
    environments: Mapped[list["MonitorEnvironment"]] = relationship(
        viewonly=True, order_by="MonitorEnvironment.name"
    )


class MonitorEnvironment(Keyed):
    """A monitor in one environment. `wake_at`: when somebody must look, as nothing may come by itself."""

    __tablename__ = "monitor_environments"
    __table_args__ = (
        UniqueConstraint("monitor_id", "name"),
        Index("ix_monitor_environments_wake", "wake_at"),
        Index("ix_monitor_environments_hash", "hash"),
    )

    monitor_id: Mapped[int] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(32), default="")  # of the issue that its failures are
    status: Mapped[str] = mapped_column(String(8), default=monitors.WAITING)  # waiting, ok, failing
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    successes: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    event_at: Mapped[datetime | None]  # when the last failure was that made an event
    last_check_in_at: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]

    monitor: Mapped[Monitor] = relationship(lazy="joined")


class CheckIn(Keyed):
    """A run of a job, or one that did not come. `key` is the client's own id where it sent one."""

    __tablename__ = "check_ins"
    __table_args__ = (
        UniqueConstraint("monitor_id", "key"),
        Index("ix_check_ins_newest", "environment_id", "started_at", "id"),
        Index("ix_check_ins_started", "started_at"),
        Index(
            "ix_check_ins_open",
            "environment_id",
            "timeout_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    monitor_id: Mapped[int] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("monitor_environments.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(11))  # in_progress, ok, error, missed, timeout
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]
    timeout_at: Mapped[datetime | None]  # of an open one
    duration: Mapped[int | None] = mapped_column(BigInteger)  # milliseconds
    release: Mapped[str] = mapped_column(String(200), default="")
    event_id: Mapped[str | None] = mapped_column(String(32))  # of the event that its failure made

    environment: Mapped[MonitorEnvironment] = relationship()
