"""What a message says on IRC: one line by default, the link at its end, nothing longer than a line holds."""

from collections.abc import Iterator

from app.domain import irc_lines
from app.domain.message import NO_TEXT, Message, Subject
from app.domain.message import cut as cut_characters
from app.domain.message_words import one_line

WORDS = {"new": "NEW", "regression": "BACK", "again": "AGAIN", "resolved": "FIXED", "test": "TEST"}
COLOURS = {"fatal": "04", "error": "04", "warning": "07", "info": "12", "debug": "14"}
FIXED_COLOUR = "03"
_COLOUR = "\x03"
_INVISIBLE = "\u200b"
# Below that a title says nothing: other parts go first.
SHORTEST_TITLE = 24
LONGEST_NAME, LONGEST_CULPRIT, LONGEST_TAG = 40, 60, 80
MOST_TOP = 5


def lines(message: Message, *, room: int, most: int, is_coloured: bool) -> list[str]:
    """At most so many lines of at most `room` bytes."""
    if message.kind == "comment":
        return _comment(message, room, most)
    if message.kind == "digest":
        return _digest(message, room, most)
    first = _fitted(
        _head(message, is_coloured), _title(message), _tails(message), one_line(message.url), room
    )
    more = (irc_lines.cut(line, room) for line in _more(message))
    return [first, *more][:most]


def _fitted(head: str, title: str, tails: list[str], link: str, room: int) -> str:
    """Head and link stay; while the title would be too short, one tail after the other goes."""
    head = irc_lines.cut(head, max(room - len(link.encode()) - 1, 0))
    for first in range(len(tails) + 1):
        tail = " ".join(["", *tails[first:], link])
        left = room - len(f"{head} {tail}".encode())
        if left >= min(SHORTEST_TITLE, len(title.encode())):
            break
    said = irc_lines.cut(title, max(left, 0))
    return irc_lines.cut(f"{head} {said}{tail}" if said else f"{head}{tail}", room)


def _place(message: Message) -> str:
    environment = message.event.environment if message.event else ""
    names = [message.project_slug, environment]
    return "/".join(cut_characters(one_line(name), LONGEST_NAME) for name in names if name)


def _head(message: Message, is_coloured: bool) -> str:
    parts = [f"[{_place(message)}]"]
    issue = message.issue
    if message.kind == "assigned" and issue:
        parts.append(f"{issue.short_id} -> {_quiet(issue.assignee) or 'nobody'}")
        return " ".join(parts)
    if word := WORDS.get(message.kind, message.kind.upper()):
        parts.append(_coloured(word, message) if is_coloured else word)
    if message.kind == "resolved" and message.actor:
        parts.append(f"by {_quiet(message.actor)}")
    return " ".join([*parts, *([issue.short_id] if issue else [])])


def _coloured(word: str, message: Message) -> str:
    level = message.issue.level if message.issue else ""
    colour = FIXED_COLOUR if message.kind == "resolved" else COLOURS.get(level, "")
    return f"{_COLOUR}{colour}{word}{_COLOUR}" if colour else word


def _title(message: Message) -> str:
    """Empty where the project's messages hold only a link."""
    if message.issue is None:
        return one_line(message.headline)
    title = one_line(message.issue.title)
    if title or message.event is None:
        return title
    return one_line(message.event.exception_type) or NO_TEXT


def _tails(message: Message) -> list[str]:
    issue = message.issue
    if issue is None or message.kind in ("resolved", "assigned"):
        return []
    culprit = cut_characters(one_line(issue.culprit), LONGEST_CULPRIT)
    return [each for each in (f"({culprit})" if culprit else "", _count(issue)) if each]


def _count(issue: Subject) -> str:
    return f"{issue.event_count}x" if issue.event_count else ""


def _more(message: Message) -> Iterator[str]:
    """What further lines say: chosen tags, where it happened, why this is told."""
    if message.chosen_tags:
        pairs = message.chosen_tags.items()
        yield "  " + " ".join(
            f"{name}={cut_characters(one_line(value), LONGEST_TAG)}" for name, value in pairs
        )
    if message.event and message.event.frames:
        frame = message.event.frames[0]
        yield one_line(f"at {frame.file}:{frame.line or '?'} in {frame.function or '?'}")
    if message.reason:
        yield one_line(message.reason)


def _comment(message: Message, room: int, most: int) -> list[str]:
    """The link stands at the end of the last line, or on one of its own if there is one left."""
    name = message.issue.short_id if message.issue else ""
    head = " ".join(each for each in (f"[{_place(message)}]", name, f"{_quiet(message.actor)}:") if each)
    link = one_line(message.url)
    found = irc_lines.pieces(f"{head} {one_line(message.comment)}", room)
    if len(found) < most and len(f"{found[-1]} {link}".encode()) > room:
        return [*found, irc_lines.cut(link, room)]
    before, last = found[: most - 1], found[most - 1 :]
    return [*before, _ended(" ".join(last or [before.pop()]), link, room)]


def _ended(text: str, link: str, room: int) -> str:
    said = irc_lines.cut(text, max(room - len(link.encode()) - 1, 0))
    return irc_lines.cut(f"{said} {link}", room)


def _digest(message: Message, room: int, most: int) -> list[str]:
    link = one_line(message.url)
    head = f"[{_place(message)}]"
    said = one_line(message.headline)
    if most > 1:
        rows = [
            _fitted(f"  {each.short_id}", one_line(each.title), _counts(each), one_line(each.url), room)
            for each in message.issues
        ]
        return [_fitted(head, said, [], link, room), *rows][:most]
    top = ", ".join(" ".join([each.short_id, *_bracketed(each)]) for each in message.issues[:MOST_TOP])
    return [_fitted(head, f"{said}, top: {top}" if top else said, [], link, room)]


def _counts(issue: Subject) -> list[str]:
    return [_count(issue)] if issue.event_count else []


def _bracketed(issue: Subject) -> list[str]:
    return [f"({_count(issue)})"] if issue.event_count else []


def _quiet(name: str) -> str:
    """With something invisible in each word, so that nobody of that name is called."""
    words = cut_characters(one_line(name), LONGEST_NAME).split()
    return " ".join(f"{word[:1]}{_INVISIBLE}{word[1:]}" if len(word) > 1 else word for word in words)
