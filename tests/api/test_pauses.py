"""Maintenance windows through the API: the same checks and audit as the page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import Environment, Pause, SettingAudit

PATH = "/projects/acme/shop/pauses/"


def hours_from_now(hours):
    return (datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)).isoformat()


def wanted(**members):
    return {"startsAt": hours_from_now(1), "endsAt": hours_from_now(3), "reason": "Deploying", **members}


@pytest.fixture
def made(api, cast):
    answer = api.post(PATH, wanted())
    assert answer.status_code == 201, answer.text
    return answer.json


def own(made):
    return f"{PATH}{made['id']}/"


def test_a_window_comes_back_as_it_was_sent_and_can_be_sent_again(api, made):
    assert (made["weekly"], made["scope"], made["environment"], made["timezone"]) == (
        False,
        "alerts",
        None,
        "UTC",
    )
    assert (made["until"], made["next"]) == (None, made["startsAt"])
    assert made["createdBy"]["name"] == "Alice"
    assert api.read(PATH) == [made]
    assert api.read(own(made)) == made
    assert api.put(own(made), made).json == made


def test_everything_is_paused_from_now_on_for_a_while(api, cast, session):
    answer = api.post(PATH, {"scope": "all", "endsAt": hours_from_now(2), "reason": "Moving"})
    assert (answer.status_code, answer.json["scope"]) == (201, "all")
    assert answer.json["until"] == answer.json["endsAt"]
    ended = api.post(f"{own(answer.json)}end/", {})
    assert (ended.status_code, ended.json["until"]) == (200, None)
    assert api.read(PATH) == []


def test_what_is_absent_stays(api, made, session):
    answer = api.put(own(made), {"weekly": True, "timezone": "Europe/Paris"})
    assert answer.status_code == 200, answer.text
    assert answer.json == {
        **made,
        "weekly": True,
        "timezone": "Europe/Paris",
        "sentence": answer.json["sentence"],
    }
    assert answer.json["sentence"].endswith("every week")


def test_every_change_is_on_record_as_made_through_the_api(api, made, session):
    api.put(own(made), {"reason": "Deploying twice"})
    assert api.delete(own(made)).status_code == 204
    assert session.scalars(select(Pause)).all() == []
    audits = session.scalars(select(SettingAudit).order_by(SettingAudit.id)).all()
    assert [(each.via, each.detail["old"] == "none", each.detail["new"] == "none") for each in audits] == [
        ("api", True, False),
        ("api", False, False),
        ("api", False, True),
    ]


WRONG = {
    "no reason": (wanted(reason=" "), "reason"),
    "an end before the beginning": (wanted(startsAt=hours_from_now(3), endsAt=hours_from_now(1)), "endsAt"),
    "no end": ({"reason": "x"}, "endsAt"),
    "a time without its zone": (wanted(endsAt="2031-01-01T00:00:00"), "endsAt"),
    "no time": (wanted(startsAt="soon"), "startsAt"),
    "null for a time": (wanted(startsAt=None), "startsAt"),
    "an unheard-of scope": (wanted(scope="some"), "scope"),
    "an unheard-of zone": (wanted(timezone="Mars/Olympus"), "timezone"),
    "an environment that was never seen": (wanted(environment="nowhere"), "environment"),
    "something else than yes or no": (wanted(weekly="no"), "weekly"),
    "a misspelt member": (wanted(until="2031-01-01T00:00:00Z", ends="x"), "ends"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "member"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_member_and_nothing_is_saved(api, cast, session, sent, member):
    answer = api.post(PATH, sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert session.scalars(select(Pause)).all() == []


def test_one_environment_can_be_paused(api, cast, session):
    session.add(Environment(project_id=cast.shop.id, name="staging", first_seen=datetime.now(UTC)))
    session.flush()
    assert api.post(PATH, wanted(environment="staging")).json["environment"] == "staging"


def test_who_may_see_windows_and_who_may_change_them(program, made, cast):
    bobs = program(cast.bob)
    assert bobs("GET", PATH).status_code == 200
    for method, path in (
        ("POST", PATH),
        ("PUT", own(made)),
        ("DELETE", own(made)),
        ("POST", f"{own(made)}end/"),
    ):
        assert bobs(method, path, wanted()).status_code == 403, (method, path)
    assert program(cast.charlie)("GET", own(made)).status_code == 404
