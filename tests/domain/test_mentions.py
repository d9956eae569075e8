"""Who may be meant by the @ and # of a comment."""

import pytest

from app.domain import mentions
from tests.support.growth import growth

CASES = {
    "a person": ("hi @Bob.", ["bob"], []),
    "with dots and dashes": ("@ana.lima-w, @x_y:", ["ana.lima-w", "x_y"], []),
    "an address": ("@bob@example.org, look", ["bob@example.org"], []),
    "a team": ("#payments-eu!", [], ["payments-eu"]),
    "a number": ("like #412", [], ["412"]),
    "each once": ("@bob @BOB #a #A", ["bob"], ["a"]),
    "in brackets, bold, in a list": ("- (@ann) **@bob**\n- _@cy_", ["ann", "bob", "cy"], []),
    "a mail address": ("write to me@example.org", [], []),
    "part of a web address": ("https://example.org/@bob https://x.example/?u=@ann#cy", [], []),
    "part of a word": ("C#sharp foo@bar x/@y", [], []),
    "code": ("`@bob` and ``@ann #x``", [], []),
    "a block of code": ("```python\n@bob\ndef f(): ...\n```\n@cy", ["cy"], []),
    "an indented block": ("so:\n\n    @bob", [], []),
    "a quote": ("> @bob said\n> > @ann said\n\n@cy", ["cy"], []),
    "a link's words": ("[@bob](https://example.org)", [], []),
    "nothing": ("@ # @. #-", [], []),
}


@pytest.mark.parametrize(("text", "people", "teams"), CASES.values(), ids=CASES)
def test_names_count_where_somebody_is_spoken_to(text, people, teams):
    found = mentions.find(text)
    assert (list(found.people), list(found.teams)) == (people, teams)


@pytest.mark.parametrize("piece", ["@", "@a", "@a@", "@a.b", "#a-", "`@", "> ", "[@", "@a@b.", "*@_"])
def test_text_takes_as_much_longer_as_it_is_longer(piece):
    assert growth(mentions.find, piece * (9_600 // len(piece)), times=8) < 24
