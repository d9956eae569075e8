"""Text messages are counted as phones count them, and ours fit into one."""

import json

import pytest

from app.domain import sms_text
from app.settings import ROOT

VECTORS = ROOT.parent / "shared" / "contracts" / "vectors" / "sms-segments.json"
LINK = "https://e.example.com/i/API-42"


def vectors() -> list[dict]:
    return json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []


@pytest.mark.parametrize("vector", vectors(), ids=lambda each: f"{each['text'][:1]}{each['units']}")
def test_segments_are_counted_as_phones_do(vector):
    text = vector["text"]
    found = (sms_text.encoding(text), sms_text.units(text), sms_text.segments(text))
    assert found == (vector["encoding"], vector["units"], vector["segments"])


def test_a_character_that_counts_twice_is_not_torn_between_two_parts():
    assert sms_text.segments("a" * 152 + "{" + "a" * 151 + "{") == 3


PLAIN = {
    "curly quotes": ("it’s “bad”", 'it\'s "bad"'),
    "dashes and dots": ("a—b–c…", "a-b-c..."),
    "blanks": ("a\u00a0b\tc\nd", "a b c d"),
    "accents of the alphabet stay": ("café à é ñ", "café à é ñ"),
    "other accents go": ("Łódź, ê, ç, ő", "Lodz, e, c, o"),
    "ligatures": ("ﬁle œuvre", "file oeuvre"),
    "wide letters": ("ＡＢＣ", "ABC"),
    "another script": ("ошибка: x", "?: x"),
    "pictures": ("🐛🐛 bug", "? bug"),
    "a family of one": ("👩‍👧 x", "? x"),
    "combining alone": ("e\u0301 \u0301x", "é x"),
}


@pytest.mark.parametrize(("text", "expected"), PLAIN.values(), ids=PLAIN)
def test_texts_are_spelt_in_the_alphabet_of_phones(text, expected):
    assert sms_text.plain(text) == expected
    assert sms_text.encoding(sms_text.plain(text)) == sms_text.GSM


TITLES = {
    "short": "ValueError: bad literal",
    "long": "ValueError: " + "bad literal " * 50,
    "twice as long as it looks": "{" * 300,
    "pictures": "🐛" * 300,
    "accents": "ê" * 300,
    "nothing": "",
}


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_a_message_is_one_segment_with_its_whole_link(title):
    text = sms_text.one_segment("API-42 NEW", title, LINK)
    assert sms_text.segments(text) == 1
    assert text.startswith("API-42 NEW ")
    assert text.endswith(LINK)


@pytest.mark.parametrize("length", range(100, 140))
def test_the_limit_is_used_to_the_last_unit(length):
    text = sms_text.one_segment("API-42 NEW", "x" * length, LINK)
    room = 160 - len("API-42 NEW") - len(LINK) - 2
    assert ("..." in text) == (length > room)
    assert sms_text.units(text) == min(160, 160 - room + length)


def test_a_link_that_leaves_no_room_is_left_out_and_never_cut():
    long = "https://e.example.com/" + "x" * 135
    text = sms_text.one_segment("API-42 NEW", "ValueError: bad", long)
    assert text == "API-42 NEW ValueError: bad"


def test_a_link_that_just_fits_comes_alone_with_the_start():
    link = "https://" + "x" * (160 - 8 - len("API-42 NEW "))
    assert sms_text.one_segment("API-42 NEW", "ValueError: bad", link) == f"API-42 NEW {link}"


def test_a_link_that_counts_twice_is_counted_so():
    link = "https://e.example.com/" + "~" * 20
    assert sms_text.segments(sms_text.one_segment("API-42 NEW", "x" * 300, link)) == 1
