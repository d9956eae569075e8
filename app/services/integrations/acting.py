"""What the other side of integrations may ask for, by the "do" of what a channel heard: one table.

Each function works in the caller's transaction, and returns what is to be said to the other side afterwards,
when no transaction is open: best effort, since the change itself stands.
"""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.services.integrations import acknowledging, slack_acts
from app.services.integrations.asked import Act, Afterwards, Asked


def do(session: Session, asked: Asked) -> Afterwards | None:
    """Carry it out. Raises `Refused` or `NotFound` for what may not be done."""
    return ACTS[asked.act["do"]](session, asked)


ACTS: Mapping[str, Act] = {
    "acknowledged": acknowledging.acknowledge,
    "slack_action": slack_acts.press,
    "unfurl": slack_acts.unfurl,
}
