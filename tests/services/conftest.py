"""What the tests of services share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Barrier, BrokenBarrierError, Thread, current_thread
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session


@pytest.fixture
def count_statements(engine: Engine) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with count_statements() as sent:` collects what goes to the database."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def side_by_side(engine: Engine) -> Callable[..., list[Exception | None]]:
    """Runs acts in threads; what each raised, or None.

    Each waits before its `nth` statement that begins like `meeting` until all have come that far, or until it
    is plain that they cannot.
    """

    def run(*acts: Callable[[Session], Any], meeting: str, nth: int = 1) -> list[Exception | None]:
        raised: list[Exception | None] = [None] * len(acts)
        met, seen = Barrier(len(acts)), dict.fromkeys(map(str, range(len(acts))), 0)

        def wait(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            name = current_thread().name
            if name in seen and statement.startswith(meeting):
                seen[name] += 1
                if seen[name] == nth:
                    with suppress(BrokenBarrierError):
                        met.wait(0.5)

        def act(place: int) -> None:
            try:
                with Session(engine) as session, session.begin():
                    acts[place](session)
            except Exception as error:
                raised[place] = error

        threads = [Thread(target=act, args=[place], name=str(place)) for place in range(len(acts))]
        event.listen(engine, "before_cursor_execute", wait)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        finally:
            event.remove(engine, "before_cursor_execute", wait)
        return raised

    return run
