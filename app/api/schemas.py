"""JSON Schema of the types that descriptions name, by msgspec, under the names that clients read."""

import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from app.api import examples
from app.api.describing import Page

Json = dict[str, Any]


def alternatives(wanted: Any) -> Sequence[Any]:
    """The types that a choice, such as `A | B`, is made of; msgspec knows none between objects."""
    return get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)


class Schemas:
    """Of all types together: what several of them use stands once, as a component."""

    def __init__(self, wanted: Sequence[Any]) -> None:
        plain = [_plain(each) for each in wanted]
        shapes, named = msgspec.json.schema_components(plain, ref_template=examples.COMPONENTS + "{name}")
        self._schemas = {repr(each): _renamed(shape) for each, shape in zip(plain, shapes, strict=True)}
        orders = dict(_orders(plain))
        self.components: Json = {
            _name(name): _ordered(_renamed(shape), orders.get(name, ()))
            for name, shape in sorted(named.items())
        }

    def of(self, wanted: Any) -> Json:
        found: Json = self._schemas[repr(_plain(wanted))]
        return found

    def example(self, schema: Json) -> Any:
        """A value that fits."""
        return examples.of(schema, self.components)


def _orders(wanted: Iterable[Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """The members of every object in these types, in the order in which the code has them."""
    for each in wanted:
        if is_typeddict(each):
            hints = get_type_hints(each, include_extras=True)
            yield each.__name__, list(hints)
            yield from _orders(hints.values())
        else:
            yield from _orders(get_args(each))


def _ordered(shape: Json, order: Sequence[str]) -> Json:
    """msgspec has members by the alphabet, which says less."""
    members = shape.get("properties", {})
    return {**shape, "properties": {name: members[name] for name in order}} if members and order else shape


def _plain(wanted: Any) -> Any:
    return list[get_args(wanted)[0]] if get_origin(wanted) is Page else wanted  # type: ignore[misc]


def _name(name: str) -> str:
    """`IssueJson` in the code, where `Issue` is a row; `Issue` for clients."""
    return name.removesuffix("Json")


def _renamed(shape: Any) -> Any:
    """Without the titles, which repeat the names."""
    if isinstance(shape, list):
        return [_renamed(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    kept = {
        name: _renamed(value)
        for name, value in shape.items()
        if name != "title" or not isinstance(value, str)
    }
    if isinstance(kept.get("$ref"), str):
        kept["$ref"] = _name(kept["$ref"])
    return kept
