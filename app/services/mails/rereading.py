"""A message that was sent, composed anew: what is known today, in the words of today."""

import re
from dataclasses import replace

from jinja2 import Environment
from sqlalchemy.orm import Session

from app.channels.base import Mail
from app.domain import delivery_states
from app.domain.errors import NotFound
from app.domain.site import Site
from app.models import Notice, User
from app.services.mails import delivering
from app.services.mails.composing import Composer
from app.services.notices import verdicts
from app.services.notices.verdicts import Recorded

# More than one notice: those of projects that an administrator need not see.
DIGEST = "digest"


def may_be_read(recorded: Recorded) -> bool:
    """One's own, and for administrators what tells of this notice alone and of nobody's quiet hours."""
    delivery = recorded.delivery
    if not recorded.is_person or delivery is None:
        return False
    if not (delivery.message_id or delivery.state in delivery_states.TRIED):
        return False
    if recorded.is_readers:
        return True
    return recorded.is_open and not recorded.hides_times and delivery.kind != DIGEST


def find(session: Session, notice: Notice, reader: User, delivery_id: str) -> Recorded:
    """Whose message it was, and what became of it; `NotFound` for what is not the reader's to see."""
    for recorded in verdicts.recorded(session, [notice], reader):
        delivery = recorded.delivery
        if delivery and delivery.public_id == delivery_id and may_be_read(recorded):
            return recorded
    raise NotFound


def compose(session: Session, environment: Environment, site: Site, recorded: Recorded) -> Mail:
    """The mail again. The links that need no password are taken out of it: they are keys."""
    if recorded.delivery is None:
        raise NotFound
    [delivery] = delivering.load(session, [recorded.delivery.id])
    mail = Composer(session, environment, site).compose(delivery)
    prefix = site.links.unsubscribe("")
    keys = re.compile(re.escape(prefix) + r"[^\s\"'<>]+")
    return replace(mail, text=keys.sub(f"{prefix}…", mail.text), html=keys.sub(f"{prefix}…", mail.html))
