"""A person's mail addresses: claimed, verified, made primary, removed.

An address that was only claimed stands for nobody, so claiming one says nothing about whether somebody else
has it: that comes out at the end of the link that is mailed there.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain import addresses, delivery_states
from app.domain.errors import NotFound, Refused
from app.domain.kinds import KINDS, SECURITY
from app.models import Delivery, EmailAddress, User
from app.services.mails import writing
from app.services.people import accounts, addressing
from app.services.people.accounts import Address
from app.services.preferences import preferring

MOST = 10
VERIFY, VERIFIED, CHANGED = "verify", "address_verified", "primary_changed"
ADDRESS = "address"  # in the log of changes
SOMEBODY_ELSES = "Another account here has that address. Only one can verify it."


def add(session: Session, user: User, text: str, *, link: Address, now: datetime) -> EmailAddress:
    """An address to be verified, with the mail that does it. One that waits gets its mail again."""
    preferring.lock(session, user)
    wanted = addresses.normal(text)
    found = next((each for each in user.addresses if each.address == wanted), None)
    if found and found.verified_at:
        raise Refused(f"{wanted} is among your addresses, and verified.", field="email")
    if found is None:
        found = _claimed(session, user, wanted, now)
    mail_link(session, found, link=link, now=now)
    return found


def _claimed(session: Session, user: User, wanted: str, now: datetime) -> EmailAddress:
    if len(user.addresses) >= MOST:
        raise Refused(f"You have {MOST} addresses already. Remove one first.", field="email")
    claimed = EmailAddress(address=wanted)
    user.addresses.append(claimed)
    session.flush()
    _note_address(session, user, claimed, "added", now)
    return claimed


def mail_link(session: Session, address: EmailAddress, *, link: Address, now: datetime) -> None:
    """Write to the address. An earlier link to it stops working."""
    if address.verified_at:
        raise Refused(f"{address.address} is verified.", field="email")
    user = address.user
    secret = accounts.make_link(session, VERIFY, user=user, address=address, now=now)
    data = {"url": link(secret), "address": address.address}
    writing.write_to(session, address.address, VERIFY, data, user=user, now=now)
    session.flush()


def awaiting(session: Session, user: User, secret: str, *, now: datetime) -> EmailAddress:
    """The address that this link verifies for this person; `NotFound` once it does not."""
    link = accounts.find_link(session, VERIFY, secret, now=now)
    address = session.get(EmailAddress, link.address_id) if link and link.address_id else None
    if address is None or address.user_id != user.id:
        raise NotFound
    return address


def verify(session: Session, user: User, secret: str, *, now: datetime) -> EmailAddress:
    """Whoever used the link reads mail there. `Refused` if another account has the address.

    The primary address is told, in case it was somebody else who did this.
    """
    address = awaiting(session, user, secret, now=now)
    if accounts.use_link(session, VERIFY, secret, now=now) is None:
        raise NotFound
    try:
        with session.begin_nested():
            address.verified_at = address.verified_at or now
            session.flush()
    except IntegrityError:
        raise Refused(SOMEBODY_ELSES, field="email") from None
    _note_address(session, user, address, "verified", now)
    primary = user.primary_address
    if primary and primary.verified_at and primary is not address:
        data = {"address": address.address}
        writing.write_to(session, primary.address, VERIFIED, data, user=user, now=now)
    return address


def promote(session: Session, user: User, address_id: int, *, now: datetime) -> EmailAddress:
    """Make it the primary address; the old one is told, in case it was somebody else who did this."""
    preferring.lock(session, user)
    address, old = owned(user, address_id), user.primary_address
    if address.verified_at is None:
        raise Refused(f"Verify {address.address} first.", field="email")
    if address.is_primary:
        return address
    if old:
        old.is_primary = False
        session.flush()  # one primary address at a time: the database sees to it
    address.is_primary = True
    _note_address(session, user, address, "primary", now)
    if old and old.verified_at:
        data = {"old": old.address, "new": address.address}
        writing.write_to(session, old.address, CHANGED, data, user=user, now=now)
    session.flush()
    return address


def remove(session: Session, user: User, address_id: int, *, now: datetime) -> str:
    """Forget an address and what was routed to it. Mail on its way there goes to the primary one."""
    preferring.lock(session, user)
    address = owned(user, address_id)
    if address.is_primary:
        raise Refused("The primary address stays. Make another one primary first.", field="email")
    primary = user.primary_address
    if primary and primary.verified_at:
        security = [kind.name for kind in KINDS.values() if kind.category == SECURITY]
        session.execute(
            update(Delivery)
            .where(Delivery.user_id == user.id, Delivery.address == address.address)
            .where(Delivery.state.in_(delivery_states.WAITING), Delivery.kind.not_in(security))
            .values(address=primary.address)
        )
    _note_address(session, user, address, "removed", now)
    user.addresses.remove(address)
    session.flush()
    return address.address


def owned(user: User, address_id: int) -> EmailAddress:
    """One of the person's own; else `NotFound`."""
    found = next((each for each in user.addresses if each.id == address_id), None)
    if found is None:
        raise NotFound
    return found


def _note_address(session: Session, user: User, address: EmailAddress, what: str, now: datetime) -> None:
    said = {"address": address.address}
    addressing.note(session, user, ADDRESS, ADDRESS, address.id, what, said, via="web", now=now)
