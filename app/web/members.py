"""An organization's people and teams: who is in, who is asked in, and who hears of which project."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import roles
from app.domain.errors import NotFound, Refused
from app.models import Membership, Organization, Team
from app.services import access, onboarding, workspaces
from app.web.hypermedia import form_again, public_url, see_other
from app.web.identity import login_required, me

bp = Blueprint("members", __name__)


@bp.get("/<org>/settings/members/")
@login_required
def people(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    return render_template("members/people.html", errors={}, values={}, **_people(organization))


@bp.post("/<org>/settings/members/")
@login_required
def invite(org: str) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    try:
        link = onboarding.invite(
            db.session,
            organization,
            email=request.form.get("email", ""),
            role=_role_to_give(organization),
            teams=_typed_teams(organization),
            by=me(),
            address=_invitation_address,
            now=now(),
        )
    except Refused as error:
        return form_again("members/people.html", error, **_people(organization))
    db.session.commit()
    return _invited(organization, link)


@bp.get("/<org>/settings/members/<int:member_id>/")
@login_required
def member(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    return _member_page(organization, _member(organization, member_id), {})


@bp.post("/<org>/settings/members/<int:member_id>/invitation")
@login_required
def invite_again(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    if member.user.password_hash:
        raise Refused(f"{member.user.email} has accepted already.")
    link = onboarding.ask_in(db.session, member.user, by=me(), address=_invitation_address, now=now())
    db.session.commit()
    return _invited(organization, link)


@bp.post("/<org>/settings/members/<int:member_id>/teams")
@login_required
def set_teams(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    workspaces.set_teams(db.session, member, _typed_teams(organization))
    db.session.commit()
    flash(f"{member.user.name}: teams saved.")
    return see_other(url_for("members.people", org=org))


@bp.post("/<org>/settings/members/<int:member_id>/role")
@login_required
def set_role(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    try:
        _refuse_above(organization, member.role)
        role = _role_to_give(organization)
        workspaces.change_role(db.session, member, role)
    except Refused as error:
        return _not_changed(organization, member_id, error)
    db.session.commit()
    flash(f"{member.user.name} is {role} now.")
    return see_other(url_for("members.people", org=org))


@bp.post("/<org>/settings/members/<int:member_id>/removal")
@login_required
def remove(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    try:
        _refuse_above(organization, member.role)
        workspaces.remove_member(db.session, member)
    except Refused as error:
        return _not_changed(organization, member_id, error)
    db.session.commit()
    flash(f"{member.user.name} is no longer in {organization.name}.")
    return see_other(url_for("members.people", org=org))


@bp.get("/<org>/settings/teams/")
@login_required
def teams(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    return render_template("members/teams.html", errors={}, values={}, **_teams(organization))


@bp.post("/<org>/settings/teams/")
@login_required
def create_team(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    if not access.can(db.session, me(), organization, "create_team"):
        raise NotFound
    try:
        team = onboarding.open_team(
            db.session, organization, me(), name=request.form.get("team", ""), now=now()
        )
    except Refused as error:
        return form_again("members/teams.html", error, **_teams(organization))
    db.session.commit()
    flash(f"Team #{team.slug} is there, with you in it.")
    return see_other(url_for("members.teams", org=org))


def _mine_to_edit(slug: str) -> Organization:
    organization = access.visible_organization(db.session, me(), slug)
    if not access.can(db.session, me(), organization, "edit_members"):
        raise NotFound
    return organization


def _member(organization: Organization, member_id: int) -> Membership:
    member = db.session.get(Membership, member_id)
    if member is None or member.organization_id != organization.id:
        raise NotFound
    return member


def _role_to_give(organization: Organization) -> str:
    role = request.form.get("role", roles.MEMBER)
    if role not in roles.ROLES:
        raise Refused(f"There is no role {role}.", field="role")
    _refuse_above(organization, role)
    return role


def _refuse_above(organization: Organization, role: str) -> None:
    """Nobody gives or takes a role above their own."""
    own = access.role_in(db.session, me(), organization.id)
    if not me().is_superuser and not (own and roles.may_give(own, role)):
        raise Refused(f"Only somebody who is {role} can do that.", field="role")


def _typed_teams(organization: Organization) -> list[Team]:
    chosen = set(request.form.getlist("team"))
    return [team for team in workspaces.teams(db.session, organization) if team.slug in chosen]


def _invitation_address(secret: str) -> str:
    return public_url(url_for("auth.invitation", secret=secret))


def _invited(organization: Organization, link: str | None) -> ResponseReturnValue:
    """The link is shown this once, for whoever would rather send it another way."""
    if link is None:
        flash("They have an account already, and are in now.")
        return see_other(url_for("members.people", org=organization.slug))
    return render_template("members/invited.html", org=organization, link=link)


def _not_changed(organization: Organization, member_id: int, error: Refused) -> ResponseReturnValue:
    db.session.rollback()
    member = _member(organization, member_id)
    return _member_page(organization, member, {error.field or "": error.message}), 422


def _member_page(organization: Organization, member: Membership, errors: dict[str, str]) -> str:
    [row] = [each for each in workspaces.people(db.session, organization) if each.member.id == member.id]
    return render_template(
        "members/member.html",
        org=organization,
        row=row,
        teams=workspaces.teams(db.session, organization),
        errors=errors,
        **_roles_to_give(organization),
    )


def _roles_to_give(organization: Organization) -> dict[str, object]:
    own = access.role_in(db.session, me(), organization.id)
    to_give = [role for role in roles.ROLES if me().is_superuser or (own and roles.may_give(own, role))]
    words = [(role, f"{role.capitalize()}: {roles.WORDS[role]}") for role in to_give]
    return {"roles_to_give": to_give, "role_words": words}


def _people(organization: Organization) -> dict[str, object]:
    session = db.session
    return {
        "org": organization,
        "rows": workspaces.people(session, organization),
        "teams": workspaces.teams(session, organization),
        "may_edit": access.can(session, me(), organization, "edit_members"),
        **_roles_to_give(organization),
    }


def _teams(organization: Organization) -> dict[str, object]:
    session = db.session
    return {
        "org": organization,
        "rows": workspaces.team_rows(session, organization, seen=access.visible_projects(session, me())),
        "may_create": access.can(session, me(), organization, "create_team"),
    }
