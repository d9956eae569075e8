"""What `make run` and `worker.py` start: all of Tocsin in the foreground, or the workers alone."""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import click
from redis import RedisError

from app import create_app, logs, memory, queue, redis_server
from app.cannot_start import CannotStart
from app.settings import Settings, load
from app.settings_kinds import without_password
from app.supervisor import Child, Supervisor

PATIENCE = 60.0
PRIVATE = 0o077  # database, mails and logs are for nobody else on this machine
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (looked up, not bound)
ROLES = ("digest", "jobs", "scheduler")


@click.command()
def up() -> None:
    """Start Redis, the web server and all workers, and keep them alive until Ctrl-C or SIGTERM."""
    os.umask(PRIVATE)
    settings = load()
    logs.configure(settings)
    with _alone(settings.tocsin_data_dir), _supervised() as supervisor:
        _check_port(settings)
        _start_redis(supervisor, settings)
        link = _start_application(supervisor, settings)
        _wait(supervisor, "web", lambda: _serves(settings), "see its last lines above")
        if not supervisor.stopping:
            click.echo(_welcome(settings, link))
        supervisor.run()


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def work(roles: tuple[str, ...]) -> None:
    """Do the work behind the web server: one ROLE in this process, several or all of them as its children."""
    os.umask(PRIVATE)
    settings = load()
    logs.configure(settings)
    _check_redis(settings)
    # Large; what is wrong above is told without waiting for it.
    from app import processes, upgrading

    app = create_app(settings)
    upgrading.check(app, settings)
    memory.settle()
    if len(roles) == 1:
        processes.play(app, roles[0])
    else:
        with _supervised() as supervisor:
            supervisor.start(processes.children(app, settings, roles or ROLES))
            supervisor.run()


def _start_application(supervisor: Supervisor, settings: Settings) -> str | None:
    """The database's tables, then web server and workers; the set-up link if nobody has an account yet."""
    from app import processes, upgrading  # Large, like the application: loaded only once there is a Redis.

    app = create_app(settings)
    upgrading.upgrade(app, settings)
    link = processes.first_run_link(app)
    memory.settle()
    supervisor.start([processes.web(app, settings), *processes.children(app, settings, ROLES)])
    return link


@contextmanager
def _supervised() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    try:
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Two at once in one data directory would start two Redis servers on one file."""
    with (data_dir / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"Tocsin already runs from {data_dir}, as process {file.read()}: "
                "stop it, or give this one a TOCSIN_DATA_DIR and a PORT of its own."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _check_port(settings: Settings) -> None:
    where = f"Port {settings.port} of {settings.host}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotStart(
            f"{where} cannot be used ({error.strerror}): stop what listens there, or set HOST and PORT."
        ) from None


def _start_redis(supervisor: Supervisor, settings: Settings) -> None:
    if settings.redis_url:
        _check_redis(settings)
        return
    with suppress(RedisError), queue.connect(settings) as orphan:
        # Of a Tocsin that was killed, and not yet gone. Two servers must not write one file.
        orphan.shutdown(nosave=True)
    command = redis_server.command(settings.tocsin_data_dir)
    supervisor.start([Child("redis", partial(os.execv, command[0], command), last=True)])
    _wait(supervisor, "redis", lambda: _answers(settings), redis_server.last_words(settings.tocsin_data_dir))


def _check_redis(settings: Settings) -> None:
    try:
        with queue.connect(settings) as connection:
            connection.ping()
    except RedisError as error:
        where = without_password(redis_server.url(settings))
        raise CannotStart(
            f"Redis at {where} does not answer ({error}): start it, or correct REDIS_URL; "
            "without REDIS_URL, make run starts one."
        ) from None


def _answers(settings: Settings) -> bool:
    with suppress(RedisError), queue.connect(settings) as connection:
        return bool(connection.ping())
    return False


def _serves(settings: Settings) -> bool:
    address = (ANYWHERE.get(settings.host, settings.host), settings.port)
    with suppress(OSError), socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False


def _wait(
    supervisor: Supervisor, name: str, ready: Callable[[], bool], hint: Callable[[], str] | str
) -> None:
    """Until `ready`, or a signal. Whoever dies before that will not do better the second time."""
    deadline = time.monotonic() + PATIENCE
    while not supervisor.stopping and not ready():
        if not supervisor.alive(name) or time.monotonic() > deadline:
            raise CannotStart(f"{name} did not start: {hint() if callable(hint) else hint}")
        supervisor.step(0.02)


def _welcome(settings: Settings, link: str | None) -> str:
    lines = [f"Tocsin runs at {settings.tocsin_url} (Ctrl-C stops it)"]
    if link:
        lines.append(f"Make the first account, once, at {link}")
    return "\n".join(lines)


if __name__ == "__main__":
    up()
