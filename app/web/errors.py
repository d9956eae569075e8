"""What goes wrong, as a page with a way on, or as a sentence in the corner of the page that asked."""

import logging
from typing import Any

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.db import db
from app.domain.errors import NotFound, Refused
from app.web.hypermedia import is_htmx, varying

log = logging.getLogger(__name__)

WORDS = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    401: ("Sign in first", "This page is for people with an account here."),
    403: ("Not for you to change", "Ask an owner or manager of the organization."),
    404: ("Nothing here", "It does not exist, or you may not see it."),
    405: ("That is no way to ask", "This address does not take such requests."),
    413: ("Too large", "Send less at once."),
    429: ("Too many tries", "Wait a while, then try again."),
    500: ("That did not work", "The server met an error. Nothing was changed; the log says more."),
}
EXPIRED = ("This form is too old", "Somebody signed in or out meanwhile. Reload the page and send it again.")


def init_app(app: Flask) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(500, _failed)


def _refused(error: Refused) -> Response:
    db.session.rollback()
    return _say(422, "That cannot be done", error.message)


def _not_found(_error: NotFound) -> Response:
    return _say(404, *WORDS[404])


def _expired(_error: CSRFError) -> Response:
    return _say(400, *EXPIRED)


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:  # a redirect that Werkzeug raises
        return error
    if error.response is not None:  # a limit that answers in its own way
        return error.response
    title, words = WORDS.get(status, (error.name, "Go back and try again."))
    response = _say(status, title, words)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _failed(error: InternalServerError) -> Response:
    """Flask has logged the cause. The page asks the database for nothing: that may be what failed."""
    db.session.rollback()
    title, words = WORDS[500]
    template = current_app.jinja_env.get_template("errors/page.html")
    return make_response(template.render(status=500, title=title, words=words), 500)


def _say(status: int, title: str, words: str) -> Response:
    template = "errors/_toast.html" if is_htmx() else "errors/page.html"
    text = render_template(template, status=status, title=title, words=words, path=request.path)
    return varying(make_response(text, status))
