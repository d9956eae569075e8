"""A job that two workers do at the same time."""

import threading
from collections.abc import Callable, Sequence

from flask import Flask


def at_once(app: Flask, job: Callable[..., None], ids: Sequence[int]) -> None:
    """The job in two threads that begin together."""
    start = threading.Barrier(2)
    errors: list[Exception] = []

    def work() -> None:
        try:
            with app.app_context():
                start.wait(5)
                job(*ids)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
