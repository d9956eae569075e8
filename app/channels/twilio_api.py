"""The calls of Twilio's interface that a text message needs: send, look up, and look at the account."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.channels import meanings
from app.channels import twilio_answers as answers
from app.channels.base import Answer, Outcome
from app.channels.http import Http, Reply
from app.domain import recipients

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOOKED_AT = 20
# Their clock and ours need not agree to the second.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class TwilioApi:
    """One account. `credentials` are a name and a password."""

    host: str
    account: str
    credentials: tuple[str, str]
    http: Http
    now: datetime

    def send(self, form: Mapping[str, Any], *, secret: str = "") -> Answer:
        """One message. The log shows neither the number nor a `secret` of the text."""
        shown = {**form, "To": recipients.masked(str(form["To"]))}
        lines = "".join(f"\n{name}: {value}" for name, value in shown.items())
        return meanings.attempt(
            lambda: self._ask("POST", "/Messages.json", urlencode(form).encode(), FORM),
            lambda reply: answers.meaning_of(reply, now=self.now),
            request=_without(f"POST {self._path('/Messages.json')}{lines}", secret),
        )

    def look_up(self, number: str, text: str, *, since: datetime) -> Answer | None:
        """Whether the number has the text already: then as if it had just been sent, None if it has not.
        Where that cannot be found out, the answer says so."""
        found: list[Reply] = []
        query = {
            "To": number,
            "DateSent>": f"{since.astimezone(UTC):%Y-%m-%dT00:00:00Z}",
            "PageSize": LOOKED_AT,
        }
        path = f"/Messages.json?{urlencode(query, quote_via=quote)}"

        def ask() -> Reply:
            found.append(self._ask("GET", path))
            return found[0]

        answer = meanings.attempt(
            ask,
            lambda reply: answers.meaning_of(reply, now=self.now),
            request=f"GET {self._path('/Messages.json')}, to {recipients.masked(number)}",
        )
        if answer.outcome is not Outcome.DELIVERED:
            return answer
        rows = found[0].data.get("messages")
        known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return answer if any(_is_it(row, text, since) for row in known) else None

    def look_at_account(self) -> Answer:
        """Proves the credentials."""
        return meanings.attempt(
            lambda: self._ask("GET", ".json"),
            lambda reply: answers.meaning_of(reply, now=self.now),
            request=f"GET {self._path('.json')}",
        )

    def _path(self, rest: str) -> str:
        return f"/2010-04-01/Accounts/{self.account}{rest}"

    def _ask(
        self, method: str, rest: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        name, password = self.credentials
        signed = base64.b64encode(f"{name}:{password}".encode()).decode()
        url = self.http.base("twilio", self.host) + self._path(rest)
        return self.http.request(method, url, body, {"Authorization": f"Basic {signed}", **(headers or {})})


def _without(text: str, secret: str) -> str:
    return text.replace(secret, "••••") if secret else text


def _is_it(row: Mapping[str, Any], text: str, since: datetime) -> bool:
    """The end of the text is enough: trial accounts put words of their own before it."""
    if not str(row.get("body", "")).endswith(text) or row.get("status") in ("failed", "canceled"):
        return False
    with suppress(ValueError, TypeError):
        made = parsedate_to_datetime(str(row.get("date_created")))
        return made.astimezone(UTC) >= since - SKEW
    return False
