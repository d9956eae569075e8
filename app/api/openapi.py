"""The description of the API as one document of OpenAPI 3.1, made from the application's map of addresses.

`/api/0/openapi.json` hands it out, `/help/api/` prints it for people. Nothing is written down twice:
methods, addresses and their parts come from the routes, scopes from `needs`, words from docstrings, and
what is sent and answered from the types that `describes` names.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_origin

import msgspec
from flask import Flask

from app.api import conventions
from app.api.describing import Description, File, Form, Page, Query, description_of, scopes_of
from app.api.groups import GROUPS, PARTS
from app.api.schemas import Schemas, alternatives

Json = dict[str, Any]
PREFIX = "/api/0"
JSON, BYTES, FORM = "application/json", "application/octet-stream", "multipart/form-data"
PHRASES = {
    200: "As asked.",
    201: "Made.",
    202: "Taken: it is carried out soon.",
    204: "Gone.",
    208: "It was there already, and got what it lacked.",
}
_PART = re.compile(r"<(?:(?P<kind>[^<>:]+):)?(?P<name>\w+)>")
MODULES = [module for group in GROUPS for module in group.modules]


@dataclass(frozen=True)
class Call:
    """A method at an address, and the function that answers."""

    method: str
    rule: str
    name: str
    view: Callable[..., Any]

    @property
    def path(self) -> str:
        """Below the prefix, with the names of its parts in braces."""
        return path_of(self.rule)

    @property
    def module(self) -> str:
        return self.view.__module__.rpartition(".")[2]

    @property
    def group(self) -> str:
        return next((group.name for group in GROUPS if self.module in group.modules), "")

    @property
    def description(self) -> Description:
        return description_of(self.view) or Description({})

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands among all: by group, by place in its file, and its shortest address first."""
        module = MODULES.index(self.module) if self.module in MODULES else len(MODULES)
        return module, inspect.unwrap(self.view).__code__.co_firstlineno, len(self.rule)


def path_of(rule: str) -> str:
    """`/issues/{issue}/`, of a rule of the application."""
    return _PART.sub(r"{\g<name>}", rule.removeprefix(PREFIX))


def calls(app: Flask) -> list[Call]:
    """Every call of the API, in the order in which they are told of."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.nothing_here":
            view = app.view_functions[rule.endpoint]
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                found.append(Call(method, rule.rule, rule.endpoint.removeprefix("api."), view))
    return sorted(found, key=lambda call: call.place)


def document(app: Flask) -> Json:
    """The whole description."""
    found = calls(app)
    made = Schemas([each for call in found for each in _types(call.description)])
    paths: dict[str, Json] = {}
    names: set[str] = set()
    for call in found:
        operation = _operation(call, made)
        if call.name in names:  # another address of the same call
            operation["operationId"] = f"{call.name}_by_{call.path.split('/')[1]}"
            operation["x-same-as"] = call.name
        names.add(call.name)
        paths.setdefault(call.path, {})[call.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": conventions.INFO,
        "servers": [{"url": app.config["SETTINGS"].tocsin_url + PREFIX}],
        "tags": [{"name": group.name, "description": group.text} for group in GROUPS],
        "paths": paths,
        "components": {
            "schemas": conventions.SCHEMAS | made.components,
            "responses": conventions.RESPONSES,
            "parameters": conventions.PAGING,
            "headers": {"Link": conventions.LINK},
            "securitySchemes": conventions.SECURITY,
        },
    }


def _operation(call: Call, made: Schemas) -> Json:
    described = call.description
    summary, _, text = inspect.cleandoc(call.view.__doc__ or "").partition("\n")
    is_paged = any(get_origin(answer) is Page for answer in described.answers.values())
    paging = [{"$ref": f"#/components/parameters/{name}"} for name in conventions.PAGING]
    operation: Json = {
        "operationId": call.name,
        "tags": [call.group],
        "summary": summary.removesuffix("."),
        "description": text.strip(),
        "parameters": [
            *_parts(call),
            *(_query(each, made) for each in described.query),
            *(paging if is_paged else ()),
        ],
        "responses": _answers(call, made),
        "security": [{"token": [scope]} for scope in scopes_of(call.view)] or [{}, {"token": []}],
    }
    if described.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(described.body, made)}
    return operation


def _parts(call: Call) -> Iterator[Json]:
    for kind, name in _PART.findall(call.rule):
        text, example = PARTS.get(name, ("", ""))
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": text,
            "schema": {"type": "integer", "minimum": 0} if kind == "int" else {"type": "string"},
            "example": int(example or 0) if kind == "int" else example,
        }


def _query(query: Query, made: Schemas) -> Json:
    found: Json = {
        "name": query.name,
        "in": "query",
        "description": query.text,
        "schema": made.of(query.type),
    }
    return found if query.example is None else {**found, "example": query.example}


def _answers(call: Call, made: Schemas) -> Json:
    described = call.description
    statuses = conventions.errors(
        is_open=not scopes_of(call.view), is_write=call.method != "GET", has_body=described.body is not None
    )
    answers: Json = {
        str(status): {"$ref": f"#/components/responses/{conventions.ERRORS[status][0]}"}
        for status in statuses
    }
    for status, answer in described.answers.items():
        said: Json = {"description": PHRASES.get(status) or conventions.ERRORS[status][1]["description"]}
        if answer is not None:
            said["content"] = _content(answer, made)
        if get_origin(answer) is Page:
            said["headers"] = {"Link": {"$ref": "#/components/headers/Link"}}
        answers[str(status)] = said
    return dict(sorted(answers.items()))


def _content(wanted: Any, made: Schemas) -> Json:
    if isinstance(wanted, Form):
        return {FORM: {"schema": made.of(wanted.parts)}}
    content: Json = {}
    if shapes := [made.of(each) for each in alternatives(wanted) if each is not File]:
        schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
        content[JSON] = {"schema": schema, "example": made.example(schema)}
    if File in alternatives(wanted):
        content[BYTES] = {"schema": {"type": "string", "format": "binary"}}
    return content


def _types(described: Description) -> Iterator[Any]:
    """Every type that it names."""
    body = described.body.parts if isinstance(described.body, Form) else described.body
    for wanted in (*described.answers.values(), body):
        yield from (each for each in alternatives(wanted) if each not in (None, File))
    yield from (each.type for each in described.query)


class Document:
    """The description of an application, made when it is first asked for."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def content(self) -> Json:
        return document(self._app)

    @cached_property
    def encoded(self) -> bytes:
        return msgspec.json.encode(self.content)
