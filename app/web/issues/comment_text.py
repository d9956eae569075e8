"""A comment's Markdown as HTML that can do no harm: no markup of the writer's own, no images, plain links."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app.domain import mentions
from app.models import User

SCHEMES = ("http://", "https://", "mailto:")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]]")
_NAME = re.compile(r"(?<![\w@#])[@#][\w.+-]{0,63}(?:@[\w.-]{1,190})?(?<=\w)")


class _Reader(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (its name there)
        return url.lower().startswith(SCHEMES)


def renderer(members: Collection[User]) -> Callable[[str], Markup]:
    """Makes HTML of a comment. Names that these members bear are marked, other words with @ are not."""
    handles = {user.handle for user in members}

    def as_html(text: str) -> Markup:
        tokens = _markdown.parse(text)
        for token in tokens:
            if token.children:
                token.children = _enriched(token.children, handles)
        return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704 (escaped by it)

    return as_html


def _enriched(children: Sequence[Token], handles: Collection[str]) -> list[Token]:
    """Bare addresses become links and names are marked, but not inside of a link."""
    made: list[Token] = []
    depth = 0
    for token in children:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "link_open":
            token.attrSet("rel", "nofollow noopener noreferrer")
        if token.type == "text" and not depth:
            made += _parts(token.content, handles)
        else:
            made.append(token)
    return made


def _parts(text: str, handles: Collection[str]) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    for match in re.finditer(rf"{_ADDRESS.pattern}|{_NAME.pattern}", text):
        made = _link(match[0]) if match[0].startswith("http") else _mention(match[0], handles)
        if made:
            tokens += [_text(text[at : match.start()]), *made]
            at = match.end()
    return [*tokens, _text(text[at:])]


def _link(address: str) -> list[Token]:
    attrs: dict[str, Any] = {"href": address, "rel": "nofollow noopener noreferrer"}
    return [Token("link_open", "a", 1, attrs=attrs), _text(address), Token("link_close", "a", -1)]


def _mention(name: str, handles: Collection[str]) -> list[Token]:
    found = mentions.find(name)
    if not found.teams and not any("@" in person or person in handles for person in found.people):
        return []
    return [
        Token("mention_open", "b", 1, attrs={"class": "mention"}),
        _text(name),
        Token("mention_close", "b", -1),
    ]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


_markdown = _Reader("commonmark", {"html": False, "breaks": True}).enable("strikethrough").disable("image")
