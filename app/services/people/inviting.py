"""Asking people into an organization. Nothing is theirs before they accept, from their own mailbox.

What is done and answered never depends on whether an address has an account: that is nobody else's business.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from app.domain import addresses
from app.domain.errors import NotFound, Refused
from app.models import EmailAddress, Invitation, Membership, Organization, Team, User
from app.services import access
from app.services.mails import writing
from app.services.people import accounts, workspaces
from app.services.people.accounts import Address

LIFETIME = timedelta(days=7)


def invite(
    session: Session,
    organization: Organization,
    *,
    email: str,
    role: str,
    teams: Sequence[Team],
    by: User,
    address: Address,
    now: datetime,
) -> Invitation:
    """Ask somebody in. An invitation that waits at the same address is replaced."""
    access.refuse_above(session, by, organization, role)
    invitation = _at(session, organization, addresses.normal(email))
    if invitation.id is not None:
        access.refuse_above(session, by, organization, invitation.role)
    invitation.role, invitation.teams = role, list(teams)
    mail(session, invitation, by=by, address=address, now=now)
    return invitation


def mail(session: Session, invitation: Invitation, *, by: User, address: Address, now: datetime) -> None:
    """Write to whoever is invited, and to nobody else. An earlier link stops working."""
    access.refuse_above(session, by, invitation.organization, invitation.role)
    secret = secrets.token_urlsafe(32)
    invitation.secret_hash = accounts.hashed(secret)
    invitation.created_at, invitation.expires_at = now, now + LIFETIME
    session.add(invitation)
    data = {"url": address(secret), "by": by.name, "organization": invitation.organization.name}
    person = accounts.find_user(session, invitation.address)
    writing.write_to(session, invitation.address, "invite", data, user=person, now=now)
    session.flush()


def withdraw(session: Session, invitation: Invitation, *, by: User) -> None:
    access.refuse_above(session, by, invitation.organization, invitation.role)
    session.delete(invitation)
    session.flush()


def waiting(session: Session, organization: Organization) -> list[Invitation]:
    """The invitations that were not accepted so far, by address."""
    found = select(Invitation).where(Invitation.organization_id == organization.id)
    return list(session.scalars(found.order_by(Invitation.address).options(selectinload(Invitation.teams))))


# The other side


def find(session: Session, secret: str, *, now: datetime) -> Invitation | None:
    """The invitation whose link this is, if it still works."""
    found = select(Invitation).where(
        Invitation.secret_hash == accounts.hashed(secret), Invitation.expires_at > now
    )
    invitation = session.scalar(found)
    person = accounts.find_user(session, invitation.address) if invitation else None
    return None if person and not person.is_active else invitation


def lacks_password(session: Session, invitation: Invitation) -> bool:
    """Whether the invited person has yet to choose one: there is no account, or none that was ever used."""
    person = accounts.find_user(session, invitation.address)
    return person is None or person.password_hash is None


def accept(session: Session, secret: str, *, now: datetime) -> Organization:
    """Join with the account one has."""
    invitation = find(session, secret, now=now)
    person = accounts.find_user(session, invitation.address) if invitation else None
    if invitation is None or person is None or person.password_hash is None:
        raise NotFound
    return _join(session, invitation, person, now=now)


def accept_as_newcomer(
    session: Session, secret: str, *, name: str, password: str, timezone: str, now: datetime
) -> User:
    """Join with an account that begins here. A password that somebody has is never replaced."""
    invitation = find(session, secret, now=now)
    if invitation is None or not lacks_password(session, invitation):
        raise NotFound
    person = accounts.find_user(session, invitation.address) or accounts.create_user(
        session, email=invitation.address, now=now
    )
    accounts.introduce(person, name=name, password=password, timezone=timezone)
    _join(session, invitation, person, now=now)
    return person


def _at(session: Session, organization: Organization, address: str) -> Invitation:
    """The invitation that waits at this address, or a new one. Members need none."""
    is_member = (
        select(Membership.id)
        .join(EmailAddress, EmailAddress.user_id == Membership.user_id)
        .where(
            Membership.organization_id == organization.id,
            EmailAddress.address == address,
            EmailAddress.is_held,
        )
    )
    if session.scalar(is_member) is not None:
        raise Refused(f"{address} is a member already.", field="email")
    found = select(Invitation).where(
        Invitation.organization_id == organization.id, Invitation.address == address
    )
    return session.scalar(found) or Invitation(organization=organization, address=address)


def _join(session: Session, invitation: Invitation, person: User, *, now: datetime) -> Organization:
    """The database is the referee of who spends the link."""
    organization, teams = invitation.organization, list(invitation.teams)
    spent = delete(Invitation).where(
        Invitation.id == invitation.id, Invitation.secret_hash == invitation.secret_hash
    )
    if session.scalar(spent.returning(Invitation.id)) is None:
        raise NotFound
    accounts.verify_address(person, invitation.address, now=now)
    workspaces.add_member(session, organization, person, role=invitation.role, now=now)
    for team in teams:
        workspaces.add_to_team(session, team, person, now=now)
    return organization
