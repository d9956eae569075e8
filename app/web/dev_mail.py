"""Captured mail, exactly as it would have been sent: for superusers, while no mail server is set."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app.settings import Settings
from app.web.hypermedia import see_other
from app.web.identity import ask_to_sign_in, me_or_none

bp = Blueprint("dev_mail", __name__, url_prefix="/dev")

SHOWN = 200
# Mails bring their own style and nothing else.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-top-navigation-by-user-activation"
)
PARTS = {"html": "HTML", "text": "Text", "headers": "Headers", "raw": "Source"}


@dataclass(frozen=True, slots=True)
class Letter:
    delivery_id: int
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def at(self) -> datetime | None:
        date = self.message["Date"]
        return parsedate_to_datetime(date) if date else None

    def part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        return body.get_content() if body else ""


@bp.before_request
def _only_for_superusers_without_a_server() -> ResponseReturnValue | None:
    person = me_or_none()
    if not _settings().mail_is_captured or (person and not person.is_superuser):
        abort(404)
    return None if person else ask_to_sign_in()


@bp.get("/mail/")
def index() -> ResponseReturnValue:
    paths = sorted(_folder().glob("*.eml"), reverse=True)
    letters = [Letter(int(path.stem), path.read_bytes()) for path in paths[:SHOWN] if path.stem.isdecimal()]
    return render_template("dev_mail/index.html", letters=letters, count=len(paths))


@bp.get("/mail/<int:delivery_id>/", defaults={"tab": "html"})
@bp.get("/mail/<int:delivery_id>/<any(text, headers, raw):tab>/")
def show(delivery_id: int, tab: str) -> ResponseReturnValue:
    return render_template("dev_mail/show.html", letter=_letter(delivery_id), tab=tab, parts=PARTS)


@bp.get("/mail/<int:delivery_id>/body")
def body(delivery_id: int) -> Response:
    """The HTML alone, for the frame: whatever is in it, it runs nothing and fetches nothing.

    Its links open in place of the page around it, for no page of ours lets itself be framed.
    """
    html = _letter(delivery_id).part("html")
    response = make_response(re.sub(r"<head[^>]*>", r'\g<0><base target="_top">', html, count=1))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


@bp.get("/mails/")
def gallery() -> Response:
    """Every mail there is, of made-up facts."""
    return see_other(url_for("manage.mails"))


def _letter(delivery_id: int) -> Letter:
    path = _folder() / f"{delivery_id:010d}.eml"
    if not path.is_file():
        abort(404)
    return Letter(delivery_id, path.read_bytes())


def _folder() -> Path:
    return _settings().tocsin_data_dir / "mail"


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found
