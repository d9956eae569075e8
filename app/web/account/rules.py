"""The alert rules that a person muted for themselves, each with the way to hear it again."""

from datetime import datetime

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.clock import now
from app.db import db
from app.domain import timestamps
from app.domain.errors import NotFound
from app.models import AlertRule
from app.services import access
from app.services.rules import rule_muting, rule_silence
from app.web.account.blueprint import bp
from app.web.hypermedia import is_htmx, page_or_fragment, say, see_other, varying
from app.web.identity import login_required, me

PAGE, LIST = "settings/rules.html", "settings/_rules.html"
UNMUTE, MUTE_AGAIN = "unmute", "mute_again"


@bp.get("/notifications/rules/")
@login_required
def muted_rules() -> ResponseReturnValue:
    return page_or_fragment(PAGE, LIST, rows=rule_silence.of_person(db.session, me(), now=now()))


@bp.post("/notifications/rules/<int:rule_id>")
@login_required
def change_rule(rule_id: int) -> Response:
    """Hear the rule again, or take that back."""
    rule = _visible(rule_id)
    do = request.form.get("do")
    if do == UNMUTE:
        silence = rule_muting.silences(db.session, [rule.id], user=me(), now=now())[rule.id].mine
        rule_muting.unmute(db.session, rule, user=me(), by=me(), via="web", now=now())
        said, undo = f"“{rule.name}” rings for you again.", _undo(rule, silence.until) if silence else None
    elif do == MUTE_AGAIN:
        rule_muting.mute(db.session, rule, user=me(), until=_until(), by=me(), via="web", now=now())
        said, undo = f"“{rule.name}” is muted for you as before.", None
    else:
        raise BadRequest
    db.session.commit()
    if is_htmx():
        rows = rule_silence.of_person(db.session, me(), now=now())
        return varying(make_response(render_template(LIST, rows=rows, said=said, undo=undo)))
    say(said, undo=undo)
    return see_other(url_for("account.muted_rules"))


def _visible(rule_id: int) -> AlertRule:
    rule = db.session.get(AlertRule, rule_id)
    if rule is None:
        raise NotFound
    access.visible_project(db.session, me(), rule.project.organization.slug, rule.project.slug)
    return rule


def _until() -> datetime | None:
    text = request.form.get("until", "")
    until = timestamps.parse(text) if text else None
    if text and until is None:
        raise BadRequest
    return until


def _undo(rule: AlertRule, until: datetime | None) -> dict[str, object]:
    fields = {"do": MUTE_AGAIN, "until": until.isoformat() if until else ""}
    return {"url": url_for("account.change_rule", rule_id=rule.id), "fields": fields}
