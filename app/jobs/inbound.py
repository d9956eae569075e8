"""The job that works on mail which people sent."""

import logging

from flask import current_app

from app.clock import now
from app.db import AWAY, reading, transaction
from app.services.mails import inbound
from app.services.mails.inbound import Intake

log = logging.getLogger(__name__)


def run(*message_ids: int) -> None:
    """Work on these messages, one transaction each. Safe to run twice, and at the same time."""
    for message_id in message_ids:
        try:
            _work(message_id)
        except AWAY:
            raise
        except Exception as error:
            log.exception("a message could not be worked on", extra={"inbound": message_id})
            with transaction() as session:
                inbound.give_up(session, message_id, error)


def _work(message_id: int) -> None:
    """The body is read between two looks at the database: whatever it holds, no lock waits for it."""
    with reading() as session:
        opened = inbound.look(session, message_id, intake())
    if opened is None:
        return
    text = inbound.text(opened)
    with transaction() as session:
        inbound.work(session, message_id, opened, text, now=now())


def waiting() -> list[int]:
    """What has come and nobody has worked on."""
    with reading() as session:
        return list(inbound.waiting(session, limit=100))


def intake() -> Intake:
    settings = current_app.config["SETTINGS"]
    return Intake(
        settings.reply_domain,
        settings.mail_token_keys,
        settings.inbound_authserv_id,
        settings.inbound_without_dmarc,
    )
