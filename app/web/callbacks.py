"""Where services call back: signed by what they share with their integration; no session counts."""

from flask import Blueprint, Response, current_app, request

from app import outgoing
from app.channels.base import Call
from app.clock import now
from app.db import begin_writing, db
from app.extensions import csrf, limiter
from app.services.integrations import calling_back

bp = Blueprint("callbacks", __name__)
csrf.exempt(bp)
MOST_BYTES = 256 * 1024


def _called() -> str:
    return str((request.view_args or {}).get("callback_key"))


# Genuine or not: each costs a look at secrets, and may cost a row.
calls = limiter.shared_limit("120 per minute", scope="callbacks", key_func=_called)


@bp.post("/hooks/<callback_key>/<name>")
@calls
def called(callback_key: str, name: str) -> Response:
    """Kept before it is answered, and carried out by a job. 404 for an address that none was given."""
    if (request.content_length or 0) > MOST_BYTES:
        return Response("Too much.\n", 413, mimetype="text/plain")
    body = request.get_data(cache=False, parse_form_data=False)
    destination = calling_back.find(db.session, callback_key, name)
    headers = {key.lower(): value for key, value in request.headers.items()}
    call = Call(name, _public_url(), headers, body)
    heard = calling_back.hear(destination, call, outgoing.seal(), now=now())
    if heard.act is not None or heard.changes:
        destination_id = destination.id
        begin_writing()
        calling_back.keep(db.session, destination_id, heard, outgoing.seal(), now=now())
        db.session.commit()
    response = Response(heard.text, heard.status)
    if heard.content_type is None:
        response.headers.pop("Content-Type")
    else:
        response.content_type = heard.content_type
    return response


def _public_url() -> str:
    """As the other side knows it: whatever proxies make of the host."""
    base: str = current_app.config["SETTINGS"].tocsin_url.rstrip("/")
    path = request.full_path if request.query_string else request.path
    return base + path
