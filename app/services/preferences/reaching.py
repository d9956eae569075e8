"""Where a person's mail goes: the address routed for a project, else the primary one; verified ones only."""

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.models import EmailAddress, EmailRoute


def addresses_of(
    session: Session, user_ids: Collection[int], project_id: int | None = None
) -> dict[int, str]:
    """The address of each, with one query; people whom no mail can reach are missing."""
    routed = and_(EmailRoute.address_id == EmailAddress.id, EmailRoute.user_id == EmailAddress.user_id)
    found = (
        select(EmailAddress.user_id, EmailAddress.address)
        .outerjoin(EmailRoute, routed & (EmailRoute.project_id == project_id))
        .where(EmailAddress.user_id.in_(user_ids), EmailAddress.verified_at.is_not(None))
        .where(or_(EmailAddress.is_primary, EmailRoute.project_id.is_not(None)))
        .order_by(EmailRoute.project_id.is_not(None))  # what is routed comes last, and stays
    )
    return {user_id: address for user_id, address in session.execute(found)}


def address_for(session: Session, user_id: int, project_ids: Collection[int]) -> str | None:
    """Where one message about several projects goes: where all are routed to, else the primary address."""
    places = set(project_ids)
    routes = (
        select(EmailAddress.address)
        .join(EmailRoute, EmailRoute.address_id == EmailAddress.id)
        .where(
            EmailRoute.user_id == user_id,
            EmailAddress.user_id == user_id,
            EmailAddress.verified_at.is_not(None),
            EmailRoute.project_id.in_(places),
        )
        .group_by(EmailAddress.address)
    )
    everywhere = session.scalar(routes.having(func.count() == len(places)))
    primary = addresses_of(session, [user_id]).get(user_id)
    return everywhere or primary or session.scalar(routes.limit(1))
