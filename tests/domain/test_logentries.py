from __future__ import annotations

import pytest

from app.domain.logentries import interpolated
from tests.domain.sdk import regular

FILLED = {
    "in order": ("could not sync %s for %s", [17, "ana"], "could not sync 17 for ana"),
    "numbers": ("%d of %05.1f and %x", [3, 2.25, 255], "3 of 002.2 and ff"),
    "a percent sign": ("%s is %d%% full", ["sda1", 93], "sda1 is 93% full"),
    "by name": ("%(who)s left", {"who": "Ana"}, "Ana left"),
    "text where a number should be": ("%s is %d%% full", ["'sda1'", "93"], "'sda1' is 93% full"),
    "braces": ("{} of {}", [1, 2], "1 of 2"),
    "numbered braces": ("{1} of {0:>4}", [1, 2], "2 of 1"),
    "named braces": ("{who!r} left", {"who": "Ana"}, "Ana left"),
    "objects": ("got %s", [{"a": 1}], 'got {"a":1}'),
    "too few": ("%s and %s", ["one"], "%s and %s"),
    "too many": ("%s", ["one", "two"], "%s"),
    "an unknown name": ("%(who)s", {"me": 1}, "%(who)s"),
    "braces without their argument": ("{} {}", [1], "{} {}"),
    "no arguments": ("100%", [], "100%"),
    "arguments of a wrong type": ("%s", "x", "%s"),
    "a width that would fill the memory": ("%999999999d", [1], "%999999999d"),
    "an attribute is not looked up": ("{0.__class__}", [1], "{0.__class__}"),
    "an unknown conversion": ("%y %s", ["a", "b"], "a b"),
}


@pytest.mark.parametrize(("template", "params", "text"), FILLED.values(), ids=FILLED)
def test_interpolated(template, params, text):
    assert interpolated(template, params) == text


ENTRIES = {
    "text": ({"message": "hi"}, {"formatted": "hi"}),
    "a number": ({"message": 7}, {"formatted": "7"}),
    "an object under message": ({"message": {"formatted": "hi"}}, {"formatted": "hi"}),
    "a template": (
        {"logentry": {"message": "hi %s", "params": ["a"]}},
        {"message": "hi %s", "params": ["a"], "formatted": "hi a"},
    ),
    "a finished template": (
        {"logentry": {"message": "hi %s", "params": ["a"], "formatted": "hi a!"}},
        {"message": "hi %s", "params": ["a"], "formatted": "hi a!"},
    ),
    "both alike": ({"logentry": {"message": "hi", "formatted": "hi"}}, {"formatted": "hi"}),
    "null": (
        {"sentry.interfaces.Message": {"message": "hi", "formatted": None, "params": []}},
        {"formatted": "hi"},
    ),
    "an empty logentry beside a message": ({"logentry": {}, "message": "hi"}, {"formatted": "hi"}),
    "the logentry wins": ({"logentry": {"formatted": "a"}, "message": "b"}, {"formatted": "a"}),
}


@pytest.mark.parametrize(("payload", "entry"), ENTRIES.values(), ids=ENTRIES)
def test_logentry(payload, entry):
    made = regular(**payload)
    assert made.data["logentry"] == entry
    assert made.message == entry["formatted"]
    assert "message" not in made.data
