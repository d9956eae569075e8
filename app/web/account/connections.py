"""A person's accounts elsewhere: whose presses of buttons, in Slack say, are theirs."""

from flask import Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.extensions import limiter
from app.models import ChannelAccount
from app.services.integrations import channel_accounts
from app.web import limits
from app.web.account.blueprint import bp
from app.web.account.confirmation import proven
from app.web.hypermedia import see_other
from app.web.identity import login_required, me

PAGE, LINK = "settings/connections.html", "settings/connection_link.html"


@bp.get("/connections/")
@login_required
def connections() -> ResponseReturnValue:
    return render_template(PAGE, rows=channel_accounts.of_person(db.session, me()), named=named)


@bp.get("/connections/link/<secret>/")
@login_required
def open_link(secret: str) -> ResponseReturnValue:
    """Says what it would allow, and to whom; opening it does nothing."""
    try:
        account, project = channel_accounts.awaiting(db.session, me(), secret, now=now())
    except NotFound:
        return _stale()
    return render_template(LINK, secret=secret, account=account, project=project, named=named)


@bp.post("/connections/link/<secret>/")
@login_required
@proven(lambda: request.path)
@limiter.limit("20 per hour", key_func=limits.person)
def link(secret: str) -> ResponseReturnValue:
    try:
        account = channel_accounts.link(db.session, me(), secret, now=now())
    except NotFound:
        return _stale()
    name = named(account)
    db.session.commit()
    flash(f"{name} is linked. What it presses there, you did.")
    return see_other(url_for("account.connections"))


@bp.post("/connections/<int:account_id>/removal")
@login_required
def unlink(account_id: int) -> Response:
    name = named(channel_accounts.unlink(db.session, me(), account_id))
    db.session.commit()
    flash(f"{name} is not linked any more.")
    return see_other(url_for("account.connections"))


def named(account: ChannelAccount) -> str:
    """As the other side says that it is called, beside the id that cannot be made up so easily."""
    name = str(account.names.get("account") or "").strip()
    return f"{name} ({account.account})" if name else account.account


def _stale() -> ResponseReturnValue:
    return render_template(LINK, secret=None, account=None, project=None), 410
