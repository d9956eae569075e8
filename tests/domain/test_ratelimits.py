from __future__ import annotations

import pytest

from app.domain.ratelimits import RateLimit, header


def test_header_names_seconds_categories_scope_and_reason():
    limit = RateLimit(seconds=41.2, window=60, scope="key", reason="key_quota")
    assert header([limit]) == "42:default;error;security;attachment:key:key_quota"


def test_several_limits_are_separated_by_a_comma_and_a_blank():
    everything = RateLimit(seconds=5, window=60, scope="project", reason="off", categories=())
    log = RateLimit(seconds=7, window=60, scope="organization", reason="logs", categories=("log_item",))
    assert header([everything, log]) == "5::project:off, 7:log_item:organization:logs"


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 1), (-3, 1), (0.2, 1), (1.01, 2), (60, 60), (75, 60)])
def test_seconds_are_rounded_up_within_the_window(seconds, told):
    assert RateLimit(seconds=seconds, window=60, scope="key", reason="quota").retry_after == told
