"""What providers of repositories tell of pushes."""

import json
import time

import pytest

from app.domain import pushes
from app.domain.errors import Refused

BITBUCKET = pushes.PROVIDERS["bitbucket"]


def author(raw):
    commit = {"hash": "1f0c3aa", "author": {"raw": raw}}
    sent = {"repository": {"full_name": "acme/shop"}, "push": {"changes": [{"commits": [commit]}]}}
    found = pushes.read(BITBUCKET, "repo:push", json.dumps(sent).encode())
    return found.commits[0].author_name, found.commits[0].author_email


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("Bob <bob@example.org>", ("Bob", "bob@example.org")),
        ("  Bob  Lee <bob@example.org> ", ("Bob Lee", "bob@example.org")),
        ("Bob", ("Bob", "")),
        ("<bob@example.org>", ("", "bob@example.org")),
        ("Bob <bob", ("Bob", "bob")),
        ("", ("", "")),
    ],
)
def test_an_author_has_a_name_and_an_address(raw, wanted):
    assert author(raw) == wanted


def test_a_long_author_takes_no_time():
    began = time.perf_counter()
    assert author("x" + " " * 3_000 + "<<")[1] == ""
    assert time.perf_counter() - began < 1


def test_what_is_nested_too_deeply_cannot_be_read():
    with pytest.raises(Refused):
        pushes.read(BITBUCKET, "repo:push", b"[" * 30_000)
