"""Muting a rule, for oneself or for everyone; from a mail only for oneself, and only after a question."""

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.models import AlertRule, User
from app.services import access
from app.services.notices import explaining
from app.services.rules import rule_muting
from app.services.rules.rule_muting import FOR_EVERYONE, FOR_ME
from app.web import project_pages
from app.web.hypermedia import say, see_other, varying, way_back
from app.web.identity import login_required, me
from app.web.rules import mute_choice
from app.web.rules.blueprint import ROOT, address, bp, frame, rule_to_see

MAIL = "mail link"


@bp.post(f"{ROOT}/<int:rule_id>/mute")
@login_required
def mute(org: str, slug: str, rule_id: int) -> Response:
    """`for` says whom it concerns; `unmute` ends it."""
    rule = rule_to_see(org, slug, rule_id)
    user = _concerned(rule)
    back = way_back(otherwise=address(rule))
    if "unmute" in request.form:
        rule_muting.unmute(db.session, rule, user=user, by=me(), via="page", now=now())
        db.session.commit()
        say(f"“{rule.name}” rings again for {'you' if user else 'everyone'}.")
        return see_other(back)
    until = mute_choice.read(request.form, now())
    rule_muting.mute(db.session, rule, user=user, until=until, by=me(), via="page", now=now())
    db.session.commit()
    say(_muted(rule, user, rule_muting.until_words(until, me())), undo=_undo(rule, user))
    return see_other(back)


def _concerned(rule: AlertRule) -> User | None:
    """The reader, or None for everyone, which is for those who may edit the rule."""
    wanted = request.form.get("for")
    if wanted not in (FOR_ME, FOR_EVERYONE):
        raise BadRequest
    if wanted == FOR_EVERYONE and not project_pages.may_edit(rule.project):
        raise NotFound
    return me() if wanted == FOR_ME else None


def _muted(rule: AlertRule, user: User | None, until: str) -> str:
    return f"“{rule.name}” is muted for {'you' if user else 'everyone'} {until}."


def _undo(rule: AlertRule, user: User | None) -> dict[str, object]:
    project = rule.project
    url = url_for("rules.mute", org=project.organization.slug, slug=project.slug, rule_id=rule.id)
    return {"url": url, "fields": {"for": FOR_ME if user else FOR_EVERYONE, "unmute": "1"}}


# From a mail


@bp.get("/notices/<public_id>/mute-rule/")
@login_required
def ask(public_id: str) -> ResponseReturnValue:
    """Says exactly what would be silent, and asks. Opening it changes nothing."""
    return _asked(_rule_of(public_id))


@bp.post("/notices/<public_id>/mute-rule/")
@login_required
def confirm(public_id: str) -> ResponseReturnValue:
    rule = _rule_of(public_id)
    try:
        until = mute_choice.read(request.form, now())
        rule_muting.mute(db.session, rule, user=me(), until=until, by=me(), via=MAIL, now=now())
    except Refused as error:
        db.session.rollback()
        return _asked(rule, {error.field or "": error.message}, status=422)
    db.session.commit()
    say(_muted(rule, me(), rule_muting.until_words(until, me())), undo=_undo(rule, me()))
    return see_other(address(rule))


def _rule_of(public_id: str) -> AlertRule:
    notice = explaining.visible_notice(db.session, me(), public_id)
    if notice.rule is None:
        raise NotFound
    return notice.rule


def _asked(rule: AlertRule, errors: dict[str, str] | None = None, *, status: int = 200) -> Response:
    silence = rule_muting.silences(db.session, [rule.id], user=me(), now=now())[rule.id]
    is_member = me().id in access.project_member_ids(db.session, rule.project_id)
    text = render_template(
        "rules/mute.html",
        **frame(rule.project),
        **mute_choice.context(),
        rule=rule,
        silence=silence,
        is_member=is_member,
        errors=errors or {},
        values=request.form,
    )
    return varying(make_response(text, status))
