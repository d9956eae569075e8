"""What the tests of issue pages share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import Engine, event

from tests.support.browser import HTMX

HOSTILE = '<script>alert(1)</script> <b hx-get="/boom">{{ 7*7 }}</b> "\' onload=x'


@pytest.fixture
def htmx() -> Callable[..., dict[str, str]]:
    """The headers of a request that htmx makes for a target: `htmx("li#i-7")`."""
    return lambda target="": {**HTMX, "HX-Target": target}


@pytest.fixture
def parsed() -> Callable[[str], BeautifulSoup]:
    return lambda text: BeautifulSoup(text, "html.parser")


@pytest.fixture
def queries() -> Callable[[], Iterator[list[str]]]:
    """`with queries() as sent:` collects the statements of every engine but the PRAGMAs."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if statement.startswith("SELECT"):
                sent.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return counting
