"""Every mail that Tocsin writes, of made-up facts, through the templates and the composer of real ones."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy

from flask import Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app import instance
from app.channels import email
from app.channels.base import Mail
from app.db import db
from app.domain.errors import NotFound
from app.domain.site import Site
from app.services.mails.composing import Composer
from app.services.mails.mail_sample_list import SAMPLES
from app.services.mails.mail_sample_texts import TEXTS
from app.services.mails.mail_samples import AT, MadeUp, Sample, Scenery
from app.web.manage.blueprint import bp

# A mail brings its own style and nothing else; its links lead nowhere, for what it tells of never was.
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
DETAILS = {"full": "Everything", "counts": "Title and counts", "link": "Link only"}
WIDTHS = {"600": "600, a desktop", "390": "390, a phone"}
FACTS = {name: name.capitalize() for name in TEXTS}
_PREHEADER = re.compile(r'<div class="preheader"[^>]*>(.*?)(?:&#847;|</div>)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A made-up mail as it would have gone out."""

    sample: Sample
    mail: Mail
    raw: bytes

    @property
    def preheader(self) -> str:
        found = _PREHEADER.search(self.mail.html)
        return html.unescape(found[1]) if found else ""

    @property
    def kilobytes(self) -> str:
        return f"{len(self.raw) / 1024:.1f}\N{NO-BREAK SPACE}KB"

    @property
    def headers(self) -> list[tuple[str, str]]:
        return list(message_from_bytes(self.raw, policy=policy.default).items())


@bp.get("/mails/")
def mails() -> ResponseReturnValue:
    texts = _chosen("texts", TEXTS)
    return render_template(
        "manage/mails.html", shown=[_shown(name, texts, "full") for name in SAMPLES], texts=texts, facts=FACTS
    )


@bp.get("/mails/<name>/")
def mail(name: str) -> ResponseReturnValue:
    texts, detail = _chosen("texts", TEXTS), _chosen("detail", DETAILS)
    return render_template(
        "manage/mail.html",
        shown=_shown(name, texts, detail),
        texts=texts,
        detail=detail,
        width=_chosen("width", WIDTHS),
        choices={"texts": FACTS.items(), "detail": DETAILS.items(), "width": WIDTHS.items()},
    )


@bp.get("/mails/<name>/body")
def mail_body(name: str) -> Response:
    """The HTML alone, for the frame."""
    shown = _shown(name, _chosen("texts", TEXTS), _chosen("detail", DETAILS))
    response = make_response(shown.mail.html)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


def _chosen(name: str, among: Mapping[str, object]) -> str:
    """What the address asks for, or the first there is."""
    asked = request.args.get(name) or next(iter(among))
    if asked not in among:
        raise NotFound
    return asked


def _shown(name: str, texts: str, detail: str) -> Shown:
    if name not in SAMPLES:
        raise NotFound
    scenery = Scenery(TEXTS[texts], detail=detail)
    composer = Composer(db.session, current_app.jinja_env, _site(), records=MadeUp(scenery))
    made = composer.compose(SAMPLES[name].make(scenery))
    return Shown(SAMPLES[name], made, email.build(made, current_app.config["MAIL_DEFAULT_SENDER"], AT))


def _site() -> Site:
    """This instance, but for the keys: a link of a made-up mail opens nothing."""
    return instance.site(signed_with=("made-up mails are signed with this",))
