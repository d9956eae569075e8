"""People, their addresses, and what lets them or their programs in."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, UniqueConstraint, or_, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Keyed

if TYPE_CHECKING:
    from app.models.preferences import OnCall
    from app.models.projects import Organization


class User(Keyed):
    """A person. Spells out Flask-Login's four members so that models stay free of the framework."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(200))
    handle: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    mail_version: Mapped[int] = mapped_column(default=1)
    session_version: Mapped[int] = mapped_column(default=1)
    unseen_stops: Mapped[int] = mapped_column(default=0)  # made through links in mail, not yet shown
    created_at: Mapped[datetime]
    last_active_at: Mapped[datetime | None]

    addresses: Mapped[list["EmailAddress"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", order_by="EmailAddress.id"
    )

    on_call: Mapped["OnCall | None"] = relationship(viewonly=True)

    is_authenticated = True
    is_anonymous = False

    def get_id(self) -> str:
        """Changes with `session_version`, so that raising it signs out every browser of this person."""
        return f"{self.id}:{self.session_version}"

    @property
    def primary_address(self) -> "EmailAddress | None":
        return next((address for address in self.addresses if address.is_primary), None)

    @property
    def email(self) -> str:
        address = self.primary_address
        return address.address if address else ""

    @property
    def initials(self) -> str:
        words = (self.name or self.email).split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


class EmailAddress(Keyed):
    """Stored lower-cased; mail goes to verified ones only (DEC-12).

    Several people may say that an address is theirs; only one of them can verify it. One signs in with
    the primary one alone.
    """

    __tablename__ = "email_addresses"
    __table_args__ = (
        UniqueConstraint("address", "user_id"),
        Index(
            "uq_email_addresses_held",
            "address",
            unique=True,
            sqlite_where=text("is_primary OR verified_at IS NOT NULL"),
            postgresql_where=text("is_primary OR verified_at IS NOT NULL"),
        ),
        Index(
            "uq_email_addresses_primary",
            "user_id",
            unique=True,
            sqlite_where=text("is_primary"),
            postgresql_where=text("is_primary"),
        ),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    is_primary: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="addresses")

    @hybrid_property
    def is_held(self) -> bool:
        """Whether it stands for this person: an address that was only claimed stands for nobody."""
        return self.is_primary or self.verified_at is not None

    @is_held.inplace.expression
    @classmethod
    def _is_held(cls) -> ColumnElement[bool]:
        return or_(cls.is_primary, cls.verified_at.is_not(None))


class OneTimeLink(Keyed):
    """A link that works once: set-up of an empty instance, a first password, a sign-in by mail.

    Only the SHA-256 of its secret is kept.
    """

    __tablename__ = "one_time_links"

    purpose: Mapped[str] = mapped_column(String(16))  # setup, password, sign_in, verify
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    address_id: Mapped[int | None] = mapped_column(ForeignKey("email_addresses.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class EndedSession(Base):
    """A session that was signed out of, kept until every copy of its cookie has run out by itself."""

    __tablename__ = "ended_sessions"

    session_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    forget_at: Mapped[datetime]


class ApiToken(Keyed):
    """A bearer token for programs, of a person or of an organization; shown once, kept as its SHA-256."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (organization_id IS NULL)", name="ck_api_tokens_one_owner"),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last_characters: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    user: Mapped[User | None] = relationship(foreign_keys=[user_id], lazy="joined")
    organization: Mapped["Organization | None"] = relationship(lazy="joined")
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    revoked_by: Mapped[User | None] = relationship(foreign_keys=[revoked_by_id])

    @property
    def called(self) -> str:
        """Those that the command line made may have no name."""
        return self.name or f"…{self.last_characters}"
