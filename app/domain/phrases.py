"""Phrases that mails are put together from: counts, preheaders, a chart in one line of text."""

import re
from collections.abc import Iterable, Sequence

SHORTEST_PREHEADER, LONGEST_PREHEADER = 40, 90
BARS = "▁▂▃▄▅▆▇█"
# All but the space at which no line is broken.
_SPACE = re.compile(r"[^\S\xa0]+")
FILLER = "Open it to see more, and who else was told."


def plural(number: int, noun: str) -> str:
    """ "1 event", "1,204 events"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def told_apart(names: Sequence[str]) -> list[str]:
    """The same, but those that are alike are numbered: "a", "b", "a (2)"."""
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{name} ({count + 1})" if count else name for name, count in zip(names, before, strict=True)]


def counts(events: int, users: int) -> str:
    return f"{plural(events, 'event')}, {plural(users, 'user')}"


def listed(words: Sequence[str]) -> str:
    """ "one", "one and two", "one, two and three"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def preheader(*sentences: str) -> str:
    """What mail programs show beside the subject: sentences as long as there is room, 40 to 90 characters."""
    text = ""
    for sentence in (*sentences, FILLER):
        more = f"{text} {sentence}".strip()
        enough = sentence is FILLER and len(text) >= SHORTEST_PREHEADER
        if len(more) <= LONGEST_PREHEADER and not enough:
            text = more
    if len(text) >= SHORTEST_PREHEADER:
        return text
    return shortened(" ".join((*sentences, FILLER)), LONGEST_PREHEADER)


def one_line(text: str) -> str:
    """What programs sent may hold line ends, of many kinds: it must not look as if it were several facts."""
    return _SPACE.sub(" ", text).strip()


def shortened(text: str, longest: int) -> str:
    """One line of at most so many characters, cut between words where that leaves most of it."""
    line = one_line(text)
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    whole_words = cut.rpartition(" ")[0]
    return f"{(whole_words if len(whole_words) > longest // 2 else cut).rstrip(' ,.;')}…"


def bars(points: Iterable[int]) -> str:
    """A chart in one line: what happened at all stands higher than nothing."""
    numbers = list(points)
    top = max(numbers, default=0) or 1
    steps = len(BARS) - 1
    return "".join(BARS[-(-number * steps // top)] for number in numbers)
