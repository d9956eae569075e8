"""Which public key a request carries: in a header, in the query string or in the DSN of an envelope."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from app.domain.rejections import Forbidden, Malformed, Unauthenticated

MAX_VERSION = 7

_PROJECT_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    public_key: str
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Dsn:
    public_key: str
    project_id: int


def project_id(text: str) -> int:
    """The number in the path."""
    if not _PROJECT_ID.fullmatch(text):
        raise Malformed("the project id is not a number")
    return int(text)


def credentials(*, x_sentry_auth: str | None, authorization: str | None, query: str) -> Credentials | None:
    """What headers and query string agree on, or None when they say nothing: a DSN may still follow."""
    found = [
        _credentials(members)
        for members in (*_from_headers(x_sentry_auth, authorization), _from_query(query))
        if members is not None
    ]
    if len({each.public_key for each in found}) > 1:
        raise Unauthenticated("the request carries two different keys")
    return next((each for each in found if each.client), found[0] if found else None)


def agreed(found: Credentials | None, dsn: object, *, project_id: int) -> Credentials:
    """The credentials, once the DSN in an envelope's header (or None) has had its say."""
    if dsn is None:
        if found is None:
            raise Unauthenticated("no key: neither X-Sentry-Auth, sentry_key nor a DSN")
        return found
    named = parse_dsn(dsn)
    if named.project_id != project_id:
        raise Forbidden("the DSN names another project than the path")
    if found is not None and found.public_key != named.public_key:
        raise Unauthenticated("the DSN names another key than the request")
    return found or Credentials(named.public_key)


def parse_dsn(text: object) -> Dsn:
    """Key and project of a DSN. Its host does not matter: behind a proxy SDKs know another one."""
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        public_key = parts.username or ""
    except ValueError:
        raise Malformed("the DSN is not a URL") from None
    project = parts.path.rstrip("/").rpartition("/")[2]
    if not public_key or not _PROJECT_ID.fullmatch(project):
        raise Malformed("the DSN lacks a key or a project id")
    return Dsn(public_key, int(project))


def _from_headers(x_sentry_auth: str | None, authorization: str | None) -> Iterator[dict[str, str] | None]:
    yield _from_sentry_scheme(x_sentry_auth)
    yield _from_sentry_scheme(authorization) or _from_basic_scheme(authorization)


def _from_sentry_scheme(header: str | None) -> dict[str, str] | None:
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() != "sentry":
        return None
    pairs = (pair.partition("=") for pair in rest.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}


def _from_basic_scheme(header: str | None) -> dict[str, str] | None:
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user = base64.b64decode(rest.strip()).decode("utf-8", "replace").partition(":")[0]
    except (binascii.Error, ValueError):
        raise Unauthenticated("the Authorization header is not base64") from None
    return {"sentry_key": user}


def _from_query(query: str) -> dict[str, str] | None:
    if "sentry_key" not in query:
        return None
    members = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    return members if "sentry_key" in members else None


def _credentials(members: dict[str, str]) -> Credentials:
    _check_version(members.get("sentry_version", ""))
    public_key = members.get("sentry_key", "")
    if not public_key:
        raise Unauthenticated("the authentication names no sentry_key")
    return Credentials(public_key, members.get("sentry_client") or None)


def _check_version(text: str) -> None:
    major = text.partition(".")[0]
    if major.isdecimal() and len(major) < 10 and int(major) <= MAX_VERSION:
        return
    if text:
        raise Malformed(f"sentry_version {text[:20]!r} is not supported")
