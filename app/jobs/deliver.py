"""The job that sends messages: claim in one transaction, send between two, record each answer as it comes."""

import logging
import os
import socket
from collections.abc import Sequence

from flask import current_app

from app.channels import email
from app.channels.base import Mail
from app.channels.email import Capture, Letter, Relay
from app.clock import now
from app.db import transaction, writing
from app.models import Delivery
from app.services import delivering, preferring
from app.services.composing import Composer, Site

log = logging.getLogger(__name__)
# So many that four connections finish them within a claim even when each message runs into the time-out.
BATCH = 40


def run(*delivery_ids: int) -> None:
    """Send what is due of these deliveries. Safe to run twice, and at the same time."""
    for start in range(0, len(delivery_ids), BATCH):
        _send(delivery_ids[start : start + BATCH])


def _send(delivery_ids: Sequence[int]) -> None:
    letters = _claim(delivery_ids)
    if not letters:
        return
    worker = f"{socket.gethostname()}.{os.getpid()}"
    for sent in _transport().send(letters):
        with writing() as connection:
            delivering.record(connection, sent, now=now(), worker=worker)
        facts = {"delivery": sent.delivery_id, "result": str(sent.result), "code": sent.code}
        log.info("message sent" if sent.result == "accepted" else "message not accepted", extra=facts)


def _claim(delivery_ids: Sequence[int]) -> list[Letter]:
    settings = current_app.config["SETTINGS"]
    with transaction() as session:
        claimed = delivering.claim(session, delivery_ids, now=now())
        if not claimed:
            return []
        instance = preferring.defaults(session, workflow=settings.default_workflow_notifications)
        wanted = delivering.reconsider(session, claimed, now=now(), instance=instance)
        composer = Composer(session, current_app.jinja_env, site())
        letters, spoilt = [], []
        for delivery in wanted:
            mail = _composed(composer, delivery)
            if mail is None:
                spoilt.append(delivery.id)
            else:
                letters.append(_letter(mail))
        delivering.give_back(session, spoilt, now=now())
    return letters


def _composed(composer: Composer, delivery: Delivery) -> Mail | None:
    """One message that cannot be composed must not hold up the others."""
    try:
        mail = composer.compose(delivery)
        delivery.subject, delivery.message_id = mail.subject[:255], mail.message_id
        return mail
    except Exception:
        log.exception("a message could not be composed", extra={"delivery": delivery.id})
        return None


def _letter(mail: Mail) -> Letter:
    raw = email.build(mail, current_app.config["MAIL_DEFAULT_SENDER"], now())
    return Letter(mail.delivery_id, mail.to_address, raw)


def site() -> Site:
    """What mails say of this instance."""
    settings = current_app.config["SETTINGS"]
    return Site(settings.tocsin_url.rstrip("/"), settings.mail_domain, settings.mail_token_keys)


def _transport() -> Relay | Capture:
    """Kept for the life of the process, so that connections are."""
    extensions = current_app.extensions
    if "tocsin_transport" not in extensions:
        settings = current_app.config["SETTINGS"]
        if settings.mail_is_captured:
            extensions["tocsin_transport"] = Capture(settings.tocsin_data_dir / "mail")
        else:
            extensions["tocsin_transport"] = Relay(extensions["mail"], settings.mail_default_sender)
    transport: Relay | Capture = extensions["tocsin_transport"]
    return transport
