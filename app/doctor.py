"""Looks at what this instance stands on, and says what is wrong and how to mend it."""

import shutil
import smtplib
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import urllib3
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from redis import Redis, RedisError
from rq.exceptions import NoSuchJobError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import queue
from app.channels.email import RelayConnection
from app.clock import now
from app.db import db
from app.settings import Settings

ROLES = {"jobs": "worker", "scheduler": "scheduler", "digest": "digester"}
START_WORKERS = "Start the processes: make run, or python worker.py."
JOB_SECONDS = 8.0
LEAST_FREE_BYTES = 500 * 1024 * 1024
CLOCK_TOLERANCE_SECONDS = 2.0


class Ailing(Exception):
    """A check failed: what was seen, and what mends it."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str
    fix: str = ""


def examine(app: Flask) -> list[Check]:
    """Every check, in the order in which causes precede symptoms. Needs an application context."""
    settings: Settings = app.config["SETTINGS"]
    connection: Redis = app.extensions["tocsin_redis"]
    return [
        check("database", database),
        check("migrations", lambda: migrations(app)),
        check("redis", lambda: redis(connection)),
        check("redis persistence", lambda: persistence(connection)),
        check("queue", lambda: job(connection)),
        *(check(word, partial(heartbeat, connection, role)) for role, word in ROLES.items()),
        check("data directory", lambda: privacy(settings)),
        check("disk", lambda: disk(settings)),
        check("mail", lambda: mail(app)),
        check("replies", lambda: replies(settings)),
        check("public address", lambda: address(settings)),
        check("clock", lambda: clock(connection)),
    ]


def readiness(app: Flask) -> list[Check]:
    """What has to answer before requests are worth sending here."""
    return [
        check("database", database),
        check("migrations", lambda: migrations(app)),
        check("redis", lambda: redis(app.extensions["tocsin_redis"])),
    ]


def check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except Ailing as error:
        return Check(name, False, error.detail, error.fix)


def report(checks: list[Check]) -> dict[str, Any]:
    return {"ok": all(each.ok for each in checks), "checks": [asdict(each) for each in checks]}


def database() -> str:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise Ailing(first_line(error), "Start the database, or correct DATABASE_URL.") from error
    return db.engine.dialect.name


def migrations(app: Flask) -> str:
    """The tables are those of this version."""
    config = app.extensions["migrate"].migrate.get_config()
    heads = set(ScriptDirectory.from_config(config).get_heads())
    try:
        current = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    except SQLAlchemyError as error:
        raise Ailing(first_line(error), "Start the database, or correct DATABASE_URL.") from error
    if current != heads:
        detail = (
            f"at {', '.join(sorted(current)) or 'nothing'}, this version needs {', '.join(sorted(heads))}"
        )
        raise Ailing(detail, "Run flask db upgrade.")
    return f"at head ({', '.join(sorted(heads))})"


def redis(connection: Redis) -> str:
    with _asking_redis():
        information = connection.info("server")
    version = information.get("valkey_version") or information.get("redis_version")
    return f"{information.get('server_name', 'redis')} {version}"


def persistence(connection: Redis) -> str:
    """Accepted events wait here until they are digested: they must survive a crash, and never be evicted."""
    with _asking_redis():
        information = connection.info("persistence")
        memory = connection.info("memory")
    if not information.get("aof_enabled"):
        raise Ailing("no append-only file", "Set appendonly yes in the Redis configuration.")
    if information.get("aof_last_write_status") != "ok":
        raise Ailing("the append-only file cannot be written", "Free disk space where Redis keeps its files.")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise Ailing(f"full memory evicts ({policy})", "Set maxmemory-policy noeviction.")
    return "append-only file, no eviction"


def job(connection: Redis) -> str:
    """Sends a job through the queue that all others take, and waits for its answer."""
    started = time.monotonic()
    with _asking_redis():
        sent = queue.enqueue(queue.queue(connection), "app.doctor.answer", 1)
        while time.monotonic() - started < JOB_SECONDS:
            if _is_done(sent):
                return f"answered in {(time.monotonic() - started) * 1000:.0f} ms"
            time.sleep(0.02)
    raise Ailing(f"no answer in {JOB_SECONDS:.0f} s", START_WORKERS)


def answer(number: int) -> int:
    """The job that `job` sends."""
    return number


def _is_done(sent: Any) -> bool:
    try:
        return bool(sent.get_status(refresh=True) == "finished")
    except NoSuchJobError:  # finished, and tidied away meanwhile
        return True


def heartbeat(connection: Redis, role: str) -> str:
    with _asking_redis():
        alive = queue.alive(connection, role)
    if not alive:
        raise Ailing("none gave a sign of life in the last minute", START_WORKERS)
    return f"{alive} alive"


def privacy(settings: Settings) -> str:
    """Nobody else on this machine reads the events, the mails and the keys."""
    path = settings.tocsin_data_dir
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise Ailing(f"others may enter {path} ({mode:o})", f"chmod 700 {path}, as its owner.")
    return f"{path} is private"


def disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.tocsin_data_dir).free
    words = f"{free / 1024**3:.1f} GiB free at {settings.tocsin_data_dir}"
    if free < LEAST_FREE_BYTES:
        raise Ailing(words, "Free some space, or move TOCSIN_DATA_DIR.")
    return words


def mail(app: Flask) -> str:
    settings: Settings = app.config["SETTINGS"]
    if settings.mail_is_captured:
        return "captured: nothing leaves, all is shown at /dev/mail/"
    where = f"{settings.mail_server}:{settings.mail_port}"
    try:
        return f"{where} {_greeting(app)}"
    except (OSError, smtplib.SMTPException) as error:
        fix = "Check MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS, MAIL_USE_SSL, MAIL_USERNAME and MAIL_PASSWORD."
        raise Ailing(f"{where}: {first_line(error)}", fix) from error


def _greeting(app: Flask) -> str:
    """What the server says of itself, over the connection that deliveries use."""
    with RelayConnection(app.extensions["mail"]).configure_host() as server:
        server.ehlo_or_helo_if_needed()
        encrypted = isinstance(server.sock, ssl.SSLSocket) and server.sock.version()
        said = (server.ehlo_resp or server.helo_resp or b"").decode(errors="replace").splitlines()
    return f"{encrypted or 'without TLS'}: {said[0] if said else 'no greeting'}"


def replies(settings: Settings) -> str:
    """A From line proves nothing by itself: whoever knows an address for replies could write as its owner."""
    if not settings.reply_domain:
        return "not taken (REPLY_DOMAIN is not set)"
    if settings.inbound_without_dmarc:
        return "taken WITHOUT proof of who wrote them (INBOUND_WITHOUT_DMARC)"
    if not settings.inbound_authserv_id:
        fix = "Set INBOUND_AUTHSERV_ID to the name that the receiving server writes; see docs/replies.md."
        raise Ailing("every reply is refused: nothing proves who wrote it", fix)
    return f"taken with a DMARC pass of {settings.inbound_authserv_id}"


def address(settings: Settings) -> str:
    """This very instance answers at the address that links, DSNs and mails carry."""
    url = f"{settings.tocsin_url}/healthz"
    fix = "Set TOCSIN_URL to the address at which browsers reach Tocsin, and see that it is running."
    try:
        with urllib3.PoolManager(timeout=3.0, retries=False) as http:
            said = http.request("GET", url)
            alive = said.status == 200 and said.json() == {"ok": True}
    except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        raise Ailing(f"{url}: {first_line(error)}", fix) from error
    if not alive:
        raise Ailing(f"{url} answered {said.status}, not as Tocsin does", fix)
    return settings.tocsin_url


def clock(connection: Redis) -> str:
    """Our clock and that of Redis, which may be another machine's, agree."""
    with _asking_redis():
        seconds, microseconds = connection.time()
    theirs = datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC)
    apart = abs((now() - theirs).total_seconds())
    if apart > CLOCK_TOLERANCE_SECONDS:
        raise Ailing(f"{apart:.1f} s apart from that of Redis", "Keep the clocks of all machines by NTP.")
    return f"{now():%Y-%m-%d %H:%M:%S} UTC"


def first_line(error: Exception) -> str:
    """What a database driver, a mail server or a socket had to say, without the statement that was run."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__


@contextmanager
def _asking_redis() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Ailing(first_line(error), "Start Redis, or correct REDIS_URL.") from error
