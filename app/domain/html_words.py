"""The words of HTML mail, without what it quotes. Reads every character once, whatever it is given."""

import html
import re
from collections.abc import Iterator

READ_AT_MOST = 20_000
HIDDEN = ("blockquote", "style", "script", "head", "title")
BREAKS = ("br", "p", "div", "tr", "li", "pre", "h1", "h2", "h3")
# A tag ends before the next one begins, so that no two searches cross the same text.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})([^<>]*)>?")
_QUOTE_CLASS = "gmail_quote"


def words(text: str) -> str:
    """The words of a message that comes as HTML only."""
    reader = _Reader()
    for mark, piece in _pieces(text[:READ_AT_MOST]):
        if mark:
            reader.tag(mark[2].lower(), closes=bool(mark[1]), rest=mark[3])
        else:
            reader.say(piece)
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip()


def _pieces(text: str) -> Iterator[tuple[re.Match[str] | None, str]]:
    """Tags and the text between them; comments and declarations are left out."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        yield None, text[at:start]
        tag = _TAG.match(text, start)
        at = tag.end() if tag else _past_remark(text, start)
        yield tag, "<" if at == start + 1 else ""
    yield None, text[at:]


def _past_remark(text: str, start: int) -> int:
    """Where a comment or a declaration ends, or a lone <; what never ends takes the rest with it."""
    if not text.startswith(("<!", "<?", "</"), start):
        return start + 1
    end = "-->" if text.startswith("<!--", start) else ">"
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


class _Reader:
    """Inside of what is left out, only the tags of its own kind are counted, up to its end."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._hidden, self._depth = "", 0

    def tag(self, name: str, *, closes: bool, rest: str) -> None:
        if self._depth:
            if name == self._hidden:
                self._depth += -1 if closes else 1
        elif not closes and (name in HIDDEN or (name == "div" and _QUOTE_CLASS in rest)):
            self._hidden, self._depth = name, 1
        elif name in BREAKS and not (closes and name == "br"):
            self.parts.append("\n")

    def say(self, text: str) -> None:
        if not self._depth:
            self.parts.append(html.unescape(text))
