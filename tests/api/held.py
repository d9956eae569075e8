"""Every answer that a test gets is held against the description of the API, and every body that was taken.

More strictly than clients should read it: a member that the description does not name fails the test.
"""

from functools import cache
from typing import Any

import jsonschema_rs
import msgspec
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app.api.openapi import path_of
from app.domain import tolerant_json
from app.extensions import ApiDescription, api_description

Json = dict[str, Any]
JSON = "application/json"


def to_its_description(app: Flask, answer: TestResponse, sent: Any) -> None:
    """Fail unless the description knows such an answer to such a call, and to what was sent with it."""
    asked = answer.request
    try:
        rule, _ = app.url_map.bind("").match(asked.path, asked.method, return_rule=True)
    except HTTPException:
        return
    if rule.endpoint != "api.nothing_here":
        _description(app).hold(asked.method, path_of(rule.rule), answer, sent)


def _bytes(sent: str | bytes) -> bytes:
    return sent.encode() if isinstance(sent, str) else sent


@cache
def _description(app: Flask) -> "Description":
    return Description(api_description(app))


class Description:
    """Of an application, with a validator for whatever has come up once."""

    def __init__(self, document: ApiDescription) -> None:
        self._content: Json = msgspec.json.decode(document.encoded)
        for schema in self._content["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        self._validators: dict[str, Any] = {}

    def hold(self, method: str, path: str, answer: TestResponse, sent: Any) -> None:
        operation, status = self._content["paths"][path][method.lower()], str(answer.status_code)
        where = f"{method} {path} {status}"
        assert status in operation["responses"], f"{where} is not described: {answer.text}"
        described = self._referred(operation["responses"][status])
        content = described.get("content", {})
        assert answer.mimetype in content or not (content or answer.data), f"{where}: {answer.mimetype}"
        assert set(described.get("headers", ())) <= set(answer.headers.keys()), f"{where}: {answer.headers}"
        if answer.mimetype == JSON:
            self._fit(where, content[JSON]["schema"], msgspec.json.decode(answer.data))
        body = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if body and sent and answer.status_code < 300:
            self._fit(f"{method} {path} takes", body["schema"], tolerant_json.read(_bytes(sent)))

    def _referred(self, described: Json) -> Json:
        if "$ref" not in described:
            return described
        responses: Json = self._content["components"]["responses"]
        return responses[described["$ref"].rpartition("/")[2]]

    def _fit(self, where: str, schema: Json, value: Any) -> None:
        if where not in self._validators:
            whole = {**schema, "components": self._content["components"]}
            self._validators[where] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        validator = self._validators[where]
        if not validator.is_valid(value):
            wrong = [f"{list(each.instance_path)}: {each.message}" for each in validator.iter_errors(value)]
            raise AssertionError(f"{where} unlike its description: {' '.join(wrong)}")
