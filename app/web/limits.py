"""How much one person may do in a while, from however many browsers: others get mail of most of it."""

from flask import request

from app import visitors
from app.extensions import limiter
from app.limits import INTEGRATIONS, INTEGRATIONS_SCOPE, QUESTIONS, QUESTIONS_SCOPE
from app.web.identity import me_or_none


def person() -> str:
    found = me_or_none()
    return f"user {found.id}" if found else visitors.address()


def _keeps_handle() -> bool:
    found = me_or_none()
    return found is not None and request.form.get("handle", "").strip().lstrip("@").lower() == found.handle


# More than anybody does by hand, and few enough for a mailbox.
changes = limiter.shared_limit("30 per minute", scope="changes", key_func=person, methods=["POST"])
# Programs of theirs count with them (`api/integrations.py`).
integrations = limiter.shared_limit(INTEGRATIONS, scope=INTEGRATIONS_SCOPE, key_func=person, methods=["POST"])
questions = limiter.shared_limit(QUESTIONS, scope=QUESTIONS_SCOPE, key_func=person)
# Whoever tries one handle after another finds out who is here, in whatever organization.
handles = limiter.limit("5 per hour", key_func=person, methods=["POST"], exempt_when=_keeps_handle)
