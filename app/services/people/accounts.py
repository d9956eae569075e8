"""People and what lets them in: accounts, passwords, one-time links.

Of a secret only its SHA-256 is kept. These are long random numbers, so a fast hash is enough; passwords are
not, and get argon2id.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import SQLColumnExpression, delete, select, update
from sqlalchemy.orm import Session, joinedload

from app.domain import addresses, handles
from app.domain.errors import Refused
from app.models import EmailAddress, EndedSession, OneTimeLink, User
from app.services import upserting

Address = Callable[[str], str]  # the secret of a link → where it leads

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1000
# None: valid until used or replaced.
LIFETIMES = {
    "setup": None,
    "password": timedelta(days=7),
    "sign_in": timedelta(minutes=15),
    "verify": timedelta(days=3),
}
USE_IS_NOTED_EVERY = timedelta(minutes=5)

# OWASP's second choice: the first needs 47 MiB a sign-in, which threads side by side would multiply.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


# People


def anybody(session: Session) -> bool:
    """Whether this instance has an account at all."""
    return session.scalar(select(User.id).limit(1)) is not None


def find_user(session: Session, email: str) -> User | None:
    """Whose address this is: their primary one, or one that they verified."""
    return _bearer(session, email, EmailAddress.is_held)


def find_by_primary(session: Session, email: str) -> User | None:
    """Whose primary address this is: the one that people sign in with, and by which others may know them."""
    return _bearer(session, email, EmailAddress.is_primary)


def _bearer(session: Session, email: str, tie: SQLColumnExpression[bool]) -> User | None:
    theirs = select(EmailAddress.user_id).where(EmailAddress.address.in_(addresses.forms(email)), tie)
    found = select(User).where(User.id.in_(theirs)).order_by(User.id).options(joinedload(User.addresses))
    return session.scalars(found).unique().first()


def create_user(
    session: Session,
    *,
    email: str,
    name: str = "",
    password: str | None = None,
    superuser: bool = False,
    verified: bool = False,
    timezone: str = "UTC",
    now: datetime,
) -> User:
    """A new account. Its handle is made from the address, with a number if that one is taken."""
    address = addresses.normal(email)
    if find_user(session, address):
        raise Refused(f"There is an account for {address} already.", field="email")
    user = User(
        name=_checked_name(name) if name.strip() else address.partition("@")[0],
        handle=_free_handle(session, address),
        password_hash=hash_password(password) if password is not None else None,
        is_superuser=superuser,
        timezone=checked_timezone(timezone),
        created_at=now,
        addresses=[EmailAddress(address=address, is_primary=True, verified_at=now if verified else None)],
    )
    session.add(user)
    session.flush()
    return user


def introduce(user: User, *, name: str, password: str, timezone: str) -> None:
    """What somebody says of themselves when they come in for the first time."""
    rename(user, name)
    set_password(user, password)
    user.timezone = checked_timezone(timezone)


def rename(user: User, name: str) -> None:
    user.name = _checked_name(name)


def checked_timezone(name: str) -> str:
    if name not in _timezones():
        raise Refused("That is not a time zone, such as Europe/Paris.", field="timezone")
    return name


@cache
def _timezones() -> frozenset[str]:
    """Looked up once: it searches through hundreds of files."""
    return frozenset(available_timezones())


def _checked_name(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > 200 or not tidy.isprintable():
        raise Refused("A name has 1 to 200 characters.", field="name")
    return tidy


def _free_handle(session: Session, address: str) -> str:
    """Asks for a few candidates at once: common names are taken many times over."""
    candidates = handles.candidates(address)
    while True:
        few = list(islice(candidates, 50))
        taken = set(session.scalars(select(User.handle).where(User.handle.in_(few))))
        if free := [handle for handle in few if handle not in taken]:
            return free[0]


def verify_address(user: User, address: str, *, now: datetime) -> None:
    """Whoever used a link that was mailed there, reads mail there. Nothing else proves it."""
    for each in user.addresses:
        if each.address == address and each.verified_at is None:
            each.verified_at = now


def note_activity(session: Session, user_id: int, *, now: datetime) -> None:
    session.execute(update(User).where(User.id == user_id).values(last_active_at=now))


def activity_is_stale(last: datetime | None, *, now: datetime) -> bool:
    return last is None or now - last >= USE_IS_NOTED_EVERY


# Passwords


def hash_password(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Refused(f"A password has at least {SHORTEST_PASSWORD} characters.", field="password")
    return _hasher.hash(password)


def set_password(user: User, password: str) -> None:
    """Also signs the person out everywhere else: a changed password may be an answer to a stolen one."""
    user.password_hash = hash_password(password)
    user.session_version = (user.session_version or 1) + 1


def check_password(session: Session, email: str, password: str) -> User | None:
    """The active person whose password this is. An unknown address takes as long as a wrong password."""
    user = find_by_primary(session, email)
    stored = user.password_hash if user else None
    if not _matches(stored or _nobodys_hash(), password) or user is None or stored is None:
        return None
    if not user.is_active:
        return None
    return user


def stronger_hash(user: User, password: str) -> str | None:
    """The password hashed as passwords are today, where the stored hash is from weaker times."""
    stored = user.password_hash
    return _hasher.hash(password) if stored and _hasher.check_needs_rehash(stored) else None


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))


# Sessions


def end_session(session: Session, session_id: str, *, forget_at: datetime) -> None:
    """No copy of this session's cookie works any more. In the database: Redis may lose what it was told."""
    row = {"session_id": session_id, "forget_at": forget_at}
    upserting.insert_missing(session, EndedSession, [row], "session_id")


def signed_in(session: Session, user_id: int, session_id: str) -> User | None:
    """The active person of this session, unless it was signed out of; with what every page's header says."""
    ended = select(EndedSession.session_id).where(EndedSession.session_id == session_id)
    person = select(User).where(User.id == user_id, User.is_active, ~ended.exists())
    with_header = person.options(joinedload(User.on_call), joinedload(User.addresses))
    return session.scalars(with_header).unique().one_or_none()


# One-time links


def setup_link_token(session: Session, now: datetime) -> str | None:
    """The secret of a new set-up link, which replaces an older one; None once somebody has an account."""
    if anybody(session):
        return None
    return make_link(session, "setup", user=None, now=now)


def make_link(
    session: Session,
    purpose: str,
    *,
    user: User | None,
    now: datetime,
    address: EmailAddress | None = None,
) -> str:
    """A secret that works once. An earlier one for the same person, purpose and address stops working.

    `address` is the one that it is mailed to: whoever uses it reads mail there.
    """
    whose, which = user.id if user else None, address.id if address else None
    session.execute(
        delete(OneTimeLink).where(
            OneTimeLink.user_id == whose, OneTimeLink.purpose == purpose, OneTimeLink.address_id == which
        )
    )
    lifetime = LIFETIMES[purpose]
    secret = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            purpose=purpose,
            secret_hash=hashed(secret),
            user_id=whose,
            address_id=which,
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
    )
    session.flush()
    return secret


def find_link(session: Session, purpose: str, secret: str, *, now: datetime) -> OneTimeLink | None:
    """The link, if it still works."""
    link = session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.purpose == purpose,
            OneTimeLink.secret_hash == hashed(secret),
            OneTimeLink.used_at.is_(None),
        )
    )
    return None if link is None or (link.expires_at and link.expires_at <= now) else link


def use_link(session: Session, purpose: str, secret: str, *, now: datetime) -> OneTimeLink | None:
    """The link, spent by this call; None for all who come later. The database is the referee."""
    link = find_link(session, purpose, secret, now=now)
    if link is None:
        return None
    unused = (OneTimeLink.id == link.id) & OneTimeLink.used_at.is_(None)
    won = session.scalar(update(OneTimeLink).where(unused).values(used_at=now).returning(OneTimeLink.id))
    return link if won else None


def owner_of(session: Session, link: OneTimeLink | None) -> User | None:
    """Whom a link lets in: nobody, if it is spent or the account is switched off."""
    user = session.get(User, link.user_id) if link and link.user_id else None
    return user if user and user.is_active else None


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
