"""Comments on an issue: writing one, changing one's own, deleting that or, as an administrator, any."""

from typing import Any

from flask import Response, request

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.models import Activity, Issue
from app.services import access
from app.services.issues import comment_text, commenting
from app.web import limits
from app.web.hypermedia import form_again, fragments, is_htmx, page_or_fragment
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.showing import COMMENT_FORM, changed, refused

TIMELINE, ONE = "issues/_timeline.html", "issues/_comment.html"
EDIT_PAGE, EDIT_FORM = "issues/comment.html", "issues/_comment_edit.html"


@bp.post("/issues/<int:issue_id>/comments")
@login_required
@limits.changes
def comment(issue_id: int) -> Response:
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    try:
        commenting.comment(session, issue, text=request.form.get("text", ""), by=me(), now=now())
    except Refused as error:
        return refused(issue, error, form=COMMENT_FORM)
    session.commit()
    unknown = commenting.named_in(session, issue, request.form.get("text", "")).unknown
    hint = f" {commenting.unknown_sentence(unknown, issue)}" if unknown else ""
    return changed(issue, f"Comment added.{hint}", form=COMMENT_FORM)


@bp.get("/issues/<int:issue_id>/comments/<int:comment_id>")
@login_required
def one_comment(issue_id: int, comment_id: int) -> Response:
    """A comment as it stands, for who thought better of changing it."""
    issue, written = _deletable(issue_id, comment_id)
    place = f"{issue_url(issue)}#activity-{written.id}"
    return fragments(ONE, otherwise=place, **_form(issue, written), may_delete=True)


@bp.get("/issues/<int:issue_id>/comments/<int:comment_id>/edit")
@login_required
def edit_comment(issue_id: int, comment_id: int) -> Response:
    issue, written = _deletable(issue_id, comment_id)
    return page_or_fragment(EDIT_PAGE, EDIT_FORM, **_form(issue, written), errors={}, values={})


@bp.post("/issues/<int:issue_id>/comments/<int:comment_id>")
@login_required
@limits.changes
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
    issue, written = _deletable(issue_id, comment_id)
    commenting.delete(session, issue, written, by=me(), now=now())
    session.commit()
    return changed(issue, "Comment deleted.", form=TIMELINE)


def _own(issue_id: int, comment_id: int) -> tuple[Issue, Activity]:
    issue = access.visible_issue(db.session, me(), issue_id)
    return issue, commenting.own(db.session, issue, comment_id, by=me())


def _deletable(issue_id: int, comment_id: int) -> tuple[Issue, Activity]:
    """One's own comment; anybody's, for an administrator of the project."""
    issue = access.visible_issue(db.session, me(), issue_id)
    written = commenting.standing(db.session, issue, comment_id)
    if written.actor_id != me().id and not access.can(db.session, me(), issue.project, "delete_comments"):
        raise NotFound
    return issue, written


def _form(issue: Issue, written: Activity) -> dict[str, Any]:
    project = issue.project
    frame = {"org": project.organization, "project": project, "active_tab": "issues"}
    own = {"is_own": written.actor_id == me().id, "as_html": comment_text.as_html}
    return {**frame, **own, "issue": issue, "written": written}
