"""How Twilio signs its calls: the public address, then each field of the form in the order of their names."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit, urlunsplit

PORTS = {"https": 443, "http": 80}


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form as they came, empty ones too."""
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return []


def signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def is_genuine(token: str, url: str, form: Iterable[tuple[str, str]], given: str) -> bool:
    """Whether whoever calls knows the token. It is left open whether a usual port stands in the address."""
    fields = list(form)
    known = (signature(token, each, fields) for each in _spellings(url))
    return any(hmac.compare_digest(each.encode(), given.encode()) for each in known)


def _spellings(url: str) -> set[str]:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = parts.port or PORTS.get(parts.scheme, 443)
    return {url, *(urlunsplit(parts._replace(netloc=each)) for each in (host, f"{host}:{port}"))}
