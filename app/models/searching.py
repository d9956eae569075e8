"""What searching reads beside issues and tags, and the searches that people keep."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.accounts import User
from app.models.base import Base, Keyed


class IssueText(Base):
    """Title, culprit and message of an issue in small letters, a line each: where words are looked for.

    SQLite keeps an index of it in `issue_words`, PostgreSQL one by trigrams where it may have the extension;
    the migration makes them.
    """

    __tablename__ = "issue_texts"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class IssueTrait(Base):
    """What at least one event of an issue says of itself outside its tags: see `domain/traits.py`."""

    __tablename__ = "issue_traits"
    __table_args__ = (Index("ix_issue_traits_issue", "issue_id"), {"sqlite_with_rowid": False})

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)


class SavedSearch(Keyed):
    """A search under a name: a person's own, or (without one) everybody's in the organization."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        Index(
            "uq_saved_searches_everybodys",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=text("user_id IS NULL"),
            postgresql_where=text("user_id IS NULL"),
        ),
        Index(
            "uq_saved_searches_own",
            "organization_id",
            "user_id",
            "name",
            unique=True,
            sqlite_where=text("user_id IS NOT NULL"),
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        Index("ix_saved_searches_user", "user_id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    query: Mapped[str] = mapped_column(Text)
    sort: Mapped[str] = mapped_column(String(8), default="date")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]

    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])


class PinnedSearch(Base):
    """What a person sees first in all lists of an organization, instead of what is unresolved."""

    __tablename__ = "pinned_searches"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    query: Mapped[str] = mapped_column(Text)
    sort: Mapped[str] = mapped_column(String(8), default="date")


class RecentSearch(Base):
    """One of the searches that a person made last in an organization; `digest` is the SHA-256 of its text."""

    __tablename__ = "recent_searches"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    query: Mapped[str] = mapped_column(Text)
    used_at: Mapped[datetime]
