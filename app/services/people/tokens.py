"""Tokens for the API: of people, who they then are, and of organizations, for build servers.

Only the SHA-256 of one is kept. What a person's token may do ends with what that person may do, at once; an
organization's own outlives whoever made it.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session, joinedload

from app.domain import api_tokens, scopes
from app.domain.errors import NotFound, Refused
from app.models import ApiToken, Organization, User
from app.services import auditing, limiting
from app.services.auditing import Place
from app.services.mails import writing
from app.services.people.accounts import hashed

MOST = 100
LONGEST_NAME = 100
SHOWN_AFTER_THE_END = 20
CATEGORY, KIND = "token", "token_made"
MADE, REVOKED = "made", "revoked"


def give_person(
    session: Session,
    user: User,
    *,
    name: str = "",
    given: Sequence[str] = scopes.SCOPES,
    by: User | None = None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A token that acts as the person, and its text, which nobody can read again.

    Without `by` it was the command line that made it.
    """
    text = api_tokens.of_person(secrets.token_bytes(api_tokens.SECRET_BYTES))
    row = ApiToken(user_id=user.id, name=_named(name), scopes=scopes.checked(given))
    return _kept(session, row, text, user, by, now), text


def give_organization(
    session: Session,
    organization: Organization,
    *,
    name: str = "",
    url: str,
    by: User | None = None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A token of nobody's, which sees all projects of the organization, and its text.

    `url` is the instance's own address, which the token names.
    """
    secret = secrets.token_bytes(api_tokens.SECRET_BYTES)
    text = api_tokens.of_organization(secret, url=url, slug=organization.slug, at=now)
    given = list(scopes.OF_ORGANIZATIONS)
    row = ApiToken(organization_id=organization.id, name=_named(name), scopes=given)
    return _kept(session, row, text, organization, by, now), text


def _named(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise Refused(f"A name has at most {LONGEST_NAME} characters.", field="name")
    return name


def _kept(
    session: Session,
    row: ApiToken,
    text: str,
    owner: User | Organization,
    by: User | None,
    now: datetime,
) -> ApiToken:
    row.token_hash, row.last_characters, row.created_at = hashed(text), text[-4:], now
    if by:
        row.created_by_id = by.id
        _check_room(session, row, owner)
    session.add(row)
    session.flush()
    _note(session, row, MADE, by, now)
    return row


def _check_room(session: Session, row: ApiToken, owner: User | Organization) -> None:
    theirs = _of(row.user_id, row.organization_id) & ApiToken.revoked_at.is_(None)
    full = Refused(f"{MOST} tokens are the most. Revoke one first.", field="name")
    limiting.check_room(session, owner, select(ApiToken.id).where(theirs), MOST, full)


def write_to_maker(session: Session, row: ApiToken, *, by: User, path: str, now: datetime) -> None:
    """In case it was somebody else who sat at their browser. `path` is where tokens are revoked."""
    address = by.primary_address
    if address is None or address.verified_at is None:
        return
    data = {
        "name": row.called,
        "organization": row.organization.name if row.organization else "",
        "scopes": ", ".join(row.scopes),
        "path": path,
    }
    writing.write_to(session, address.address, KIND, data, user=by, now=now)


def find(session: Session, text: str) -> ApiToken | None:
    """The token, if neither it nor its owner's account is switched off."""
    row = find_any(session, text)
    is_good = row and row.revoked_at is None and (row.user is None or row.user.is_active)
    return row if is_good else None


def find_any(session: Session, text: str) -> ApiToken | None:
    """The token, working or not."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == hashed(text)))


def note_use(session: Session, token_id: int, *, now: datetime) -> None:
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def revoke(session: Session, row: ApiToken, *, by: User | None, now: datetime) -> None:
    """It is good for nothing from now on. What was revoked before stays as it was."""
    revoking = (
        update(ApiToken)
        .where(ApiToken.id == row.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by_id=by.id if by else None)
        .returning(ApiToken.id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(revoking) is not None:
        _note(session, row, REVOKED, by, now)
    session.refresh(row)


def _note(session: Session, row: ApiToken, what: str, by: User | None, now: datetime) -> None:
    """In the change log of whose token it is, and of whoever did this."""
    place: Place = ("organization", row.organization_id) if row.organization_id else ("account", 0)
    doer = by.id if by else None
    concerned = {row.user_id or row.created_by_id, doer}
    for user_id in sorted(each for each in concerned if each is not None):
        auditing.note(
            session,
            user_id,
            CATEGORY,
            by_id=doer,
            at=now,
            via="web" if by else "command line",
            place=place,
            new=what,
            detail={"token": row.called},
        )


# Lists


def of_person(session: Session, user: User) -> Sequence[ApiToken]:
    return _listed(session, _of(user.id, None))


def of_organization(session: Session, organization: Organization) -> Sequence[ApiToken]:
    return _listed(session, _of(None, organization.id))


def _of(user_id: int | None, organization_id: int | None) -> ColumnElement[bool]:
    return and_(ApiToken.user_id == user_id, ApiToken.organization_id == organization_id)


def _listed(session: Session, theirs: ColumnElement[bool]) -> Sequence[ApiToken]:
    """Those that work, newest first, and the last of those that do not any more."""
    found = select(ApiToken).where(theirs).options(*_WITH_NAMES)
    working = found.where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.id.desc())
    ended = found.where(ApiToken.revoked_at.is_not(None)).order_by(ApiToken.revoked_at.desc())
    return [*session.scalars(working), *session.scalars(ended.limit(SHOWN_AFTER_THE_END))]


_WITH_NAMES = (joinedload(ApiToken.created_by), joinedload(ApiToken.revoked_by))


def one_of_person(session: Session, user: User, token_id: int) -> ApiToken:
    """One of the person's own, else `NotFound`."""
    return _one(session, token_id, _of(user.id, None))


def one_of_organization(session: Session, organization: Organization, token_id: int) -> ApiToken:
    return _one(session, token_id, _of(None, organization.id))


def _one(session: Session, token_id: int, theirs: ColumnElement[bool]) -> ApiToken:
    found = select(ApiToken).where(ApiToken.id == token_id, theirs)
    row = session.scalar(found.options(*_WITH_NAMES))
    if row is None:
        raise NotFound
    return row
