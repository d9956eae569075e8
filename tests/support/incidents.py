"""Services that page people, as they behave: each keeps what is open, and tells how it came to be."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from tests.support.receiver import Handler, Received, Script, answer

KEY = "a" * 32
API_KEY = "00000000-0000-0000-0000-000000000000"


@dataclass
class Incidents:
    """What is open, by its key: whether it was acknowledged. `history` is what became of all calls."""

    open: dict[str, bool] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def trigger(self, key: str) -> None:
        self.history.append("repeated" if key in self.open else "opened")
        self.open.setdefault(key, False)

    def acknowledge(self, key: str) -> None:
        self.history.append("acknowledged" if key in self.open else "dropped")
        if key in self.open:
            self.open[key] = True

    def resolve(self, key: str) -> None:
        self.history.append("resolved" if key in self.open else "dropped")
        self.open.pop(key, None)

    def note(self, key: str, text: str) -> None:
        self.history.append("noted" if key in self.open else "dropped")
        self.notes.append(text)


Service = Callable[[Incidents], Script]


def pagerduty(kept: Incidents) -> Script:
    """An incident belongs to the key that opened it: under another one nothing is known of it."""

    def script(handler: Handler) -> None:
        body = json.loads(_last(handler).body)
        key = f"{body['routing_key']}/{body['dedup_key']}"
        getattr(kept, body["event_action"])(key)
        _say(
            handler, 202, {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
        )

    return script


def opsgenie(kept: Incidents) -> Script:
    """All writes are taken; what became of them is another question."""
    asked: dict[str, bool] = {}

    def script(handler: Handler) -> None:
        request = _last(handler)
        if request.method == "GET":
            known = asked.get(request.path.rpartition("/")[2])
            _say(handler, 200, {"data": {"isSuccess": known, "status": "Created alert"}, "requestId": "x"})
            return
        body = json.loads(request.body)
        where = re.search(r"/v2/alerts/([^/?]+)/(\w+)\?", request.path)
        if where is None:
            kept.trigger(body["alias"])
        elif where[2] == "notes":
            kept.note(unquote(where[1]), body["note"])
        else:
            {"close": kept.resolve, "acknowledge": kept.acknowledge}[where[2]](unquote(where[1]))
        number = f"request-{len(asked)}"
        asked[number] = True
        _say(handler, 202, {"result": "Request will be processed", "took": 0.1, "requestId": number})

    return script


def victorops(kept: Incidents) -> Script:
    """What is of the type INFO is written down and opens nothing."""

    def script(handler: Handler) -> None:
        body = json.loads(_last(handler).body)
        do = {"ACKNOWLEDGEMENT": kept.acknowledge, "RECOVERY": kept.resolve, "INFO": lambda key: None}
        do.get(body["message_type"], kept.trigger)(body["entity_id"])
        _say(handler, 200, {"result": "success", "entity_id": body["entity_id"]})

    return script


def refused(status: int, body: object) -> Script:
    return answer(status, json.dumps(body).encode(), Content_Type="application/json")


def _last(handler: Handler) -> Received:
    return handler.receiver.taken[-1]


def _say(handler: Handler, status: int, body: object) -> None:
    refused(status, body)(handler)
