"""The page that asks before issues are merged."""

import pytest


@pytest.mark.parametrize(
    ("events", "why"),
    [((3, 3), "it is the newest of those with the most events"), ((3, 1), "it has the most events")],
)
def test_the_one_that_stays_is_named_with_the_true_reason(as_user, cast, make, events, why):
    issues = [make.issue(cast.shop, title=f"E: {n}", times_seen=n) for n in events]
    data = {"do": "merge", "issue": [each.id for each in issues]}
    answer = as_user(cast.alice).post("/acme/shop/bulk", data=data)
    assert why in " ".join(answer.text.split())
