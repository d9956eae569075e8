"""An organization's people and teams: who is in, who is asked in, and who hears of which project."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import visitors
from app.clock import now
from app.db import db
from app.domain import roles
from app.domain.errors import NotFound, Refused
from app.extensions import limiter
from app.models import Invitation, Membership, Organization, Team
from app.services import access
from app.services.people import inviting, onboarding, workspaces
from app.web.hypermedia import form_again, public_url, see_other
from app.web.identity import login_required, me, me_or_none

bp = Blueprint("members", __name__)


def _inviter() -> str:
    person = me_or_none()
    return f"user {person.id}" if person else visitors.address()


# They go to strangers, in our name.
invitations = limiter.shared_limit("30 per hour", scope="invitations", key_func=_inviter, methods=["POST"])


@bp.get("/<org>/settings/members/")
@login_required
def people(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    return render_template("members/people.html", errors={}, values={}, **_people(organization))


@bp.post("/<org>/settings/members/")
@login_required
@invitations
def invite(org: str) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    try:
        invitation = inviting.invite(
            db.session,
            organization,
            email=request.form.get("email", ""),
            role=request.form.get("role", roles.MEMBER),
            teams=_typed_teams(organization),
            by=me(),
            address=_invitation_address,
            now=now(),
        )
    except Refused as error:
        return form_again("members/people.html", error, **_people(organization))
    return _mailed(invitation)


@bp.get("/<org>/settings/members/<int:member_id>/")
@login_required
def member(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    return _member_page(organization, _member(organization, member_id), {})


@bp.post("/<org>/settings/invitations/<int:invitation_id>/mail")
@login_required
@invitations
def invite_again(org: str, invitation_id: int) -> ResponseReturnValue:
    invitation = _invitation(_mine_to_edit(org), invitation_id)
    inviting.mail(db.session, invitation, by=me(), address=_invitation_address, now=now())
    return _mailed(invitation)


@bp.post("/<org>/settings/invitations/<int:invitation_id>/removal")
@login_required
def withdraw(org: str, invitation_id: int) -> ResponseReturnValue:
    invitation = _invitation(_mine_to_edit(org), invitation_id)
    inviting.withdraw(db.session, invitation, by=me())
    db.session.commit()
    flash(f"The invitation of {invitation.address} is withdrawn.")
    return see_other(url_for("members.people", org=org))


@bp.post("/<org>/settings/members/<int:member_id>/teams")
@login_required
def set_teams(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    try:
        access.refuse_above(db.session, me(), organization, member.role)
        workspaces.set_teams(db.session, member, _typed_teams(organization))
    except Refused as error:
        return _not_changed(organization, member_id, error)
    db.session.commit()
    flash(f"{member.user.name}: teams saved.")
    return see_other(url_for("members.people", org=org))


@bp.post("/<org>/settings/members/<int:member_id>/role")
@login_required
def set_role(org: str, member_id: int) -> ResponseReturnValue:
    organization = _mine_to_edit(org)
    member = _member(organization, member_id)
    try:
        role = request.form.get("role", "")
        for each in (member.role, role):
            access.refuse_above(db.session, me(), organization, each)
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
        access.refuse_above(db.session, me(), organization, member.role)
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


def _invitation(organization: Organization, invitation_id: int) -> Invitation:
    invitation = db.session.get(Invitation, invitation_id)
    if invitation is None or invitation.organization_id != organization.id:
        raise NotFound
    return invitation


def _typed_teams(organization: Organization) -> list[Team]:
    chosen = set(request.form.getlist("team"))
    return [team for team in workspaces.teams(db.session, organization) if team.slug in chosen]


def _invitation_address(secret: str) -> str:
    return public_url(url_for("auth.invitation", secret=secret))


def _mailed(invitation: Invitation) -> ResponseReturnValue:
    """The link goes to the mailbox alone: whoever has it, is taken for the one who reads mail there."""
    db.session.commit()
    flash(f"We mailed {invitation.address}; the link works for 7 days.")
    return see_other(url_for("members.people", org=invitation.organization.slug))


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
    may_edit = access.can(session, me(), organization, "edit_members")
    return {
        "org": organization,
        "rows": workspaces.people(session, organization),
        "teams": workspaces.teams(session, organization),
        "may_edit": may_edit,
        "invitations": inviting.waiting(session, organization) if may_edit else [],
        "now": now(),
        **_roles_to_give(organization),
    }


def _teams(organization: Organization) -> dict[str, object]:
    session = db.session
    return {
        "org": organization,
        "rows": workspaces.team_rows(session, organization, seen=access.visible_projects(session, me())),
        "may_create": access.can(session, me(), organization, "create_team"),
    }
