"""Issues, the events they stand for, and the counts that pages read."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain import priority
from app.models.accounts import User
from app.models.base import Base, BigKey, Keyed, only
from app.models.projects import Project, Team
from app.models.releases import Commit, Release


def _priority(context: Any) -> int:
    """Of a row that is about to be inserted."""
    row = context.get_current_parameters()
    return priority.of(row.get("times_seen") or 0, row["last_seen"])


_STREAM = ("project_id", "status", "last_seen", "id")


class Issue(Keyed):
    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        Index("ix_issues_short_id", "short_id"),
        # The stream: one status of one project, in each of its orders, by cursor.
        Index("ix_issues_stream", *_STREAM),
        Index("ix_issues_newest", "project_id", "status", "first_seen", "id"),
        Index("ix_issues_most_events", "project_id", "status", "times_seen", "id"),
        Index("ix_issues_most_users", "project_id", "status", "users_seen", "id"),
        Index("ix_issues_priority", "project_id", "status", "priority", "id"),
        # Most issues are nobody's: without them SQLite knows how few a person has.
        Index(
            "ix_issues_assignee",
            "assignee_user_id",
            "status",
            "last_seen",
            "id",
            **only("assignee_user_id IS NOT NULL"),
        ),
        # Marks that few of them bear.
        Index("ix_issues_regressed", *_STREAM, **only("regressed_at IS NOT NULL")),
        Index("ix_issues_escalated", *_STREAM, **only("escalated_at IS NOT NULL")),
        Index("ix_issues_untold", *_STREAM, **only("NOT told", on_sqlite="told = 0")),
        Index("ix_issues_first_release", "project_id", "first_release", "status"),
        Index("ix_issues_leaving", "id", **only("status IN ('merging', 'deleting')")),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    number: Mapped[int]
    short_id: Mapped[str] = mapped_column(String(64))  # as it was made; a renamed project keeps it
    title: Mapped[str] = mapped_column(String(255))
    culprit: Mapped[str] = mapped_column(String(200), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[str] = mapped_column(String(8))
    type: Mapped[str] = mapped_column(String(8), default="error")
    logger: Mapped[str] = mapped_column(String(64), default="")
    platform: Mapped[str] = mapped_column(String(64), default="other")
    details: Mapped[dict[str, Any]]  # type, value, filename and function of what went wrong
    status: Mapped[str] = mapped_column(String(10), default="unresolved")
    regressed_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]  # when the condition of its ignore was met
    resolved_at: Mapped[datetime | None]
    last_resolved_at: Mapped[datetime | None]  # stays when it is reopened
    reappears: Mapped[bool] = mapped_column(default=False)  # a timed ignore ended; its next event is told of
    active_at: Mapped[datetime]  # when it last became unresolved
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    times_seen: Mapped[int] = mapped_column(default=0)
    users_seen: Mapped[int] = mapped_column(default=0)
    # The order of that name, which changes with what it is made of; what people call the issue's priority is
    # its importance: high, medium or low, as somebody chose, or by its level (`domain/importance.py`).
    priority: Mapped[int] = mapped_column(BigInteger, default=_priority)
    importance: Mapped[str | None] = mapped_column(String(6))
    comment_count: Mapped[int] = mapped_column(default=0)
    # Its latest notice, to anybody: see `telling`.
    told: Mapped[bool] = mapped_column(default=False, server_default=false())
    first_release: Mapped[str | None] = mapped_column(String(200))
    last_release: Mapped[str | None] = mapped_column(String(200))
    assignee_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    assignee_team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id", ondelete="SET NULL"))
    auto_assign_off: Mapped[bool] = mapped_column(default=False)  # somebody took an assignment away
    flapping_until: Mapped[datetime | None]  # it comes back again and again: regressions are told seldom
    # Mail threading: one frozen subject, and a root that is renewed before mail programs cap the thread.
    mail_subject: Mapped[str | None] = mapped_column(String(255))
    mail_epoch: Mapped[int] = mapped_column(default=1)
    mail_count: Mapped[int] = mapped_column(default=0)
    mailed_at: Mapped[datetime | None]

    project: Mapped[Project] = relationship(lazy="joined")
    assignee_user: Mapped[User | None] = relationship(foreign_keys=[assignee_user_id])
    assignee_team: Mapped[Team | None] = relationship(foreign_keys=[assignee_team_id])


class Resolution(Base):
    """How an issue was resolved, where that is more than "now" (`notifications.md` 1 and 2.4).

    `release_id` is the release it is resolved in; for `in_next_release` and pending, the newest one at
    the time.
    """

    __tablename__ = "resolutions"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # in_next_release, in_release, in_commit
    state: Mapped[str] = mapped_column(String(8))  # pending, resolved
    release_id: Mapped[int | None] = mapped_column(ForeignKey("releases.id", ondelete="SET NULL"), index=True)
    commit_id: Mapped[int | None] = mapped_column(ForeignKey("commits.id", ondelete="SET NULL"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    release: Mapped[Release | None] = relationship()
    commit: Mapped[Commit | None] = relationship()


class IgnoreCondition(Base):
    """What ends an ignore by itself; an issue that is ignored for ever has none. The first one met ends it.

    Windows are minutes. `worse_than` is the limit of "until it gets worse", as people were shown it.
    """

    __tablename__ = "ignore_conditions"
    __table_args__ = (Index("ix_ignore_conditions_until", "until"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    until: Mapped[datetime | None]
    event_count: Mapped[int | None]
    event_window: Mapped[int | None]
    user_count: Mapped[int | None]
    user_window: Mapped[int | None]
    worse_than: Mapped[int | None]
    events_before: Mapped[int] = mapped_column(default=0)
    users_before: Mapped[int] = mapped_column(default=0)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]


class Tombstone(Keyed):
    """An issue that was discarded: events with its fingerprints are dropped as they come."""

    __tablename__ = "tombstones"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    short_id: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(255))
    culprit: Mapped[str] = mapped_column(String(200), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    actor: Mapped[User | None] = relationship()


class IssueRedirect(Base):
    """An issue that was merged into another one; its address and short id still lead there."""

    __tablename__ = "issue_redirects"
    __table_args__ = (Index("ix_issue_redirects_short_id", "short_id"),)

    from_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    short_id: Mapped[str] = mapped_column(String(64))
    to_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)


class IssueCommit(Base):
    """A commit that is said to fix an issue: it resolves it with its release, unless somebody refuted it."""

    __tablename__ = "issue_commits"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    commit_id: Mapped[int] = mapped_column(
        ForeignKey("commits.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    tie: Mapped[str] = mapped_column(String(12))  # resolves, refuted
    created_at: Mapped[datetime]  # when it became that


class IssueHash(Base):
    """A fingerprint and the issue it belongs to, or the tombstone of a discarded one.

    The unique key is the referee when two events race.
    """

    __tablename__ = "issue_hashes"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(32), primary_key=True)
    hash_version: Mapped[int]
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    tombstone_id: Mapped[int | None] = mapped_column(
        ForeignKey("tombstones.id", ondelete="CASCADE"), index=True
    )


class Event(Keyed):
    """One error report. The columns are what lists read; `body` is the regular form, zstd over JSON."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("project_id", "event_id"),
        Index("ix_events_issue", "issue_id", "timestamp", "id"),
        Index("ix_events_received", "received_at"),
        # What alert rules count: the events and the people of a stretch of time.
        Index("ix_events_window", "issue_id", "received_at", "environment", "user_ident"),
        # The newest of a project, against which rules and owners are tried.
        Index("ix_events_project", "project_id", "received_at"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(32))
    timestamp: Mapped[datetime]
    received_at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(8))
    platform: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(String(255))
    culprit: Mapped[str] = mapped_column(String(200))
    environment: Mapped[str] = mapped_column(String(64), default="")
    release: Mapped[str | None] = mapped_column(String(200))
    user_ident: Mapped[str | None] = mapped_column(String(300))
    hash: Mapped[str] = mapped_column(String(32))
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)

    issue: Mapped[Issue] = relationship()


class Attachment(Keyed):
    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_event", "project_id", "event_id"),
        Index("ix_attachments_created", "created_at"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(128))
    type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    sha1: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Feedback(Keyed):
    """What a person who met an error wrote about it.

    It may arrive before the event that it names, and then belongs to no issue yet.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_project", "project_id", "id"),
        Index("ix_feedback_event", "project_id", "event_id"),
        Index("ix_feedback_issue", "issue_id", "id"),
        Index("ix_feedback_created", "created_at"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    event_id: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    comments: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    issue: Mapped[Issue | None] = relationship()


class IssueHour(Base):
    """Events of an issue in one hour, for sparklines."""

    __tablename__ = "issue_hours"
    __table_args__ = (Index("ix_issue_hours_hour", "hour"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class IssueCount(Base):
    """Events of an issue received in one minute or one hour, by environment: what alert rules count.

    Unlike `IssueHour` by when they came in, and kept as long as they are.
    """

    __tablename__ = "issue_counts"
    __table_args__ = (Index("ix_issue_counts_start", "start"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    minutes: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1 or 60
    start: Mapped[datetime] = mapped_column(primary_key=True)
    environment: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class IssueUser(Base):
    """A distinct person met by an issue; counting them is exact.

    `last_seen` is when the last event of theirs came in; `seen_before`, when the last one did before the
    batch that wrote the row: without it the batch was the first to meet them.
    """

    __tablename__ = "issue_users"
    __table_args__ = (Index("ix_issue_users_last_seen", "issue_id", "last_seen"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    ident: Mapped[str] = mapped_column(String(300), primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    seen_before: Mapped[datetime | None]


class IssueEnvironmentUser(Base):
    """The same for each environment of an issue."""

    __tablename__ = "issue_environment_users"
    __table_args__ = (Index("ix_issue_environment_users_last_seen", "issue_id", "environment", "last_seen"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    ident: Mapped[str] = mapped_column(String(300), primary_key=True)
    environment: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_seen: Mapped[datetime]
    seen_before: Mapped[datetime | None]


class IssueTag(Base):
    """How often an issue was seen with a tag's value."""

    __tablename__ = "issue_tags"
    __table_args__ = (Index("ix_issue_tags_value", "key", "value", "issue_id"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    last_seen: Mapped[datetime]


class IngestCount(Base):
    """Items that reached the stream, by project, hour, category and what became of them.

    What is turned away before that is told to the SDK, and the last of it to the Connect page (`refusals`).
    """

    __tablename__ = "ingest_counts"
    __table_args__ = (Index("ix_ingest_counts_hour", "hour"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(String(32), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class ClientLoss(Base):
    """What SDKs say that they did not send, by project, hour, category and their reason."""

    __tablename__ = "client_losses"
    __table_args__ = (Index("ix_client_losses_hour", "hour"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, default=0)


class IngestCursor(Base):
    """How far a stream is digested. Written in the batch's own transaction, so counts are exact."""

    __tablename__ = "ingest_cursors"

    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    generation: Mapped[str] = mapped_column(String(32))  # of the Redis that holds the stream
    last_id: Mapped[str] = mapped_column(String(48))


class UndigestedEntry(Keyed):
    """A stream entry that could not be digested, kept with the reason so that nothing is lost."""

    __tablename__ = "undigested_entries"

    project_id: Mapped[int | None] = mapped_column(BigKey)
    stream_id: Mapped[str] = mapped_column(String(48))
    error: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
