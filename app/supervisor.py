"""Starts processes, starts again what dies, and stops all of it together.

Children are forked, not executed anew: they share the memory of the application that is loaded here, and
start at once. The parent therefore runs no thread and keeps no connection open.
"""

import ctypes
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

log = logging.getLogger(__name__)

GRACE = 6.0  # seconds to finish after SIGTERM
LAST_GRACE = 2.5  # the same for those that stop after the others: together within 10 s
STEADY = 10.0  # who has lived this long starts anew without waiting
LONGEST_WAIT = 10.0

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """A process to keep alive. `main` runs in it, and returns or raises SystemExit to end it."""

    name: str
    main: Callable[[], object]
    last: bool = False  # stopped once the others are gone: they need it to finish


@dataclass
class _Place:
    """What the supervisor knows of one child: its process while it runs, else when to start it again."""

    child: Child
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = 0.0


class Supervisor:
    """Call `start` for each child, then `run` until a signal ends it; `step` is one turn of it."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self.stopping = False
        self._wake, bell = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(bell, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def start(self, children: Iterable[Child]) -> None:
        for child in children:
            place = _Place(child)
            self._places.append(place)
            self._fork(place)

    def alive(self, name: str) -> bool:
        return any(place.pid and place.child.name == name for place in self._places)

    def run(self) -> None:
        """Keep all of them alive until SIGTERM, SIGINT or SIGHUP, then stop them."""
        while not self.stopping:
            self.step(self._next_due())
        self.stop()

    def step(self, timeout: float | None) -> None:
        """Wait for news, at most so long; then look after the dead."""
        select.select([self._wake], [], [], timeout)
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)
        self._reap()
        now = time.monotonic()
        for place in self._places:
            if not place.pid and place.due <= now and not self.stopping:
                self._fork(place)

    def stop(self) -> None:
        """All gone when this returns, the last ones last."""
        self.stopping = True
        self._end([place for place in self._places if not place.child.last], GRACE)
        self._end([place for place in self._places if place.child.last], LAST_GRACE)

    def _end(self, places: list[_Place], grace: float) -> None:
        deadline = time.monotonic() + grace
        for place in places:
            if place.pid:
                os.kill(place.pid, signal.SIGTERM)
        while any(place.pid for place in places) and (left := deadline - time.monotonic()) > 0:
            self.step(left)
        for place in places:
            if place.pid:
                log.warning("%s did not stop in time and is killed", place.child.name)
                _kill_group(place.pid)
                os.waitpid(place.pid, 0)
                place.pid = 0

    def _next_due(self) -> float | None:
        waits = [place.due - time.monotonic() for place in self._places if not place.pid]
        return max(0.0, min(waits)) if waits else None

    def _reap(self) -> None:
        for place in self._places:
            if place.pid and (ended := os.waitpid(place.pid, os.WNOHANG))[0]:
                # What it started itself must not outlive it: two generations would share the port.
                _kill_group(place.pid)
                place.pid = 0
                if not self.stopping:
                    self._plan_restart(place, os.waitstatus_to_exitcode(ended[1]))

    def _plan_restart(self, place: _Place, status: int) -> None:
        now = time.monotonic()
        place.failures = 0 if now - place.started > STEADY else place.failures + 1
        wait = min(LONGEST_WAIT, 0.1 * 2**place.failures)
        place.due = now + wait
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        log.warning("%s ended with %s; starting it again in %.1f s", place.child.name, how, wait)

    def _fork(self, place: _Place) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        place.started = time.monotonic()
        place.pid = os.fork()
        if not place.pid:
            _live(place.child, parent)


def _live(child: Child, parent: int) -> NoReturn:
    """The whole life of a forked child."""
    status = 1
    try:
        _become(child.name, parent)
        child.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        log.exception("%s failed", child.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: what the parent registered to run at its end is not the child's to run.
        os._exit(status)


def _become(name: str, parent: int) -> None:
    """A process group of its own, so that all of it can be killed; signals as usual; ends with its parent."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    die_with(parent)
    if _libc:
        _libc.prctl(_PR_SET_NAME, f"tocsin:{name}".encode()[:15], 0, 0, 0)


def die_with(parent: int) -> None:
    """Have the kernel send SIGTERM when the parent ends, however it ends."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
