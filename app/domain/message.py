"""What an integration is told: everything that a channel may put into its own format, and nothing secret.

Built from a notice by `services/integrations/messages.py`; the texts are clean (no control characters) and
whole: each channel cuts by the unit that its service counts in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

NO_TEXT = "(no message)"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Frame:
    file: str
    line: int | None
    function: str
    in_app: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """The event behind a message."""

    id: str
    at: datetime
    environment: str = ""
    release: str = ""
    server_name: str = ""
    url: str = ""
    handled: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    exception_type: str = ""
    exception_value: str = ""
    frames: Sequence[Frame] = ()  # the newest first


@dataclass(frozen=True, slots=True)
class Subject:
    """The issue. Where a project's messages hold only a link, all but its name and address is empty."""

    id: int
    short_id: str
    url: str
    title: str = ""
    culprit: str = ""
    level: str = "error"
    status: str = "unresolved"
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    event_count: int = 0
    user_count: int = 0
    assignee: str = ""

    def bare(self) -> "Subject":
        """Title and link, and what decides how urgent it is and whom it is for."""
        return Subject(
            self.id,
            self.short_id,
            self.url,
            self.title,
            level=self.level,
            status=self.status,
            assignee=self.assignee,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one destination. `kind` is that of `kinds.INTEGRATION_KINDS`, or "test".

    `id` is the same for every try; `key` for the whole life of the issue. `tags` are those that a rule or the
    destination wants to see, in their order. `called`: the accounts of "actor" and "assignee" there, as far
    as they linked them. `references` are what the other side answered earlier about the issue. `callbacks`
    are the addresses that the other side can call, by their names. `is_bare`: it refused the full form.
    `is_repeat`: it was tried before, and may have arrived unseen.
    """

    id: str
    kind: str
    type: str  # of the webhook
    key: str
    at: datetime
    project: str
    project_slug: str
    instance_url: str
    url: str  # of the issue, or of what a message without one is about
    headline: str  # in one line: "New issue: ValueError: bad literal"
    issue: Subject | None = None
    issues: Sequence[Subject] = ()  # of a summary: the worst of those that it is about
    event: Happened | None = None
    rule_id: int | None = None
    rule: str = ""
    reason: str = ""
    actor_id: int | None = None
    actor: str = ""
    comment: str = ""
    tags: Sequence[str] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Mapping[str, str] = field(default_factory=dict)
    is_bare: bool = False
    is_repeat: bool = False

    @property
    def chosen_tags(self) -> dict[str, str]:
        known = self.event.tags if self.event else {}
        return {name: known[name] for name in self.tags if name in known}

    def bare(self) -> "Message":
        """Title and link alone: what remains to be said where the full form is refused."""
        issue = self.issue and self.issue.bare()
        issues = [each.bare() for each in self.issues]
        return replace(
            self, issue=issue, issues=issues, event=None, comment="", reason="", tags=(), is_bare=True
        )


def clean(text: object) -> str:
    """Without what could steer a terminal, or turn the direction of what stands around it."""
    plain = str(text or "").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", plain).encode("utf-8", "replace").decode()


def cleaned(value: Any) -> Any:
    """Plain data all of whose texts are clean: whatever the other side says can be kept, and shown."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {cleaned(name): cleaned(each) for name, each in value.items()}
    return [cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def cut(text: str, most: int) -> str:
    """At most so many characters, `...` at the end of what was longer."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def units(text: str) -> int:
    """The length in UTF-16 units, as services written in Java or JavaScript count it."""
    return len(text.encode("utf-16-le")) // 2


def cut_units(text: str, most: int) -> str:
    """At most so many UTF-16 units, `...` at the end of what was longer."""
    if units(text) <= most:
        return text
    kept = text.encode("utf-16-le")[: (most - 3) * 2].decode("utf-16-le", "ignore")
    return f"{kept.rstrip()}..."


def dedup_key(instance: str, issue_id: int) -> str:
    """One name for the issue's whole life, for every service; letters, digits and hyphens."""
    return f"{instance}-{issue_id}"
