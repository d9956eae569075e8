"""What services that page people are told of an issue: the same facts, whatever form each wants them in."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.domain.kinds import CLOSING, TEST
from app.domain.message import NO_TEXT, Frame, Message, clean
from app.domain.message_words import one_line

TOOL = "Tocsin"
LEVELS = ("debug", "info", "warning", "error", "fatal")
ANYWHERE = "*"
MOST_SHIFTS, MOST_FRAMES = 20, 5
LEVELS_HINT = "A level, or by how many to shift it, one environment a line: staging=info, canary=-1, *=error"


def wrong_with_levels(levels: Mapping[str, str]) -> str:
    """Why these are no levels by environment, or ""."""
    if len(levels) > MOST_SHIFTS:
        return f"Up to {MOST_SHIFTS} environments."
    for environment, wanted in levels.items():
        if not environment or (wanted not in LEVELS and _shift(wanted) is None):
            return f"“{environment}={wanted}”: one of {', '.join(LEVELS)}, or a shift such as -1."
    return ""


def _shift(wanted: str) -> int | None:
    sign, digit = wanted[:1], wanted[1:]
    is_shift = sign in ("+", "-") and digit.isascii() and digit.isdigit() and len(digit) == 1
    return int(wanted) if is_shift else None


def level(message: Message, levels: Mapping[str, str]) -> str:
    """That of the issue, unless the integration wants another one where it happened; a test is harmless."""
    if message.kind == TEST:
        return "info"
    given = message.issue.level if message.issue and message.issue.level in LEVELS else "error"
    wanted = levels.get(environment(message)) or levels.get(ANYWHERE, "")
    shift = _shift(wanted) if wanted not in LEVELS else None
    if shift is None:
        return wanted or given
    return LEVELS[min(max(LEVELS.index(given) + shift, 0), len(LEVELS) - 1)]


def key(message: Message) -> str:
    """What the incident is called there; that of a test is its own."""
    return f"{message.key}-test-{message.id}" if message.kind == TEST else message.key


def closes(message: Message) -> bool:
    return message.kind in CLOSING


def words(message: Message) -> str:
    """What went wrong; "" where a project's messages do not say so."""
    if message.issue is None:
        return one_line(message.headline) or NO_TEXT
    thrown = message.event.exception_type if message.event else ""
    return one_line(message.issue.title) or one_line(thrown)


def title(message: Message) -> str:
    """The issue by its name, with what went wrong: "SHOP-4F KeyError: cart". Never empty."""
    if message.issue is None:
        return words(message)
    return f"{message.issue.short_id} {words(message) or f'in {one_line(message.project)}'}"


def environment(message: Message) -> str:
    return one_line(message.event.environment) if message.event else ""


def culprit(message: Message) -> str:
    return one_line(message.issue.culprit) if message.issue else ""


def news(message: Message) -> str:
    """What somebody did, in a line: "Resolved by Bob". Headlines begin with what was done."""
    done = one_line(message.headline.partition(":")[0])
    if message.kind == "assigned" and message.issue and message.issue.assignee:
        done = f"Assigned to {one_line(message.issue.assignee)}"
    return f"{done} by {one_line(message.actor)}" if message.actor else done


def text(message: Message) -> str:
    """All that is known, in paragraphs."""
    thrown = clean(message.event.exception_value).strip() if message.event else ""
    known = "\n".join(f"{name.capitalize()}: {value}" for name, value in facts(message).items())
    parts = (words(message), thrown, message.url, known, "\n".join(frames(message)))
    return "\n\n".join(dict.fromkeys(part for part in parts if part))


def facts(message: Message) -> dict[str, str]:
    """What is known of it, by names fit to show; what is unknown is missing."""
    issue, event = message.issue, message.event
    found = {
        "project": one_line(message.project),
        "environment": environment(message),
        "release": one_line(event.release) if event else "",
        "culprit": culprit(message),
        "events": str(issue.event_count) if issue and issue.event_count else "",
        "users": str(issue.user_count) if issue and issue.user_count else "",
        "first seen": moment(issue.first_seen) if issue and issue.first_seen else "",
        "last seen": moment(issue.last_seen) if issue and issue.last_seen else "",
        "rule": one_line(message.rule),
        "reason": one_line(message.reason),
    }
    return {name: text for name, text in found.items() if text}


def details(message: Message) -> dict[str, str]:
    """Address, facts and tags in one, where a tag is not taken for one of ours."""
    own = {"url": message.url, **facts(message)}
    named = {f"tag {name}" if name.casefold() in own else name: text for name, text in tags(message).items()}
    return {**own, **named}


def tags(message: Message) -> dict[str, str]:
    known = message.event.tags if message.event else {}
    return {one_line(name): one_line(value) for name, value in known.items() if one_line(name)}


def frames(message: Message) -> Sequence[str]:
    """The newest ones, of the project's own code if it had any part in it."""
    known = message.event.frames if message.event else ()
    own = [frame for frame in known if frame.in_app]
    return [_frame(frame) for frame in (own or known)[:MOST_FRAMES]]


def _frame(frame: Frame) -> str:
    place = f"{frame.file}:{frame.line}" if frame.line else frame.file
    return one_line(f"{place} in {frame.function or '?'}")


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
