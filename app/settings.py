"""Every setting: its name, kind, default and meaning. The only reader of the environment.

The class `Settings` is the table: each field is a row of it, and carries the variable's name in lower case.
`docs/settings.md` shows the same rows, and a test holds the two together.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values

from app import settings_kinds as kinds
from app.domain.outward import Allowed
from app.settings_kinds import ROOT, Kind, SettingsError

__all__ = ["ROOT", "TABLE", "Setting", "Settings", "SettingsError", "load"]

T = TypeVar("T")
Known = Mapping[str, Any]


@dataclass(frozen=True)
class Derived:
    """A default that is worked out from settings above it; `says` is how the documentation puts it."""

    says: str
    make: Callable[[Known], str]


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    kind: Kind[Any]
    default: str | Derived
    help: str
    secret: bool

    @property
    def allowed(self) -> str:
        return self.kind.allowed

    @property
    def shown_default(self) -> str:
        return self.default.says if isinstance(self.default, Derived) else self.default or "none"

    def read(self, environ: Mapping[str, str], known: Known) -> Any:
        """The value in force: the environment's, or the default. Blank counts as not set."""
        value = environ.get(self.name, "").strip()
        if not value:
            value = self.default.make(known) if isinstance(self.default, Derived) else self.default
        try:
            return self.kind.parse(value)
        except ValueError as error:
            because = f" ({error})" if isinstance(error, kinds.Unfit) else ""
            raise SettingsError(
                f"{self.name} is {self._shown(value)}{because}: allowed is {self.allowed}."
            ) from None

    def _shown(self, value: str) -> str:
        if not value:
            return "missing"
        return "(not shown)" if self.secret else kinds.without_password(value)


def setting(kind: Kind[T], default: str | Derived, help: str, *, secret: bool = False) -> T:  # noqa: A002
    row = {"kind": kind, "default": default, "help": help, "secret": secret}
    may_hold_a_password = secret or kind in (kinds.DATABASE, kinds.REDIS)
    return field(repr=not may_hold_a_password, metadata=row)  # type: ignore[no-any-return]


_ELSEWHERE = "_base_url"


def _elsewhere(service: str) -> str:
    return setting(kinds.OPTIONAL_WEB_ADDRESS, "", f"where {service} is called instead, through a relay")


def _public_url(known: Known) -> str:
    anywhere = known["host"] in {"0.0.0.0", "::", "127.0.0.1"}  # noqa: S104 (compared, not bound)
    host = "127.0.0.1" if anywhere else known["host"]
    return f"http://{f'[{host}]' if ':' in host else host}:{known['port']}"


def _mail_port(known: Known) -> str:
    if known["mail_use_ssl"]:
        return "465"
    return "587" if known["mail_use_tls"] else "25"


def _mail_sender(known: Known) -> str:
    """Captured mail goes nowhere, so any sender will do; a real server needs one that others can answer."""
    host = urlsplit(known["tocsin_url"]).hostname or ""
    if "." in host and not _is_address(host):
        return f"Tocsin <tocsin@{host}>"
    return "" if known["mail_server"] else "Tocsin <tocsin@localhost>"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _sender_domain(known: Known) -> str:
    return str(known["mail_default_sender"]).rpartition("@")[2].rstrip("> ")


def _kept(filename: str) -> Derived:
    return Derived(
        f"made once, kept in `{filename}` in the data directory",
        lambda known: kinds.kept_secret(known["tocsin_data_dir"] / filename),
    )


_LATER = "; more, separated by commas: the first is used, all are accepted, so that keys can be changed"


@dataclass(frozen=True)
class Settings:
    """What this instance runs with. Read-only; made by `load`."""

    host: str = setting(kinds.HOST, "127.0.0.1", "address to listen on")
    port: int = setting(kinds.whole(1, 65535), "8000", "port to listen on")
    tocsin_url: str = setting(
        kinds.WEB_ADDRESS,
        Derived("`http://127.0.0.1:PORT`", _public_url),
        "public address: links, DSNs, cookies (secure when https)",
    )
    tocsin_data_dir: Path = setting(  # noqa: RUF009 (a field, like the others)
        kinds.DIRECTORY,
        "./var",
        "embedded database and Redis, generated keys, captured mail, uploads; kept at 0700",
    )
    secret_key: str = setting(
        kinds.SECRET, _kept("secret_key"), "signs sessions; the same on every machine", secret=True
    )
    mail_token_keys: tuple[str, ...] = setting(
        kinds.KEYS, _kept("mail_token_key"), "signs the links in mails" + _LATER, secret=True
    )
    credential_keys: tuple[str, ...] = setting(
        kinds.KEYS, _kept("credential_key"), "encrypts the secrets of integrations" + _LATER, secret=True
    )
    database_url: str = setting(
        kinds.DATABASE,
        Derived(
            "`sqlite:///<data directory>/tocsin.db`",
            lambda known: f"sqlite:///{quote(str(known['tocsin_data_dir']))}/tocsin.db",
        ),
        "where everything is remembered",
    )
    redis_url: str = setting(
        kinds.REDIS,
        Derived("a server of our own on a socket in the data directory", lambda known: ""),
        "Redis or Valkey, 6.2 or newer, with persistence and without eviction",
    )
    mail_server: str = setting(
        kinds.OPTIONAL_HOST, "", "SMTP server; without one mail is kept and shown at `/dev/mail/`"
    )
    mail_use_tls: bool = setting(kinds.SWITCH, "false", "STARTTLS")
    mail_use_ssl: bool = setting(kinds.SWITCH, "false", "TLS from the first byte")
    mail_port: int = setting(
        kinds.whole(1, 65535),
        Derived("25; 587 with TLS, 465 with SSL", _mail_port),
        "port of the SMTP server",
    )
    mail_username: str = setting(kinds.TEXT, "", "SMTP account")
    mail_password: str = setting(kinds.TEXT, "", "SMTP password", secret=True)
    mail_default_sender: str = setting(
        kinds.MAIL_ADDRESS,
        Derived("`Tocsin <tocsin@HOST>`, HOST from TOCSIN_URL", _mail_sender),
        "sender of mails",
    )
    mail_domain: str = setting(
        kinds.DOMAIN, Derived("the sender's domain", _sender_domain), "domain of Message-ID and List-Id"
    )
    reply_domain: str = setting(
        kinds.OPTIONAL_HOST,
        "",
        "domain of the addresses that take replies, where inbound mail is set up",
    )
    inbound_secret: str = setting(
        kinds.OPTIONAL_SECRET,
        "",
        "token of whoever posts mail to `/inbound/raw`",
        secret=True,
    )
    inbound_authserv_id: str = setting(
        kinds.OPTIONAL_HOST,
        "",
        "receiving server, whose DMARC pass replies need",
    )
    inbound_without_dmarc: bool = setting(
        kinds.SWITCH,
        "false",
        "take replies without proof of who wrote them: only where every sender is checked before",
    )
    web_processes: int = setting(kinds.whole(1, 64), "2", "web processes")
    web_threads: int = setting(kinds.whole(1, 64), "2", "threads of each; 8 are faster, and take more memory")
    workers: int = setting(kinds.whole(1, 64), "2", "processes that plan and send notifications")
    default_workflow_notifications: str = setting(
        kinds.choice("always", "participating", "never"),
        "always",
        "workflow setting of people who chose none, unless `/manage/` says otherwise",
    )
    outbound_allow: Allowed = setting(  # noqa: RUF009 (a field, like the others)
        kinds.OUTBOUND, "", "private hosts and networks that integrations may call, plain http included"
    )
    outbound_proxy: str = setting(
        kinds.OPTIONAL_WEB_ADDRESS,
        "",
        "proxy that integrations call through; it has to refuse private addresses itself",
    )
    slack_base_url: str = _elsewhere("Slack")
    pagerduty_base_url: str = _elsewhere("PagerDuty")
    opsgenie_base_url: str = _elsewhere("OpsGenie")
    victorops_base_url: str = _elsewhere("VictorOps")
    pushover_base_url: str = _elsewhere("Pushover")
    twilio_base_url: str = _elsewhere("Twilio")
    campfire_classic_base_url: str = _elsewhere("classic Campfire")
    event_retention_days: int = setting(kinds.whole(1, 36500), "90", "days that events are kept")
    notice_retention_days: int = setting(
        kinds.whole(1, 36500), "90", "days that notices and verdicts are kept"
    )
    trusted_proxies: tuple[kinds.Network, ...] = setting(
        kinds.NETWORKS, "", "proxies whose `X-Forwarded-*` headers are believed"
    )
    log_format: str = setting(kinds.choice("text", "json"), "text", "one line a fact, as text or as JSON")

    @property
    def service_addresses(self) -> dict[str, str]:
        """Services that are called elsewhere than at their own address: name of the service, and where."""
        names = [each.name for each in fields(self) if each.name.endswith(_ELSEWHERE)]
        return {name.removesuffix(_ELSEWHERE): address for name in names if (address := getattr(self, name))}

    @property
    def mail_is_captured(self) -> bool:
        return not self.mail_server

    def as_flask_config(self) -> dict[str, Any]:
        """Every setting under its own name, and what Flask and its extensions call some of them."""
        secure = self.tocsin_url.startswith("https://")
        return {
            **{row.name: getattr(self, row.name.lower()) for row in TABLE},
            "SETTINGS": self,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "PREFERRED_URL_SCHEME": "https" if secure else "http",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
        }


TABLE: tuple[Setting, ...] = tuple(Setting(name=row.name.upper(), **row.metadata) for row in fields(Settings))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; the first wrong one raises `SettingsError`."""
    given = _environment() if environ is None else environ
    known: dict[str, Any] = {}
    for row in TABLE:
        known[row.name.lower()] = row.read(given, known)
    if known["mail_use_tls"] and known["mail_use_ssl"]:
        raise SettingsError("MAIL_USE_SSL is true and so is MAIL_USE_TLS: allowed is one of the two.")
    return Settings(**known)


def _environment() -> dict[str, str]:
    """`.env` beside the code, and the real environment on top. A `$` in a password stays a `$`."""
    beside = dotenv_values(ROOT / ".env", interpolate=False)
    return {name: value for name, value in beside.items() if value is not None} | dict(os.environ)
