"""What an event has under the name of an attribute or a tag: texts, often several, or none.

`data` is the regular form of an event. What is missing has no values; nothing here fails over bad data.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.domain import titles
from app.domain.requests import identity
from app.domain.stacks import frames_of

Data = Mapping[str, Any]
Tags = Iterable[Sequence[str]]
EXTRA, USER = "extra.", "user."


def values(data: Data, name: str) -> list[str]:
    """Those of an attribute such as `exception.type` or `extra.cart.size`; KeyError: no such attribute."""
    if name in _READERS:
        return list(_texts(_READERS[name](data)))
    if name.startswith(EXTRA):
        return list(_texts(_under(_object(data, "extra"), name.removeprefix(EXTRA))))
    if name.startswith(USER):
        person, key = _object(data, "user"), name.removeprefix(USER)
        return list(_texts([*_under(person, key), *_under(_object(person, "data"), key)]))
    raise KeyError(name)


def tag_values(data: Data, tags: Tags, key: str) -> list[str]:
    """Those of a tag, whatever the case of its name; some members of the event count as tags too."""
    wanted = key.lower()
    given = [value for name, value in tags if name.lower() == wanted]
    return given or list(_texts(_AS_TAGS.get(wanted, _nothing)(data)))


def _object(data: Data, *path: str) -> Data:
    """The object at that path; an empty one where there is none."""
    for name in path:
        found = data.get(name)
        if not isinstance(found, Mapping):
            return {}
        data = found
    return data


def _texts(found: Iterable[Any]) -> Iterator[str]:
    """Scalars as text, and those of lists; objects say nothing."""
    for value in found:
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield str(value)
        elif isinstance(value, list | tuple):
            yield from _texts(value)


def _under(data: Any, path: str, at: int = 0) -> list[Any]:
    """What lies at a dotted path, whose names may have dots of their own.

    What is there is looked at once, instead of everything that the path might mean.
    """
    found: list[Any] = []
    if isinstance(data, Mapping):
        for name, value in data.items():
            end = at + len(name)
            if not path.startswith(name, at):
                continue
            if end == len(path):
                found.append(value)
            elif path[end] == ".":
                found += _under(value, path, end + 1)
    return found


def _member(*path: str) -> Callable[[Data], list[Any]]:
    *above, name = path
    return lambda data: [_object(data, *above).get(name)]


def _exceptions(name: str) -> Callable[[Data], list[Any]]:
    return lambda data: [each.get(name) for each in data.get("exception") or ()]


def _frames(*names: str) -> Callable[[Data], list[Any]]:
    def read(data: Data) -> list[Any]:
        holders = (*(data.get("exception") or ()), *(data.get("threads") or ()), dict(data))
        return [frame.get(name) for holder in holders for frame in frames_of(holder) for name in names]

    return read


def _message(data: Data) -> list[Any]:
    """What the event says, and what it is called: the text that it is searched by."""
    entry = _object(data, "logentry")
    event = {"platform": "other", **data}
    found = (entry.get("formatted"), entry.get("message"), titles.title(event), titles.culprit(event))
    return list(dict.fromkeys(each for each in found if each not in ("", None, titles.UNLABELED)))


def _is_unhandled(data: Data) -> list[bool]:
    """Whether it was caught by nothing of the application, where the event says so."""
    said = [_object(each, "mechanism").get("handled") for each in data.get("exception") or ()]
    known = [handled for handled in said if isinstance(handled, bool)]
    return [not all(known)] if known else []


def _person(data: Data) -> list[Any]:
    return [identity(dict(_object(data, "user")))]


def _nothing(data: Data) -> list[Any]:
    return []


_READERS: dict[str, Callable[[Data], Iterable[Any]]] = {
    "message": _message,
    "platform": _member("platform"),
    "environment": _member("environment"),
    "type": lambda data: ["error" if data.get("exception") else "default"],
    "exception.type": _exceptions("type"),
    "exception.value": _exceptions("value"),
    "user.id": _member("user", "id"),
    "user.email": _member("user", "email"),
    "user.username": _member("user", "username"),
    "user.ip_address": _member("user", "ip_address"),
    "http.method": _member("request", "method"),
    "http.url": _member("request", "url"),
    "http.status_code": _member("contexts", "response", "status_code"),
    "stacktrace.code": _frames("pre_context", "context_line", "post_context"),
    "stacktrace.module": _frames("module"),
    "stacktrace.filename": _frames("filename"),
    "stacktrace.abs_path": _frames("abs_path"),
    "stacktrace.package": _frames("package"),
    "error.handled": lambda data: [not each for each in _is_unhandled(data)],
    "error.unhandled": _is_unhandled,
    "sdk.name": _member("sdk", "name"),
}
_AS_TAGS: dict[str, Callable[[Data], list[Any]]] = {
    "transaction": _member("transaction"),
    "url": _member("request", "url"),
    "user": _person,
}
