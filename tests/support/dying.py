"""A process that is killed at a statement of its own choosing, as a power cut would at any line."""

import gc
import os
import signal
import threading
from collections.abc import Callable

from flask import Flask
from sqlalchemy import Engine, event

from tests.support.receiver import Handler, Receiver


def survives(app: Flask, job: Callable[..., None], *ids: int, statements: int) -> bool:
    """Run the job in a process of its own, killed at its so-many-th statement; False if it was killed."""
    child = os.fork()
    if child == 0:
        try:
            _work(app, job, ids, statements)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the job failed by itself"
    return True


def dies_while_it_waits(app: Flask, job: Callable[..., None], *ids: int, receiver: Receiver) -> None:
    """Run the job in a process that is killed when the other side has its message, and has not answered."""
    child, known = [0], threading.Event()

    def script(handler: Handler) -> None:
        assert known.wait(5)
        os.kill(child[0], signal.SIGKILL)
        receiver.usual(handler)

    receiver.scripts.insert(0, script)
    child[0] = os.fork()
    if child[0] == 0:
        try:
            _work(app, job, ids, statements=100_000)
        finally:
            os._exit(1)
    known.set()
    _, status = os.waitpid(child[0], 0)
    assert os.WIFSIGNALED(status), "the job sent nothing"


def _work(app: Flask, job: Callable[..., None], ids: tuple[int, ...], statements: int) -> None:
    gc.disable()  # it would make copies of the parent's memory, only to look through it
    left = [statements]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    from app.db import db

    with app.app_context():
        db.engine.dispose(close=False)  # those connections are the parent's
        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        job(*ids)
    os._exit(0)
