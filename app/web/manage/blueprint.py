"""The blueprint that the administrators' pages share. For everybody else there is nothing here."""

from flask import Blueprint, Response, url_for

from app.domain.errors import NotFound
from app.web.hypermedia import see_other
from app.web.identity import login_required, me

bp = Blueprint("manage", __name__, url_prefix="/manage")


@bp.before_request
@login_required
def _for_administrators() -> None:
    if not me().is_superuser:
        raise NotFound


@bp.get("/")
def home() -> Response:
    return see_other(url_for("manage.notification_defaults"))
