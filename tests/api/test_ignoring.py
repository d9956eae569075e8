"""Ignoring issues until something happens, as programs ask for it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.models import IgnoreCondition


@pytest.fixture
def issue(make, shop):
    return make.issue(shop, times_seen=7)


@pytest.fixture
def put(api, issue):
    def send(**body):
        answer = api.put(f"/issues/{issue.id}/", {"status": "ignored", **body})
        assert answer.status_code == 200, answer.text
        return answer.json

    return send


@pytest.mark.parametrize(
    ("sent", "substatus"),
    [
        ({"ignoreCount": 10}, "archived_until_condition_met"),
        ({"ignoreCount": 10, "ignoreWindow": 60}, "archived_until_condition_met"),
        ({"ignoreUserCount": 5, "ignoreUserWindow": 1440}, "archived_until_condition_met"),
        ({}, "archived_forever"),
    ],
)
def test_what_was_asked_for_is_answered(api, put, issue, sent, substatus):
    answer = put(statusDetails=sent)
    assert (answer["status"], answer["statusDetails"], answer["substatus"]) == ("ignored", sent, substatus)
    [line] = api.read("/projects/acme/shop/issues/?query=is:ignored")
    assert line["statusDetails"] == sent


def test_a_duration_becomes_a_moment(put):
    until = datetime.fromisoformat(put(ignoreDuration=30)["statusDetails"]["ignoreUntil"])
    assert abs(until - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(minutes=1)


def test_until_it_gets_worse(put, session):
    answer = put(substatus="archived_until_escalating")
    assert answer["substatus"] == "archived_until_escalating"
    assert answer["statusDetails"] == {
        "ignoreCount": 11,
        "ignoreWindow": 60,
        "ignoreUntilEscalating": True,
    }


def test_conditions_may_be_combined(put, session, issue):
    put(ignoreCount=10, ignoreUserCount=2, ignoreDuration=60)
    row = session.get(IgnoreCondition, issue.id)
    assert (row.event_count, row.user_count, row.events_before) == (10, 2, 7)
    assert row.until is not None


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({"ignoreCount": 1, "ignoreWindow": 10_081}, "ignoreWindow"),
        ({"ignoreUserWindow": 60}, "ignoreUserCount"),
        ({"ignoreDuration": 60 * 24 * 366 * 11}, "ignoreDuration"),
        ({"ignoreCount": "10"}, "ignoreCount"),
    ],
)
def test_a_senseless_condition_is_named_and_changes_nothing(api, issue, session, sent, member):
    answer = api.put(f"/issues/{issue.id}/", {"status": "ignored", "statusDetails": sent})
    assert (answer.status_code, list(answer.json)) == (400, [member])
    session.expire_all()
    assert issue.status == "unresolved"
