"""Undo: what one click on a list did is taken back, by whoever did it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, current_app, flash, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services import access
from app.services.issues import timeline, undoing
from app.services.issues.undoing import Action, Undone
from app.web.filters import plural
from app.web.hypermedia import is_htmx, see_other, way_back
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp
from app.web.issues.bulk_changes import Done, Wish
from app.web.issues.rows import row


@bp.post("/issues/undo")
@login_required
def take_back() -> Response:
    """`action` is what `offer` signed: nobody else's word counts for what there is to be taken back."""
    session = db.session
    action = _read(request.form.get("action", ""))
    undone = undoing.undo(session, action, by=me(), now=now(), batch=timeline.together())
    session.commit()
    if is_htmx() and len(issue_ids := [*undone.done, *undone.left]) == 1:
        return row(access.visible_issue(session, me(), issue_ids[0]), said_of(undone))
    flash(said_of(undone))
    return see_other(way_back(otherwise=url_for("home.projects")))


def offer(done: Done, wish: Wish, *, back: str = "") -> dict[str, Any] | None:
    """The form that takes it back, as a toast shows it; None when there is nothing to take back."""
    action = undoing.action(db.session, done.activities, by=me(), at=wish.at)
    if action is None:
        return None
    signed = _signer().dumps({**asdict(action), "at": action.at.isoformat()})
    return {"url": url_for("issues.take_back"), "fields": {"action": signed, "next": back}}


def said_of(undone: Undone) -> str:
    left = f" {plural(len(undone.left), 'issue')} had changed since, and stayed as is." if undone.left else ""
    if not undone.done:
        return left.strip() or "There is nothing left to take back."
    told = " Nobody was told." if undone.is_silent else ""
    return f"Taken back: {plural(len(undone.done), 'issue')} as before.{told}{left}"


def _read(signed: str) -> Action:
    try:
        kept = _signer().loads(signed)
    except BadSignature:
        raise Refused("That Undo is not one of ours. Nothing was changed.") from None
    return Action(**{**kept, "at": datetime.fromisoformat(kept["at"])})


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="tocsin undo of a list")
