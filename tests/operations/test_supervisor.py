"""The supervisor: what dies is started again, and all of it stops, in order and in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.settings import ROOT
from tests.operations.conftest import wait_until

# Each child leaves a file named after it and its process, and one more when it is told to stop.
FAMILY = """
import os, signal, subprocess, sys, time
from functools import partial
from pathlib import Path
from app.supervisor import Child, Supervisor

here = Path(sys.argv[1])

def note(text):
    (here / f"{time.monotonic_ns()} {text}").touch()

def live(name, stubborn=False, grandchild=False):
    if grandchild:
        note(f"grandchild {subprocess.Popen(['sleep', '60']).pid}")
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: (note(f"{name}-ends 0"), sys.exit()))
    note(f"{name} {os.getpid()}")
    while True:
        time.sleep(60)

supervisor = Supervisor()
kinds = {"plain": {}, "stubborn": {"stubborn": True}, "parent": {"grandchild": True}, "store": {}}
supervisor.start(
    Child(name, partial(live, name, **kinds[name]), last=name == "store") for name in sys.argv[2:]
)
supervisor.run()
"""


class Family:
    def __init__(self, directory: Path, names: list[str]) -> None:
        self._directory = directory
        command = [sys.executable, "-c", FAMILY, str(directory), *names]
        self.supervisor = subprocess.Popen(command, env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]})
        wait_until(lambda: all(self.born(name) for name in names))

    def notes(self) -> list[tuple[str, int]]:
        parts = [path.name.split() for path in sorted(self._directory.iterdir())]
        return [(name, int(number)) for _, name, number in parts]

    def born(self, name: str) -> list[int]:
        return [number for noted, number in self.notes() if noted == name]

    def stop(self, seconds: float) -> int:
        self.supervisor.terminate()
        return self.supervisor.wait(timeout=seconds)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[..., Family]]:
    started: list[Family] = []

    def start(*names: str) -> Family:
        started.append(Family(tmp_path, list(names)))
        return started[-1]

    yield start
    for each in started:
        if each.supervisor.poll() is None:
            each.stop(10)


def gone(process: int) -> bool:
    return not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE


def test_what_dies_is_started_again(family):
    us = family("plain")
    os.kill(us.born("plain")[0], signal.SIGKILL)
    wait_until(lambda: len(us.born("plain")) == 2)


def test_what_keeps_dying_is_started_ever_less_often(family):
    us = family("plain")
    started = []
    for number in range(3):
        wait_until(lambda number=number: len(us.born("plain")) > number)
        started.append(time.monotonic())
        os.kill(us.born("plain")[-1], signal.SIGKILL)
    assert started[2] - started[1] > started[1] - started[0] > 0.15


def test_what_the_dead_had_started_dies_with_them(family):
    us = family("parent")
    [grandchild] = us.born("grandchild")
    os.kill(us.born("parent")[0], signal.SIGKILL)
    wait_until(lambda: gone(grandchild))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_and_is_no_error(family, number):
    us = family("plain", "store")
    us.supervisor.send_signal(number)
    assert us.supervisor.wait(timeout=5) == 0
    assert all(gone(process) for process in us.born("plain") + us.born("store"))


def test_what_the_others_need_stops_last(family):
    us = family("store", "plain")
    us.stop(5)
    assert [name for name, _ in us.notes()][-2:] == ["plain-ends", "store-ends"]


def test_who_will_not_stop_is_killed_within_ten_seconds(family):
    us = family("plain", "stubborn")
    before = time.monotonic()
    assert us.stop(10) == 0
    assert time.monotonic() - before < 10
    assert gone(us.born("stubborn")[0])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word on a parent's death is Linux's alone")
def test_children_stop_when_the_supervisor_is_killed(family):
    us = family("plain", "store")
    us.supervisor.kill()
    us.supervisor.wait()
    wait_until(lambda: all(gone(process) for process in us.born("plain") + us.born("store")))
