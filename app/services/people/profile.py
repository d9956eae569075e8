"""A person's own account: how they are called and seen, their password, and what of theirs stops working."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import handles
from app.domain.errors import Refused
from app.models import User
from app.services.people import accounts

THEMES = ("auto", "light", "dark")


def change_profile(
    session: Session, user: User, *, name: str, handle: str, timezone: str, theme: str
) -> None:
    accounts.rename(user, name)
    user.handle = _free_handle(session, user, handle)
    user.timezone = accounts.checked_timezone(timezone.strip() or "UTC")
    if theme not in THEMES:
        raise Refused("Choose one of: auto, light, dark.", field="theme")
    user.theme = theme
    session.flush()


def change_password(session: Session, user: User, *, current: str, new: str) -> None:
    """Signs out every browser. Whoever only ever came in by mail has no current password to give."""
    if user.password_hash and accounts.check_password(session, user.email, current) is None:
        raise Refused("That is not your current password.", field="current")
    accounts.set_password(user, new)
    session.flush()


def sign_out_everywhere(session: Session, user: User) -> None:
    user.session_version += 1
    session.flush()


def revoke_mail_links(session: Session, user: User) -> None:
    """No link in mail sent so far works from now on; those in new mail do."""
    user.mail_version += 1
    session.flush()


def _free_handle(session: Session, user: User, text: str) -> str:
    handle = handles.checked(text)
    taken = select(User.id).where(User.handle == handle, User.id != user.id)
    if session.scalar(taken) is not None:
        raise Refused(f"@{handle} is somebody else here. Choose another.", field="handle")
    return handle
