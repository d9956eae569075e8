"""Quiet hours and "on call" on pages: they are saved, refused, taken back, and act on what is held."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import now
from app.domain.kinds import KINDS
from app.models import Digest, OnCall, QuietHours, SettingAudit, Verdict
from app.services.calm import quieting

ACCOUNT = "/settings/account/"
PAGE = f"{ACCOUNT}notifications/quiet-hours/"
NIGHTS = {"days": ["0", "1", "2", "3", "4"], "start": "19:00", "end": "08:00"}
POSTS = [
    PAGE,
    f"{PAGE}1",
    f"{PAGE}1/deletion",
    f"{PAGE}release",
    f"{ACCOUNT}on-call",
    f"{ACCOUNT}on-call/end",
]


@pytest.fixture
def bobs(as_user, cast):
    """Bob's browser."""
    return as_user(cast.bob)


def hours(session):
    session.expire_all()
    return [(row.days, row.start_minute, row.end_minute) for row in session.scalars(select(QuietHours))]


def said(session):
    """The change log: what was there before, and after."""
    session.expire_all()
    seen = (row for row in session.scalars(select(SettingAudit)))
    return [(row.category, {name: row.detail[name] for name in ("old", "new")}) for row in seen]


@pytest.fixture
def held(make, cast, session, issue):
    """Something that quiet hours hold for Bob now."""
    make.quiet_now(cast.bob)
    digest = Digest(
        public_id="g_1",
        kind="quiet",
        key="quiet",
        user_id=cast.bob.id,
        opened_at=now(),
        send_at=now() + timedelta(hours=2),
    )
    session.add(digest)
    session.flush()
    notice = make.notice(issue, planned_at=now())
    held = {"outcome": "defer", "code": "quiet_hours", "params": {}, "reasons": [], "digest_id": digest.id}
    session.add(Verdict(notice_id=notice.id, subject="user", subject_id=cast.bob.id, channel="email", **held))
    session.commit()
    return digest


@pytest.mark.parametrize("path", POSTS)
def test_strangers_change_nothing(client, cast, session, path):
    assert client.post(path, data=NIGHTS | {"until": "2h"}).location == "/auth/login/"
    assert hours(session) == []


def test_hours_are_added_and_said(session, bobs):
    assert bobs.post(PAGE, data=NIGHTS).location == PAGE
    assert hours(session) == [([0, 1, 2, 3, 4], 1140, 480)]
    assert "Mon–Fri 19:00 to 08:00" in bobs.page(PAGE).main.text
    assert said(session) == [("quiet_hours", {"old": "none", "new": "Mon–Fri 19:00 to 08:00"})]


def test_hours_are_changed(session, bobs):
    bobs.post(PAGE, data=NIGHTS)
    row = session.scalars(select(QuietHours)).one()
    assert bobs.post(f"{PAGE}{row.id}", data=NIGHTS | {"days": ["6"], "end": "24:00"}).location == PAGE
    assert hours(session) == [([6], 1140, 0)]


def test_hours_are_deleted_and_that_is_taken_back(session, bobs):
    bobs.post(PAGE, data=NIGHTS)
    row = session.scalars(select(QuietHours)).one()
    bobs.post(f"{PAGE}{row.id}/deletion")
    assert hours(session) == []
    undo = bobs.page(PAGE).select_one(".toast form")
    bobs.post(undo["action"], data={each["name"]: each["value"] for each in undo.select("input")})
    assert hours(session) == [([0, 1, 2, 3, 4], 1140, 480)]


WRONG = {
    "no day": ({"days": []}, "days-0", "Choose at least one day."),
    "a day that is none": ({"days": ["7", "x", "٣"]}, "days-0", "Choose at least one day."),
    "no beginning": ({"start": ""}, "start-0", "Enter a time"),
    "no end": ({"end": "25:00"}, "end-0", "Enter a time"),
    "all of the week": (
        {"days": list("0123456"), "start": "08:00", "end": "08:00"},
        "end-0",
        "no minute of the week",
    ),
}


@pytest.mark.parametrize(("changed", "id_", "words"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused_where_it_was_typed(session, bobs, changed, id_, words):
    answer = bobs.post(PAGE, data=NIGHTS | changed)
    assert answer.status_code == 422
    assert f'id="{id_}-error"' in answer.text
    assert words in answer.text
    assert hours(session) == []


def test_hours_that_leave_nothing_together_are_refused_too(session, bobs):
    days = list("0123456")
    bobs.post(PAGE, data={"days": days, "start": "08:00", "end": "20:00"})
    answer = bobs.post(PAGE, data={"days": days, "start": "20:00", "end": "08:00"})
    assert answer.status_code == 422
    assert len(hours(session)) == 1


def test_what_was_typed_wrong_while_changing_stays_in_its_form(session, bobs):
    bobs.post(PAGE, data=NIGHTS)
    row = session.scalars(select(QuietHours)).one()
    answer = bobs.post(f"{PAGE}{row.id}", data=NIGHTS | {"start": "99:99"})
    assert answer.status_code == 422
    assert f'id="start-{row.id}-error"' in answer.text
    assert hours(session) == [([0, 1, 2, 3, 4], 1140, 480)]


@pytest.mark.parametrize("what", ["", "/deletion"])
def test_hours_of_others_do_not_exist(session, bobs, as_user, cast, what):
    as_user(cast.cy).post(PAGE, data=NIGHTS)
    row = session.scalars(select(QuietHours)).one()
    assert bobs.post(f"{PAGE}{row.id}{what}", data=NIGHTS).status_code == 404
    assert len(hours(session)) == 1


def test_there_is_an_end_to_how_many(bobs):
    for hour in range(quieting.MOST_WINDOWS):
        bobs.post(PAGE, data={"days": ["0"], "start": f"{hour:02}:00", "end": f"{hour:02}:30"})
    assert "are the most" in bobs.post(PAGE, data=NIGHTS).text


def test_what_is_held_is_shown_and_can_be_had_now(session, bobs, held, issue):
    page = bobs.page(PAGE)
    assert issue.short_id in page.main.text
    assert KINDS["alert.new"].word in page.main.text
    bobs.post(f"{PAGE}release")
    session.expire_all()
    assert held.is_asked_for
    assert held.send_at <= now()


def test_what_is_held_of_a_project_that_was_left_is_not_shown(session, bobs, held, issue, cast):
    cast.team.projects.clear()
    assert issue.short_id not in bobs.page(PAGE).main.text


def test_going_on_call_and_coming_back(session, bobs, cast, held):
    answer = bobs.post(f"{ACCOUNT}on-call", data={"until": "2h", "next": "/"})
    assert answer.location == "/"
    session.expire_all()
    assert held.send_at <= now()
    row = session.scalars(select(OnCall)).one()
    assert timedelta(minutes=119) < row.until - now() <= timedelta(hours=2)
    assert "On call until" in bobs.page("/").header.text
    assert bobs.post(f"{ACCOUNT}on-call/end", data={"next": "/"}).location == "/"
    assert "On call until" not in bobs.page("/").header.text
    session.expire_all()
    assert held.send_at > now()
    assert [category for category, _ in said(session)] == ["on_call", "on_call"]


def test_ending_twice_is_ending_once(session, bobs):
    bobs.post(f"{ACCOUNT}on-call/end")
    assert said(session) == []


def test_an_end_that_is_not_offered_is_refused(session, bobs):
    assert bobs.post(f"{ACCOUNT}on-call", data={"until": "for ever"}).status_code == 422
    assert session.scalar(select(OnCall)) is None


def test_fatal_alerts_can_be_held_as_well(session, bobs):
    row = bobs.page(PAGE).select_one("#row-fatal_rings-0")
    assert row.select_one(".in-force").text == "On"
    fields = {each["name"]: each["value"] for each in row.select("input[name]")}
    answer = bobs.post(f"{ACCOUNT}notifications/choice", data=fields | {"value": "off"})
    assert answer.location.startswith(PAGE)
    assert bobs.page(PAGE).select_one("#row-fatal_rings-0 .in-force").text == "Off"


def test_another_time_zone_moves_what_is_held(session, bobs, cast, held):
    zone = {"name": "Bob", "handle": "bob", "timezone": "Asia/Kolkata", "theme": "auto"}
    bobs.post(ACCOUNT, data=zone)
    session.expire_all()
    assert held.send_at <= now()
