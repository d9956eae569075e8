"""A client that may call the servers of tests."""

from collections.abc import Iterator

import pytest

from app.channels.http import Http
from app.domain import outward

LOOPBACK = outward.read_allowed("127.0.0.0/8")


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(allowed=LOOPBACK, user_agent="Tocsin/test (+https://tocsin.example.org)")
    yield made
    made.close()
