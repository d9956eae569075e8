"""What stands in the simulator's form: the situation, and the change to try."""

from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain.ownership_lines import LONGEST

REPLAY, ISSUE, MADE = "replay", "issue", "made"
MODES = (REPLAY, ISSUE, MADE)
# What a page that is about no project hands on.
CHOICES = (
    "mine_alerts",
    "mine_workflow",
    "mine_batching",
    "default_alerts",
    "default_workflow",
    "default_batching",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """All of it as text. `asked`: the answer is wanted, not the form alone."""

    mode: str = REPLAY
    days: str = "7"
    issue: str = ""
    how: str = "as_it_was"
    level: str = "error"
    environment: str = ""
    release: str = ""
    path: str = ""
    url: str = ""
    tags: str = ""
    made_how: str = "new"
    nth: str = "2"
    day: str = ""
    time: str = ""
    rule_id: str = ""
    rule: str = ""
    rule_of: str = ""
    version: str = ""
    owners: str = ""
    raw: str = ""
    fallthrough: str = "all"
    auto_assign: str = ""
    only_assignee: str = ""
    resolve: str = ""
    every: str = ""
    minimum: str = ""
    maximum: str = ""
    mine_alerts: str = ""
    mine_workflow: str = ""
    mine_batching: str = ""
    default_alerts: str = ""
    default_workflow: str = ""
    default_batching: str = ""
    asked: bool = False

    @property
    def pace(self) -> tuple[str, str]:
        """The shortest and the longest window; one number is both."""
        return self.minimum or self.every, self.maximum or self.minimum or self.every


def of_form(form: MultiDict[str, str], *, asked: bool) -> Typed:
    texts: dict[str, Any] = {
        name: _text(form[name]) for name in Typed.__slots__ if name in form and name != "asked"
    }
    mode = texts.get("mode", REPLAY)
    return Typed(**{**texts, "mode": mode if mode in MODES else REPLAY, "asked": asked})


def _text(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n")[: LONGEST + 1]
