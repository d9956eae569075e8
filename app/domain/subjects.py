"""The subject of an issue's mail thread: the project's template, filled in once (`notifications.md` 9.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT = "$shortID - $title"
LONGEST = 128
_TAG = re.compile(r"\$\{tag:([^}\s]+)\}")
_VARIABLE = re.compile(r"\$\{tag:(?P<tag>[^}\s]+)\}|\$(?P<name>shortID|projectID|project|orgID|title)\b")


@dataclass(frozen=True, slots=True)
class Named:
    """What a template can name. `tags` are those of the event that the first mail is about."""

    short_id: str
    title: str
    project: str
    project_slug: str
    organization_slug: str
    tags: Mapping[str, str] = field(default_factory=dict)


def of_thread(template: str, named: Named, *, prefix: str) -> str:
    """One line: the prefix, and at most 128 characters. What is cut is the title, then the end."""
    template = _first_line(template) or DEFAULT
    whole = _filled(template, named, named.title)
    if len(whole) > LONGEST:
        room = len(_one_line(named.title)) - (len(whole) - LONGEST)
        whole = _filled(template, named, _one_line(named.title)[: max(room, 0)])
    return _with_prefix(prefix, _cut(whole, keep=named.short_id))


def without_title(short_id: str, *, prefix: str) -> str:
    """The subject where mails may not say what went wrong."""
    return _with_prefix(prefix, short_id)


def names_issue(template: str) -> bool:
    """Whether subjects made with it differ from issue to issue."""
    return any(found["name"] in ("shortID", "title") for found in _VARIABLE.finditer(template))


def tags_in(template: str) -> frozenset[str]:
    """The tags that a template names."""
    return frozenset(_TAG.findall(template))


def _filled(template: str, named: Named, title: str) -> str:
    """What is not known stays as it was written."""
    values = {
        "shortID": named.short_id,
        "title": title,
        "project": named.project,
        "projectID": named.project_slug,
        "orgID": named.organization_slug,
    }

    def value(found: re.Match[str]) -> str:
        if found["tag"]:
            return named.tags.get(found["tag"], found[0])
        return values[found["name"]]

    return _one_line(_VARIABLE.sub(value, template))


def _cut(text: str, *, keep: str) -> str:
    """At most 128 characters; a short id that would fall away with the rest is kept at the end."""
    if len(text) <= LONGEST:
        return text
    cut = text[:LONGEST].rstrip()
    if keep in text and keep not in cut:
        cut = f"{text[: LONGEST - len(keep) - 1].rstrip()} {keep}"
    return cut


def _with_prefix(prefix: str, text: str) -> str:
    return f"{_one_line(prefix)} {text}".strip()


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
