"""A client that may call the servers of tests."""

from collections.abc import Callable, Iterator

import pytest

from app.channels.http import Http
from app.domain import outward
from tests.support.contracts import Checking, described
from tests.support.receiver import Receiver

LOOPBACK = outward.read_allowed("127.0.0.0/8")


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(allowed=LOOPBACK, user_agent="Tocsin/test (+https://tocsin.example.org)")
    yield made
    made.close()


@pytest.fixture
def contract(receiver: Receiver) -> Iterator[Callable[..., Checking]]:
    """`contract("pushover.ours.yaml", prefix="/1")`: every request to the receiver has to be fit for that."""
    made: list[Checking] = []

    def checking(name: str, prefix: str = "") -> Checking:
        made.append(Checking(receiver, described(name, receiver.base + prefix)))
        return made[-1]

    yield checking
    assert [wrong for each in made for wrong in each.contract.wrong] == []
