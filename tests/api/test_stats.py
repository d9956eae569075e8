"""How many events a project received and rejected."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.models import IngestCount

PATH = "/projects/acme/shop/stats/"
HOUR = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def counts(session, cast):
    rows = [
        (0, "accepted", 5),
        (0, "rate_limited", 2),
        (0, "duplicate", 9),
        (1, "discarded", 1),
        (30, "accepted", 4),
    ]
    for hours, outcome, count in rows:
        at = HOUR + timedelta(hours=hours)
        for project in (cast.shop, cast.other_shop):
            session.add(
                IngestCount(project_id=project.id, hour=at, category="error", outcome=outcome, count=count)
            )
        session.add(
            IngestCount(project_id=cast.shop.id, hour=at, category="session", outcome=outcome, count=99)
        )


def epoch(hours):
    return int((HOUR + timedelta(hours=hours)).timestamp())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("stat=received&since={0}&until={2}", [[epoch(0), 7], [epoch(1), 1], [epoch(2), 0]]),
        ("stat=rejected&since={0}&until={1}&resolution=1h", [[epoch(0), 2], [epoch(1), 1]]),
        ("since=2026-11-20T10:30:00Z&until=2026-11-20T10:59:00Z", [[epoch(0), 7]]),
        ("resolution=1d&since={0}&until={30}", [[epoch(-10), 8], [epoch(14), 4]]),
    ],
)
@pytest.mark.usefixtures("counts")
def test_each_hour_or_day_has_its_number(api, query, found):
    assert api.read(f"{PATH}?{query.format(*(epoch(hours) for hours in range(31)))}") == found


def test_the_last_day_is_what_is_asked_for_without_a_range(api, cast):
    points = api.read(PATH)
    assert len(points) == 25
    assert {count for _, count in points} == {0}
    assert {later[0] - earlier[0] for earlier, later in pairwise(points)} == {3600}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("stat=generated", "stat must be one of: received, rejected."),
        ("resolution=10s", "resolution must be one of: 1h, 1d."),
        ("since=tomorrow", "since must be seconds since 1970, or a date such as 2026-11-23T15:00:00Z."),
        ("until=-5", "until must be seconds since 1970, or a date such as 2026-11-23T15:00:00Z."),
        ("since=20&until=10", "since must not be after until."),
        ("since=0", "At most 2200 points: ask for less, or for a resolution of 1d."),
    ],
)
@pytest.mark.any_database
def test_what_cannot_be_asked_is_said(api, cast, query, said):
    answer = api.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json) == (400, {"detail": said})
