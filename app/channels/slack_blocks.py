"""How messages look in Slack: a card for an issue, a list for several, a line for what goes into a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.channels import slack_text as text
from app.channels.slack_text import code, date, escaped, link, mrkdwn, person, plain
from app.domain.kinds import CLOSING
from app.domain.lifecycle import UNRESOLVED
from app.domain.message import NO_TEXT, Message, Subject
from app.domain.message_words import harmless, word
from app.domain.phrases import plural

COLOURS = {
    "fatal": "#9f1239",
    "error": "#dc2626",
    "warning": "#d97706",
    "info": "#2563eb",
    "debug": "#94a3b8",
}
GREEN, GREY = "#16a34a", "#94a3b8"
MOST_FIELDS, MOST_ISSUES = 8, 10
LONGEST_SAID, LONGEST_FIELD, LONGEST_COMMENT = 1000, 300, 2500
# What a button asks for: the beginning of its `action_id`.
RESOLVE, IGNORE, ASSIGN, REOPEN, OPEN = "resolve", "ignore", "assign", "reopen", "open"
IGNORE_CHOICES: Mapping[str, str] = {
    "60": "For an hour",
    "1440": "For a day",
    "10080": "For a week",
    "events-100": "For 100 more events",
    "ever": "For ever",
}
# What makes a message be about somebody's decision rather than about errors.
DECIDED = ("resolved", "ignored", "unignored", "reopened", "deleted")
Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What an integration wants to see in its messages. `mention` is in Slack's own words."""

    tags: Sequence[str] = ()
    has_buttons: bool = False
    mention: str = ""


def card(message: Message, look: Look) -> dict[str, Any]:
    """The attachment with the bar at its side: an issue, several, or a test."""
    if message.issue is not None:
        blocks = _about_issue(message, message.issue, look)
    elif message.issues:
        blocks = _about_several(message)
    else:
        blocks = [_header(message.headline), _section(_placed(message))]
    return {"color": colour(message), "blocks": blocks}


def colour(message: Message) -> str:
    if message.kind == "resolved":
        return GREEN
    if message.kind in CLOSING or message.issue is None:
        return GREY
    return COLOURS.get(message.issue.level, COLOURS["error"])


def said(message: Message) -> str:
    """What a phone shows, and what stands above the card: one line, in which no address becomes a link."""
    return escaped(harmless(message.headline).replace("://", ":\u200b//"), LONGEST_SAID) or NO_TEXT


def bare(message: Message) -> str:
    """What remains where the card is refused: title and link."""
    return f"{said(message)}\n{link(message.url, 'Open it in Tocsin')}"


def unfurled(issue: Subject, project: str) -> list[Block]:
    """What stands below a link to an issue that somebody wrote."""
    title = _header(issue.title or issue.short_id)
    words = [each for each in (_named(issue), code(issue.culprit)) if each]
    facts = [escaped(project, 200), issue.status, issue.level, *_counts(issue)]
    return [title, _section("  ".join(words)), _context(facts)]


# An issue


def _about_issue(message: Message, issue: Subject, look: Look) -> list[Block]:
    blocks = [_header(title_of(message)), _section(_summary(message, issue))]
    if fields := fields_of(message, look.tags):
        shown = [mrkdwn(f"*{escaped(name, 200)}*\n{code(value, LONGEST_FIELD)}") for name, value in fields]
        blocks.append({"type": "section", "fields": shown})
    if look.has_buttons and (buttons := buttons_of(message, issue)):
        blocks.append({"type": "actions", "elements": buttons})
    blocks.append(_context(_facts(message, issue)))
    return blocks


def title_of(message: Message) -> str:
    """What happened, and to what: the type of the error where it is known, for its text stands below."""
    word, _, about = message.headline.partition(": ")
    kind = message.event.exception_type if message.event else ""
    return f"{word}: {kind}" if kind and about.startswith(kind) else message.headline


def _summary(message: Message, issue: Subject) -> str:
    value = message.event.exception_value if message.event else ""
    shown = value if title_of(message) != message.headline else ""
    lines = (f"{_named(issue)}  {code(shown)}".strip(), code(issue.culprit, 500))
    return "\n".join(line for line in lines if line)


def _named(issue: Subject) -> str:
    return f"*{link(issue.url, issue.short_id)}*"


def fields_of(message: Message, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """The tags that somebody wants to see, in their order, as many as there is room for."""
    names = message.tags or wanted
    known = [(name, value) for name in names if (value := _tag(message, name))]
    if message.issue and message.issue.user_count:
        known.append(("users", f"{message.issue.user_count:,}"))
    if len(known) <= MOST_FIELDS:
        return known
    return [*known[: MOST_FIELDS - 1], ("more", f"+{len(known) - MOST_FIELDS + 1} more")]


def _tag(message: Message, name: str) -> str:
    event = message.event
    if event is None:
        return ""
    own = {
        "environment": event.environment,
        "release": event.release,
        "server_name": event.server_name,
        "url": event.url,
    }
    return own[name] if name in own else event.tags.get(name, "")


def _facts(message: Message, issue: Subject) -> list[str]:
    if message.kind in DECIDED:
        who = f" by {_actor(message)}" if message.actor else ""
        return [f"{word(message)}{who}", date(message.at), escaped(message.project, 200)]
    facts = [escaped(message.project, 200)]
    if issue.title:  # else the project lets out no more than a link
        facts += [issue.level, *_counts(issue)]
    if issue.assignee:
        facts.append(f"assigned to {_assignee(message, issue)}")
    if message.rule:
        facts.append(f"rule “{escaped(message.rule, 300)}”")
    return facts


def _counts(issue: Subject) -> list[str]:
    counted = [plural(issue.event_count, "event")] if issue.event_count else []
    return counted + ([f"first seen {date(issue.first_seen)}"] if issue.first_seen else [])


def _actor(message: Message) -> str:
    account = message.called.get("actor")
    return person(account) if account else escaped(message.actor or "Tocsin", 200)


def _assignee(message: Message, issue: Subject) -> str:
    account = message.called.get("assignee")
    return person(account) if account else escaped(issue.assignee, 200)


def buttons_of(message: Message, issue: Subject) -> list[Block]:
    """What may be done to it from where it stands."""
    if message.kind == "deleted" or issue.status == "deleted":
        return []
    value = str(issue.id)
    if message.kind in CLOSING or issue.status != UNRESOLVED:
        return [_button(REOPEN, "Reopen", value)]
    choices = [{"text": plain(words, 75), "value": f"{value}/{key}"} for key, words in IGNORE_CHOICES.items()]
    return [
        {**_button(RESOLVE, "Resolve", value), "style": "primary"},
        {
            "type": "static_select",
            "action_id": IGNORE,
            "placeholder": plain("Ignore", 150),
            "options": choices,
        },
        # A menu of people has no value of its own: its name says which issue it is about.
        {"type": "users_select", "action_id": f"{ASSIGN}/{value}", "placeholder": plain("Assign", 150)},
        {**_button(OPEN, "Open", value), "url": issue.url},
    ]


def _button(action: str, words: str, value: str) -> Block:
    return {"type": "button", "action_id": action, "text": plain(words, text.BUTTON), "value": value}


# Several, and none


def _about_several(message: Message) -> list[Block]:
    shown = [
        _section(
            f"*{link(each.url, each.short_id)}*  {code(each.title, 500)}  {' · '.join(_counts(each)[:1])}"
        )
        for each in message.issues[:MOST_ISSUES]
    ]
    rest = link(message.url, "All of them in Tocsin")
    return [_header(message.headline), *shown, _context([escaped(message.project, 200), rest])]


def _placed(message: Message) -> str:
    place = message.called.get("channel", "")
    where = f" in {escaped(place, 200)}" if place else ""
    tried = link(message.url, "What was tried")
    return f"Messages of {escaped(message.project, 200)} arrive here{where}. {tried}"


def _header(words: str) -> Block:
    return {"type": "header", "text": plain(words, text.HEADER)}


def _section(words: str) -> Block:
    return {"type": "section", "text": mrkdwn(words)}


def _context(facts: Sequence[str]) -> Block:
    return {"type": "context", "elements": [mrkdwn(" · ".join(each for each in facts if each))]}


# In a thread


def reply(message: Message, look: Look) -> str:
    """What is said below the card. Empty where it says all."""
    return REPLIES[message.kind](message, look) if message.kind in REPLIES else ""


def _rings(message: Message, look: Look) -> str:
    counts = " · ".join(_counts(message.issue)[:1]) if message.issue else ""
    because = escaped(message.reason, 600)
    parts = (look.mention, said(message), link(message.url, "Open it in Tocsin"), counts, because)
    return " · ".join(part for part in parts if part)


def _settled(message: Message, look: Look) -> str:
    return f"Resolved by {_actor(message)}." if message.actor else "Resolved."


def _handed(message: Message, look: Look) -> str:
    to = _assignee(message, message.issue) if message.issue and message.issue.assignee else "nobody"
    return f"Assigned to {to}" + (f" by {_actor(message)}." if message.actor else ".")


def _remark(message: Message, look: Look) -> str:
    return f"{_actor(message)} commented:\n{escaped(message.comment, LONGEST_COMMENT) or NO_TEXT}"


REPLIES = {
    "regression": _rings,
    "again": _rings,
    "resolved": _settled,
    "assigned": _handed,
    "comment": _remark,
}
