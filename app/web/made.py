"""Secrets that were just made: kept for the next showing of their page, and no longer.

Encrypted in the browser's own session: the database, addresses and logs know nothing of them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import session

from app import outgoing
from app.services.sealing import Sealed

KEY = "made"
FOR = timedelta(minutes=10)


def show_once(of: str, made: Mapping[str, Any], *, now: datetime) -> None:
    """Keep them for the page that the browser is sent to; `of` is what that page asks for them by."""
    if made:
        kept = {"of": of, "until": (now + FOR).isoformat(), "values": dict(made)}
        session[KEY] = outgoing.seal().close(kept)


def made_for(of: str, *, now: datetime) -> Mapping[str, Any]:
    """Those of this page, the first time that they are asked for."""
    try:
        kept = outgoing.seal().open(session[KEY]) if KEY in session else None
    except Sealed:
        kept = None
    if kept is None or kept["of"] != of:
        return {}
    del session[KEY]
    values: Mapping[str, Any] = kept["values"]
    return values if datetime.fromisoformat(kept["until"]) > now else {}
