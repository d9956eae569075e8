"""What whoever runs this instance has set, in the form in which pages, API and jobs ask for it."""

from flask import current_app
from sqlalchemy.orm import Session

from app.domain.site import Site
from app.services.preferences import preferring
from app.services.preferences.preferring import Defaults


def defaults(session: Session) -> Defaults:
    """What holds for people who chose nothing: the instance page's word, else the environment's."""
    return preferring.defaults(session, workflow=workflow())


def workflow() -> str:
    """The environment's own default for workflow mail."""
    chosen: str = current_app.config["SETTINGS"].default_workflow_notifications
    return chosen


def site(*, signed_with: tuple[str, ...] | None = None) -> Site:
    """What mails say of this instance. Their links are signed with its own keys, unless there are others."""
    settings = current_app.config["SETTINGS"]
    keys = settings.mail_token_keys if signed_with is None else signed_with
    return Site(settings.tocsin_url.rstrip("/"), settings.mail_domain, keys, settings.reply_domain)
