"""Where a mail server or provider hands in what people sent to Tocsin. A worker reads it."""

import hmac

from flask import Blueprint, Response, abort, current_app, request

from app.clock import now
from app.db import begin_writing, db
from app.domain.errors import Refused
from app.extensions import csrf
from app.services.mails import inbound

bp = Blueprint("inbound", __name__)
csrf.exempt(bp)

# Fields in which providers post a whole message.
FIELDS = ("body-mime", "email", "raw")


@bp.post("/inbound/raw")
def raw() -> Response:
    """A message as its raw bytes, or in a form field. Answers 202 once it is kept; 401 without the secret."""
    _check_secret()
    message = _message()
    if not message:
        return _say("Post the message's raw source as the body, or in a field named body-mime.", 400)
    begin_writing()
    try:
        message_id = inbound.keep(db.session, message, now=now())
    except Refused as error:
        return _say(error.message, 413)
    db.session.commit()
    return _say("Taken." if message_id else "Known already.", 202)


def _check_secret() -> None:
    """As a bearer token, or as the password of an address such as https://tocsin:SECRET@host/inbound/raw."""
    secret = current_app.config["SETTINGS"].inbound_secret
    if not secret:
        abort(404)
    given = request.authorization
    told = (given.token or given.password or "") if given else ""
    if not hmac.compare_digest(told.encode(), secret.encode()):
        abort(401)


def _message() -> bytes:
    data = request.get_data(parse_form_data=True)
    for name in FIELDS:
        if name in request.form:
            data = request.form[name].encode()
        elif name in request.files:
            data = request.files[name].read()
    return data


def _say(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
