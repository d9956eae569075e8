"""What the manifest of an artifact bundle says about its files, and which bundles are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MINIFIED, MAP = "minified_source", "source_map"
MAX_URL, MAX_MEMBER = 500, 1000
_UUID = re.compile(r"[0-9a-f]{32}")


class BadBundle(Exception):
    """Why an archive cannot be used, in words for the person who uploaded it."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    member: str
    kind: str
    url: str
    debug_id: str | None
    source_map: str


@dataclass(frozen=True, slots=True)
class Manifest:
    release: str
    dist: str
    files: tuple[BundleFile, ...]


def read_manifest(text: bytes) -> Manifest:
    """`BadBundle` unless it is a manifest. Files without an address are of no use and are left out."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadBundle("manifest.json is not JSON.") from None
    files = given.get("files") if isinstance(given, dict) else None
    if not isinstance(files, dict):
        raise BadBundle("manifest.json names no files.")
    return Manifest(_text(given, "release", 200), _text(given, "dist", 64), tuple(_files(files)))


def _files(files: Mapping[str, Any]) -> Iterable[BundleFile]:
    for member, about in files.items():
        if not is_safe(member):
            raise BadBundle(f"The archive has a file with a path that leads out of it: {member[:100]}.")
        if isinstance(about, dict) and (file := _file(member, about)):
            yield file


def _file(member: str, about: Mapping[str, Any]) -> BundleFile | None:
    given = about.get("headers")
    headers = {str(name).lower(): value for name, value in given.items()} if isinstance(given, dict) else {}
    url = about.get("url")
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL or "\x00" in url:
        return None
    kind = _text(about, "type", 16)
    reference = _text(headers, "sourcemap", MAX_URL) or _text(headers, "x-sourcemap", MAX_URL)
    return BundleFile(member, kind, url, debug_id(headers.get("debug-id")), reference)


def _text(given: Mapping[str, Any], name: str, limit: int) -> str:
    """Empty if it is none, or longer than what it can stand for."""
    value = given.get(name)
    return value if isinstance(value, str) and len(value) <= limit and "\x00" not in value else ""


def debug_id(value: Any) -> str | None:
    """A debug id in its one spelling: 32 hexadecimal digits."""
    if not isinstance(value, str):
        return None
    plain = value.strip().lower().replace("-", "")
    return plain if _UUID.fullmatch(plain) else None


def is_safe(member: str) -> bool:
    """Whether a path within an archive stays there, on every system."""
    if not 0 < len(member) <= MAX_MEMBER or "\\" in member or "\x00" in member or ":" in member[:2]:
        return False
    return not member.startswith("/") and ".." not in member.split("/")
