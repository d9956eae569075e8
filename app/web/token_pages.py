"""Shared by the pages of API tokens, a person's and an organization's: naming, showing once, revoking."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.models import ApiToken
from app.services.people import tokens
from app.web.hypermedia import see_other
from app.web.identity import me
from app.web.made import made_for, show_once


def short_name() -> str:
    """What was typed for one, as far as an address may repeat it."""
    return request.form.get("name", "")[: tokens.LONGEST_NAME]


def name() -> str:
    typed = request.form.get("name", "").strip()
    if not typed:
        raise Refused("Say what it is for: you will want to know when you revoke it.", field="name")
    return typed


def hand_over(row: ApiToken, text: str, *, of: str, address: str) -> Response:
    """A new one is kept for the page of this address, which asks for it by `of`; its maker is written to."""
    tokens.write_to_maker(db.session, row, by=me(), path=address, now=now())
    db.session.commit()
    show_once(of, {"id": row.id, "text": text}, now=now())
    return see_other(address)


def just_made(of: str, one: Callable[[int], ApiToken]) -> dict[str, Any]:
    """What is shown this once of the token that was made last; `one` finds it among those of the page."""
    made = made_for(of, now=now())
    return {"made": one(made["id"]), "text": made["text"]} if made else {}


def revoke(row: ApiToken, *, address: str) -> Response:
    tokens.revoke(db.session, row, by=me(), now=now())
    db.session.commit()
    flash(f"“{row.called}” is revoked. What uses it is answered 401 from now on.")
    return see_other(address)
