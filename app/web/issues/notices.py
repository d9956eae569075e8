"""The issue's Notifications tab: all that people might have been told of it, and how far that got."""

from typing import Any

from flask import Response, request

from app.clock import now
from app.db import db
from app.services import access
from app.services.notices import notice_list
from app.web import lookups
from app.web.account.typed import number
from app.web.identity import login_required, me
from app.web.issues import tabs
from app.web.issues.blueprint import bp


@bp.get("/<org>/<slug>/issues/<int:issue_id>/notifications/")
@login_required
def notifications(org: str, slug: str, issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    asked: dict[str, Any] = {name: request.args[name] for name in ("person",) if request.args.get(name)}
    if elsewhere := tabs.elsewhere("notifications", issue, **asked):
        return elsewhere
    before = request.args.get("before")
    person_id = number(asked["person"]) if asked else None
    rows = notice_list.of(
        session,
        issue,
        reader=me(),
        now=now(),
        person_id=person_id,
        before=number(before) if before else None,
    )
    older = rows[-1].notice.id if len(rows) == notice_list.PAGE else None
    response = tabs.shown(
        "notifications",
        issue,
        rows=rows,
        asked=asked,
        older=tabs.address("notifications", issue, **asked, before=older) if older else None,
        people=notice_list.people(session, issue),
    )
    if person_id is not None and any(row.line for row in rows):
        lookups.note(issue.project, issue.id, issue.short_id, person_id=person_id)
    return response
