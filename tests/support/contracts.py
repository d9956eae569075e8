"""API descriptions of services, against which every request that a sender makes is checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from app.settings import ROOT
from tests.support.receiver import Receiver, answer

CONTRACTS = ROOT.parent / "shared" / "contracts"


@dataclass
class Asked:
    """A request in the terms of the checker."""

    host_url: str
    path: str
    method: str
    body: bytes
    content_type: str
    parameters: RequestParameters


@dataclass
class Contract:
    """A description, and what was wrong with requests so far: to be asserted empty."""

    api: OpenAPI
    base: str
    wrong: list[str] = field(default_factory=list)

    def check(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """What is wrong with the request, or ""."""
        parts = urlsplit(path)
        known = {name.lower(): value for name, value in headers.items()}
        asked = Asked(
            host_url=self.base,
            path=parts.path,
            method=method.lower(),
            body=body,
            content_type=known.get("content-type", "").partition(";")[0] or "application/octet-stream",
            parameters=RequestParameters(
                query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
                header=Headers(dict(headers)),
                cookie=ImmutableMultiDict(),
            ),
        )
        try:
            self.api.validate_request(asked)
        except OpenAPIError as error:
            return _words(error)
        return ""


def _words(error: BaseException) -> str:
    cause = error.__cause__
    inner = getattr(cause, "schema_errors", None) if cause else None
    detail = "; ".join(str(each.message) for each in inner or ())
    return f"{type(error).__name__}: {error} {detail or (_words(cause) if cause else '')}".strip()


def described(name: str, base: str) -> Contract:
    """The description of `../shared/contracts/<name>` at this address, ours if it names no folder.

    Skips the test where there is none.
    """
    path = CONTRACTS / (name if "/" in name else f"ours/{name}")
    if not path.exists():
        pytest.skip("../shared is not beside this clone")
    return Contract(_api(path, base), base)


@dataclass(frozen=True)
class Example:
    """A request that a description has to accept, or to reject."""

    contract: str
    name: str
    is_fit: bool
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def examples() -> list[Example]:
    """All of them that belong to descriptions in OpenAPI 3; none where ../shared is missing."""
    path = CONTRACTS / "examples.json"
    rows = json.loads(path.read_text())["requests"] if path.exists() else []
    return [_example(row) for row in rows if "swagger2" not in row["contract"]]


def _example(row: Mapping[str, Any]) -> Example:
    kind = row.get("content_type", "")
    body = row.get("body", "")
    text = body if isinstance(body, str) else urlencode(body) if "form" in kind else json.dumps(body)
    headers = {**({"Content-Type": kind} if kind else {}), **row.get("headers", {})}
    is_fit = row["expect"] == "accept"
    return Example(row["contract"], row["name"], is_fit, row["method"], row["path"], headers, text.encode())


@cache
def _read(path: Path) -> str:
    return path.read_text()


def _api(path: Path, base: str) -> OpenAPI:
    data = yaml.safe_load(_read(path))
    data["servers"] = [{"url": base}]
    for each in data["paths"].values():
        each.pop("servers", None)
    return OpenAPI.from_dict(data)


@dataclass
class Checking:
    """A receiver of which every request has to be fit; one that is not is answered with 422."""

    receiver: Receiver
    contract: Contract

    def __post_init__(self) -> None:
        usual = self.receiver.next_script

        def checked() -> Any:
            last = self.receiver.taken[-1]
            wrong = self.contract.check(last.method, last.path, last.headers, last.body)
            if wrong:
                self.contract.wrong.append(f"{last.method} {last.path}: {wrong}\n{last.body.decode()[:2000]}")
                return answer(422, wrong.encode())
            return usual()

        self.receiver.next_script = checked  # type: ignore[method-assign]
