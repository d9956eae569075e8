"""The kinds of value a setting can have: what is allowed, and how its text becomes a value."""

import os
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote, urlsplit

from app.cannot_start import CannotStart
from app.domain import outward

ROOT = Path(__file__).resolve().parent.parent
Network = IPv4Network | IPv6Network
POSTGRESQL = ("postgresql+psycopg", "postgresql", "postgres")

T = TypeVar("T")


class SettingsError(CannotStart):
    """A setting that cannot be used. Its text names the variable, its value and what is allowed."""


class Unfit(ValueError):
    """Not allowed, for a reason worth telling."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """`parse` raises ValueError for what is not allowed."""

    allowed: str
    parse: Callable[[str], T]


def without_password(value: str) -> str:
    return re.sub(r"(?<=://)([^/@:]*):.*@", r"\1:***@", value)


def whole(least: int, most: int) -> Kind[int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError
        return int(value)

    return Kind(f"a whole number from {least} to {most}", parse)


def choice(*words: str) -> Kind[str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError
        return value.lower()

    return Kind(", ".join(words[:-1]) + f" or {words[-1]}", parse)


def _matching(pattern: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return parse


def _switch(value: str) -> bool:
    words = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if value.lower() not in words:
        raise ValueError
    return words[value.lower()]


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or parts.username or parts.path.strip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or parts.port == 0:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _secret(value: str) -> str:
    if len(value) < 16:
        raise Unfit("too short")
    return value


def _keys(value: str) -> tuple[str, ...]:
    return tuple(_secret(key.strip()) for key in value.split(",") if key.strip())


def _database(value: str) -> str:
    scheme, _, rest = value.partition("://")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/") and rest != "/:memory:":
        # Relative paths count from the code, so that every command finds the same file wherever it is typed.
        return f"sqlite:///{rest[1:]}" if rest.startswith("//") else f"sqlite:///{quote(str(ROOT))}{rest}"
    parts = urlsplit(value)
    if scheme in POSTGRESQL and parts.path.strip("/") and parts.port != 0:
        return f"postgresql+psycopg://{rest}"
    raise ValueError


def _redis(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    at = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not at or parts.port == 0:
        raise ValueError
    return value


def _mail_address(value: str) -> str:
    name, address = parseaddr(value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ValueError
    return f"{name} <{address}>" if name else address


def _networks(value: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())


def _directory(value: str) -> Path:
    """The directory, made if need be. Relative paths count from the code, not from where one stands."""
    path = ROOT / Path(value).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(path)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise Unfit(error.strerror) from None
    return path


def _make_private(path: Path) -> None:
    """Events, mails and keys are for nobody else on this machine. What is not ours is left as it is."""
    status = path.stat()
    if status.st_uid == os.getuid() and status.st_mode & 0o077:
        path.chmod(0o700)


def kept_secret(path: Path) -> str:
    """The secret in this file; made on first use. Of processes that start together, all get the same one."""
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    return path.read_text().strip()


TEXT = Kind("any text", str)
SWITCH = Kind("true or false", _switch)
HOST = Kind("an address or a host name", _matching(r"[A-Za-z0-9._:-]+"))
OPTIONAL_HOST = Kind("an address or a host name", _matching(r"[A-Za-z0-9._:-]*"))
DOMAIN = Kind("a domain such as example.org", _matching(r"[A-Za-z0-9.-]+"))
WEB_ADDRESS = Kind("an address such as https://tocsin.example.org, without a path", _web_address)
MAIL_ADDRESS = Kind("an address such as Tocsin <tocsin@example.org>", _mail_address)
DIRECTORY = Kind("a directory that this user may write to", _directory)
SECRET = Kind("at least 16 characters", _secret)
OPTIONAL_SECRET = Kind("at least 16 characters", lambda value: _secret(value) if value else "")
KEYS = Kind("keys of at least 16 characters, separated by commas", _keys)
DATABASE = Kind("sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME", _database)
REDIS = Kind("redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix:///PATH", _redis)
OPTIONAL_WEB_ADDRESS = Kind(
    "an address such as http://proxy.example.org:3128", lambda value: _web_address(value) if value else ""
)
OUTBOUND = Kind(
    "hosts and networks such as hooks.internal or 10.0.0.0/8, separated by commas", outward.read_allowed
)
NETWORKS = Kind("addresses or networks such as 10.0.0.0/8, separated by commas", _networks)
