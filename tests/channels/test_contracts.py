"""What requests are checked against is checked itself: it takes the good examples and no others."""

import pytest

from tests.support.contracts import described, examples


@pytest.mark.parametrize("example", examples(), ids=lambda each: f"{each.contract[5:-10]}: {each.name}")
def test_an_example_is_accepted_or_rejected_as_it_says(example):
    wrong = described(example.contract, "https://service.example.org").check(
        example.method, example.path, example.headers, example.body
    )
    assert (wrong == "") == example.is_fit, wrong
