"""A comment's Markdown as HTML that can do no harm: no markup of the writer's own, no images, plain links."""

from collections.abc import Collection, Iterator
from typing import Any

from markdown_it.token import Token
from markupsafe import Markup

from app.domain import markdown, mentions

REL = "nofollow noopener noreferrer"


def as_html(text: str, names: Collection[str]) -> Markup:
    """`names` are those that were told as it was written ("@bob", "#payments"): they alone are marked."""
    tokens = markdown.parse(text)
    for block, is_quoted in markdown.blocks(tokens):
        block.children = list(_enriched(block, () if is_quoted else names))
    return Markup(markdown.render(tokens))  # noqa: S704 (escaped by it)


def _enriched(block: Token, names: Collection[str]) -> Iterator[Token]:
    """Bare addresses become links and names are marked."""
    for token, is_plain in markdown.words(block):
        if token.type == "link_open":
            token.attrSet("rel", REL)
        if is_plain:
            yield from _parts(token.content, names)
        else:
            yield token


def _parts(text: str, names: Collection[str]) -> Iterator[Token]:
    at = 0
    for span in mentions.spans(text):
        if span.name is not None and span.name not in names:
            continue
        said = text[span.start : span.end]
        yield _text(text[at : span.start])
        yield from _wrapped("b", said, {"class": "mention"}) if span.name else _link(said)
        at = span.end
    yield _text(text[at:])


def _link(address: str) -> Iterator[Token]:
    return _wrapped("a", address, {"href": address, "rel": REL})


def _wrapped(tag: str, said: str, attrs: dict[str, Any]) -> Iterator[Token]:
    yield Token(f"{tag}_open", tag, 1, attrs=attrs)
    yield _text(said)
    yield Token(f"{tag}_close", tag, -1)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
