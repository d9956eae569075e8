"""The editor of a project's rules: one form, whose buttons add, move and remove rows, test, or save."""

import json
from dataclasses import replace
from typing import Any

from flask import Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain import rule_content
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.domain.rule_rows import Names
from app.models import AlertRule, Destination, Notice, Project
from app.services.integrations import destinations
from app.services.rules import rule_names, rule_testing, ruling
from app.web import project_pages
from app.web.hypermedia import fragments, see_other, varying
from app.web.identity import login_required, me
from app.web.rules import desk as desks
from app.web.rules import rows, typed
from app.web.rules.blueprint import ROOT, address, bp, frame, list_address, rule_to_edit
from app.web.rules.desk import Desk, Shown
from app.web.rules.typed import Draft
from app.web.simulator import drafting

LIVE, WORDS = "rules/_live.html", "rules/_words.html"
# Buttons that lead to the simulator. What is longer does not fit an address.
TRIED, LONGEST_CARRIED = ("simulate", "try"), 4000
TOO_LONG = "This rule is too long to be carried over: copy it to “What if…” instead."


def desk(project: Project, rule: AlertRule | None = None) -> Desk:
    place: dict[str, Any] = {"org": project.organization.slug, "slug": project.slug}
    return Desk(
        frame=frame(project),
        names=rule_names.of_project(db.session, project),
        title=f"Edit “{rule.name}”" if rule else "New rule",
        url=url_for("rules.edit", **place, rule_id=rule.id) if rule else url_for("rules.begin", **place),
        check_url=url_for("rules.check", **place, rule=rule.id if rule else None),
        row_url=url_for("rules.row", **place),
        back=address(rule) if rule else list_address(project),
        project=project,
        rule=rule,
    )


@bp.get(f"{ROOT}/new/")
@login_required
def begin(org: str, slug: str) -> Response:
    """A link may fill in some of it: `?path=…`, `?level=…`; see `typed.PREFILLS`."""
    return desks.page(desk(project_pages.to_edit(org, slug)), Shown(typed.prefilled(request.args)))


@bp.post(f"{ROOT}/new/")
@login_required
def create(org: str, slug: str) -> Response:
    return _answer(desk(project_pages.to_edit(org, slug)))


@bp.post(f"{ROOT}/draft/")
@login_required
def reopen(org: str, slug: str) -> Response:
    """The editor with a draft that was tried in the simulator; nothing is saved."""
    project = project_pages.to_edit(org, slug)
    number = parse_id(request.form.get("rule_id", ""))
    about = desk(project, ruling.find(db.session, project, number) if number else None)
    try:
        data = {"name": "New rule", **drafting.parsed(request.form.get("rule", ""))}
        content = rule_content.read(data, about.names)
    except Refused as error:
        flash(f"That draft cannot be edited: {error.message}", "warning")
        return see_other(about.url)
    seen = parse_id(request.form.get("version", "")) or (about.rule.version if about.rule else 0)
    return desks.page(about, Shown(typed.of_content(content, seen if about.rule else 0)))


@bp.get(f"{ROOT}/<int:rule_id>/edit/")
@login_required
def edit(org: str, slug: str, rule_id: int) -> Response:
    rule = rule_to_edit(org, slug, rule_id)
    draft = typed.of_content(rule_content.of(rule), rule.version)
    return desks.page(desk(rule.project, rule), Shown(draft))


@bp.post(f"{ROOT}/<int:rule_id>/edit/")
@login_required
def change(org: str, slug: str, rule_id: int) -> Response:
    rule = rule_to_edit(org, slug, rule_id)
    return _answer(desk(rule.project, rule))


@bp.get(f"{ROOT}/row")
@login_required
def row(org: str, slug: str) -> ResponseReturnValue:
    """A row to be added to the form."""
    names = rule_names.of_project(db.session, project_pages.to_edit(org, slug))
    return new_row(names, check_url=url_for("rules.check", org=org, slug=slug))


def new_row(names: Names, *, check_url: str) -> Response:
    name = request.args.get("list", "")
    made = typed.begun(name, request.args.get(f"add-{name}", "")) if name in typed.LISTS else None
    if made is None:
        raise NotFound
    there_are = sum(each.startswith(f"{name}-") for each in request.args)
    drawn = rows.single(name, made, names, there_are)
    text = render_template("rules/_row.html", row=drawn, check_url=check_url)
    return varying(make_response(text))


@bp.post(f"{ROOT}/check")
@login_required
def check(org: str, slug: str) -> Response:
    """While somebody writes: what it says, whom it reaches."""
    project = project_pages.to_edit(org, slug)
    number = parse_id(request.args.get("rule", ""))
    about = desk(project, ruling.find(db.session, project, number) if number else None)
    live = desks.live(about, typed.of_form(request.form))
    return fragments(LIVE, WORDS, otherwise=about.url, desk=about, live=live, **about.frame)


def _answer(about: Desk) -> Response:
    """Save, or do to the form what the button that was pressed says."""
    draft = typed.of_form(request.form)
    do = request.form.get("do", "save")
    if do == "save":
        return _save(about, draft)
    if do == "test":
        return _test(about, draft)
    if do in TRIED:
        return _tried(about, draft, do)
    if do == "check":
        db.session.rollback()  # nothing is written, so nobody waits until it is done
        return desks.page(about, Shown(draft, past=desks.past(about, draft)))
    draft = typed.acted(draft, do, lambda name: request.form.get(f"add-{name}", ""))
    return desks.page(about, Shown(draft))


def _save(about: Desk, draft: Draft) -> Response:
    try:
        words = _saved(about, draft)
    except ruling.Late as late:
        db.session.rollback()
        known = replace(draft, version=late.version)
        return desks.page(about, Shown(known, desks.errors_of(late), newest=late.version), status=422)
    except Refused as error:
        db.session.rollback()
        return desks.page(about, Shown(draft, desks.errors_of(error)), status=422)
    rule, said, alike = words
    db.session.commit()
    flash(said)
    if alike:
        flash(f"“{alike[0]}” says the same: people may be told twice.", "warning")
    return see_other(address(rule))


def _saved(about: Desk, draft: Draft) -> tuple[AlertRule, str, list[str]]:
    project = about.project
    if project is None:
        raise NotFound
    content = desks.read(about, draft)
    alike = list(ruling.twins(db.session, project, content, but=about.rule))
    if about.rule is None:
        rule = ruling.create(db.session, project, content, by=me(), via="page", now=now())
        return rule, f"“{rule.name}” rings from now on.", alike
    made = ruling.change(
        db.session, about.rule, content, by=me(), via="page", now=now(), seen=draft.version or None
    )
    said = f"Saved as version {made.version}." if made else "Nothing changed: it was so already."
    return about.rule, said, alike


def _tried(about: Desk, draft: Draft, do: str) -> Response:
    """On to the simulator, with the draft: over the last days, or over an issue."""
    db.session.rollback()
    if about.project is None:
        raise NotFound
    try:
        content = rule_content.read({"name": "New rule", **draft.data}, about.names)
    except Refused as error:
        return desks.page(about, Shown(draft, desks.errors_of(error)), status=422)
    carried = json.dumps(content.as_data(), separators=(",", ":"), ensure_ascii=False)
    if len(carried) > LONGEST_CARRIED:
        return desks.page(about, Shown(draft, {"": TOO_LONG}), status=422)
    asked: dict[str, Any] = {"asked": 1, "rule_id": about.rule.id if about.rule else "new", "rule": carried}
    asked |= {"version": draft.version} if draft.version else {}
    issue = request.form.get("issue", "").strip()
    asked |= {"mode": "issue", "issue": issue} if do == "try" else {"mode": "replay"}
    project = about.project
    return see_other(url_for("simulator.show", org=project.organization.slug, slug=project.slug, **asked))


def _test(about: Desk, draft: Draft) -> Response:
    try:
        notice = tested(about, draft)
    except Refused as error:
        db.session.rollback()
        return desks.page(about, Shown(draft, desks.errors_of(error)), status=422)
    db.session.commit()
    return desks.page(about, Shown(draft, tested=notice))


def tested(about: Desk, draft: Draft) -> Notice:
    """A test of what is written, saved or not."""
    if about.project is None:
        raise NotFound
    content = desks.read(about, draft)
    to = destination(about.project, draft.destination)
    return rule_testing.send(db.session, about.project, content, by=me(), destination=to, now=now())


def destination(project: Project, chosen: str) -> Destination | None:
    """The integration that a test goes to besides, if one was chosen."""
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 19):
        return None
    return destinations.find(db.session, project, int(chosen))
