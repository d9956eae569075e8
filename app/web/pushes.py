"""Where providers of repositories tell of pushes: signed with the secret of their hook; no session counts."""

from flask import Blueprint, Response, request

from app import outgoing
from app.clock import now
from app.db import begin_writing, db
from app.extensions import csrf, limiter
from app.services.releases import pushing
from app.services.sealing import Sealed

bp = Blueprint("pushes", __name__)
csrf.exempt(bp)
limiter.exempt(bp)
MOST_BYTES = 10 * 1024 * 1024


@bp.post("/hooks/push/<key>")
def pushed(key: str) -> Response:
    """Kept before it is answered, and worked on by a job. Nothing is parsed before the signature is right."""
    request.max_content_length = MOST_BYTES
    row = pushing.called(db.session, key)
    body = request.get_data(cache=False, parse_form_data=False)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        is_signed = pushing.is_signed(row, headers, body, outgoing.seal())
    except Sealed:
        return _said("Not now: the secret of this hook cannot be read.", 503)
    if not is_signed:
        return _said("The signature is wrong, or missing.", 401)
    hook_id = row.id
    begin_writing()
    pushing.keep(db.session, hook_id, headers, body, now=now())
    db.session.commit()
    return _said("Taken.", 202)


def _said(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
