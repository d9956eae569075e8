"""What our mails are made of, held against what Gmail, Outlook and Apple Mail understand (caniemail.com)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.mails.mail_sample_list import SAMPLES
from tests.messages.samples import composed

KNOWN = json.loads((Path(__file__).parent / "caniemail.json").read_text())["features"]
HEADINGS = {f"h{n}": "html-h1-h6" for n in range(1, 7)}
ELEMENTS = {
    **HEADINGS,
    "ul": "html-lists",
    "ol": "html-lists",
    "th": "html-table",
    "td": "html-table",
    "tr": "html-table",
    "table": "html-table",
}
# Nothing that a program could lack; or looked at only by those that it is for.
PLAIN = {"html", "head", "title", "meta", "a", "b", "br", "li", "em", "tbody"}
PROPERTIES = {
    "border-left": "css-border",
    "border-top": "css-border",
    "border-bottom": "css-border",
    "border-color": "css-border",
    "border-width": "css-border",
    "font-family": "css-font",
}
# color: every program that shows HTML knows it. mso-*: written for Word's engine, skipped by all others.
UNTESTED = {"color", "mso-hide", "mso-padding-alt"}
# What some program lacks, and why the mail is as good without.
DEGRADES = {
    "css-border": "Outlook on Windows: not reliable but on cells, where all of ours are, and up to 8 px.",
    "css-font-size": "Outlook on Windows: pixels only, which is all we use.",
    "css-font-weight": "Outlook on Windows: 600 is bold, and that is what it means.",
    "css-line-height": "Outlook on Windows: somewhat wider lines.",
    "css-margin": "No negative ones and no auto, of which we have none; on `body` it makes no difference.",
    "css-padding": "Outlook on Windows: on cells only. The button's cell has `mso-padding-alt` for it.",
    "css-text-align": "Only left, right and none of the newer values: `start` and `end`.",
    "css-text-decoration": "Single values only, which is all we use.",
    "css-width": "Outlook on Windows: not on paragraphs, where we have none.",
    "html-body": "Replaced by a `div`: the table in it has the same class.",
    "html-width": "Outlook on Windows: odd with images, of which we have none.",
    "css-border-radius": "Outlook on Windows draws square corners.",
    "css-max-width": "Outlook on Windows: the ghost table beside it is 600 wide.",
    "css-max-height": "Only of the preview text, which `mso-hide` hides from Outlook.",
    "css-overflow": "Only of the preview text, which `mso-hide` hides from Outlook.",
    "css-display": "Outlook on Windows shows an inline-block link in line: its cell has the button's colour.",
    "css-display-none": "Outlook on Windows: `mso-hide` does the same.",
    "css-word-break": "Where it is unknown a long word makes the mail wider.",
    "css-at-media": "Phones that ignore it show the margins of the desktop.",
    "css-at-media-prefers-color-scheme": "Programs that ignore it show light colours, or turn them round.",
    "css-selector-attribute": "`[data-ogsc]` is for Outlook.com alone, which writes that attribute itself.",
    "css-selector-class": "Of dark colours and narrow screens alone.",
    "css-selector-descendant": "Of dark colours alone.",
    "css-important": "Of dark colours and narrow screens alone.",
    "css-white-space": "Frames are in `pre`, which keeps its lines by itself.",
    "html-dir": "Right-to-left text is then set by its own characters.",
    "css-sytem-ui": "The next font of the list is used.",
    "html-style": "Everything that matters is written into the tags.",
}


def used(name: str) -> Iterator[str]:
    """The features that a mail is made of, under the names that the data has for them."""
    page = composed(name).page
    for tag in page.find_all(True):
        if tag.name not in PLAIN:
            yield ELEMENTS.get(tag.name, f"html-{tag.name}")
        yield from (f"html-{key}" for key in tag.attrs if f"html-{key}" in KNOWN)
        yield from declared(tag.get("style", ""))
    sheet = page.style.text
    yield from declared(" ".join(re.findall(r"\{([^{}]*)\}", sheet)))
    yield from ("css-at-media", "css-at-media-prefers-color-scheme", "css-selector-class", "css-important")
    if "[data-" in sheet:
        yield "css-selector-attribute"
    if re.search(r"[\w\]] [.a-z]", "".join(re.findall(r"([^{}]+)\{", sheet))):
        yield "css-selector-descendant"


def declared(style: str) -> Iterator[str]:
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = declaration.partition(":")
        if name not in UNTESTED:
            yield PROPERTIES.get(name, f"css-{name}")
        if name == "display" and value.strip() == "none":
            yield "css-display-none"
        if "system-ui" in value:
            yield "css-sytem-ui"  # as it is spelt there
        yield from (f"css-unit-{unit}" for unit in re.findall(r"\d(px|em|rem|pt|vw|ch)\b", value))
        if re.search(r"\d%", value):
            yield "css-unit-percent"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_is_made_of_what_mail_programs_understand(name):
    unknown = {feature for feature in used(name) if feature not in KNOWN}
    assert unknown == set(), "the data has another name for it, or it belongs into UNTESTED"
    lacking = {
        feature: missing
        for feature in set(used(name)) - set(DEGRADES)
        if (missing := [program for program, answer in KNOWN[feature].items() if answer != "y"])
    }
    assert lacking == {}


def test_every_excuse_is_needed():
    everything = {feature for name in SAMPLES for feature in used(name)}
    lacking = {each for each in everything if set(KNOWN[each].values()) - {"y"}}
    assert set(DEGRADES) <= lacking
