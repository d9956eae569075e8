"""What a message says in few words: for channels whose room is small."""

import re

from app.domain.message import NO_TEXT, Message, Subject, clean

WORDS = {
    "new": "New",
    "regression": "Regression",
    "again": "Again",
    "resolved": "Resolved",
    "ignored": "Ignored",
    "unignored": "No longer ignored",
    "assigned": "Assigned",
    "comment": "Comment",
    "reopened": "Reopened",
    "deleted": "Deleted",
    "digest": "Summary",
    "test": "Test",
}


_NEVER = "\u200b"
# Names after an @, those in brackets as Slack and Discord write them, and links with words of their own.
_CALLS = re.compile(
    r"@(?=everyone|here|channel|all)|(?<!\w)@(?=\w)|<(?=[!@#]|[a-z]{1,16}:)|\](?=\()", re.IGNORECASE
)


def word(message: Message) -> str:
    """What happened: "New"."""
    return WORDS[message.kind]


def one_line(text: object) -> str:
    return " ".join(clean(text).split())


def harmless(text: object) -> str:
    """In one line where words are markup: it calls nobody, and no link leads elsewhere than it says."""
    return _CALLS.sub(lambda match: match[0] + _NEVER, one_line(text))


def what(message: Message) -> str:
    """What went wrong, in one line that is never empty."""
    issue, event = message.issue, message.event
    said = (issue and issue.title) or (event and event.exception_type) or message.headline
    return one_line(said) or NO_TEXT


def line_of(issue: Subject) -> str:
    """One of several issues: `API-42 ValueError: bad literal`."""
    return one_line(f"{issue.short_id} {issue.title}")


def facts(message: Message) -> list[tuple[str, str]]:
    """The tags that a rule or an integration wants to see, else what says where it happened."""
    if message.tags:
        return list(message.chosen_tags.items())
    event = message.event
    if event is None:
        return []
    usual = {
        "environment": event.environment,
        "release": event.release,
        "server_name": event.server_name,
        "url": event.url,
    }
    return [(name, value) for name, value in usual.items() if value]


def short_link(message: Message) -> str:
    """The shortest address of what it is about: it leads to the issue."""
    if message.issue is None or message.kind == "deleted":
        return message.url
    return f"{message.instance_url.rstrip('/')}/i/{message.issue.short_id}"
