"""Which project's mail goes to which of a person's addresses: what they chose, and changing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import delivery_states
from app.domain.errors import Refused, Stale
from app.models import Delivery, EmailAddress, EmailRoute, Project, User
from app.services import auditing
from app.services.preferences import preferring

ROUTE = "route"  # in the log of changes


def routes(session: Session, user: User) -> dict[int, int]:
    """The address that the person chose, by project."""
    found = select(EmailRoute.project_id, EmailRoute.address_id).where(EmailRoute.user_id == user.id)
    return {project_id: address_id for project_id, address_id in session.execute(found)}


def route(
    session: Session,
    user: User,
    project: Project,
    address_id: int | None,
    *,
    was: int | None,
    via: str,
    now: datetime,
) -> None:
    """Send the project's mail there from now on; None: to the primary address.

    `Stale` unless it is as it was shown, `Refused` for an address that is not the person's own and verified.
    """
    preferring.lock(session, user)
    held = session.get(EmailRoute, (user.id, project.id))
    if (held.address_id if held else None) != was:
        raise Stale
    choose_route(session, user, project, address_id, via=via, now=now)


def choose_route(
    session: Session, user: User, project: Project, address_id: int | None, *, via: str, now: datetime
) -> None:
    """As `route`, whatever was there."""
    mine = {each.id: each.address for each in user.addresses if each.verified_at}
    if address_id is not None and address_id not in mine:
        raise Refused("Choose one of your verified addresses.", field="email")
    held = session.get(EmailRoute, (user.id, project.id))
    before = held.address_id if held else None
    if before == address_id:
        return
    if held and address_id is None:
        session.delete(held)
    elif held and address_id is not None:
        held.address_id = address_id
    else:
        session.add(EmailRoute(user_id=user.id, project_id=project.id, address_id=address_id))
    every = {each.id: each.address for each in user.addresses}
    said = {"old": _shown(every, before), "new": _shown(every, address_id)}
    note(session, user, ROUTE, preferring.PROJECT, project.id, None, said, via=via, now=now)
    session.flush()


def _shown(named: Mapping[int, str], address_id: int | None) -> str:
    return named[address_id] if address_id is not None else "primary address"


def last_answer(session: Session, user: User) -> Delivery | None:
    """The newest message to the primary address of which it is known whether it was taken."""
    found = select(Delivery).where(
        Delivery.user_id == user.id,
        Delivery.address == user.email,
        Delivery.state.in_(delivery_states.TRIED),
    )
    return session.scalar(found.order_by(Delivery.id.desc()).limit(1))


def routed(session: Session, user: User) -> Mapping[int, int]:
    """To how many projects each address is given."""
    counted = (
        select(EmailRoute.address_id, func.count())
        .where(EmailRoute.user_id == user.id)
        .group_by(EmailRoute.address_id)
    )
    return {address_id: count for address_id, count in session.execute(counted)}


def verified(user: User) -> Sequence[EmailAddress]:
    return [each for each in user.addresses if each.verified_at]


def note(
    session: Session,
    user: User,
    category: str,
    scope: str,
    scope_id: int,
    new: str | None,
    detail: dict[str, str],
    *,
    via: str,
    now: datetime,
) -> None:
    auditing.note(
        session,
        user.id,
        category,
        by_id=user.id,
        at=now,
        via=via,
        place=(scope, scope_id),
        new=new,
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class Routing:
    """The addresses that a person can choose from, and what they chose project by project."""

    primary: EmailAddress | None
    verified: Sequence[EmailAddress]
    by_project: Mapping[int, int]

    @property
    def offers_any(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.verified) > 1 or bool(self.by_project)

    @property
    def options(self) -> list[tuple[str, str]]:
        default = f"Default ({self.primary.address if self.primary else 'none'})"
        return [("", default), *((str(each.id), each.address) for each in self.verified)]

    def chosen(self, project_id: int) -> str:
        return str(self.by_project.get(project_id, ""))

    def of(self, project_id: int) -> str:
        """In words."""
        return dict(self.options)[self.chosen(project_id)]


def choice(session: Session, user: User) -> Routing:
    return Routing(user.primary_address, verified(user), routes(session, user))
