from __future__ import annotations

import pytest

from app.domain import short_id


@pytest.mark.parametrize(
    ("slug", "number", "text"),
    [("shop", 1, "SHOP-1"), ("my-shop", 32, "MY-SHOP-10"), ("a", 31, "A-Z"), ("a", 0, "A-0")],
)
def test_encode(slug, number, text):
    assert short_id.encode(slug, number) == text


@pytest.mark.parametrize("number", [*range(70), 1023, 1024, 10**9])
def test_what_is_encoded_reads_back(number):
    assert short_id.parse(short_id.encode("my-shop", number)) == ("my-shop", number)


@pytest.mark.parametrize("text", ["shop-1a", "SHOP-1A", " Shop-1a "])
def test_case_does_not_matter(text):
    assert short_id.parse(text) == ("shop", 42)


@pytest.mark.parametrize(
    ("misread", "meant"), [("SHOP-1O", "SHOP-10"), ("SHOP-I", "SHOP-1"), ("SHOP-l", "SHOP-1")]
)
def test_letters_that_look_like_digits_are_digits(misread, meant):
    assert short_id.parse(misread) == short_id.parse(meant)


@pytest.mark.parametrize("text", ["", "SHOP", "SHOP-", "-1", "SHOP-U", "SHOP 1", "SHOP-1!"])
def test_what_is_no_short_id(text):
    assert short_id.parse(text) is None


def test_no_digit_can_be_misread():
    written = "".join(short_id.encode("x", number)[2:] for number in range(32))
    assert not set(written) & set("ILOU")
