"""Explain: who was told of a notice, and why or why not, as a page and as a panel to open in place."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import instance
from app.channels.base import Mail
from app.clock import now
from app.db import db
from app.domain.clocks import Clock
from app.domain.errors import NotFound
from app.domain.kinds import KINDS
from app.domain.stopping import masked
from app.domain.storms import STORM
from app.models import Notice
from app.services.calm import storm_issues
from app.services.mails import rereading
from app.services.notices import explaining, transcribing
from app.services.notices.explaining import Explanation, Line
from app.services.notices.recalling import OUTCOMES
from app.services.notices.verdicts import Recorded
from app.web import lookups
from app.web.account.typed import number
from app.web.hypermedia import fragments, page_or_fragment
from app.web.identity import login_required, me

bp = Blueprint("notices", __name__, url_prefix="/notices")

# A page of a thousand people is none; the rest is a link away.
SHOWN = 100
SHOWN_INSTEAD = 20
FILTERS = ("outcome", "person", "all")
PARTS = {"html": "HTML", "text": "Text"}
# It brings its own style and nothing else, and its links lead nowhere.
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@bp.get("/<public_id>/")
@login_required
def show(public_id: str) -> Response:
    explanation = _explanation(public_id)
    response = page_or_fragment(
        "notices/show.html",
        "notices/_record.html",
        **_shown(explanation, "notices.show"),
        outcomes=OUTCOMES,
        people=_people(explanation),
        instead=_instead(explanation),
        shown_instead=SHOWN_INSTEAD,
        text=transcribing.of(explanation, Clock(now(), me().timezone)),
    )
    _note_filter(explanation)
    return response


def _instead(explanation: Explanation) -> Sequence[Notice]:
    """The alerts that were not told, because this notice sums them up."""
    notice = explanation.notice
    if notice.kind != STORM:
        return ()
    return storm_issues.collapsed(db.session, notice, limit=SHOWN_INSTEAD)


@bp.get("/<public_id>/panel")
@login_required
def panel(public_id: str) -> Response:
    page = url_for("notices.show", public_id=public_id)
    explanation = _explanation(public_id)
    response = fragments("notices/_panel.html", otherwise=page, **_shown(explanation, "notices.panel"))
    _note_filter(explanation)
    return response


@bp.get("/<public_id>/sent/<delivery_id>/")
@login_required
def sent(public_id: str, delivery_id: str) -> ResponseReturnValue:
    part = request.args.get("part", "html")
    if part not in PARTS:
        raise BadRequest
    notice, recorded, mail = _sent(public_id, delivery_id)
    page = render_template(
        "notices/sent.html",
        notice=notice,
        delivery_id=delivery_id,
        to=mail.to_address if recorded.is_readers else masked(mail.to_address),
        mail=mail,
        part=part,
        parts=PARTS,
    )
    _note_reading(notice, recorded)
    return page


@bp.get("/<public_id>/sent/<delivery_id>/body")
@login_required
def sent_body(public_id: str, delivery_id: str) -> Response:
    """The HTML alone, for the frame."""
    notice, recorded, mail = _sent(public_id, delivery_id)
    response = make_response(mail.html)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    _note_reading(notice, recorded)
    return response


def _sent(public_id: str, delivery_id: str) -> tuple[Notice, Recorded, Mail]:
    session = db.session
    notice = explaining.visible_notice(session, me(), public_id)
    recorded = rereading.find(session, notice, me(), delivery_id)
    if KINDS[notice.kind].in_thread and notice.issue is None:
        raise NotFound  # there is nothing left to compose it from
    return notice, recorded, rereading.compose(session, current_app.jinja_env, instance.site(), recorded)


def _note_reading(notice: Notice, recorded: Recorded) -> None:
    if recorded.is_person:
        _note(notice, recorded.verdict.subject_id)


def _note_filter(explanation: Explanation) -> None:
    """Of a notice narrowed down to one of those whom it was for."""
    person_id = number(request.args["person"]) if request.args.get("person") else None
    if person_id in {line.person_id for line in explanation.lines if line.person_id}:
        _note(explanation.notice, person_id)


def _note(notice: Notice, person_id: int | None) -> None:
    if notice.project and person_id is not None:
        lookups.note(notice.project, notice.issue_id or 0, notice.issue_short_id or "", person_id=person_id)


def _explanation(public_id: str) -> Explanation:
    session = db.session
    notice = explaining.visible_notice(session, me(), public_id)
    return explaining.explain(session, notice, me(), now=now())


def _shown(explanation: Explanation, endpoint: str) -> dict[str, Any]:
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if name in FILTERS and value}
    public_id = explanation.notice.public_id
    lines = _filtered(explanation.lines)
    few = lines if "all" in asked else lines[:SHOWN]
    return {
        "explanation": explanation,
        "lines": few,
        "more": len(lines) - len(few),
        "again": url_for(endpoint, public_id=public_id, **asked),
        "whole": url_for("notices.show", public_id=public_id, **{**asked, "all": 1}),
    }


def _filtered(lines: Sequence[Line]) -> Sequence[Line]:
    outcome, person = request.args.get("outcome", ""), request.args.get("person", "")
    if outcome and outcome not in OUTCOMES:
        raise BadRequest
    person_id = number(person) if person else None
    return [
        line
        for line in lines
        if (not outcome or line.mark == outcome) and (person_id is None or line.person_id == person_id)
    ]


def _people(explanation: Explanation) -> list[tuple[str, str]]:
    """For the filter, by name."""
    named = {str(line.person_id): line.person for line in explanation.lines}
    return sorted(named.items(), key=lambda pair: pair[1].casefold())
