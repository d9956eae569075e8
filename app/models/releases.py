"""Releases, and the commits that they are made of."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Keyed


class Release(Keyed):
    """Exists as soon as an event names it. Ordered by `date_released` if set, else by `date_added`."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("organization_id", "version"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(200))
    date_added: Mapped[datetime]
    date_released: Mapped[datetime | None]

    @property
    def order_date(self) -> datetime:
        return self.date_released or self.date_added


class ReleaseProject(Base):
    __tablename__ = "release_projects"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ReleaseEnvironment(Base):
    """An environment of a project in which a release was seen."""

    __tablename__ = "release_environments"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    environment: Mapped[str] = mapped_column(String(64), primary_key=True)


class Repository(Keyed):
    __tablename__ = "repositories"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(32), default="")
    url: Mapped[str] = mapped_column(String(500), default="")


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
