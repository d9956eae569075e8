"""Answers for htmx, and for browsers without it: the same route serves both."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, flash, make_response, redirect, render_template, request

from app.db import db
from app.domain.errors import Refused
from app.settings import Settings

FRAGMENT = "HX-Request"


def is_htmx() -> bool:
    """Whether a part of a page is asked for, not the whole of it."""
    headers = request.headers
    return headers.get(FRAGMENT) == "true" and headers.get("HX-Request-Type") != "full"


def fragments(first: str, *out_of_band: str, otherwise: str, status: int = 200, **context: Any) -> Response:
    """`first` for the target and the rest beside it with `oob=True`; without htmx on to `otherwise`."""
    if not is_htmx():
        return see_other(otherwise)
    parts = [render_template(first, oob=False, **context)]
    parts += [render_template(name, oob=True, **context) for name in out_of_band]
    return varying(make_response("\n".join(parts), status))


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **context: Any) -> Response:
    """The whole page, or with htmx only the part of it that is asked for."""
    text = render_template(fragment if is_htmx() else page, **context)
    return varying(make_response(text, status))


def form_again(page: str, error: Refused, **context: Any) -> Response:
    """The form as it was typed, with what is wrong. Nothing of it was saved: what was begun is taken back."""
    db.session.rollback()
    text = render_template(page, errors=error.by_field, values=request.form, **context)
    return varying(make_response(text, 422))


def see_other(address: str) -> Response:
    """Where the outcome of a form is to be seen. htmx would swap in what a 303 leads to, so it is told."""
    if is_htmx():
        return hx_redirect(address)
    return varying(make_response(redirect(address, 303)))


def hx_redirect(address: str) -> Response:
    return varying(make_response("", 200, {"HX-Redirect": address}))


def way_back(*, otherwise: str) -> str:
    """Where a form or link says that the person came from: an address of ours, never one elsewhere."""
    wanted = request.values.get("next", "")
    try:
        parts = urlsplit(wanted)
    except ValueError:  # such as a bracket that is not closed
        return otherwise
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours and not parts.netloc and not parts.scheme else otherwise


def say(sentence: str, *, undo: Mapping[str, Any] | None = None) -> None:
    """Show a toast on the next page; with `undo` it holds the form that takes back what was done."""
    message: Any = {"said": sentence, "undo": dict(undo)} if undo else sentence
    flash(message)


def varying(response: Response) -> Response:
    response.vary.add(FRAGMENT)
    return response


def public_url(path: str) -> str:
    """The address as people outside know it. Never from the request: its Host may be anything."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.tocsin_url + path
