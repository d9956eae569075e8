"""Counts, previews and charts in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import phrases


@given(st.lists(st.text(alphabet="abc é💥. ", max_size=120), max_size=4))
def test_a_preview_always_has_forty_to_ninety_characters(sentences):
    assert 40 <= len(phrases.preheader(*sentences)) <= 90


def test_a_preview_takes_sentences_as_long_as_there_is_room():
    assert phrases.preheader("Resolved by Ana.", "412 events.", "x" * 90) == (
        "Resolved by Ana. 412 events. Open it to see more, and who else was told."
    )


@pytest.mark.parametrize(
    ("points", "bars"),
    [([], ""), ([0, 0], "▁▁"), ([0, 1, 1000], "▁▂█"), ([5, 5], "██")],
)
def test_what_happened_at_all_stands_higher_than_nothing(points, bars):
    assert phrases.bars(points) == bars


@pytest.mark.parametrize(
    ("words", "listed"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_people_do(words, listed):
    assert phrases.listed(words) == listed


def test_numbers_are_exact():
    assert phrases.counts(1204, 1) == "1,204 events, 1 user"


@given(st.text(max_size=300))
def test_what_is_shortened_fits_and_is_one_line(text):
    cut = phrases.shortened(text, 30)
    assert len(cut) <= 30
    assert cut == " ".join(cut.split())
