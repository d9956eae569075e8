"""What Campfire shows of a message: HTML of the few tags that it lets through, or a line of text."""

from html import escape

from app.domain import incident, message_words
from app.domain.kinds import CLOSING
from app.domain.message import Message, Subject, cut
from app.domain.phrases import plural

LONGEST_TITLE, LONGEST_CULPRIT, LONGEST_FACT = 500, 200, 100
MOST_ISSUES = 10


def html(message: Message, *, was: str = "") -> str:
    """The message; never blank. `was` is what the first one about the issue began with, if it is that one."""
    if message.issue is None:
        return _summary(message)
    lines = [head(message.issue, message, was or named(message)), _culprit(message.issue), _facts(message)]
    return "<br>".join(filter(None, lines))


def struck(message: Message, *, was: str) -> str:
    """The first message about an issue, once it is over: struck through, and why."""
    issue = message.issue
    return (
        f"<del>{head(issue, message, was)}</del> {_text(incident.news(message))}" if issue else html(message)
    )


def named(message: Message) -> str:
    """What happened, as the headline begins: "New issue"."""
    if message.kind in CLOSING:
        return incident.news(message)
    return message_words.one_line(message.headline.partition(":")[0]) or message_words.word(message)


def head(issue: Subject, message: Message, word: str) -> str:
    said = (
        cut(message_words.what(message), LONGEST_TITLE)
        if issue.title
        else message_words.one_line(message.project)
    )
    return f"<strong>{_text(word)}</strong> {_link(issue)} {_text(said)}".rstrip()


def _link(issue: Subject) -> str:
    return f'<a href="{escape(issue.url)}">{_text(issue.short_id)}</a>'


def _culprit(issue: Subject) -> str:
    culprit = cut(message_words.one_line(issue.culprit), LONGEST_CULPRIT)
    return f"<code>{_text(culprit)}</code>" if culprit else ""


def _facts(message: Message) -> str:
    return _text(" - ".join(facts(message)))


def facts(message: Message) -> list[str]:
    """Where it happened, or the tags that somebody wants to see; and how often."""
    found = message_words.facts(message)
    named_ones = [f"{name}: {value}" if message.tags else value for name, value in found]
    count = message.issue.event_count if message.issue else 0
    counted = [plural(count, "event")] if count else []
    return [cut(message_words.one_line(each), LONGEST_FACT) for each in named_ones] + counted


def _summary(message: Message) -> str:
    title = f"<strong>{_text(message.headline) or 'Tocsin'}</strong>"
    title += f' <a href="{escape(message.url)}">Open</a>'
    rows = "".join(f"<li>{_link(each)} {_text(_title(each))}</li>" for each in message.issues[:MOST_ISSUES])
    return f"{title}<ul>{rows}</ul>" if rows else title


def _title(issue: Subject) -> str:
    return cut(issue.title, LONGEST_FACT)


def _text(text: str) -> str:
    return escape(message_words.one_line(text))


def plain(message: Message) -> str:
    """One line: what Campfire classic shows, which ignores line breaks."""
    if message.issue is None:
        titles = [message_words.line_of(each) for each in message.issues[:MOST_ISSUES]]
        return " - ".join([message_words.one_line(message.headline), *titles, message.url])
    issue = message.issue
    said = (
        cut(message_words.what(message), LONGEST_TITLE)
        if issue.title
        else message_words.one_line(message.project)
    )
    parts = [
        f"{named(message)} {issue.short_id} {said}",
        message_words.one_line(issue.culprit),
        *facts(message),
    ]
    return " - ".join(filter(None, [*parts, message.url]))
