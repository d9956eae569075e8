"""What surrounds every page: the menus' content, static addresses with a fingerprint, security headers."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any

from flask import Flask, Response, abort, current_app, request, url_for

from app.db import begin_writing, db
from app.models import Organization, Project
from app.services import access
from app.settings import ROOT
from app.web.delays import delay
from app.web.identity import me_or_none
from app.web.on_call import standing
from app.web.pauses import banners

PLACES = "tocsin.places"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Whose bodies are read as they came: nothing here is typed into a form.
RAW = {"api", "callbacks"}
# To check a password takes a while, which nobody else should have to wait for; who will hear of a comment,
# and what rules and owners would do, is asked at every pause in the typing, and changes nothing; anybody may
# try a token or a secret; what a channel makes of its settings may be for another program to say.
LOCKS_LATER = {
    "auth.sign_in",
    "account.confirm",
    "issues.reach_of_comment",
    "rules.check",
    "rules.check_template",
    "rules.replay",
    "simulator.answer",
    "issue_owners.check",
    "issue_owners.trial",
    "api.preview_rule",
    "unsubscribe.answer",
    "inbound.raw",
    "callbacks.called",
    "integrations.create",
    "integrations.change",
    "api.create_integration",
    "api.change_integration",
}
# Whose bodies are too large to be held in memory: they are read, bounded, by the calls themselves.
STREAMED = {"api.upload_chunks", "api.upload_file", "api.upload_file_of_project"}
LOCKS_LATER |= STREAMED
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    app.before_request(_refuse_nul)
    app.before_request(_take_write_lock)
    app.after_request(_harden)
    app.context_processor(_frame)
    app.jinja_env.globals["static_url"] = static_url


def _refuse_nul() -> None:
    """PostgreSQL keeps no U+0000, and nobody types one: such a request is an attempt at something."""
    if request.blueprint == "api":  # answers in JSON, and reads bodies of any type as that
        return
    if "\x00" in request.path:
        abort(404)
    if "%00" in request.query_string.decode("latin-1") or any("\x00" in text for text in _typed()):
        abort(400)


def _typed() -> Iterator[str]:
    if request.blueprint in RAW:
        return
    for name, value in request.form.items(multi=True):
        yield name
        yield value


def _take_write_lock() -> None:
    """On SQLite a request that will change something takes the write lock before its first read.

    Its body is read before that: a client that sends slowly would hold up everybody else.
    """
    if request.method not in SAFE_METHODS and request.endpoint:
        if request.endpoint not in STREAMED:
            request.get_data(parse_form_data=request.blueprint not in RAW)
        if request.endpoint not in LOCKS_LATER:
            begin_writing()


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response


def _frame() -> dict[str, Any]:
    person = me_or_none()
    return {
        "me": person,
        "mail_captured": current_app.config["SETTINGS"].mail_is_captured,
        "on_call": lambda: standing(person) if person else None,
        "menu": places,
        "org": None,
        "project": None,
        "active_tab": None,
        "delay": delay,
        "maintenance": banners,
    }


def places() -> list[tuple[Organization, list[Project]]]:
    """What the person sees, for the menus and for whatever else of a page asks for it."""
    known = request.environ
    if PLACES not in known:
        person = me_or_none()
        known[PLACES] = access.menu(db.session, person) if person else []
    found: list[tuple[Organization, list[Project]]] = known[PLACES]
    return found


@cache
def _fingerprint(path: str) -> str:
    return sha256((ROOT / "static" / path).read_bytes()).hexdigest()[:6]


def static_url(path: str) -> str:
    """The address of a static file, with its content's fingerprint: browsers may keep it for a year."""
    return url_for("static", filename=path, v=_fingerprint(path))
