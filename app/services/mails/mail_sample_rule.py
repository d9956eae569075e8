"""Made-up changes of alert rules, for the gallery and for tests."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.models import Delivery
from app.services.mails.mail_samples import Scenery, delivery, of_notice

Pairs = Sequence[tuple[str, str]]


def changed(*reasons: str, is_gone: bool = False) -> Callable[[Scenery], Delivery]:
    def make(scenery: Scenery) -> Delivery:
        texts = scenery.texts
        name = texts.rule or "New issues"
        because = {"rule": name, "also": {"rule_team": {"sends": "sent", "team": "#payments"}}}
        notice = of_notice(scenery, "rule_changed", *reasons, because=because)
        notice.issue = notice.issue_id = notice.issue_title = notice.issue_short_id = None
        notice.event_id = None
        notice.actor = scenery.person(2, texts.other)
        notice.data = {"members": 3, **_data(name, is_gone=is_gone)}
        return delivery(scenery, "rule_changed", verdict=notice.verdicts[0])

    return make


def _data(name: str, *, is_gone: bool) -> Mapping[str, Any]:
    was = {"name": name, "frequency": 30, "actions": [], "active": True}
    return {
        "change": 7,
        "author": 1,
        "was": was,
        "now": None if is_gone else {**was, "frequency": 60},
        "restored": False,
        "changes": _gone(name) if is_gone else _lines(name),
        "more": 0,
        "reach": [[6, 1], [0, 0] if is_gone else [2, 1]],
    }


def _lines(name: str) -> Pairs:
    return (
        ("-", "Environment: all"),
        ("+", "Environment: production"),
        ("-", "Then: email #payments"),
        ("+", f"Then: email whoever looks after {name}"),
        ("-", "How often: at most every 30 minutes per issue"),
        ("+", "How often: at most every 60 minutes per issue"),
    )


def _gone(name: str) -> Pairs:
    return (
        ("-", f"Name: {name}"),
        ("-", "When: a new issue is created"),
        ("-", "Then: email #payments"),
        ("-", "Switched on"),
    )
