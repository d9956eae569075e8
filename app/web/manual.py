"""The web API, for people: its description as pages, one for each group of calls.

They print the document that programs get, and nothing else, so the two cannot disagree.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.extensions import api_description

Json = Mapping[str, Any]

bp = Blueprint("manual", __name__, url_prefix="/help/api")

JSON, FORM = "application/json", "multipart/form-data"
WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
BY_FORMAT = {"date-time": "time", "binary": "file"}


@dataclass(frozen=True, slots=True)
class Member:
    """A line of a table: a member of an object, or something in an address."""

    name: str
    type: str
    text: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    example: str = ""
    members: Sequence[Member] = ()
    is_page: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    method: str
    path: str
    summary: str
    text: str
    scopes: Sequence[str]
    parts: Sequence[Member]
    query: Sequence[Member]
    body: Sequence[Member]
    answers: Sequence[Answer]
    errors: Sequence[str]
    curl: str
    # Other addresses of the same call.
    also: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    text: str
    calls: Sequence[Call]

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")


@bp.get("/")
def overview() -> ResponseReturnValue:
    description = api_description(current_app).content
    components = description["components"]
    return render_template(
        "help/api.html",
        base=description["servers"][0]["url"],
        groups=_groups(),
        errors=[
            Answer(status, answer["description"], json.dumps(answer["content"][JSON]["example"]))
            for status, answer in _common_errors(description)
        ],
        paging=[_parameter(each) for each in components["parameters"].values()],
        link=components["headers"]["Link"],
    )


@bp.get("/<group>/")
def group(group: str) -> ResponseReturnValue:
    groups = _groups()
    shown = next((each for each in groups if each.slug == group), None)
    if shown is None:
        abort(404)
    return render_template("help/api_group.html", groups=groups, shown=shown)


def _groups() -> Sequence[Group]:
    """Worked out once for an application: it takes a while, and never changes."""
    known = current_app.extensions.setdefault("tocsin_manual", [])
    if not known:
        known.extend(Manual(api_description(current_app).content).groups())
    groups: Sequence[Group] = known
    return groups


@bp.app_template_filter("code")
def coded(text: str) -> Markup:
    """Text with `code` in it."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else piece for index, piece in enumerate(pieces)
    )


def _common_errors(description: Json) -> Sequence[tuple[str, Json]]:
    """Those that any call may be answered, with their statuses."""
    answers = description["components"]["responses"]
    found = {
        status: answers[answer["$ref"].rpartition("/")[2]]
        for path in description["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }
    return sorted(found.items())


def _parameter(described: Json) -> Member:
    needed = described.get("required", False) and described["in"] == "query"
    return Member(described["name"], _words(described["schema"]), described["description"], needed)


class Manual:
    """What the pages print, read from a description."""

    def __init__(self, description: Json) -> None:
        self._description = description
        self._base = description["servers"][0]["url"]
        self._schemas: Json = description["components"]["schemas"]

    def groups(self) -> list[Group]:
        calls: dict[str, Call] = {}
        groups: dict[str, list[Call]] = {tag["name"]: [] for tag in self._description["tags"]}
        for path, methods in self._description["paths"].items():
            for method, operation in methods.items():
                if "x-same-as" not in operation:
                    call = self._call(path, method.upper(), operation)
                    calls[call.id] = call
                    groups[operation["tags"][0]].append(call)
        for path, methods in self._description["paths"].items():
            for operation in methods.values():
                if "x-same-as" in operation:
                    calls[operation["x-same-as"]].also.append(path)
        return [
            Group(tag["name"], tag["description"], groups[tag["name"]]) for tag in self._description["tags"]
        ]

    def _call(self, path: str, method: str, operation: Json) -> Call:
        parameters = [each for each in operation["parameters"] if "$ref" not in each]
        answers = {status: each for status, each in operation["responses"].items() if "$ref" not in each}
        content = operation.get("requestBody", {}).get("content", {})
        return Call(
            id=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            text=operation["description"],
            scopes=[scope for each in operation["security"] for scope in each.get("token", ())],
            parts=[_parameter(each) for each in parameters if each["in"] == "path"],
            query=[_parameter(each) for each in parameters if each["in"] == "query"],
            body=[line for each in content.values() for line in self._members(each["schema"])],
            answers=[self._answer(status, each) for status, each in answers.items()],
            errors=sorted(set(operation["responses"]) - set(answers)),
            curl=self._curl(path, method, parameters, content),
        )

    def _answer(self, status: str, described: Json) -> Answer:
        content = described.get("content", {})
        shown = content.get(JSON)
        text = described["description"]
        if content and JSON not in content:
            text = f"{text} The file itself."
        if shown is None:
            return Answer(status, text)
        example = json.dumps(shown["example"], indent=2, ensure_ascii=False)
        members = list(self._members(shown["schema"]))
        return Answer(status, text, example, members, "Link" in described.get("headers", {}))

    def _curl(self, path: str, method: str, parameters: Sequence[Json], content: Json) -> str:
        """How one asks it on a command line."""
        parts = {each["name"]: each["example"] for each in parameters if each["in"] == "path"}
        url = self._base + path.format_map(
            {name: quote(str(value), safe="") for name, value in parts.items()}
        )
        query = [each for each in parameters if each["in"] == "query" and "example" in each][:1]
        if query:
            value = query[0]["example"]
            value = value[0] if isinstance(value, list) else value
            url += "?" + urlencode({query[0]["name"]: value})
        words = [f"curl {shlex.quote(url)}", '-H "Authorization: Bearer $TOKEN"']
        if method != "GET" and not (method == "POST" and content):
            words.insert(1, f"-X {method}")
        if JSON in content:
            words.append("-H 'Content-Type: application/json'")
            words.append(f"-d {shlex.quote(json.dumps(content[JSON]['example'], ensure_ascii=False))}")
        elif FORM in content:
            words.append("-F 'file=@FILE'")
        return " \\\n  ".join(words)

    def _members(self, schema: Json, prefix: str = "", needed: bool = False) -> Iterator[Member]:
        """A line for each member, and for those of objects within it."""
        for each in self._objects(schema):
            if isinstance(rest := each.get("additionalProperties"), dict):
                yield from self._members(rest, f"{prefix}*.")
            required = each.get("required", ())
            kind = each.get("properties", {}).get("id", {}).get("const")
            for name, inner in each.get("properties", {}).items():
                if name == "id" and kind is not None:
                    yield Member(f"{prefix}id: {kind}", "object", each.get("description", ""))
                    continue
                yield Member(prefix + name, _words(inner), self._text(inner), name in required)
                yield from self._members(inner, self._below(prefix + name, inner))

    def _below(self, name: str, schema: Json) -> str:
        is_list = any(each.get("type") == "array" for each in _alternatives(schema))
        return f"{name}[]." if is_list else f"{name}."

    def _objects(self, schema: Json) -> Iterator[Json]:
        """The objects that a value of this schema is, or is a list of."""
        for each in _alternatives(schema):
            if "$ref" in each:
                yield from self._objects(self._schemas[each["$ref"].rpartition("/")[2]])
            elif each.get("type") == "array":
                yield from self._objects(each.get("items") or {})
            elif "properties" in each or isinstance(each.get("additionalProperties"), dict):
                yield each

    def _text(self, schema: Json) -> str:
        if "description" in schema:
            return str(schema["description"])
        found = next((each["$ref"] for each in _alternatives(schema) if "$ref" in each), "")
        described = self._schemas.get(found.rpartition("/")[2], {})
        return str(described.get("description", ""))


def _alternatives(schema: Json) -> Sequence[Json]:
    found: Sequence[Json] = schema.get("anyOf", (schema,))
    return found


def _words(schema: Json) -> str:
    """What kind of value it is."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_words(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(json.dumps(each, ensure_ascii=False) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "$ref" in schema:
        return "object"
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_words(schema.get('items') or {})}"
    return BY_FORMAT.get(schema.get("format", ""), WORDS.get(kind, kind)) or "anything"
