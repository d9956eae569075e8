"""Services that reach phones, as far as they remember: what rings at Pushover, and who has what by Twilio."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.receiver import Handler, Script, answer

RECEIPT = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"


def form_of(body: bytes) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(body.decode()).items()}


def _said(status_code: int, /, **data: object) -> Script:
    return answer(status_code, json.dumps(data).encode(), content_type="application/json")


@dataclass
class Pushover:
    """`history` is what its users noticed: it rang, fell silent, or a message came."""

    history: list[str] = field(default_factory=list)
    ringing: dict[str, int] = field(default_factory=dict)
    acknowledged: bool = False

    def __call__(self, handler: Handler) -> None:
        call = handler.receiver.taken[-1]
        parts = urlsplit(call.path).path.removesuffix(".json").split("/")[2:]
        if parts[0] == "receipts" and parts[1] == "cancel_by_tag":
            self._cancel(parts[2])
        elif parts[0] == "messages":
            self._push(form_of(call.body))
        rings = {"acknowledged": int(self.acknowledged), "expired": 0} if call.method == "GET" else {}
        _said(200, status=1, request="x", receipt=RECEIPT, **rings)(handler)

    def _push(self, form: dict[str, str]) -> None:
        if form["priority"] == "2":
            self.ringing[form["tags"]] = self.ringing.get(form["tags"], 0) + 1
            self.history.append("rings")
        else:
            self.history.append(form["title"].partition(":")[0])

    def _cancel(self, tag: str) -> None:
        self.history.append("silenced" if self.ringing.pop(tag, 0) else "nothing to silence")


@dataclass
class Twilio:
    """`inbox` is who got what. `stopped` are refused from then on."""

    clock: Callable[[], str]
    inbox: list[tuple[str, str]] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    made: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, handler: Handler) -> None:
        call = handler.receiver.taken[-1]
        if call.method == "GET":
            to = parse_qs(urlsplit(call.path).query).get("To", [""])[0]
            _said(200, messages=[row for row in self.made if row["to"] == to])(handler)
            return
        form = form_of(call.body)
        if form["To"] in self.stopped:
            _said(400, code=21610, message="Attempt to send to unsubscribed recipient", status=400)(handler)
            return
        self.inbox.append((form["To"], form["Body"]))
        row = {"to": form["To"], "body": form["Body"], "date_created": self.clock(), "status": "sent"}
        self.made.append(row)
        _said(201, sid=f"SM{len(self.made):032}", status="queued")(handler)

    def who(self) -> list[str]:
        return [number for number, _ in self.inbox]
