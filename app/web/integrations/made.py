"""Secrets that were made for whoever gave none: kept for the next showing of the page, and no longer.

Encrypted in the browser's own session: the database, addresses and logs know nothing of them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import session

from app.models import Destination
from app.services.integrations.sealing import Seal, Sealed

KEY = "made"
FOR = timedelta(minutes=10)


def show_once(destination: Destination, made: Mapping[str, Any], seal: Seal, *, now: datetime) -> None:
    """Keep them for the page that the browser is sent to."""
    if made:
        kept = {"of": destination.id, "until": (now + FOR).isoformat(), "values": dict(made)}
        session[KEY] = seal.close(kept)


def made_for(destination: Destination, seal: Seal, *, now: datetime) -> Mapping[str, Any]:
    """Those of this integration, the first time that they are asked for."""
    try:
        kept = seal.open(session[KEY]) if KEY in session else None
    except Sealed:
        kept = None
    if kept is None or kept["of"] != destination.id:
        return {}
    del session[KEY]
    values: Mapping[str, Any] = kept["values"]
    return values if datetime.fromisoformat(kept["until"]) > now else {}
