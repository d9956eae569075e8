"""The banner that says what links in mail have stopped."""

from flask import Response, url_for

from app.db import db
from app.web.account.blueprint import bp
from app.web.hypermedia import see_other, way_back
from app.web.identity import login_required, me


@bp.post("/notifications/log/seen")
@login_required
def stops_seen() -> Response:
    """Its owner has seen what was stopped."""
    me().unseen_stops = 0
    db.session.commit()
    return see_other(way_back(otherwise=url_for("account.log")))
