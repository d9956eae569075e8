"""What of an event the patterns of issue owners are compared with, by the type of the pattern."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
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
OF_FRAMES = (PATH, MODULE, CODEOWNERS)
PLACES = ("filename", "abs_path")
# What is compared of one event for a type: comparing costs time in which other events wait.
MOST_FRAMES, MOST_CHARACTERS = 300, 64_000
LIMITS = f"{MOST_FRAMES} frames nearest to the error, and {MOST_CHARACTERS:,} characters of them"


def folded(type: str, text: str) -> str:  # noqa: A002 - the word of the grammar
    """A pattern or a value in the form in which the two are compared."""
    text = text.replace("\\", "/") if type in SLASHED else text
    return text.lower() if type in CASELESS else text


def sights(type: str, data: Data, tags: Tags, roots: Roots) -> Iterator[Sight]:  # noqa: A002
    """Each value that a pattern of this type may match; those nearest to the error first."""
    if type in OF_FRAMES:
        return in_repository(type, of_frames(type, data), roots)
    if type == URL:
        return _within_limits(_urls(data, tags))
    return _within_limits(_tag(type.removeprefix(TAGS), data, tags))


def of_frames(type: str, data: Data) -> Iterator[Sight]:  # noqa: A002
    """What frames say to patterns of a type in `OF_FRAMES`, by the names that files have where they ran."""
    frames = islice(_frames(data, own=type == CODEOWNERS), MOST_FRAMES)
    return _within_limits(_members(frames, _names(type)))


def is_beyond_limits(data: Data) -> bool:
    """Whether some of the event's frames are compared with nothing."""
    for type in OF_FRAMES:  # noqa: A001
        everything = _members(_frames(data, own=type == CODEOWNERS), _names(type))
        if sum(1 for _ in everything) > sum(1 for _ in of_frames(type, data)):
            return True
    return False


def _names(type: str) -> Sequence[str]:  # noqa: A002
    return ("module",) if type == MODULE else PLACES


def _within_limits(found: Iterable[Sight]) -> Iterator[Sight]:
    left = MOST_CHARACTERS
    for value, where in found:
        left -= len(value)
        if left < 0:
            return
        yield value, where


def in_repository(type: str, found: Iterable[Sight], roots: Roots) -> Iterator[Sight]:  # noqa: A002
    """The same, by the names that the type's patterns use."""
    return _below(found, roots) if type == CODEOWNERS else iter(found)


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


def _below(found: Iterable[Sight], roots: Roots) -> Iterator[Sight]:
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
