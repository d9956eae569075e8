"""Behind a proxy: whose request it is, and whether it came by https. Believed of configured proxies alone."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from app.settings_kinds import Network

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class BehindProxies:
    """WSGI middleware that puts the client's address and scheme in place of the proxy's.

    Headers of a peer that is not among `trusted` are left alone: anybody can write them. The host is never
    taken from a header; links are made of TOCSIN_URL.
    """

    def __init__(self, app: Wsgi, trusted: tuple[Network, ...]) -> None:
        self.app = app
        self.trusted = trusted

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR") or ""
        if is_trusted(peer, self.trusted):
            forwarded = environ.get("HTTP_X_FORWARDED_FOR") or ""
            environ["REMOTE_ADDR"] = client_address(peer, forwarded, self.trusted) or peer
            scheme = (environ.get("HTTP_X_FORWARDED_PROTO") or "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)


def is_trusted(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Whether this address is one of our proxies."""
    address = _plain_address(peer)
    return address is not None and any(ip_address(address) in network for network in trusted)


@lru_cache(maxsize=4096)
def client_address(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> str | None:
    """The peer, or behind trusted proxies the last address that none of them wrote of itself."""
    address = _plain_address(peer)
    for hop in reversed(forwarded.split(",")):
        if address is None or not is_trusted(address, trusted):
            break
        previous = _plain_address(hop)
        if previous is None:
            break
        address = previous
    return address


def _plain_address(text: str) -> str | None:
    """An IP address without blanks, brackets and port."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
