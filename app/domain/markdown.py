"""Comments are Markdown: one reading of them, for pages and for the names in them."""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = ("http://", "https://", "mailto:")


class _Reader(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (its name there)
        return url.lower().startswith(SCHEMES)


_reader = _Reader("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable("image")


def parse(text: str) -> Sequence[Token]:
    return _reader.parse(text)


def render(tokens: Sequence[Token]) -> str:
    """HTML, with everything escaped that the writer did not mean as Markdown."""
    made: str = _reader.renderer.render(tokens, _reader.options, {})
    return made


def blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, bool]]:
    """Each piece of running text, and whether it is quoted."""
    depth = 0
    for token in tokens:
        if token.type in ("blockquote_open", "blockquote_close"):
            depth += token.nesting
        if token.type == "inline":
            yield token, depth > 0


def words(block: Token) -> Iterator[tuple[Token, bool]]:
    """The tokens of a piece of running text, and whether each is plain words: no code, no part of a link."""
    depth = 0
    for token in block.children or ():
        if token.type in ("link_open", "link_close"):
            depth += token.nesting
        yield token, token.type == "text" and not depth
