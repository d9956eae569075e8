"""Explain: who was told of a notice, and why or why not, as a page and as a panel to open in place."""

from flask import Blueprint, Response, url_for

from app.db import db
from app.services import explaining
from app.services.explaining import Explanation
from app.web.hypermedia import fragments, page_or_fragment
from app.web.identity import login_required, me

bp = Blueprint("notices", __name__, url_prefix="/notices")


@bp.get("/<public_id>/")
@login_required
def show(public_id: str) -> Response:
    again = url_for("notices.show", public_id=public_id)
    return page_or_fragment(
        "notices/show.html", "notices/_record.html", explanation=_explanation(public_id), again=again
    )


@bp.get("/<public_id>/panel")
@login_required
def panel(public_id: str) -> Response:
    again = url_for("notices.panel", public_id=public_id)
    page = url_for("notices.show", public_id=public_id)
    explanation = _explanation(public_id)
    return fragments("notices/_panel.html", otherwise=page, explanation=explanation, again=again)


def _explanation(public_id: str) -> Explanation:
    session = db.session
    notice = explaining.visible_notice(session, me(), public_id)
    return explaining.explain(session, notice, me())
