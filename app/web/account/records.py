"""What was sent to a person, held or not sent; and who changed what about their notifications."""

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.db import db
from app.services import recalling
from app.services.recalling import Change, Told
from app.web.account.blueprint import bp
from app.web.account.typed import number
from app.web.identity import login_required, me


@bp.get("/notifications/history/")
@login_required
def history() -> ResponseReturnValue:
    rows = recalling.told(db.session, me(), before=_before())
    return render_template("settings/history.html", rows=rows, older=_older(rows))


@bp.get("/notifications/log/")
@login_required
def log() -> ResponseReturnValue:
    rows = recalling.changed(db.session, me(), before=_before())
    return render_template("settings/log.html", rows=rows, older=_older(rows))


def _before() -> int | None:
    text = request.args.get("before")
    return number(text) if text else None


def _older(rows: Sequence[Told] | Sequence[Change]) -> int | None:
    """Where the next page begins, if this one is full."""
    return rows[-1].id if len(rows) == recalling.PAGE else None
