"""Tocsin's own processes, started as an operator starts them, and killed as only a kernel does."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

from app.settings import ROOT

T = TypeVar("T")


class Process:
    """Runs as soon as it is made: `Process("worker.py", "jobs", environment=…)`."""

    def __init__(self, *command: str, environment: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self._said,
            stderr=self._said,
            start_new_session=True,
        )

    def kill(self) -> None:
        """As a power cut would: nothing is put in order first. Takes its children along."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """As Ctrl-C would: it has to end by itself, and in order."""
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(60) in (0, 130), self.said[-3000:]

    @property
    def said(self) -> str:
        """All that it wrote so far."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._process.poll() not in (None, -signal.SIGKILL):
            error.add_note(f"The process had ended by itself, and said: {self.said[-3000:]}")
        self.kill()
        self._said.close()


def eventually(found: Callable[[], T], *, seconds: float = 60.0) -> T:
    """What `found` returns as soon as it is true; an AssertionError if that takes too long."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value
