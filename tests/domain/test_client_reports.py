"""What SDKs say that they did not send."""

import json

import pytest

from app.domain import client_reports


def entry(
    quantity: object = 1, reason: object = "before_send", category: object = "error"
) -> dict[str, object]:
    return {"reason": reason, "category": category, "quantity": quantity}


@pytest.mark.parametrize(
    ("entries", "counted"),
    [
        (
            [entry(2), entry(3), entry(1, "network_error")],
            {("error", "before_send"): 5, ("error", "network_error"): 1},
        ),
        ([entry(category="default")], {("error", "before_send"): 1}),
        ([entry(reason="made-up"), entry(reason="x" * 900), entry(reason=[1])], {("error", "other"): 3}),
        ([entry(category="span"), entry(category="made-up"), entry(category=None)], {}),
        ([entry(-1), entry(True), entry("7"), entry(0), entry(1.5), None, 7, {}], {}),
        ([entry(10**30)], {("error", "before_send"): 1_000_000}),
        ([entry()] * 900, {("error", "before_send"): 200}),
        ([], {}),
    ],
)
def test_losses_are_counted_by_words_that_are_known(entries, counted):
    report = json.dumps({"timestamp": 1, "discarded_events": entries}).encode()
    assert client_reports.read(report) == counted


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"discarded_events": {}}',
        b"\x00",
        b'{"discarded_events": [' + b" " * 102_400 + b"]}",
    ],
)
def test_what_is_no_report_counts_as_none(payload):
    assert client_reports.read(payload) is None


def test_every_reason_and_category_fits_its_column():
    assert max(map(len, [*client_reports.REASONS, *client_reports.CATEGORIES.values()])) <= 32
