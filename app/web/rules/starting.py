"""What an organization's new projects start with: rules to be copied into each."""

from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db import db
from app.domain import rule_content
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import AlertRule, Organization, RuleTemplate
from app.services import access
from app.services.rules import rule_templates
from app.web.hypermedia import fragments, see_other
from app.web.identity import login_required, me
from app.web.rules import desk as desks
from app.web.rules import editing, typed
from app.web.rules.blueprint import bp
from app.web.rules.desk import Desk, Shown

STARTING = "/<org>/settings/alerts"


@bp.get(f"{STARTING}/")
@login_required
def templates(org: str) -> ResponseReturnValue:
    organization = access.visible_organization(db.session, me(), org)
    names = rule_templates.names(db.session, organization)
    found = rule_templates.of_organization(db.session, organization)
    contents = [(each, rule_content.of_data(each.content)) for each in found]
    return render_template(
        "rules/starting.html",
        **_frame(organization),
        rows=[(each, content, rule_content.sentence(content, names)) for each, content in contents],
        usual=rule_content.sentence(rule_templates.USUAL, names),
    )


@bp.get(f"{STARTING}/new/")
@login_required
def begin_template(org: str) -> Response:
    """With `rule` it starts as a copy of a project's rule."""
    organization = _mine_to_edit(org)
    number = parse_id(request.args.get("rule", ""))
    draft = _draft_of(organization, number) if number else typed.blank()
    return desks.page(_desk(organization), Shown(draft))


def _draft_of(organization: Organization, rule_id: int) -> typed.Draft:
    rule = db.session.get(AlertRule, rule_id)
    if rule is None or rule.project.organization_id != organization.id:
        raise NotFound
    access.visible_project(db.session, me(), organization.slug, rule.project.slug)
    return typed.of_content(rule_content.of(rule))


@bp.post(f"{STARTING}/new/")
@login_required
def create_template(org: str) -> Response:
    return _answer(_mine_to_edit(org), None)


@bp.get(f"{STARTING}/<int:template_id>/")
@login_required
def edit_template(org: str, template_id: int) -> Response:
    organization = _mine_to_edit(org)
    template = rule_templates.find(db.session, organization, template_id)
    draft = typed.of_content(rule_content.of_data(template.content))
    return desks.page(_desk(organization, template), Shown(draft))


@bp.post(f"{STARTING}/<int:template_id>/")
@login_required
def change_template(org: str, template_id: int) -> Response:
    organization = _mine_to_edit(org)
    return _answer(organization, rule_templates.find(db.session, organization, template_id))


@bp.post(f"{STARTING}/<int:template_id>/removal")
@login_required
def remove_template(org: str, template_id: int) -> Response:
    template = rule_templates.find(db.session, _mine_to_edit(org), template_id)
    rule_templates.remove(db.session, template)
    db.session.commit()
    flash(f"New projects do not start with “{template.content['name']}” any more.")
    return see_other(url_for("rules.templates", org=org))


@bp.get(f"{STARTING}/row")
@login_required
def template_row(org: str) -> Response:
    names = rule_templates.names(db.session, _mine_to_edit(org))
    return editing.new_row(names, check_url=url_for("rules.check_template", org=org))


@bp.post(f"{STARTING}/check")
@login_required
def check_template(org: str) -> Response:
    about = _desk(_mine_to_edit(org))
    live = desks.live(about, typed.of_form(request.form))
    return fragments(editing.LIVE, editing.WORDS, otherwise=about.url, desk=about, live=live, **about.frame)


def _answer(organization: Organization, template: RuleTemplate | None) -> Response:
    about, draft = _desk(organization, template), typed.of_form(request.form)
    do = request.form.get("do", "save")
    if do != "save":
        draft = typed.acted(draft, do, lambda name: request.form.get(f"add-{name}", ""))
        return desks.page(about, Shown(draft))
    try:
        content = desks.read(about, draft)
        if template:
            rule_templates.change(db.session, template, content)
        else:
            rule_templates.add(db.session, organization, content)
    except Refused as error:
        db.session.rollback()
        return desks.page(about, Shown(draft, desks.errors_of(error)), status=422)
    db.session.commit()
    flash(f"New projects start with “{content.name}”.")
    return see_other(about.back)


def _mine_to_edit(org: str) -> Organization:
    organization = access.visible_organization(db.session, me(), org)
    if not access.can(db.session, me(), organization, "edit_organization"):
        raise NotFound
    return organization


def _frame(organization: Organization) -> dict[str, Any]:
    may_edit = access.can(db.session, me(), organization, "edit_organization")
    return {"org": organization, "project": None, "active_tab": "settings", "may_edit": may_edit}


def _desk(organization: Organization, template: RuleTemplate | None = None) -> Desk:
    org = organization.slug
    new = url_for("rules.begin_template", org=org)
    own = url_for("rules.edit_template", org=org, template_id=template.id) if template else new
    return Desk(
        frame=_frame(organization),
        names=rule_templates.names(db.session, organization),
        title="A rule of new projects",
        url=own,
        check_url=url_for("rules.check_template", org=org),
        row_url=url_for("rules.template_row", org=org),
        back=url_for("rules.templates", org=org),
    )
