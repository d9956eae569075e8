"""An issue's page, and the parts of it that change when somebody does something about the issue."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flask import Response, current_app, make_response, render_template, request
from sqlalchemy.exc import IntegrityError, OperationalError

from app import instance
from app.clock import now
from app.db import db, in_passing
from app.domain import importance, lifecycle, ownership_suggestions, roles, standing
from app.domain.errors import NotFound, Refused
from app.models import Issue
from app.services import access
from app.services.issues import (
    comment_text,
    feedback,
    issue_events,
    issue_facts,
    issue_lists,
    issue_timeline,
    seeing,
    silence,
    suggesting,
)
from app.services.issues.issue_lists import Lists
from app.services.monitors import monitor_pages
from app.services.monitors.monitor_failures import LOGGER
from app.services.preferences import preferring
from app.services.releases import releases
from app.web.filters import clock
from app.web.hypermedia import fragments, is_htmx, say, see_other, varying, way_back
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
    "issues/_fixes.html",
    "issues/_participants.html",
    "issues/_timeline.html",
    "issues/_news.html",
    "issues/_said.html",
)


@bp.get("/<org>/<slug>/issues/<int:issue_id>/")
@login_required
def show(org: str, slug: str, issue_id: int) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id, with_teams=True)
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
    event, owners = issue_events.show_owned(session, issue, request.args.get("event", issue_events.LATEST))
    matches = suggesting.matches(owners, event)
    lists = issue_lists.of(session, issue, now=now(), addresses=suggesting.addresses(matches))
    around = beside(issue, lists)
    people = around["people"]
    context = {
        **around,
        "suggested": suggesting.suggestions(
            matches, teams=people.teams, members=people.members, whose=lists.whose
        ),
        "patterns": ownership_suggestions.patterns(event.data) if event else (),
        "event": event,
        "parts": event_parts.parts_of(event.data, in_full=in_full) if event else None,
        "days": lists.days,
        "tags": lists.tags,
        "feedback": feedback.of_issue(session, issue) if lists.feedback else None,
        "monitor": monitor_pages.of_issue(session, issue) if issue.logger == LOGGER else None,
        **form,
    }
    response = make_response(render_template("issues/show.html", **context), status)
    if status == 200:
        _note_sight(response, issue, people.seen_at)
    return response


def _note_sight(response: Response, issue: Issue, seen_at: datetime | None) -> None:
    """That the reader has seen the issue, unless that is written, or somebody else is writing just now.

    Once the page was sent, which does not wait for it; not of one that was fetched before anybody asked.
    """
    is_ahead = request.headers.get("Sec-Purpose", "").startswith("prefetch")
    if request.method != "GET" or is_ahead or not seeing.is_to_be_noted(issue, seen_at, now=now()):
        return
    issue_id, reader_id, at = issue.id, me().id, seeing.moment_of(issue, now=now())
    context = current_app.app_context()  # that of the request, and its session, are gone by then

    def note() -> None:
        # The issue may be gone by then, too.
        with context, suppress(OperationalError, IntegrityError), in_passing() as own:
            seeing.note(own, issue_id, reader_id, seen_at=at)

    response.call_on_close(note)


def changed(issue: Issue, said: str, *, form: str = ACTIONS, undo: dict[str, Any] | None = None) -> Response:
    """After a change that was committed: what it altered, or without htmx the page again."""
    address = issue_url(issue)
    if not is_htmx():
        say(said, undo=undo)
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


def beside(issue: Issue, lists: Lists | None = None) -> dict[str, Any]:
    """All that stands beside the event: who has the issue, who follows it, what happened to it."""
    session = db.session
    limit = issue_timeline.SHOWN_AT_MOST if "history" in request.args else issue_timeline.SHOWN_AT_FIRST
    timeline = issue_timeline.of(session, issue, reader=me(), now=now(), limit=limit)
    settled = timeline.settled
    people = issue_facts.people(session, issue, me(), environment())
    around: issue_facts.Around = people
    if "people" in request.args:
        instance = instance_defaults()
        around = issue_facts.reached(session, issue, people, reader=me(), now=now(), instance=instance)
    return {
        "issue": issue,
        "org": issue.project.organization,
        "project": issue.project,
        "active_tab": "issues",
        "substatus": issue_facts.substatus(issue, now=now()),
        "priority_by_level": importance.of(None, issue.level),
        "moves": lifecycle.moves(issue.status),
        "offer": lists.offer if lists else releases.offer(session, issue.project),
        "fixes": lists.fixes if lists else issue_lists.fixes(session, issue),
        "settled": settled if issue.status == lifecycle.RESOLVED else None,
        "people": people,
        "standing": standing_of(issue, people.following),
        "around": around,
        "silence": silence.of(session, issue, reader=me(), by=settled.actor if settled else None, now=now()),
        "timeline": timeline,
        "reach": timeline.reach,
        "version": version_of(issue, timeline.newest_activity),
        "as_html": comment_text.as_html,
        "may_delete_comments": _may_delete_comments(people.role),
        "errors": {},
        "values": {},
    }


def _may_delete_comments(role: str | None) -> bool:
    """As `access.can` says it of somebody who sees the issue."""
    return me().is_superuser or (role is not None and roles.has(role, "delete_comments"))


def standing_of(issue: Issue, following: issue_facts.Following) -> str:
    """Whether it reaches the reader, and why, in a sentence."""
    return standing.standing(
        following.state,
        project=issue.project.name,
        workflow=following.workflow,
        alerts=following.alerts,
        reasons=following.reasons,
        since=clock(following.since) if following.since else "",
        via=following.via,
    )


def environment() -> preferring.Defaults:
    """What holds where neither a person nor the instance's administrators chose anything."""
    return preferring.configured(workflow=instance.workflow())


def instance_defaults() -> preferring.Defaults:
    return instance.defaults(db.session)
