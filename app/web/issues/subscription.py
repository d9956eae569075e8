"""Following an issue, or asking to be left alone by it."""

from flask import Response, request, url_for

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services import access
from app.services.preferences import subscribing
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.showing import changed, refused

SUBSCRIBED, UNSUBSCRIBED, AS_BEFORE = "subscribed", "unsubscribed", "as_before"
SAID = {
    SUBSCRIBED: "Subscribed: you get what happens to this issue.",
    UNSUBSCRIBED: "You won’t get alerts or workflow changes for this issue.",
    AS_BEFORE: "Undone: everything is as it was before.",
}


@bp.post("/issues/<int:issue_id>/subscription")
@login_required
def subscribe(issue_id: int) -> Response:
    """`state` is what is wanted: subscribed, unsubscribed, or as_before, which takes the latter back."""
    session = db.session
    issue = access.visible_issue(session, me(), issue_id)
    wanted = request.form.get("state", "")
    change = {
        SUBSCRIBED: subscribing.subscribe,
        UNSUBSCRIBED: subscribing.unsubscribe,
        AS_BEFORE: subscribing.restore,
    }.get(wanted)
    if change is None:
        return refused(issue, Refused("Choose whether to subscribe or to unsubscribe.", field="state"))
    has_changed = change(session, issue, user=me(), now=now(), via="web")
    session.commit()
    if not has_changed:
        return changed(issue, "Nothing changed: it was so already.")
    undo = None
    if wanted == UNSUBSCRIBED:
        undo = {"url": url_for("issues.subscribe", issue_id=issue.id), "fields": {"state": AS_BEFORE}}
    return changed(issue, SAID[wanted], undo=undo)
