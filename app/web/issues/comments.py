"""Comments on an issue: writing one, and changing or deleting one's own."""

from typing import Any

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.models import Activity, Issue
from app.services import access, comment_text, commenting
from app.web.hypermedia import form_again, fragments, is_htmx, page_or_fragment
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.showing import COMMENT_FORM, changed, refused

TIMELINE, ONE = "issues/_timeline.html", "issues/_comment.html"
EDIT_PAGE, EDIT_FORM = "issues/comment.html", "issues/_comment_edit.html"


@bp.post("/issues/<int:issue_id>/comments")
@login_required
def comment(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        commenting.comment(session, issue, text=request.form.get("text", ""), by=me(), now=now())
    except Refused as error:
        return refused(issue, error, form=COMMENT_FORM)
    session.commit()
    return changed(issue, "Comment added.", form=COMMENT_FORM)


@bp.get("/issues/<int:issue_id>/comments/<int:comment_id>")
@login_required
def one_comment(issue_id: int, comment_id: int) -> Response:
    """A comment of one's own as it stands, for who thought better of changing it."""
    issue, written = _own(issue_id, comment_id)
    place = f"{issue_url(issue)}#activity-{written.id}"
    as_html = comment_text.as_html
    return fragments(ONE, otherwise=place, issue=issue, written=written, as_html=as_html, is_own=True)


@bp.get("/issues/<int:issue_id>/comments/<int:comment_id>/edit")
@login_required
def edit_comment(issue_id: int, comment_id: int) -> Response:
    issue, written = _own(issue_id, comment_id)
    return page_or_fragment(EDIT_PAGE, EDIT_FORM, **_form(issue, written), errors={}, values={})


@bp.post("/issues/<int:issue_id>/comments/<int:comment_id>")
@login_required
def change_comment(issue_id: int, comment_id: int) -> Response:
    session = db.session
    issue, written = _own(issue_id, comment_id)
    try:
        has_changed = commenting.edit(session, written, text=request.form.get("text", ""), now=now())
    except Refused as error:
        page = EDIT_FORM if is_htmx() else EDIT_PAGE
        return form_again(page, error, **_form(issue, written))
    session.commit()
    said = "Comment changed. Nobody is told anew." if has_changed else "Nothing changed."
    return changed(issue, said, form=TIMELINE)


@bp.post("/issues/<int:issue_id>/comments/<int:comment_id>/deletion")
@login_required
def delete_comment(issue_id: int, comment_id: int) -> Response:
    session = db.session
    issue, written = _own(issue_id, comment_id)
    commenting.delete(session, issue, written, now=now())
    session.commit()
    return changed(issue, "Comment deleted.", form=TIMELINE)


def _own(issue_id: int, comment_id: int) -> tuple[Issue, Activity]:
    issue = access.visible_issue(db.session, me(), issue_id)
    return issue, commenting.own(db.session, issue, comment_id, by=me())


def _form(issue: Issue, written: Activity) -> dict[str, Any]:
    project = issue.project
    frame = {"org": project.organization, "project": project, "active_tab": "issues"}
    return {**frame, "issue": issue, "written": written}
