"""Who will hear of what is about to be done to an issue, and whom a comment can name."""

from typing import Any

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.models import Issue
from app.services import access
from app.services.issues import commenting, issue_facts, naming
from app.services.notices import foretelling
from app.services.notices.foretelling import Circumstances, Foretold
from app.web import limits
from app.web.hypermedia import fragments
from app.web.identity import login_required, me
from app.web.issues.assignee import chosen
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.showing import instance_defaults

LINE, PEOPLE, NAMES = "issues/_foretold.html", "issues/_participants.html", "issues/_names.html"


@bp.get("/issues/<int:issue_id>/reach")
@login_required
@limits.questions
def reach(issue_id: int) -> Response:
    """`kind` is that of the notice it would make; of an assignment `assignee` may say to whom."""
    issue = access.visible_issue(db.session, me(), issue_id, with_pauses=True)
    try:
        return _line(issue, _of(issue, request.args.get("kind", "")), is_brief=True)
    except Refused as error:
        return _line(issue, Foretold(warning=error.message), is_brief=True)


@bp.post("/issues/<int:issue_id>/reach")
@login_required
@limits.questions
def reach_of_comment(issue_id: int) -> Response:
    """Of the comment that is being written. A POST, for its words are no business of an address or a log."""
    issue = access.visible_issue(db.session, me(), issue_id, with_pauses=True)
    text = request.form.get("text", "")[: commenting.LONGEST]
    return _line(issue, foretelling.of_comment(db.session, issue, text, _by_me()), is_brief=False)


@bp.get("/issues/<int:issue_id>/participants")
@login_required
def participants(issue_id: int) -> Response:
    """Those who follow the issue, with what a change to it would mean for each."""
    session, instance = db.session, instance_defaults()
    issue = access.visible_issue(session, me(), issue_id, with_pauses=True)
    around = issue_facts.who_follows(session, issue, me())
    around = issue_facts.reached(session, issue, around, reader=me(), now=now(), instance=instance)
    return fragments(PEOPLE, otherwise=issue_url(issue, people="all"), issue=issue, around=around)


@bp.get("/issues/<int:issue_id>/names")
@login_required
def names(issue_id: int) -> Response:
    """Members and teams of the project whose names begin with `q`: "@pr" or "#pay"."""
    issue = access.visible_issue(db.session, me(), issue_id)
    found = naming.beginning(db.session, issue.project, request.args.get("q", ""), reader=me())
    return fragments(NAMES, otherwise=issue_url(issue), found=found)


def _of(issue: Issue, kind: str) -> Foretold:
    if kind == "assigned" and "assignee" in request.args:
        to = chosen(issue, request.args["assignee"])
        return foretelling.of_handover(db.session, issue, to, _by_me())
    return foretelling.of_kind(db.session, issue, kind, _by_me())


def _by_me() -> Circumstances:
    return Circumstances(me(), now(), instance_defaults())


def _line(issue: Issue, found: Foretold, *, is_brief: bool) -> Response:
    organization = issue.project.organization
    may_add = bool(found.warning) and access.can(db.session, me(), organization, "edit_members")
    context: dict[str, Any] = {"foretold": found, "is_brief": is_brief, "may_add": may_add}
    return fragments(LINE, otherwise=issue_url(issue), issue=issue, **context)
