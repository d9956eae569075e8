"""The issues that a person follows, left or muted, each with the way to change it."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.clock import now
from app.db import db
from app.models import Issue
from app.services import access
from app.services.preferences import following, muting, subscribing
from app.web.account.blueprint import bp
from app.web.account.typed import number
from app.web.hypermedia import is_htmx, page_or_fragment, say, see_other, varying
from app.web.identity import login_required, me

PAGE, LIST = "settings/issues.html", "settings/_issues.html"


@bp.get("/notifications/issues/")
@bp.get("/notifications/issues/<any(unsubscribed, muted):what>/")
@login_required
def issues(what: str = following.FOLLOWED) -> ResponseReturnValue:
    return page_or_fragment(PAGE, LIST, **_listed(what))


@bp.post("/notifications/issues/<any(followed, unsubscribed, muted):what>/<int:issue_id>")
@login_required
def change_issue(what: str, issue_id: int) -> Response:
    """Subscribe, unsubscribe, take that back, or hear of the issue again."""
    issue = access.visible_issue(db.session, me(), issue_id)
    act = ACTS.get(request.form.get("do", ""))
    if act is None:
        raise BadRequest
    act(issue)
    said = f"{issue.short_id}: {SAID[request.form['do']]}."
    db.session.commit()
    if is_htmx():
        page = render_template(LIST, said=said, undo=_undo(what, issue_id), **_listed(what))
        return varying(make_response(page))
    say(said, undo=_undo(what, issue_id))
    return see_other(_address(what))


def _subscribe(issue: Issue) -> None:
    subscribing.subscribe(db.session, issue, user=me(), now=now(), via="web")


def _unsubscribe(issue: Issue) -> None:
    subscribing.unsubscribe(db.session, issue, user=me(), now=now(), via="web")


def _restore(issue: Issue) -> None:
    subscribing.restore(db.session, issue, user=me(), now=now(), via="web")


def _unmute(issue: Issue) -> None:
    muting.unmute(db.session, issue, user=me(), now=now())


def _mute_again(issue: Issue) -> None:
    muting.restore(db.session, issue, user=me(), now=now())


ACTS: Mapping[str, Callable[[Issue], None]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "restore": _restore,
    "unmute": _unmute,
    "mute_again": _mute_again,
}
SAID = {
    "subscribe": "subscribed",
    "unsubscribe": "unsubscribed",
    "restore": "as it was before",
    "unmute": "no longer muted",
    "mute_again": "muted as before",
}
# What takes an act back, where that leaves things as they were.
BACK = {"unsubscribe": "restore", "subscribe": "unsubscribe", "unmute": "mute_again"}


def _undo(what: str, issue_id: int) -> dict[str, object] | None:
    back = BACK.get(request.form["do"])
    url = url_for("account.change_issue", what=what, issue_id=issue_id)
    return {"url": url, "fields": {"do": back}} if back else None


def _listed(what: str) -> dict[str, Any]:
    page = max(number(request.args.get("page", "1")), 1)
    count = following.counts(db.session, me(), now=now())
    last = max(-(-count[what] // following.PAGE), 1)
    page = min(page, last)
    return {
        "what": what,
        "counts": count,
        "rows": following.listed(db.session, me(), what, page=page, now=now()),
        "number": page,
        "has_more": page < last,
    }


def _address(what: str) -> str:
    return url_for("account.issues", what=None if what == following.FOLLOWED else what)
