"""Releases, the commits that they are made of, and their deploys."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Keyed
from app.models.projects import Organization, Project


class Release(Keyed):
    """Exists as soon as an event names it. Ordered by `date_released` if set, else by `date_added`."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("organization_id", "version"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(200))
    date_added: Mapped[datetime]
    date_released: Mapped[datetime | None]
    url: Mapped[str] = mapped_column(String(500), default="")
    ref: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(8), default="open")  # open, archived

    @property
    def order_date(self) -> datetime:
        return self.date_released or self.date_added


class ReleaseProject(Base):
    """A project that has a release.

    A guest came later, without anybody who saw the release: its people see neither commits nor authors.
    The times are those of its events there, and stay when the events are gone. `ordered_at` is the release's
    own, kept here so that the newest of a project are found without reading the others: see `release_order`.
    """

    __tablename__ = "release_projects"
    __table_args__ = (Index("ix_release_projects_newest", "project_id", "ordered_at", "release_id"),)

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    ordered_at: Mapped[datetime] = mapped_column(server_default=text("'1970-01-01 00:00:00'"))
    is_guest: Mapped[bool] = mapped_column(default=False)
    first_event_at: Mapped[datetime | None]
    last_event_at: Mapped[datetime | None]


class ReleaseEnvironment(Base):
    """An environment of a project in which a release was seen."""

    __tablename__ = "release_environments"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    environment: Mapped[str] = mapped_column(String(64), primary_key=True)


class ReleaseWatch(Base):
    """Somebody wants to follow the issues that are first seen in a release until then."""

    __tablename__ = "release_watches"
    __table_args__ = (Index("ix_release_watches_until", "until"),)

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    until: Mapped[datetime]


class Repository(Keyed):
    """Where commits are. It is for the projects that have it, or with `is_shared` for the organization."""

    __tablename__ = "repositories"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(32), default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime | None]
    is_shared: Mapped[bool] = mapped_column(default=False)


class RepositoryProject(Base):
    """Whoever sees the project may use the repository."""

    __tablename__ = "repository_projects"

    repository_id: Mapped[int] = mapped_column(
        ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Commit(Keyed):
    __tablename__ = "commits"
    __table_args__ = (UniqueConstraint("repository_id", "key"), Index("ix_commits_author", "author_email"))

    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))  # sha
    message: Mapped[str] = mapped_column(Text, default="")
    author_name: Mapped[str] = mapped_column(String(200), default="")
    author_email: Mapped[str] = mapped_column(String(254), default="")
    date_added: Mapped[datetime]

    repository: Mapped[Repository] = relationship(lazy="joined")


class ReleaseCommit(Base):
    """A commit of a release, in its order."""

    __tablename__ = "release_commits"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    commit_id: Mapped[int] = mapped_column(
        ForeignKey("commits.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)


class CommitFile(Base):
    """A file that a commit added, modified or deleted."""

    __tablename__ = "commit_files"

    commit_id: Mapped[int] = mapped_column(ForeignKey("commits.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    change: Mapped[str] = mapped_column(String(1))  # A, M, D


class ReleaseHead(Base):
    """Where a release stands in a repository: its newest commit, which need not be known here yet.

    `previous` is the commit after which the release begins there; empty: where the release before it stands.
    """

    __tablename__ = "release_heads"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    repository_id: Mapped[int] = mapped_column(
        ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True
    )
    sha: Mapped[str] = mapped_column(String(64), index=True)
    previous: Mapped[str] = mapped_column(String(64), default="")
    commit_id: Mapped[int | None] = mapped_column(ForeignKey("commits.id", ondelete="SET NULL"), index=True)

    repository: Mapped[Repository] = relationship(lazy="joined")


class Deploy(Keyed):
    """A release that went live in an environment."""

    __tablename__ = "deploys"
    __table_args__ = (Index("ix_deploys_release", "release_id", "id"),)

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    environment: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    date_started: Mapped[datetime | None]
    date_finished: Mapped[datetime]
    created_at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    release: Mapped[Release] = relationship()
    actor: Mapped[User | None] = relationship()


class DeployProject(Base):
    """A project that a deploy is of."""

    __tablename__ = "deploy_projects"

    deploy_id: Mapped[int] = mapped_column(ForeignKey("deploys.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class PushHook(Keyed):
    """Where a provider of repositories tells an organization of pushes: an address, and a secret.

    What it tells of is for one project, or without one for all of the organization.
    """

    __tablename__ = "push_hooks"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(32), unique=True)  # in its address
    secret: Mapped[str] = mapped_column(Text)  # sealed
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    called_at: Mapped[datetime | None]  # when it last came with the right signature
    trouble: Mapped[str] = mapped_column(String(255), default="")  # why what came last could not be used
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))

    organization: Mapped[Organization] = relationship()
    project: Mapped[Project | None] = relationship()


class Push(Keyed):
    """What a provider sent, kept before it was answered; a job makes commits of it."""

    __tablename__ = "pushes"
    __table_args__ = (
        UniqueConstraint("hook_id", "key"),
        Index("ix_pushes_received", "received_at"),
        Index(
            "ix_pushes_waiting",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    hook_id: Mapped[int] = mapped_column(ForeignKey("push_hooks.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(128))
    event: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)

    hook: Mapped[PushHook] = relationship()
