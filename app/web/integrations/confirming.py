"""A code that was sent to somebody behind an integration, entered on its page."""

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.services.integrations import confirming
from app.web.hypermedia import see_other
from app.web.identity import login_required
from app.web.integrations.blueprint import bp, integration_to_edit, vault


@bp.post("/<int:destination_id>/confirm")
@login_required
def confirm(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    key, code = request.form.get("key", ""), request.form.get("code", "")
    wrong = confirming.confirm(db.session, row.id, key, code, vault().seal, now=now())
    db.session.commit()
    if wrong:
        flash(wrong, "warning")
    else:
        flash("Confirmed.")
    here = url_for("integrations.show", org=org, slug=slug, destination_id=destination_id)
    return see_other(f"{here}#confirm")
