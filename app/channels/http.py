"""The only way out to other servers: every address is judged where the connection is made, every time.

No redirects, no proxies but the one that is set, 64 KB of an answer at most, and an end to everything after
thirty seconds however slowly somebody talks (`integrations.md` 3).
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from urllib3 import PoolManager, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from app.domain import outward
from app.domain.outward import Address, Allowed

log = logging.getLogger(__name__)
VERSION = "0.1.0"
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 15.0, 30.0
MOST_BYTES, SHOWN_CHARACTERS = 64 * 1024, 1024

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


class Kept(Protocol):
    """Something that is to be ended in order; it does not raise."""

    def close(self) -> None: ...


class Blocked(Exception):
    """An address that is not called."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered. `body` is for the channel to read.

    `text` may be shown: it is empty where the address is a private one of the operator's.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    milliseconds: int
    peer: str
    body: str = field(default="", repr=False)
    may_show: bool = True

    def header(self, name: str) -> str:
        """By its name in lower case; "" where there is none."""
        return header(self.headers, name)

    @property
    def data(self) -> Mapping[str, Any]:
        """The body as an object, empty if it is none."""
        with suppress(ValueError, RecursionError):
            found = json.loads(self.body)
            if isinstance(found, dict):
                return found
        return {}


def addresses_of(host: str, port: int) -> list[str]:
    """All that the name leads to at this moment."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connection_to(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@dataclass
class Http:
    """The client of one job. `resolve` and `connect` are the edge of the world.

    `bases` are addresses of services that the operator has replaced: a relay on the way, or a stand-in.
    `kept` is what channels go on with at the next message of the job.
    """

    allowed: Allowed = field(default_factory=Allowed)
    user_agent: str = "Tocsin"
    proxy: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)
    resolve: Resolve = addresses_of
    connect: Connect = connection_to
    total_seconds: float = TOTAL_SECONDS
    kept: dict[Hashable, Kept] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._open: list[socket.socket] = []
        self._peer = ""
        self._is_public = False
        self._pools = self._manager()

    def _manager(self) -> PoolManager:
        kept: dict[str, Any] = {"num_pools": 4, "retries": False}
        if self.proxy:
            log.warning("calls go through a proxy, which has to judge addresses itself")
            return ProxyManager(self.proxy, **kept)
        manager = PoolManager(**kept)
        manager.pool_classes_by_scheme = _pools(self)
        return manager

    def base(self, name: str, usual: str) -> str:
        """Where a service is found: at its `usual` address, unless the operator has set another one."""
        return self.bases.get(name, usual)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Reply:
        """One POST. Raises `Blocked`, or what urllib3 raises."""
        return self.request("POST", url, body, headers, read_seconds=read_seconds)

    def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Reply:
        """One request. Raises `Blocked`, or what urllib3 raises."""
        self._judge_port(url)
        begun = time.monotonic()
        timeout = Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        known = {"User-Agent": self.user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        with self._deadline():
            response = self._pools.urlopen(
                method,
                url,
                body=body or None,
                headers={**known, **(headers or {})},
                redirect=False,
                preload_content=False,
                timeout=timeout,
            )
            raw = response.read(MOST_BYTES, decode_content=False)
            is_whole = len(raw) < MOST_BYTES
            response.release_conn() if is_whole else response.close()
        text = raw.decode("utf-8", "replace")
        return Reply(
            status=response.status,
            headers=dict(response.headers),
            text=text[:SHOWN_CHARACTERS] if self.may_show else "",
            milliseconds=round((time.monotonic() - begun) * 1000),
            peer=self._peer,
            body=text,
            may_show=self.may_show,
        )

    def close(self) -> None:
        for kept in self.kept.values():
            kept.close()
        self.kept.clear()
        self._pools.clear()
        for each in self._open:
            each.close()
        self._open.clear()

    def open(self, host: str, port: int, *, is_plain: bool) -> socket.socket:
        """A connection to an address that was judged: the very one, not what the name leads to next."""
        addresses = self._judged(host, port, is_plain=is_plain)
        error: OSError | None = None
        for address in addresses:
            try:
                made = self.connect(address, port, CONNECT_SECONDS)
            except OSError as why:
                error = why
                continue
            self._open.append(made.dup())  # for the deadline: it outlives the wrapping in TLS
            self._peer, self._is_public = f"{address}:{port}", outward.is_public(outward.unwrapped(address))
            return made
        raise error or OSError("the name leads nowhere")

    def _judged(self, host: str, port: int, *, is_plain: bool) -> Sequence[str]:
        """Every address that the name leads to; one that is not allowed spoils them all."""
        addresses = self.resolve(host, port)
        if self.allowed.names(host):
            return addresses
        found = [outward.unwrapped(each) for each in addresses]
        if not all(self._is_allowed(each, is_plain=is_plain) for each in found):
            raise Blocked
        return addresses

    def _is_allowed(self, address: Address, *, is_plain: bool) -> bool:
        return self.allowed.holds(address) or (outward.is_public(address) and not is_plain)

    def _judge_port(self, url: str) -> None:
        parts = urlsplit(url)
        if not outward.is_port_allowed(parts.port or (443 if parts.scheme == "https" else 80)):
            raise Blocked

    @property
    def peer(self) -> str:
        """The address that was connected to last."""
        return self._peer

    @property
    def may_show(self) -> bool:
        """What stands on a private network is for nobody to read from here."""
        return self._is_public and not self.proxy

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Hang up when the time is over: read time-outs begin anew with every byte."""
        over = threading.Event()
        timer = threading.Timer(self.total_seconds, self._hang_up, [over])
        timer.daemon = True
        timer.start()
        try:
            yield
        except (HTTPError, OSError):
            if not over.is_set():
                raise
        finally:
            timer.cancel()
        if over.is_set():  # what came until then may look like an answer
            raise TimeoutError

    def _hang_up(self, over: threading.Event) -> None:
        over.set()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _pools(http: Http) -> dict[str, Any]:
    """urllib3's pools, whose connections are opened by `http`. Name, SNI and certificate stay the host's."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _opened(http, self, is_plain=True)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _opened(http, self, is_plain=False)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _opened(http: Http, connection: Any, *, is_plain: bool) -> socket.socket:
    """As urllib3's own does it, with its errors."""
    host, port = connection._dns_host, connection.port
    try:
        made = http.open(host, port, is_plain=is_plain)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
    made.settimeout(connection.timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
