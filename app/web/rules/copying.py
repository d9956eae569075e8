"""Copies of a rule in other projects, with what is different there."""

from collections.abc import Sequence

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.models import AlertRule
from app.services.rules import rule_copying
from app.services.rules.rule_copying import Copied
from app.web.hypermedia import varying
from app.web.identity import login_required, me
from app.web.rules.blueprint import ROOT, address, bp, frame, rule_to_edit


@bp.get(f"{ROOT}/<int:rule_id>/copies/")
@login_required
def choose(org: str, slug: str, rule_id: int) -> ResponseReturnValue:
    return _page(rule_to_edit(org, slug, rule_id), ())


@bp.post(f"{ROOT}/<int:rule_id>/copies/")
@login_required
def copy(org: str, slug: str, rule_id: int) -> ResponseReturnValue:
    """To the projects that were ticked; the page then says what came of each."""
    rule = rule_to_edit(org, slug, rule_id)
    wanted = set(request.form.getlist("project"))
    made = [
        rule_copying.copy(db.session, rule, each, by=me(), via="page", now=now())
        for each in rule_copying.targets(db.session, rule, me())
        if each.slug in wanted
    ]
    db.session.commit()
    return _page(rule, made, nothing_chosen=not made)


def _page(rule: AlertRule, made: Sequence[Copied], *, nothing_chosen: bool = False) -> ResponseReturnValue:
    text = render_template(
        "rules/copies.html",
        **frame(rule.project),
        rule=rule,
        copies=made,
        address=address,
        errors={"projects": "Tick at least one project."} if nothing_chosen else {},
        targets=rule_copying.targets(db.session, rule, me()),
    )
    return varying(make_response(text, 422 if nothing_chosen else 200))
