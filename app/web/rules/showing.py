"""One rule's page: what it says, whom it reaches, when it fired, what it said before; and what ends it."""

from flask import Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import rule_content
from app.domain.errors import Refused
from app.domain.ids import parse_id
from app.domain.rule_rows import BadRule
from app.models import AlertRule
from app.services.integrations import destinations
from app.services.rules import rule_history, rule_listing, rule_muting, rule_names, rule_testing, ruling
from app.web.hypermedia import say, see_other, varying, way_back
from app.web.identity import login_required, me
from app.web.rules import desk as desks
from app.web.rules import mute_choice, typed
from app.web.rules.blueprint import (
    ROOT,
    address,
    bp,
    frame,
    inquiry,
    list_address,
    rule_to_edit,
    rule_to_see,
)
from app.web.rules.desk import Shown
from app.web.rules.editing import desk, destination


@bp.get(f"{ROOT}/<int:rule_id>/")
@login_required
def show(org: str, slug: str, rule_id: int) -> ResponseReturnValue:
    rule = rule_to_see(org, slug, rule_id)
    names = rule_names.of_project(db.session, rule.project)
    before = parse_id(request.args.get("before", ""))
    firings = rule_history.firings(db.session, rule, reader=me(), now=now(), before=before)
    return render_template(
        "rules/show.html",
        **frame(rule.project),
        **mute_choice.context(),
        rule=rule,
        row=rule_listing.one(db.session, rule, names, inquiry(rule.project)),
        firings=firings,
        older=firings[-1].notice.id if len(firings) == rule_history.PAGE else None,
        is_newest=before is None,
        versions=rule_history.versions(db.session, rule, names),
        mutes=rule_muting.log(db.session, rule),
        integrations=destinations.enabled(db.session, rule.project_id),
    )


@bp.post(f"{ROOT}/<int:rule_id>/switch")
@login_required
def switch(org: str, slug: str, rule_id: int) -> Response:
    rule = rule_to_edit(org, slug, rule_id)
    on = request.form.get("active") == "yes"
    back = way_back(otherwise=address(rule))
    try:
        ruling.switch(db.session, rule, on=on, by=me(), via="page", now=now())
    except BadRule as bad:
        db.session.rollback()
        flash(f"“{rule.name}” stays off: {ruling.trouble_of(bad)} Edit it first.", "warning")
        return see_other(back)
    db.session.commit()
    undo = {"url": request.path, "fields": {"active": "no" if on else "yes"}}
    say(f"“{rule.name}” is {'on' if on else 'off: it rings for nobody'}.", undo=undo)
    return see_other(back)


@bp.post(f"{ROOT}/<int:rule_id>/test")
@login_required
def test(org: str, slug: str, rule_id: int) -> Response:
    """Its page shows what becomes of it."""
    rule = rule_to_edit(org, slug, rule_id)
    content = rule_content.of(rule)
    to = destination(rule.project, request.form.get("destination", ""))
    notice = rule_testing.send(db.session, rule.project, content, by=me(), destination=to, now=now())
    db.session.commit()
    say("The test is on its way. This page shows what becomes of it.")
    return see_other(url_for("notices.show", public_id=notice.public_id))


@bp.post(f"{ROOT}/<int:rule_id>/versions/<int:version>/restoration")
@login_required
def restore(org: str, slug: str, rule_id: int, version: int) -> Response:
    """As it was; what cannot be saved today comes back in the editor, to be mended."""
    rule = rule_to_edit(org, slug, rule_id)
    try:
        made = ruling.restore(db.session, rule, version, by=me(), via="page", now=now())
    except Refused as error:
        db.session.rollback()
        return _to_mend(rule, version, error)
    db.session.commit()
    flash(f"Version {version} holds again, as version {made.version}." if made else "It is so already.")
    return see_other(address(rule))


def _to_mend(rule: AlertRule, version: int, error: Refused) -> Response:
    was = rule_content.of_data(ruling.find_version(db.session, rule, version).content)
    draft = typed.of_content(was, rule.version)
    return desks.page(desk(rule.project, rule), Shown(draft, desks.errors_of(error)), status=422)


@bp.get(f"{ROOT}/<int:rule_id>/removal/")
@login_required
def ask_removal(org: str, slug: str, rule_id: int) -> ResponseReturnValue:
    rule = rule_to_edit(org, slug, rule_id)
    text = render_template("rules/removal.html", **frame(rule.project), rule=rule)
    return varying(make_response(text))


@bp.post(f"{ROOT}/<int:rule_id>/removal/")
@login_required
def remove(org: str, slug: str, rule_id: int) -> Response:
    rule = rule_to_edit(org, slug, rule_id)
    name, back = rule.name, list_address(rule.project)
    ruling.remove(db.session, rule, by=me(), via="page", now=now())
    db.session.commit()
    flash(f"“{name}” is deleted. What it rang stays in the records.")
    return see_other(back)
