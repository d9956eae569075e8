"""Accounts on the other side of integrations, and whose they are: linked by their owner alone.

Never by an address: who looks after a project enters the secret that signs calls, and could claim to be
anybody.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound, Refused
from app.models import ChannelAccount, Destination, Project, User
from app.services import access
from app.services.people.accounts import hashed

ASKED_FOR = timedelta(hours=1)
LONGEST_NAME = 80
# Of an app, in an hour: whoever holds its secret can make accounts up.
MOST_ASKED = 100


def owner(session: Session, *, realm: str, team: str, account: str) -> User | None:
    """Who linked this account, if they still may come in."""
    row = _row(session, realm, team, account)
    return row.user if row and row.user and row.user.is_active else None


def _row(session: Session, realm: str, team: str, account: str) -> ChannelAccount | None:
    if not (realm and team and account):
        return None
    named = (ChannelAccount.realm == realm) & (ChannelAccount.team == team)
    return session.scalar(select(ChannelAccount).where(named, ChannelAccount.account == account))


def ask(
    session: Session,
    destination: Destination,
    *,
    realm: str,
    team: str,
    account: str,
    names: Mapping[str, Any],
    now: datetime,
) -> str:
    """The secret of a link under which somebody can say that the account is theirs; older ones are void."""
    _forget_the_unanswered(session, realm, now)
    row = _row(session, realm, team, account)
    if row is None:
        _check_room(session, realm)
        row = ChannelAccount(realm=realm, team=team[:64], account=account[:64], channel=destination.channel)
        session.add(row)
    secret = secrets.token_urlsafe(32)
    row.user_id, row.linked_at, row.asked_at = None, None, now
    row.destination_id, row.secret_hash = destination.id, hashed(secret)
    row.names = {key: str(value)[:LONGEST_NAME] for key, value in names.items()}
    session.flush()
    return secret


def _check_room(session: Session, realm: str) -> None:
    asked = (ChannelAccount.realm == realm) & ChannelAccount.user_id.is_(None)
    if (session.scalar(select(func.count()).where(asked)) or 0) >= MOST_ASKED:
        raise Refused("Too many accounts of this app wait to be linked: try again in an hour.")


def _forget_the_unanswered(session: Session, realm: str, now: datetime) -> None:
    old = ChannelAccount.user_id.is_(None) & (ChannelAccount.asked_at <= now - ASKED_FOR)
    session.execute(delete(ChannelAccount).where(ChannelAccount.realm == realm, old))


def awaiting(session: Session, user: User, secret: str, *, now: datetime) -> tuple[ChannelAccount, Project]:
    """What this link would link, for those who see the project that it comes from; else `NotFound`."""
    row = session.scalar(select(ChannelAccount).where(ChannelAccount.secret_hash == hashed(secret)))
    if row is None or row.destination is None or row.asked_at <= now - ASKED_FOR:
        raise NotFound
    project = row.destination.project
    return row, access.visible_project(session, user, project.organization.slug, project.slug)


def link(session: Session, user: User, secret: str, *, now: datetime) -> ChannelAccount:
    """From now on the account acts as this person. The link is spent."""
    row, _ = awaiting(session, user, secret, now=now)
    held = select(ChannelAccount).where(ChannelAccount.id == row.id).with_for_update()
    row = session.scalars(held.execution_options(populate_existing=True)).one()
    if row.secret_hash != hashed(secret):
        raise NotFound
    row.user_id, row.linked_at, row.secret_hash = user.id, now, None
    session.flush()
    return row


def of_person(session: Session, user: User) -> Sequence[ChannelAccount]:
    """Those that they linked, the newest first."""
    mine = select(ChannelAccount).where(ChannelAccount.user_id == user.id)
    return session.scalars(mine.order_by(ChannelAccount.linked_at.desc(), ChannelAccount.id.desc())).all()


def unlink(session: Session, user: User, account_id: int) -> ChannelAccount:
    row = session.get(ChannelAccount, account_id)
    if row is None or row.user_id != user.id:
        raise NotFound
    session.delete(row)
    session.flush()
    return row


def called(session: Session, destination: Destination, people: Mapping[str, int | None]) -> dict[str, str]:
    """How the other side calls these people, as far as they linked their accounts there."""
    realm, team = destination.settings.get("realm"), destination.settings.get("team")
    wanted = {user_id for user_id in people.values() if user_id}
    if not (realm and team and wanted):
        return {}
    here = (ChannelAccount.realm == realm) & (ChannelAccount.team == team)
    found = select(ChannelAccount.user_id, ChannelAccount.account).where(
        here, ChannelAccount.user_id.in_(wanted)
    )
    rows = session.execute(found.order_by(ChannelAccount.id))
    known = {user_id: account for user_id, account in rows}
    return {name: known[user_id] for name, user_id in people.items() if user_id in known}


def named(session: Session, *, realm: str, team: str, account: str) -> User:
    """The person behind the account, else `Refused`."""
    found = owner(session, realm=realm, team=team, account=account)
    if found is None:
        raise Refused("They have not linked their account to Tocsin yet.")
    return found
