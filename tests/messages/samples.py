"""The gallery's mails, composed and built as for sending, without a database."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import cache

from bs4 import BeautifulSoup
from flask import Flask
from flask_mail import Mail as FlaskMail

from app.channels import email as channel
from app.channels.base import Mail
from app.domain.site import Site
from app.models import Delivery
from app.services.mails.composing import Composer
from app.services.mails.mail_sample_list import SAMPLES
from app.services.mails.mail_sample_texts import TEXTS
from app.services.mails.mail_samples import AT, MadeUp, Scenery
from app.services.mails.mail_templates import MailTemplates
from app.settings import ROOT

SITE = Site("https://tocsin.example.com", "tocsin.example.com", ("a key for tests",))
EVERY = [(name, texts) for name in SAMPLES for texts in TEXTS]
# About an issue, in its thread.
IN_THREAD = [
    name
    for name in SAMPLES
    if name.partition("-")[0]
    not in {
        "digest",
        "test",
        "sign",
        "invite",
        "verify",
        "address",
        "primary",
        "token",
        "reply",
        "integration",
        "storm",
        "deploy",
        "rule",
    }
]
LETTERS = [
    "sign-in",
    "invite",
    "verify",
    "address-verified",
    "primary-changed",
    "token-made",
    "reply-refused",
]


@dataclass(frozen=True)
class Composed:
    mail: Mail
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def page(self) -> BeautifulSoup:
        return BeautifulSoup(self.mail.html, "html.parser")

    @property
    def preheader(self) -> str:
        return self.page.find(class_="preheader").text.partition("\u034f")[0]

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.mail.headers)


@cache
def mail_app() -> Flask:
    """Templates and Flask-Mail, and nothing else."""
    app = Flask("mails", root_path=str(ROOT))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension(MailTemplates)
    FlaskMail(app)
    return app


@cache
def composed(name: str, texts: str = "typical", *, reply_domain: str = "", **scenery) -> Composed:
    return made(SAMPLES[name].make, Scenery(TEXTS[texts], **scenery), reply_domain=reply_domain)


def made(make: Callable[[Scenery], Delivery], scene: Scenery, *, reply_domain: str = "") -> Composed:
    app = mail_app()
    with app.app_context():
        site = replace(SITE, reply_domain=reply_domain)
        composer = Composer(None, app.jinja_env, site, records=MadeUp(scene))
        mail = composer.compose(make(scene))
        return Composed(mail, channel.build(mail, "Tocsin <alerts@tocsin.example.com>", AT))
