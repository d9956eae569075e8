"""Apprise, in a process of its own that can reach nothing it should not: started by `apprise.py`.

Apprise opens its own connections, follows redirects, has some 170 plugins, and works in threads. So the guard
is not in the way of one of them but around all of Python: an audit hook, which nothing can take off again,
sees the address of every connection as it is made, whichever library makes it and however its name was
resolved, and every file and program that is opened. What is not allowed is refused there; names are judged
before, so that what the operator allows by name is known by its addresses. The process has no environment,
and with it none of Tocsin's secrets, and its memory is gone when the job is done.

It talks to its parent over the socket that is its standard input: one line of JSON in, one out. The first is
the address and what is allowed, each further one a message.
"""

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.domain import apprise_rules, outward
from app.domain.outward import Allowed

MEGABYTE = 1024 * 1024
# Apprise reads answers of any size, unpacked: what is larger than it needs is not given to it.
MOST_MEMORY, MOST_CPU_SECONDS = 512 * MEGABYTE, 120
ROOT = Path(__file__).resolve().parents[2]
SEND_SECONDS, LONGEST_LIFE = 30, 150
MOST_BODY = 32_000
MOST_LOGGED = 1000
BLOCKED = "blocked"
# Whatever starts programs, changes files, or talks without a connection.
FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.kill",
    "os.killpg",
    "os.utime",
    "os.putenv",
    "os.chmod",
    "os.chown",
    "shutil.copyfile",
    "shutil.move",
    "shutil.rmtree",
    "socket.sendto",
    "socket.sendmsg",
    "socket.bind",
    "sqlite3.connect",
    "syslog.openlog",
    "syslog.syslog",
)
# Native code, which no audit hook sees into. Apprise uses some as it is loaded, and never after.
NATIVE = ("ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function")
# What Python and TLS read as they run; nothing there is secret.
READABLE = (
    "/etc/ssl/",
    "/etc/localtime",
    "/etc/mime.types",
    "/usr/share/zoneinfo/",
    "/dev/null",
    "/dev/urandom",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(OSError):
    """Libraries take it for a network that is not there."""


class Guard:
    """`refused` counts the addresses that were not called. Once on, it stays on."""

    def __init__(self, allowed: Allowed, *, resolve: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._allowed, self._resolve = allowed, resolve
        self._named: set[str] = set()
        self._readable = (
            *{f"{Path(each).resolve()}/" for each in (sys.prefix, sys.base_prefix, ROOT / "app")},
            *READABLE,
        )
        self.refused = 0
        self._is_loaded = False

    def loaded(self) -> None:
        """From here on there is no native code."""
        self._is_loaded = True

    def stand(self) -> None:
        socket.getaddrinfo = self.getaddrinfo
        sys.addaudithook(self._see)

    def getaddrinfo(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        """As ever, but one address that is not allowed spoils them all."""
        found = self._resolve(host, port, *rest, **more)
        addresses = {str(entry[4][0]) for entry in found}
        if isinstance(host, str) and self._allowed.names(host):
            self._named |= addresses
        for address in addresses:
            self._judge(address)
        return found

    def _see(self, event: str, arguments: Sequence[Any]) -> None:
        if event == "socket.connect":
            self._judge_connection(arguments[0], arguments[1])
        elif event == "open":
            self._judge_file(arguments[0], arguments[2])
        elif event in ("os.listdir", "os.scandir"):
            self._judge_file(arguments[0], 0)
        elif event in FORBIDDEN or (self._is_loaded and event in NATIVE):
            raise Refused(f"{event} is not for Apprise to do")

    def _judge_connection(self, connection: Any, target: Any) -> None:
        """Only to a literal address: a name here would be resolved where nobody can see it."""
        if (
            connection.family not in (socket.AF_INET, socket.AF_INET6)
            or connection.type != socket.SOCK_STREAM
        ):
            self._refuse()
        self._judge(str(target[0]))
        if not outward.is_port_allowed(int(target[1])):
            self._refuse()

    def _judge(self, address: str) -> None:
        if address in self._named:
            return
        try:
            meant = outward.unwrapped(address)
        except ValueError:
            self._refuse()
        if not (self._allowed.holds(meant) or outward.is_public(meant)):
            self._refuse()

    def _refuse(self) -> None:
        self.refused += 1
        raise Refused(outward.NOT_ALLOWED)

    def _judge_file(self, path: Any, flags: Any) -> None:
        """What is open already has a number. Only what Python is made of is read, and nothing is written."""
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path or "."))
        if int(flags or 0) & _WRITING and real != "/dev/null":
            raise Refused("Apprise writes no files here")
        if not f"{real}/".startswith(self._readable):
            raise Refused("Apprise reads no files here")


class Refusal(Exception):
    """Of an address that is not let through; in words fit to show."""


def service(url: str) -> Any:
    """The one service that the address is of, made strict. Raises `Refusal`, and what Apprise raises."""
    import apprise
    from apprise import plugins

    if wrong := apprise_rules.wrong_with(url):
        raise Refusal(wrong)
    parts = plugins.url_to_dict(url)  # type: ignore[no-untyped-call]
    if not parts:
        raise Refusal("Apprise does not know such an address.")
    wrong = apprise_rules.wrong_with_scheme(str(parts.get("schema"))) or apprise_rules.wrong_with_arguments(
        name for each in ("qsd", "qsd+", "qsd-", "qsd:") for name in parts.get(each) or {}
    )
    if wrong:
        raise Refusal(wrong)
    parts |= {"verify": True, "redirect": False, "overflow": parts.get("overflow") or "split", "store": "no"}
    if parts["overflow"] == "upstream":
        parts["overflow"] = "split"
    asset = apprise.AppriseAsset(
        app_id="Tocsin",
        app_desc="Tocsin",
        plugin_paths=[],
        storage_mode="memory",
        http_redirects=False,
        allow_templates=False,
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
        secure_logging=True,
    )
    made = apprise.Apprise.instantiate(parts, asset=asset, suppress_exceptions=False)
    if made is None:
        raise Refusal("Apprise cannot use this address.")
    return made


def said(made: Any, message: Mapping[str, Any]) -> dict[str, Any]:
    """What came of one message."""
    import logging

    import apprise

    sender = apprise.Apprise(asset=made.asset)
    sender.add(made)
    result = sender.notify(
        title=message["title"],
        body=message["body"][:MOST_BODY],
        notify_type=message["type"],
        body_format="text",
        timeout=SEND_SECONDS,
        log_level=logging.WARNING,
    )
    logs = "\n".join(str(entry.message) for entry in result.logs())
    return {"status": result.status.name, "log": logs[:MOST_LOGGED]}


def answer(made: Any, guard: Guard, message: Mapping[str, Any]) -> dict[str, Any]:
    before = guard.refused
    try:
        found = said(made, message)
    except Exception as error:  # of any of 170 plugins
        found = {"status": "FAILURE", "log": f"{type(error).__name__}"}
    return {**found, BLOCKED: guard.refused > before}


def prepared(first: Mapping[str, Any]) -> tuple[Guard, Any, dict[str, Any]]:
    """Behind the guard before Apprise is even loaded: the service, and the answer to the first line."""
    guard = Guard(outward.read_allowed(first["allowed"]))
    guard.stand()
    try:
        made = service(first["url"])
    except Refusal as refusal:
        return guard, None, {"wrong": str(refusal)}
    except Exception as error:  # of any of 170 plugins
        return guard, None, {"wrong": f"Apprise refuses it: {str(error) or type(error).__name__}"[:300]}
    guard.loaded()
    return guard, made, {"wrong": "", "shown": made.url(privacy=True)}


def main() -> None:
    """Ends with its parent, which closes the socket, and by itself if that never happens."""
    _limit()
    signal.alarm(LONGEST_LIFE)
    wire = socket.socket(fileno=os.dup(0))
    with wire.makefile("rw", encoding="utf-8", newline="\n") as lines:
        guard, made, first = prepared(json.loads(lines.readline()))
        _put(lines, first)
        for line in lines if made else ():
            signal.alarm(LONGEST_LIFE)
            _put(lines, answer(made, guard, json.loads(line)))


def _limit() -> None:
    """What it may use at most, whoever answers whatever."""
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _put(lines: Any, found: Mapping[str, Any]) -> None:
    lines.write(json.dumps(found) + "\n")
    lines.flush()
