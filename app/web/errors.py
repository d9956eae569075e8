"""What goes wrong, as a page with a way on, or as a sentence in the corner of the page that asked."""

import logging
import math
import time
from typing import Any

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.db import db
from app.domain.errors import NotFound, Refused
from app.extensions import limiter
from app.web.hypermedia import is_htmx, varying

log = logging.getLogger(__name__)

WORDS = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    401: ("Sign in first", "This page is for people with an account here."),
    403: ("Not for you to change", "Ask an owner or manager of the organization."),
    404: ("Nothing here", "It does not exist, or you may not see it."),
    405: ("That is no way to ask", "This address does not take such requests."),
    413: ("Too large", "Send less at once."),
    429: ("Too much at once", "Nothing was done this time: there is a limit to how often in a while."),
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
    return say(422, "That cannot be done", error.message)


def _not_found(_error: NotFound) -> Response:
    return say(404, *WORDS[404])


def _expired(_error: CSRFError) -> Response:
    return say(400, *EXPIRED)


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:  # a redirect that Werkzeug raises
        return error
    if error.response is not None:  # a limit that answers in its own way
        return error.response
    title, words = WORDS.get(status, (error.name, "Go back and try again."))
    if status == 429:
        words = f"{words} {_when_to_come_again()}"
    response = say(status, title, words)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _when_to_come_again() -> str:
    limit = limiter.current_limit
    seconds = max(1, math.ceil(limit.reset_at - time.time())) if limit else 60
    return f"Try again in {seconds} seconds." if seconds < 120 else f"Try again in {seconds // 60} minutes."


def _failed(error: InternalServerError) -> Response:
    """Flask has logged the cause. The page asks the database for nothing: that may be what failed."""
    db.session.rollback()
    title, words = WORDS[500]
    template = current_app.jinja_env.get_template("errors/page.html")
    return make_response(template.render(status=500, title=title, words=words), 500)


def say(status: int, title: str, words: str, *, way_on: tuple[str, str] | None = None) -> Response:
    """What went wrong; `way_on` are the words and the address of a link."""
    template = "errors/_toast.html" if is_htmx() else "errors/page.html"
    text = render_template(
        template, status=status, title=title, words=words, path=request.path, way_on=way_on
    )
    return varying(make_response(text, status))
