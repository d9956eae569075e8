"""What of an event the patterns of issue owners are compared with, by the type of the pattern."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.domain.ownership_lines import CODEOWNERS, MODULE, PATH, TAGS, URL, Roots
from app.domain.requests import identity
from app.domain.stacks import frames_of

# A value, and where in the event it stands.
Sight = tuple[str, str]
Data = Mapping[str, Any]
Tags = Sequence[Sequence[str]]
SLASHED = (PATH, MODULE, CODEOWNERS)
CASELESS = (PATH, URL, MODULE)
PLACES = ("filename", "abs_path")


def folded(type: str, text: str) -> str:  # noqa: A002 - the word of the grammar
    """A pattern or a value in the form in which the two are compared."""
    text = text.replace("\\", "/") if type in SLASHED else text
    return text.lower() if type in CASELESS else text


def sights(type: str, data: Data, tags: Tags, roots: Roots) -> Iterator[Sight]:  # noqa: A002
    """Each value that a pattern of this type may match; those nearest to the error first."""
    if type == PATH:
        return _members(_frames(data), PLACES)
    if type == MODULE:
        return _members(_frames(data), ("module",))
    if type == CODEOWNERS:
        return _in_repository(_members(_frames(data, own=True), PLACES), roots)
    if type == URL:
        return _urls(data, tags)
    return _tag(type.removeprefix(TAGS), data, tags)


def _frames(data: Data, *, own: bool = False) -> Iterator[tuple[dict[str, Any], str]]:
    """Every frame of every stack, with its place from the error outwards; `own`: the application's only."""
    for holder in _holders(data):
        frames = frames_of(holder)
        says = any(frame.get("in_app") is not None for frame in frames)
        for place, frame in enumerate(reversed(frames), 1):
            if not own or not says or frame.get("in_app"):
                yield frame, f"frame {place} of {len(frames)}"


def _holders(data: Data) -> Iterator[dict[str, Any]]:
    """Whatever can have a stack: the error itself before its causes, then threads, then the event."""
    yield from reversed(data.get("exception") or ())
    yield from data.get("threads") or ()
    yield dict(data)


def _members(frames: Iterable[tuple[dict[str, Any], str]], names: Sequence[str]) -> Iterator[Sight]:
    for frame, where in frames:
        for name in names:
            if value := frame.get(name):
                yield value, where


def _in_repository(found: Iterable[Sight], roots: Roots) -> Iterator[Sight]:
    """The paths as they are below the root of the repository; those outside of it are left out."""
    stack = folded(CODEOWNERS, roots.stack)
    for value, where in found:
        path = folded(CODEOWNERS, value)
        if path.startswith(stack):
            inside = folded(CODEOWNERS, roots.source) + path.removeprefix(stack)
            yield inside.removeprefix("./").lstrip("/"), where


def _urls(data: Data, tags: Tags) -> Iterator[Sight]:
    if url := (data.get("request") or {}).get("url"):
        yield url, "URL of the request"
    yield from ((value, "tag url") for key, value in tags if key == "url")


def _tag(key: str, data: Data, tags: Tags) -> Iterator[Sight]:
    """A tag's value. Those of the release and the user are found though no tag of theirs is kept."""
    yield from ((value, f"tag {name}") for name, value in tags if name == key)
    person = data.get("user") or {}
    if key == "release" and (release := data.get("release")):
        yield release, "release"
    elif key == "user" and (known_as := identity(person)):
        yield known_as, "user"
    elif key.startswith("user."):
        member = key.removeprefix("user.")
        value = person.get("ip_address" if member == "ip" else member)
        if isinstance(value, str) and value:
            yield value, f"{member} of the user"
