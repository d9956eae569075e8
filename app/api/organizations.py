"""Who is asking, organizations, their teams and members (`web-api.md` 3 and 4)."""

from collections.abc import Sequence

from flask import jsonify
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.api import shapes
from app.api.blueprint import Answer, bp
from app.api.credentials import me, needs, token_or_none
from app.api.paging import page, whole_list
from app.api.places import visible_organization
from app.db import db
from app.models import Membership, User
from app.services import access, workspaces


@bp.get("/")
def about() -> Answer:
    """The API's version, and whose token this is; the first thing that sentry-cli asks."""
    token = token_or_none()
    if token is None:
        return jsonify(version="0", auth=None, user=None)
    user = {"id": str(token.user.id), "email": token.user.email, "name": token.user.name}
    return jsonify(version="0", auth={"scopes": token.scopes}, user=user)


@bp.get("/organizations/")
@needs("org:read")
def organizations() -> Answer:
    return whole_list([shapes.organization(row) for row in access.visible_organizations(db.session, me())])


@bp.get("/organizations/<org>/")
@needs("org:read")
def organization(org: str) -> Answer:
    return jsonify(shapes.organization(visible_organization(org)))


@bp.get("/organizations/<org>/teams/")
@needs("team:read")
def teams(org: str) -> Answer:
    rows = workspaces.teams(db.session, visible_organization(org))
    return whole_list([shapes.team(row) for row in rows])


@bp.get("/organizations/<org>/members/")
@needs("member:read")
def members(org: str) -> Answer:
    belongs = Membership.organization_id == visible_organization(org).id
    people = joinedload(Membership.user).selectinload(User.addresses)
    found = select(Membership).where(belongs).order_by(Membership.id).options(people)

    def fetch(start: int, count: int) -> Sequence[Membership]:
        return db.session.scalars(found.offset(start).limit(count)).all()

    return page(fetch, lambda rows: [shapes.member(row) for row in rows])
