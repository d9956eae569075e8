"""What an open list or issue page asks from time to time: 204 while nothing is new, else a pill to say so."""

from flask import Response, render_template, request

from app.clock import now
from app.db import db
from app.domain.search import BadSearch
from app.models import Issue
from app.services import access
from app.services.issues import finding, issue_timeline
from app.web.hypermedia import varying
from app.web.identity import login_required, me
from app.web.issues.asking import address_of, query_of, scope_at, what_is_asked
from app.web.issues.blueprint import bp, issue_url


@bp.get("/<org>/<slug>/news")
@login_required
def stream_news(org: str, slug: str) -> Response:
    scope, asked = scope_at(org, slug), what_is_asked()
    try:
        query = query_of(scope, asked)
    except BadSearch:
        return Response(status=204)
    version = finding.newest(db.session, scope, query, now=now())
    return _answer(version, "New events", address_of(scope, asked))


@bp.get("/issues/<int:issue_id>/news")
@login_required
def issue_news(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    version = version_of(issue, issue_timeline.newest_activity(session, issue))
    return _answer(version, "News", issue_url(issue))


def version_of(issue: Issue, newest_activity: int) -> str:
    """Changes with every event of the issue, and with all that happens to it."""
    return f"{issue.times_seen:x}-{newest_activity:x}"


def _answer(version: str, what: str, address: str) -> Response:
    response = Response(status=204)
    if version != request.args.get("seen"):
        response = Response(render_template("issues/_pill.html", what=what, address=address))
    response.set_etag(version)
    return varying(response)
