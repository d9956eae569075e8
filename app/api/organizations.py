"""Who is asking, organizations, their teams and members (`web-api.md` 3 and 4)."""

from flask import jsonify
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.api import shapes
from app.api.blueprint import Answer, bp
from app.api.credentials import me, needs, token_or_none
from app.api.describing import Page, describes
from app.api.paging import page_of, whole_list
from app.api.places import visible_organization
from app.api.types.workspaces import AboutJson, MemberJson, OrganizationJson, TeamJson
from app.db import db
from app.models import Membership, User
from app.services import access
from app.services.people import workspaces


@bp.get("/")
@describes({200: AboutJson})
def about() -> Answer:
    """The version of the API, and whose token this is.

    The first thing that sentry-cli asks. Without a token there is nobody to tell of.
    """
    token = token_or_none()
    if token is None:
        return jsonify(version="0", auth=None, user=None)
    person = token.user
    user = {"id": str(person.id), "email": person.email, "name": person.name} if person else None
    return jsonify(version="0", auth={"scopes": token.scopes}, user=user)


@bp.get("/organizations/")
@needs("org:read")
@describes({200: Page[OrganizationJson]})
def organizations() -> Answer:
    """The organizations that the token sees."""
    return whole_list([shapes.organization(row) for row in access.visible_organizations(db.session, me())])


@bp.get("/organizations/<org>/")
@needs("org:read")
@describes({200: OrganizationJson})
def organization(org: str) -> Answer:
    """One organization."""
    return jsonify(shapes.organization(visible_organization(org)))


@bp.get("/organizations/<org>/teams/")
@needs("team:read")
@describes({200: Page[TeamJson]})
def teams(org: str) -> Answer:
    """The teams of an organization."""
    rows = workspaces.teams(db.session, visible_organization(org))
    return whole_list([shapes.team(row) for row in rows])


@bp.get("/organizations/<org>/members/")
@needs("member:read")
@describes({200: Page[MemberJson]})
def members(org: str) -> Answer:
    """The members of an organization."""
    belongs = Membership.organization_id == visible_organization(org).id
    people = joinedload(Membership.user).selectinload(User.addresses)
    found = select(Membership).where(belongs).order_by(Membership.id).options(people)

    return page_of(found, lambda rows: [shapes.member(row) for row in rows])
