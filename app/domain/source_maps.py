"""What source maps do to an event: which frames are minified, how their files are called, what they become.

Pure: finding and reading maps is done elsewhere. A frame that was mapped keeps what it was under `raw`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from app.domain import bundles, frames
from app.domain.shapes import cut
from app.domain.stacks import JAVASCRIPT, Data, Frame, frames_of

# More of an event is left as it came.
MOST_FRAMES, MOST_FILES, MOST_PROBLEMS = 500, 50, 10
CONTEXT_LINES = 5
MAX_LINE, MAX_NAME, MAX_PATH = 1024, 256, 2048

# What can be wrong, and what to do about it.
PROBLEMS = {
    "map_missing": "Nothing was uploaded with the debug id of this file. Run “sentry-cli sourcemaps upload” "
    "on the very files that are deployed, before they are; events that come later are mapped.",
    "map_debug_id_differs": "The file that was uploaded under this name for the release has another debug "
    "id: it is of another build. Upload the files of the build that is deployed.",
    "map_name_missing": "Nothing is uploaded for this release under the name of this file. Compare the "
    "names, and see what “--url-prefix” puts before the path; or use “sentry-cli sourcemaps inject”, which "
    "needs no names.",
    "map_no_link": "The event names no debug id, and nothing was uploaded for its release. Run “sentry-cli "
    "sourcemaps inject” before uploading, and deploy the files that it changed.",
    "map_reference_missing": "The minified file was uploaded, but not its source map. Let the build write "
    "source maps, and upload the whole folder.",
    "map_malformed": "The source map, or the file that it is of, cannot be read. Build anew, and see that "
    "no later step changes or cuts the files.",
    "map_malformed_script": "The source map cannot be read: the attempt ended the process that did. Build "
    "anew, and see that no later step changes or cuts the files.",
    "map_too_large": "The source map is too large: minified files up to 20 MB are used, maps up to 40 MB. "
    "Split the bundle.",
    "map_too_slow": "The source map took too long to read, and was left. Split the bundle.",
    "map_position": "The place is not in the source map: it is of another build than the file that is "
    "deployed.",
    "map_file_lost": "The uploaded file is not in the data directory any more. Upload it again.",
}
_NO_PLACE = (
    "<",
    "[",
    "node:",
    "native",
    "internal/",
    "data:",
    "blob:",
    "chrome-extension:",
    "moz-extension:",
)
_NO_FUNCTION = frozenset({"", "<unknown>", "<anonymous>"})
_RAW = ("filename", "abs_path", "function", "lineno", "colno", "in_app", "context_line")
_SOURCE = ("context_line", "pre_context", "post_context", "module", "raw_function")
_LIBRARY = re.compile(
    r"(^|/)(node_modules|bower_components|\.yarn|~)/|^\(?webpack\)?(/|$)|^(external|delegated)[ :]"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAMESPACED = re.compile(r"webpack(-internal)?://", re.IGNORECASE)

Note = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Token:
    """A place in the original source."""

    source: str
    line: int
    column: int
    function: str | None
    before: Sequence[str]
    text: str | None
    after: Sequence[str]


def minified_frames(data: Data) -> dict[str, list[Frame]]:
    """The frames that a map may be for, by the address of their file; the newest of each stack first."""
    found: dict[str, list[Frame]] = {}
    count = 0
    for holder in (*data.get("exception", ()), *data.get("threads", ()), data):
        for frame in reversed(frames_of(holder)):
            address = frame.get("abs_path") or ""
            if not _may_be_mapped(frame, address, data["platform"]):
                continue
            count += 1
            if count <= MOST_FRAMES and (address in found or len(found) < MOST_FILES):
                found.setdefault(address, []).append(frame)
    return found


def _may_be_mapped(frame: Frame, address: str, platform: str) -> bool:
    line, column = frame.get("lineno"), frame.get("colno")
    if (frame.get("platform") or platform) not in JAVASCRIPT or not line or not column:
        return False
    in_range = 0 < line < 1 << 32 and 0 < column < 1 << 32
    return in_range and bool(address) and not address.startswith(_NO_PLACE) and "raw" not in frame


def debug_ids(data: Data) -> dict[str, str]:
    """Address of a file → the debug id that the event gives it."""
    meta = data.get("debug_meta")
    images = meta.get("images") if isinstance(meta, dict) else None
    found = {}
    for image in images if isinstance(images, list) else ():
        if isinstance(image, dict) and image.get("type") == "sourcemap":
            file, id_ = image.get("code_file"), bundles.debug_id(image.get("debug_id"))
            if isinstance(file, str) and id_:
                found[file] = id_
    return found


def names_of(address: str) -> list[str]:
    """The names under which the file at this address may have been uploaded."""
    plain = re.split(r"[?#]", address, maxsplit=1)[0]
    path = plain
    if _SCHEME.match(plain):
        try:
            path = urlsplit(plain).path
        except ValueError:
            return [plain]
    return [plain, "~/" + path.lstrip("/")]


def map_names(url: str, reference: str) -> list[str]:
    """The names under which the map of an uploaded file may have been uploaded, best first."""
    if reference.startswith("data:"):
        return []
    base = url.removeprefix("~")
    found = [urljoin(base, reference)] if reference else [f"{base}.map"]
    return [name for each in found for name in dict.fromkeys((_like(url, each), *names_of(each)))]


def _like(url: str, name: str) -> str:
    return f"~{name}" if url.startswith("~") and name.startswith("/") else name


def apply(frame: Frame, token: Token) -> None:
    """Say where the frame is in the original source."""
    frame["raw"] = {name: frame[name] for name in _RAW if name in frame}
    for name in _SOURCE:
        frame.pop(name, None)
    path = tidy(token.source)
    frame |= {
        "filename": cut(path, MAX_NAME),
        "abs_path": cut(path, MAX_PATH),
        "lineno": token.line,
        "colno": token.column,
        "in_app": not _LIBRARY.search(path),
        "function": cut(token.function or "", MAX_NAME),
    }
    if frame["function"] in _NO_FUNCTION:
        frame["function"] = "<anonymous>"
    if token.text is not None:
        frame["context_line"] = _line(token.text)
        frame["pre_context"] = [_line(each) for each in token.before]
        frame["post_context"] = [_line(each) for each in token.after]


def as_sent(frame: Mapping[str, Any]) -> Frame:
    """The frame as it was before a map was applied to it."""
    if "raw" not in frame:
        return dict(frame)
    rest = {name: value for name, value in frame.items() if name not in (*_RAW, *_SOURCE, "raw")}
    return {**rest, **frame["raw"]}


def lighten(data: Data) -> None:
    """Stacks that have got sources keep no more of them than others."""
    for holder in (*data.get("exception", ()), *data.get("threads", ()), data):
        if len(found := frames_of(holder)) > frames.MAX_FULL_FRAMES:
            frames.lighten(found)


def tidy(source: str) -> str:
    """A source as its developers know it: without scheme, namespace, and the way up from a folder."""
    path = source.strip()
    if _NAMESPACED.match(path):
        path = re.split(r"[?#]", path, maxsplit=1)[0].partition("://")[2].partition("/")[2]
    elif _SCHEME.match(path):
        path = path.partition("://")[2].partition("/")[2]
    path = posixpath.normpath(path.replace("\\", "/")) if path else ""
    while path.startswith("../"):
        path = path[3:]
    return path.replace("\x00", "") or "?"


def _line(text: str) -> str:
    return cut(text.rstrip("\r\n").replace("\x00", ""), MAX_LINE)


def note(problem: str, name: str) -> Note:
    return {"type": problem, "name": cut(name, MAX_NAME)}


def is_problem(note: Mapping[str, Any]) -> bool:
    return note.get("type") in PROBLEMS


def distinct(notes: Iterable[Note]) -> list[Note]:
    """Each once, and not too many."""
    found: list[Note] = []
    for each in notes:
        if each not in found and len(found) < MOST_PROBLEMS:
            found.append(each)
    return found
