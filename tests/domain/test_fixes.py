"""Which issues a commit message fixes (`notifications.md` 11.2)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fixes import Named, find

WORDS = ["fix", "fixes", "fixed", "close", "closes", "closed", "resolve", "resolves", "resolved"]
HOME = "https://tocsin.example.org"

NAMED = {
    "two": ("Fixes SHOP-1, shop-2", ["SHOP-1", "SHOP-2"]),
    "the rest of the line only": ("Fixes SHOP-1\nSee SHOP-9", ["SHOP-1"]),
    "not beyond a line": ("Fixes\nSHOP-1", []),
    "no word of fixing": ("Refs SHOP-1", []),
    "part of another word": ("prefix SHOP-1", []),
    "a word with a hyphen": ("hot-fixes SHOP-1", []),
    "an id alone": ("SHOP-1", []),
    "every separator": ("Fixes A-1, A-2 and A-3 & A-4 A-5,A-6, and A-7", [f"A-{n}" for n in range(1, 8)]),
    "words end the list": ("Fixes SHOP-1 in the cart, see SHOP-9", ["SHOP-1"]),
    "a colon": ("fix: SHOP-1", ["SHOP-1"]),
    "a colon without a blank": ("fix:SHOP-1", ["SHOP-1"]),
    "no blank": ("fixSHOP-1", []),
    "a hash": ("Fixes #SHOP-1", ["SHOP-1"]),
    "a full stop": ("This fixes SHOP-1.", ["SHOP-1"]),
    "brackets": ("Total of carts (fixes SHOP-1)", ["SHOP-1"]),
    "twice": ("Fixes SHOP-1. Closes shop-1", ["SHOP-1"]),
    "several sentences": ("Fixes SHOP-1. Closes SHOP-2", ["SHOP-1", "SHOP-2"]),
    "look-alikes of digits": ("Fixes SHOP-IO", ["SHOP-10"]),
    "a project with a hyphen": ("Fixes my-shop-1F", ["MY-SHOP-1F"]),
    "a link": ("Fixes [SHOP-1](https://elsewhere.example/SHOP-2)", ["SHOP-1"]),
    "links in a list": ("Fixes [SHOP-1](x), [SHOP-2](y)", ["SHOP-1", "SHOP-2"]),
    "the short address": (f"Fixes {HOME}/i/SHOP-1/", ["SHOP-1"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("message", "short_ids"), NAMED.values(), ids=NAMED)
def test_a_message_fixes(message, short_ids):
    assert find(message, base_url=HOME) == Named(tuple(short_ids))


@pytest.mark.parametrize("word", [form for word in WORDS for form in (word, word.upper(), word.title())])
def test_each_word_of_fixing_counts_in_any_case(word):
    assert find(f"{word} SHOP-1").short_ids == ("SHOP-1",)


@pytest.mark.parametrize(
    "address",
    ["/acme/shop/issues/12/", "/issues/12", "/acme/shop/issues/12/?event=latest#activity", "/issues/12."],
)
def test_an_address_on_this_instance_counts(address):
    assert find(f"Fixes {HOME}{address}", base_url=HOME + "/").ids == (12,)
    assert find(f"Fixes {HOME}{address}, SHOP-2", base_url=HOME).short_ids in (("SHOP-2",), ())


@pytest.mark.parametrize(
    "message",
    [
        "Fixes https://elsewhere.example/issues/12/",
        f"See {HOME}/issues/12/",
        f"Fixes {HOME}/issues/x/",
        f"Fixes {HOME}/issues/{'9' * 30}/",
    ],
)
def test_other_addresses_do_not(message):
    assert find(message, base_url=HOME) == Named()


@given(st.text())
def test_no_message_is_too_odd_to_read(message):
    assert isinstance(find(f"Fixes {message}", base_url=HOME), Named)


@pytest.mark.parametrize("part", ["[", "[](", "fix ", "A-", "fix A-A_", "a-a, ", f"fix {HOME}/issues/1 "])
def test_a_message_made_to_take_long_does_not(part):
    began = time.perf_counter()
    find("fix " + part * 20_000, base_url=HOME)
    assert time.perf_counter() - began < 2
