"""Patterns to begin a line with: what an event offers, as it would be typed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from app.domain.stacks import in_app, top_frames

MOST = 6
_SPECIAL = re.compile(r"[*?\[]")


def patterns(data: Mapping[str, Any]) -> list[str]:
    """The files of the error from the innermost frame outwards, their folders, and the page."""
    paths = list(dict.fromkeys(_paths(data)))[: MOST // 2]
    folders = dict.fromkeys(folder for path in paths if (folder := _folder(path)))
    found = [*(f"path:{_plain(path)}" for path in paths), *(f"path:{each}" for each in folders)]
    if url := _url(data):
        found.append(f"url:{url}")
    return [_quoted(each) for each in found]


def area(data: Mapping[str, Any]) -> str | None:
    """The one pattern that says where an error happened: the folder of its innermost frame."""
    path = next(_paths(data), None)
    if path is None:
        return f"url:{url}" if (url := _url(data)) else None
    return _quoted(f"path:{_folder(path) or _plain(path)}")


def _paths(data: Mapping[str, Any]) -> Iterator[str]:
    for frame in reversed(in_app(top_frames(dict(data)))):
        if path := frame.get("filename") or frame.get("abs_path"):
            yield path.replace("\\", "/")


def _folder(path: str) -> str | None:
    folder, slash, _ = path.rpartition("/")
    return f"{_plain(folder)}/*" if slash and folder else None


def _url(data: Mapping[str, Any]) -> str | None:
    """The address without its host, which differs between environments, and without what was asked of it."""
    url = (data.get("request") or {}).get("url")
    try:
        path = urlsplit(url or "").path
    except ValueError:
        return None
    return f"*{_plain(path)}*" if len(path) > 1 else None


def _plain(text: str) -> str:
    """The text with its own stars and brackets taken as they are."""
    return _SPECIAL.sub(r"[\g<0>]", text)


def _quoted(pattern: str) -> str:
    if not re.search(r'\s|"', pattern):
        return pattern
    kind, _, text = pattern.partition(":")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{kind}:"{escaped}"'


def line(pattern: str, owners: Sequence[str] = ()) -> str:
    return f"{pattern} {' '.join(owners)}"
