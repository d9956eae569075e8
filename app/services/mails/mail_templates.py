"""What Jinja needs for mails: styles written into the tags when a template is compiled, and its filters.

Mail programs drop style sheets, so every tag carries its own style: looked up once a template, not a mail.
"""

import re
import textwrap
from collections.abc import Collection

import css_inline
from jinja2 import Environment
from jinja2.ext import Extension
from markupsafe import Markup

from app.domain import phrases
from app.services.issues import comment_text

FOLDER = "messages/"
STYLES, COMMENT_STYLES = "messages/_style.css", "messages/_comment.css"
WIDTH = 72
BAR = "  | "
_HEADING = re.compile(r"<(/?)h[1-6](?=>)")
_CLASSES = re.compile(r'class="([^"{}]+)"')
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


class MailTemplates(Extension):
    """To be added to the environment that renders `messages/`; other templates stay as they are."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._sheets: dict[str, str] = {}
        environment.filters |= {
            "wrapped": wrapped,
            "barred": barred,
            "indented": indented,
            "comment": self.comment,
            "preview": preview,
        }

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Give every `class="…"` of a mail the style that its classes stand for."""
        if not (name or "").startswith(FOLDER) or not (name or "").endswith(".html"):
            return source
        return _CLASSES.sub(lambda found: f"{found[0]}{self._style(found[1])}", source)

    def comment(self, text: str, names: Collection[str]) -> Markup:
        """What a person wrote, as pages show it, fit for a mail: headings of its own are plain paragraphs.

        Styles are looked up anew each time, for nobody knows beforehand which tags it has.
        """
        html = _HEADING.sub(r"<\1p", comment_text.as_html(text, names))
        return Markup(_INLINER.inline_fragment(f"<div>{html}</div>", self._sheet(COMMENT_STYLES)))  # noqa: S704

    def _style(self, classes: str) -> str:
        styled = _INLINER.inline_fragment(f'<p class="{classes}"></p>', self._sheet(STYLES))
        found = re.search(r'style="([^"]*)"', styled)
        return f' style="{found[1].rstrip(";")}"' if found else ""

    def _sheet(self, name: str) -> str:
        if name not in self._sheets:
            loader = self.environment.loader
            if loader is None:
                raise LookupError("the environment has no loader")
            self._sheets[name] = loader.get_source(self.environment, name)[0]
        return self._sheets[name]


def wrapped(text: str, indent: str = "") -> str:
    """One paragraph of at most 72 columns; words, and so links, stay whole."""
    return textwrap.fill(
        phrases.one_line(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def barred(text: str) -> str:
    """What a program said, with a bar before each line: none can be taken for a line of ours."""
    return "\n".join(wrapped(line, BAR) or BAR.rstrip() for line in text.splitlines())


def preview(sentence: str) -> str:
    """A sentence as what mail programs show beside the subject."""
    return phrases.shortened(sentence, phrases.LONGEST_PREHEADER)


def indented(text: str, by: str = "  ") -> str:
    """Every line moved to the right and otherwise untouched: code keeps its shape."""
    return "\n".join(f"{by}{line}".rstrip() for line in text.splitlines())
