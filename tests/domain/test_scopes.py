"""Scopes of tokens: write includes read, admin includes write."""

import pytest

from app.domain import scopes
from app.domain.errors import Refused

CASES = {
    "the same": (["org:read"], "org:read", True),
    "write reads": (["project:write"], "project:read", True),
    "admin writes": (["event:admin"], "event:write", True),
    "read does not write": (["event:read"], "event:write", False),
    "another area": (["event:admin"], "project:read", False),
    "writing projects makes releases": (["project:write"], "project:releases", True),
    "administering them too": (["project:admin"], "project:releases", True),
    "reading them does not": (["project:read"], "project:releases", False),
    "a build server makes releases": (["org:ci"], "project:releases", True),
    "and nothing else": (["org:ci"], "project:read", False),
    "releases alone": (["project:releases"], "project:write", False),
    "none": ([], "org:read", False),
}


@pytest.mark.parametrize(("granted", "needed", "allowed"), CASES.values(), ids=CASES)
def test_what_a_scope_allows(granted, needed, allowed):
    assert scopes.allow(granted, needed) is allowed


def test_an_unknown_scope_is_refused_by_name():
    with pytest.raises(Refused, match="no scope root"):
        scopes.checked(["org:read", "root"])


def test_scopes_are_kept_once_and_in_order():
    assert scopes.checked(["event:read", "org:read", "event:read"]) == ["org:read", "event:read"]
