"""An issue's page, and the parts of it that change when somebody does something about the issue."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Response, current_app, flash, make_response, render_template, request

from app.clock import now
from app.db import db
from app.domain import lifecycle
from app.domain.errors import NotFound, Refused
from app.models import Issue
from app.services import (
    access,
    comment_text,
    explaining,
    issue_events,
    issue_facts,
    issue_timeline,
    preferring,
    releases,
    resolving,
    silence,
)
from app.web.hypermedia import fragments, is_htmx, see_other, varying, way_back
from app.web.identity import login_required, me
from app.web.issues import event_parts
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.news import version_of

ACTIONS, COMMENT_FORM = "issues/_actions.html", "issues/_comment_form.html"
# What a change may alter beside the form that made it.
BESIDE = (
    "issues/_state.html",
    "issues/_bookmark.html",
    "issues/_assigned.html",
    "issues/_participants.html",
    "issues/_timeline.html",
    "issues/_news.html",
    "issues/_said.html",
)


@bp.get("/<org>/<slug>/issues/<int:issue_id>/")
@login_required
def show(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    project = issue.project
    if (issue.id, org, slug) != (issue_id, project.organization.slug, project.slug):
        return see_other(issue_url(issue))
    return page(issue)


@bp.get("/<org>/<slug>/issues/<int:issue_id>/events/<event_id>/json")
@login_required
def event_json(org: str, slug: str, issue_id: int, event_id: str) -> Response:
    """The event in its regular form, as it is stored."""
    session = db.session
    shown = issue_events.show(session, access.visible_issue(session, me(), issue_id), event_id)
    if shown is None:
        raise NotFound
    text = json.dumps(shown.data, indent=2, ensure_ascii=False)
    return Response(text, mimetype="application/json")


@bp.get("/<org>/<slug>/issues/<int:issue_id>/events/<event_id>/")
@login_required
def event(org: str, slug: str, issue_id: int, event_id: str) -> Response:
    return see_other(issue_url(access.visible_issue(db.session, me(), issue_id), event=event_id))


@bp.get("/i/<short_id>/")
@login_required
def by_short_id(short_id: str) -> Response:
    session = db.session
    for organization in access.visible_organizations(session, me()):
        try:
            issue = access.visible_issue_by_short_id(session, me(), organization, short_id)
        except NotFound:
            continue
        return see_other(issue_url(issue))
    raise NotFound


def page(issue: Issue, *, status: int = 200, form: Mapping[str, Any] = MappingProxyType({})) -> Response:
    """The whole page; `form` holds what was typed, and what is wrong with it."""
    session = db.session
    in_full = "full" in request.args
    event = issue_events.show(session, issue, request.args.get("event", issue_events.LATEST))
    context = {
        **beside(issue),
        "event": event,
        "parts": event_parts.parts_of(event.data, in_full=in_full) if event else None,
        "days": issue_facts.daily(session, issue, now=now()),
        "tags": issue_facts.tag_shares(session, issue),
        **form,
    }
    return make_response(render_template("issues/show.html", **context), status)


def changed(issue: Issue, said: str, *, form: str = ACTIONS, undo: dict[str, Any] | None = None) -> Response:
    """After a change that was committed: what it altered, or without htmx the page again."""
    address = issue_url(issue)
    if not is_htmx():
        flash(said)
        return see_other(way_back(otherwise=address))
    context = {**beside(issue), "said": said, "undo": undo}
    others = [name for name in (ACTIONS, *BESIDE) if name != form]
    return fragments(form, *others, otherwise=address, **context)


def refused(issue: Issue, error: Refused, *, form: str = ACTIONS) -> Response:
    """The form as it was typed, with what is wrong. What was begun is taken back."""
    db.session.rollback()
    context = {"errors": {error.field or "": error.message}, "values": request.form}
    if not is_htmx():
        return varying(page(issue, status=422, form=context))
    return fragments(form, otherwise="", status=422, **{**beside(issue), **context})


def beside(issue: Issue) -> dict[str, Any]:
    """All that stands beside the event: who has the issue, who follows it, what happened to it."""
    session = db.session
    limit = issue_timeline.SHOWN_AT_MOST if "history" in request.args else issue_timeline.SHOWN_AT_FIRST
    timeline = issue_timeline.of(session, issue, limit=limit)
    instance = instance_defaults()
    people = issue_facts.people(session, issue, me(), instance)
    around: issue_facts.Around = people
    if "people" in request.args:
        around = issue_facts.reached(session, issue, reader=me(), now=now(), instance=instance)
    return {
        "issue": issue,
        "org": issue.project.organization,
        "project": issue.project,
        "active_tab": "issues",
        "substatus": issue_facts.substatus(issue, now=now()),
        "moves": lifecycle.moves(issue.status),
        "offer": releases.offer(session, issue.project) if issue.status != lifecycle.RESOLVED else None,
        "settled": resolving.last(session, issue) if issue.status == lifecycle.RESOLVED else None,
        "people": people,
        "around": around,
        "silence": silence.of(session, issue, reader=me(), now=now()),
        "timeline": timeline,
        "reach": explaining.reach_of(session, timeline.notice_ids, reader=me(), now=now()),
        "version": version_of(issue, timeline.newest_activity),
        "as_html": comment_text.as_html,
        "errors": {},
        "values": {},
    }


def instance_defaults() -> preferring.Defaults:
    settings = current_app.config["SETTINGS"]
    return preferring.defaults(db.session, workflow=settings.default_workflow_notifications)
