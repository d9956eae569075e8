"""The link at the foot of a mail: a page that asks, a POST that stops, an Undo. Nobody has to sign in.

The token is the proof, so nothing here asks for a cookie or counts requests: mail providers send the
one-click POST of RFC 8058 from machines of their own. Looking changes nothing: scanners follow every link.
"""

from flask import Blueprint, Response, current_app, make_response, render_template, request
from itsdangerous import BadSignature, URLSafeSerializer

from app.clock import now
from app.db import begin_writing, db
from app.domain.errors import Refused
from app.domain.mail_tokens import BadToken, MailToken
from app.domain.stopping import SCOPES
from app.extensions import csrf, limiter
from app.services.preferences import unsubscribing
from app.services.preferences.putting_back import Memory

bp = Blueprint("unsubscribe", __name__)
csrf.exempt(bp)
limiter.exempt(bp)

LINK, ONE_CLICK = "mail link", "one-click"


@bp.get("/u/<token>", strict_slashes=False)
def ask(token: str) -> Response:
    found, _ = unsubscribing.owner(db.session, token, _keys())
    return _asked(found)


@bp.post("/u/<token>", strict_slashes=False)
def answer(token: str) -> Response:
    found, _ = unsubscribing.owner(db.session, token, _keys())
    begin_writing()
    if _is_one_click():
        return _stop_at_once(found)
    return _put_back(found) if "undo" in request.form else _stop(found)


def _is_one_click() -> bool:
    """Form or multipart; a few senders forget to say which."""
    return request.form.get("List-Unsubscribe") == "One-Click" or (
        not request.form and request.get_data() == b"List-Unsubscribe=One-Click"
    )


def _stop_at_once(token: MailToken) -> Response:
    unsubscribing.stop(db.session, token, scope=token.scope, via=ONE_CLICK, now=now())
    db.session.commit()
    return _private(make_response("Unsubscribed.", {"Content-Type": "text/plain; charset=utf-8"}))


def _stop(token: MailToken) -> Response:
    offer = unsubscribing.describe(db.session, token)
    if offer is None:
        return _asked(token)
    scope = request.form.get("scope", token.scope)
    try:
        memory = unsubscribing.stop(db.session, token, scope=scope, via=LINK, now=now())
    except Refused as error:
        db.session.rollback()
        return _asked(token, error=error.message)
    db.session.commit()
    undo = _signer().dumps(memory) if memory else None
    offer = unsubscribing.describe(db.session, token)
    page = render_template("unsubscribe/done.html", offer=offer, done=SCOPES[scope], undo=undo)
    return _private(make_response(page))


def _put_back(token: MailToken) -> Response:
    try:
        memory: Memory = _signer().loads(request.form["undo"])
    except BadSignature:
        return _asked(token, error="That Undo is not one of ours. Nothing was changed.")
    unsubscribing.undo(db.session, token, memory, via=LINK, now=now())
    db.session.commit()
    offer = unsubscribing.describe(db.session, token)
    return _private(make_response(render_template("unsubscribe/undone.html", offer=offer)))


def _asked(token: MailToken, error: str = "") -> Response:
    offer = unsubscribing.describe(db.session, token)
    template = "unsubscribe/ask.html" if offer else "unsubscribe/nothing.html"
    page = render_template(template, offer=offer, scopes=SCOPES, error=error)
    return _private(make_response(page, 422 if error else 200))


@bp.errorhandler(BadToken)
def _bad_token(_error: BadToken) -> Response:
    """Never a dead end. Its form needs a Referer, and a link that works for nobody has nothing to hide."""
    response = _private(make_response(render_template("unsubscribe/bad.html"), 400))
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _private(response: Response) -> Response:
    """The address is a key: nobody keeps it, passes it on or lists it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _keys() -> tuple[str, ...]:
    keys: tuple[str, ...] = current_app.config["SETTINGS"].mail_token_keys
    return keys


def _signer() -> URLSafeSerializer:
    """Signs with the first key, as links are signed; itsdangerous wants that one last."""
    return URLSafeSerializer(list(reversed(_keys())), salt="tocsin undo")
