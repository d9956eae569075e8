"""The page of the simulator: a form that changes nothing, and its answer."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Response, abort, make_response, render_template, request, url_for

from app import instance
from app.clock import now
from app.db import db
from app.domain import quiet, rule_content
from app.domain.alerting import CannotCheck
from app.domain.clocks import Clock
from app.domain.errors import Refused
from app.domain.preferences import ALERTS, BATCHING, SHOWN, VALUES, WORKFLOW
from app.models import Project
from app.services import access
from app.services.calm.pausing import environments
from app.services.owners import entrusting
from app.services.people import configuring
from app.services.rules import ruling
from app.services.simulating import replaying, showing, situations
from app.services.simulating.drafts import Drafts
from app.services.simulating.showing import Reader
from app.web import project_pages
from app.web.filters import span_of_hours
from app.web.hypermedia import is_htmx, see_other, varying
from app.web.identity import login_required, me
from app.web.simulator import drafting, typed
from app.web.simulator.blueprint import ROOT, asking, bp
from app.web.simulator.drafting import Wrong
from app.web.simulator.typed import REPLAY, Typed

PAGE, ANSWER = "simulator/page.html", "simulator/_answer.html"
HOWS = {
    situations.NEW: "new: the first of its issue",
    situations.REGRESSED: "back: its issue was resolved",
    situations.AGAIN: "again: one of many",
}


@bp.get(f"{ROOT}/")
@login_required
@asking
def show(org: str, slug: str) -> Response:
    project = project_pages.visible(org, slug)
    return _page(project, typed.of_form(request.args, asked="asked" in request.args))


@bp.post(f"{ROOT}/")
@login_required
@asking
def answer(org: str, slug: str) -> Response:
    """A question with a draft in it, too long for an address. Nothing is written, and nobody waits for it."""
    project = project_pages.visible(org, slug)
    return _page(project, typed.of_form(request.form, asked=True))


@bp.get("/settings/account/notifications/simulate")
@login_required
def choose() -> Response:
    """From pages that are about no project: on to the project that was chosen there."""
    wanted = request.args.get("project", type=int)
    project = next((each for each in access.visible_projects(db.session, me()) if each.id == wanted), None)
    if project is None:
        abort(404)
    given = ((name, request.args.get(name, "")) for name in typed.CHOICES)
    rest: dict[str, Any] = {name: value for name, value in given if value}
    return see_other(
        url_for("simulator.show", org=project.organization.slug, slug=project.slug, asked=1, **rest)
    )


def _page(project: Project, form: Typed) -> Response:
    given, form = form, _filled(project, form)
    may_edit, errors, found = project_pages.may_edit(project), {}, {}
    try:
        found = _answered(project, form, may_edit) if form.asked else {}
    except Wrong as wrong:
        db.session.rollback()
        errors = dict(wrong.errors)
    status = 422 if errors else 200
    context = {**_context(project, form, may_edit), "errors": errors, **found}
    context |= {"is_refilled": form.rule != given.rule, "is_part": is_htmx()}
    text = render_template(ANSWER if is_htmx() else PAGE, **context)
    return varying(make_response(text, status))


def _filled(project: Project, form: Typed) -> Typed:
    """What a draft begins with is what is saved; one that stands on one line is laid out."""
    if not form.raw and not form.owners:
        form = replace(form, raw=entrusting.stored(db.session, project).raw)
    known = {str(rule.id): rule for rule in ruling.of_project(db.session, project)}
    is_anothers = form.rule_of and form.rule_of != form.rule_id
    if form.rule_id in known and (is_anothers or not form.rule.strip()):
        data = rule_content.of(known[form.rule_id]).as_data()
        form = replace(
            form, rule=_spread(data), rule_of=form.rule_id, version=str(known[form.rule_id].version)
        )
    elif form.rule and "\n" not in form.rule:
        with suppress(Refused):
            form = replace(form, rule=_spread(drafting.parsed(form.rule)))
    return form


def _spread(data: Mapping[str, Any]) -> str:
    """Over as many lines as it has members, for people to read."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def _answered(project: Project, form: Typed, may_edit: bool) -> dict[str, Any]:
    drafts = drafting.drafts(project, form, may_edit=may_edit)
    reader = Reader(me(), may_edit, Clock(now(), me().timezone))
    try:
        if form.mode == REPLAY:
            return _replayed(project, form, drafts, reader)
        return _asked(project, form, drafts, reader)
    except CannotCheck as error:
        raise Wrong({"rule": [str(error)]}) from None


def _replayed(project: Project, form: Typed, drafts: Drafts, reader: Reader) -> dict[str, Any]:
    session, days = db.session, int(form.days) if form.days in map(str, replaying.DAYS) else 7
    found = replaying.replay(
        session, project, days=days, drafts=drafts, instance=instance.defaults(session), now=now()
    )
    return {
        "replayed": found,
        "days": days,
        "bars": showing.bars(session, project, found, reader),
        "changes": showing.changes(session, found),
        "dead": showing.dead_rules(session, project, now=now()),
        "notes": showing.notes(found, drafts),
        "drafts": drafts,
        "reader": reader,
    }


def _asked(project: Project, form: Typed, drafts: Drafts, reader: Reader) -> dict[str, Any]:
    session = db.session
    at = drafting.moment(form, now=now(), zone=me().timezone)
    found = situations.answer(
        session,
        project,
        drafting.situation(project, form, now=at or now()),
        drafts=drafts,
        instance=instance.defaults(session),
        now=now(),
        at=at,
    )
    return {
        "answer": found,
        "rows": showing.rows(session, project, found, reader),
        "at": at,
        "drafts": drafts,
        "reader": reader,
    }


def _context(project: Project, form: Typed, may_edit: bool) -> dict[str, Any]:
    rules = ruling.of_project(db.session, project) if may_edit else ()
    ages = [(str(each), span_of_hours(each) if each else "Off") for each in configuring.AGES]
    chosen = {category: [(each, SHOWN[each]) for each in VALUES[category]] for category in CATEGORIES}
    return {
        **project_pages.frame(project),
        "form": form,
        "recent": situations.recent(db.session, project),
        "environments": environments(db.session, project),
        "levels": [(each, each) for each in drafting.LEVELS],
        "hows": list(HOWS.items()),
        "days_of_week": quiet.DAY_NAMES,
        "rules": rules,
        "ages": ages,
        "chosen": chosen,
        "may_set_defaults": me().is_superuser,
        "error_links": _links,
    }


CATEGORIES = (ALERTS, WORKFLOW, BATCHING)


def _links(errors: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [(field, sentence) for field, sentences in errors.items() for sentence in sentences]
