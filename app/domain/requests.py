"""Makes the HTTP request and the user of an event regular, and decides whose IP address is kept."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import quote

from app.domain import tolerant_json
from app.domain.rejections import Malformed
from app.domain.shapes import Invalid, Reading, Rule, as_text, cut, freeform, freeform_object, members, text

AUTO = "{{auto}}"
# What a browser or a phone cannot know: its own address.
_INFERRED = frozenset({"javascript", "cocoa", "objc"})
_ADDRESS_HEADERS = frozenset(
    {"x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "cf-connecting-ip", "true-client-ip"}
)
_IDENTITIES = (("id", "id"), ("email", "email"), ("username", "username"), ("ip_address", "ip"))


def request(value: Any, reading: Reading) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise Invalid
    return members(value, _REQUEST, reading) or None


def user(value: Any, reading: Reading) -> dict[str, Any] | None:
    """The known members, then whatever else the application told of its user."""
    if not isinstance(value, dict):
        raise Invalid
    regular = members(value, _USER, reading)
    more = {key: member for key, member in value.items() if key not in _USER and key and member is not None}
    return {**reading.scrubber.clean(more, 8192), **regular} if more else regular or None


def identity(person: dict[str, Any] | None) -> str | None:
    """By what people are counted: the first member that says who it is."""
    for member, name in _IDENTITIES if person else ():
        if person and (value := person.get(member)):
            return f"{name}:{value}"
    return None


def settle_address(data: dict[str, Any], *, client_ip: str | None, infer_ip: object) -> None:
    """Put the user's IP address in its place: as given, or as the request or the connection tells."""
    person = data.get("user") or {}
    given = person.pop("ip_address", None)
    address = client_ip if given == AUTO else given or _from_elsewhere(data, client_ip, infer_ip)
    if address:
        person["ip_address"] = address
    data.pop("user", None)
    if person:
        data["user"] = person


def forget_addresses(data: dict[str, Any]) -> None:
    """For projects that keep no IP address."""
    person = data.get("user") or {}
    person.pop("ip_address", None)
    if not person:
        data.pop("user", None)
    asked = data.get("request") or {}
    asked.get("env", {}).pop("REMOTE_ADDR", None)
    if "headers" in asked:
        asked["headers"] = [pair for pair in asked["headers"] if pair[0].lower() not in _ADDRESS_HEADERS]


def valid_address(value: Any) -> str | None:
    try:
        return str(ipaddress.ip_address(value.strip())) if isinstance(value, str) else None
    except ValueError:
        return None


def _from_elsewhere(data: dict[str, Any], client_ip: str | None, infer_ip: object) -> str | None:
    env = (data.get("request") or {}).get("env") or {}
    if remote := valid_address(env.get("REMOTE_ADDR")):
        return remote
    inferred = infer_ip == "auto" or (infer_ip != "never" and data["platform"] in _INFERRED)
    return client_ip if inferred else None


def _address(value: Any, _reading: Reading) -> str:
    if isinstance(value, str) and value.strip() == AUTO:
        return AUTO
    address = valid_address(value)
    if address is None:
        raise Invalid
    return address


def _url(value: Any, reading: Reading) -> str | None:
    return cut(reading.scrubber.url(as_text(value)), 8192) or None


def _query_string(value: Any, reading: Reading) -> str | None:
    if isinstance(value, (dict, list)):
        value = "&".join(f"{quote(name)}={quote(member)}" for name, member in _texts(value))
    return cut(reading.scrubber.query(as_text(value).removeprefix("?")), 8192) or None


def _headers(value: Any, reading: Reading) -> list[list[str]] | None:
    named = reading.scrubber.named
    return [[name, cut(str(named(name, member)), 8192)] for name, member in _texts(value)] or None


def _cookies(value: Any, reading: Reading) -> list[list[str]] | None:
    if isinstance(value, str):
        halves = (part.strip().partition("=") for part in value.split(";"))
        value = {name: member for name, _, member in halves if name}
    cookie = reading.scrubber.cookie
    return [[name, cut(str(cookie(name, member)), 4096)] for name, member in _texts(value)] or None


def _texts(value: Any) -> list[tuple[str, str]]:
    """Pairs of texts out of an object or a list of pairs; a list of values under one name is joined."""
    if isinstance(value, dict):
        value = value.items()
    elif not isinstance(value, list):
        raise Invalid
    pairs = []
    for pair in value:
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) and pair[0]:
            pairs.append((pair[0], _joined(pair[1])))
    return pairs


def _joined(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, list):
        return ", ".join(_joined(member) for member in value)
    try:
        return as_text(value)
    except Invalid:
        return ""


def _body(value: Any, reading: Reading) -> Any:
    """JSON and forms that were sent as text are read, since a secret in them has a name only then."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("{", "["):
            value = _read_body(value, reading)
        elif "=" in value:
            value = reading.scrubber.query(value)
    return _BODY(value, reading)


def _read_body(body: str, reading: Reading) -> Any:
    try:
        return tolerant_json.read(body.encode("utf-8", "replace"))
    except Malformed:
        return reading.scrubber.broken_json(body)


_BODY = freeform(8192)

_REQUEST: dict[str, Rule] = {
    "url": _url,
    "method": text(64),
    "query_string": _query_string,
    "data": _body,
    "cookies": _cookies,
    "headers": _headers,
    "env": freeform_object(8192),
    "fragment": _query_string,
}

_USER: dict[str, Rule] = {
    "id": text(200),
    "email": text(200),
    "username": text(200),
    "name": text(200),
    "ip_address": _address,
    "geo": freeform_object(1024),
    "segment": text(200),
    "data": freeform_object(8192),
}
