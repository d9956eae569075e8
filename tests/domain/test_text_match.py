"""Operators: whatever the case, any value for those that assert, no value for those that deny."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rule_parts import OPERATORS
from app.domain.text_match import matches

CASES = [
    ("eq", ["Firefox"], "firefox", True),
    ("eq", ["Firefox 128"], "Firefox", False),
    ("ne", ["Firefox"], "Chrome", True),
    ("ne", ["Firefox"], "FIREFOX", False),
    ("ne", [], "Firefox", True),
    ("sw", ["Firefox 128"], "fire", True),
    ("nsw", ["Firefox 128"], "fire", False),
    ("ew", ["ann@EXAMPLE.com"], "@example.com", True),
    ("new", ["ann@EXAMPLE.com"], "@example.com", False),
    ("co", ["a b c"], "B", True),
    ("nc", ["a b c"], "B", False),
    ("nc", ["a b c"], "d", True),
    ("in", ["b"], "a, B ,c", True),
    ("in", ["b"], "a,bc", False),
    ("nin", ["b"], "a, B ,c", False),
    ("nin", [], "a", True),
    ("is", ["x"], "", True),
    ("is", ["", " "], "", False),
    ("is", [], "", False),
    ("ns", [], "", True),
    ("ns", [""], "", True),
    ("ns", ["", "x"], "", False),
]


@pytest.mark.parametrize(("operator", "values", "wanted", "expected"), CASES)
def test_operators(operator, values, wanted, expected):
    assert matches(operator, values, wanted) is expected


def test_an_unknown_operator_is_an_error():
    with pytest.raises(KeyError):
        matches("re", ["a"], "a")


texts = st.text("abAB ", max_size=4)
DENYING = {"eq": "ne", "sw": "nsw", "ew": "new", "co": "nc", "in": "nin", "is": "ns"}


@given(st.sampled_from(list(DENYING)), st.lists(texts, max_size=4), texts)
def test_one_asserts_exactly_what_the_other_denies(operator, values, wanted):
    assert matches(operator, values, wanted) is not matches(DENYING[operator], values, wanted)


@given(st.sampled_from(list(OPERATORS)), st.lists(texts, max_size=4), texts)
def test_case_and_order_change_nothing(operator, values, wanted):
    shouted = [value.upper() for value in reversed(values)]
    assert matches(operator, values, wanted) is matches(operator, shouted, wanted.swapcase())


@given(st.sampled_from(list(OPERATORS)), texts)
def test_without_values_only_denials_hold(operator, wanted):
    assert matches(operator, [], wanted) is (operator in DENYING.values())


@given(st.sampled_from(list(DENYING)), st.lists(texts, max_size=3), texts, texts)
def test_one_value_more_never_takes_an_assertion_back(operator, values, more, wanted):
    assert not matches(operator, values, wanted) or matches(operator, [*values, more], wanted)
