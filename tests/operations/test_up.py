"""`python -m app.up`: starts everything, keeps it alive, ends it; what is in the way is one line."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from redis import Redis

from app import queue
from app.settings import ROOT, load
from tests.operations.conftest import wait_until

SECONDS_TO_START = 90.0


class Instance:
    """A Tocsin of its own, in a directory with a space in its name, on a free port."""

    def __init__(self, directory: Path, command: str = "app.up", **environ: str) -> None:
        self.settings = {"TOCSIN_DATA_DIR": str(directory / "data dir"), "PORT": str(free_port()), **environ}
        path = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._log = directory / "log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command.split()],
                cwd=ROOT,
                env=path | self.settings,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.said() or self.process.poll() is not None, seconds=SECONDS_TO_START)
        assert words in self.said()

    def children(self) -> dict[str, psutil.Process]:
        named = {}
        for child in psutil.Process(self.process.pid).children():
            with suppress(FileNotFoundError):  # gone meanwhile
                named[Path(f"/proc/{child.pid}/comm").read_text().strip().removeprefix("tocsin:")] = child
        return named

    def healthy(self) -> bool:
        address = f"http://127.0.0.1:{self.settings['PORT']}/healthz"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def redis(self) -> Redis:
        return queue.connect(load(self.settings))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    started: list[Instance] = []

    def start(command: str = "app.up", **environ: str) -> Instance:
        started.append(Instance(tmp_path, command, **environ))
        return started[-1]

    yield start
    for each in started:
        each.process.terminate()
        each.process.wait(timeout=12)


IN_THE_WAY = {
    "a wrong setting": ({"WORKERS": "many"}, "WORKERS is many: allowed is a whole number from 1 to 64."),
    "a data directory that is a file": (
        {"TOCSIN_DATA_DIR": __file__},
        "allowed is a directory that this user may",
    ),
    "an unknown database": (
        {"DATABASE_URL": "mysql://h/x"},
        "DATABASE_URL is mysql://h/x: allowed is sqlite:///PATH",
    ),
    "a database that is not there": (
        {"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/x"},
        "The database at postgresql+psycopg://me:***@127.0.0.1:1/x cannot be used",
    ),
    "a database file that cannot be made": (
        {"DATABASE_URL": "sqlite:////proc/x.db"},
        "unable to open database file",
    ),
    "a Redis that is not there": (
        {"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"},
        "Redis at redis://:***@127.0.0.1:1",
    ),
    "a host that is not ours": ({"HOST": "192.0.2.1"}, "set HOST and PORT"),
}


@pytest.mark.parametrize(("environ", "said"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_is_in_the_way_is_one_line_and_status_1(instance, environ, said):
    us = instance(**environ)
    assert us.process.wait(timeout=SECONDS_TO_START) == 1
    assert said in us.said()
    assert len(us.said().splitlines()) == 1
    assert "hunter2" not in us.said()


def test_a_taken_port_is_one_line_and_starts_nothing(instance, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        us = instance(PORT=str(taken.getsockname()[1]))
        assert us.process.wait(timeout=SECONDS_TO_START) == 1
    assert re.fullmatch(
        r"Error: Port \d+ of 127\.0\.0\.1 cannot be used \(Address already in use\): .*\n", us.said()
    )
    assert not list((tmp_path / "data dir").glob("redis*"))


def test_what_it_writes_is_for_nobody_else(instance, tmp_path):
    (tmp_path / "data dir").mkdir(mode=0o755)
    us = instance()
    us.wait_for("Tocsin runs at")
    written = [tmp_path / "data dir", *(tmp_path / "data dir").rglob("*")]
    assert {path.name for path in written} >= {"tocsin.db", "redis.log", "up.lock"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_second_one_in_the_same_directory_is_refused(instance):
    first = instance()
    first.wait_for("Tocsin runs at")
    second = instance()
    assert second.process.wait(timeout=SECONDS_TO_START) == 1
    assert f"as process {first.process.pid}" in second.said()
    assert first.healthy()


def test_it_starts_says_where_and_stops_all_within_ten_seconds(instance):
    us = instance()
    us.wait_for("Tocsin runs at")
    assert f"http://127.0.0.1:{us.settings['PORT']}" in us.said()
    [link] = re.findall(r"first account, once, at (http://127\.0\.0\.1:\d+/\S+)", us.said())
    with urllib.request.urlopen(link, timeout=5) as page:
        assert page.status == 200
    children = psutil.Process(us.process.pid).children(recursive=True)
    assert len(children) >= len(
        ["Redis", "web server", "its two processes", "digest", "jobs", "jobs", "scheduler"]
    )
    before = time.monotonic()
    us.process.send_signal(signal.SIGINT)
    assert us.process.wait(timeout=10) == 0
    assert time.monotonic() - before < 10
    assert not any(child.is_running() for child in children)


@pytest.mark.skipif(
    sys.platform != "linux", reason="tells processes apart by the names that Linux gives them"
)
def test_whatever_is_killed_comes_back(instance):
    us = instance()
    us.wait_for("Tocsin runs at")
    old = us.children()
    # Linux cuts a process's name to fifteen letters.
    assert old.keys() >= {"web", "digest", "jobs-1", "jobs-2", "schedule"}
    for child in old.values():
        child.kill()

    def came_back() -> bool:
        new = us.children()
        return new.keys() == old.keys() and all(new[name] != old[name] for name in old) and us.healthy()

    wait_until(came_back, seconds=SECONDS_TO_START)
    with us.redis() as connection:
        wait_until(lambda: all(queue.alive(connection, role) for role in ("digest", "jobs", "scheduler")))


def test_workers_refuse_tables_of_another_version(instance, tmp_path, settings, connection):
    us = instance(
        "worker jobs", REDIS_URL=f"unix://{settings.tocsin_data_dir}/redis.sock".replace(" ", "%20")
    )
    assert us.process.wait(timeout=SECONDS_TO_START) == 1
    assert "run .venv/bin/flask db upgrade" in us.said()
    assert len(us.said().splitlines()) == 1
