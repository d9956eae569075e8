"""What the tests of issue pages share."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

from tests.support.browser import HTMX

HOSTILE = '<script>alert(1)</script> <b hx-get="/boom">{{ 7*7 }}</b> "\' onload=x'


@pytest.fixture
def htmx() -> Callable[..., dict[str, str]]:
    """The headers of a request that htmx makes for a target: `htmx("li#i-7")`."""
    return lambda target="": {**HTMX, "HX-Target": target}


@pytest.fixture
def parsed() -> Callable[[str], BeautifulSoup]:
    return lambda text: BeautifulSoup(text, "html.parser")
