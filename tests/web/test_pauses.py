"""Maintenance windows on their page, on the project's settings and in the banner."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import Pause, SettingAudit

HERE = "/acme/shop/settings/alerts/pauses/"


def typed(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def form(start=1, end=3, **fields):
    known = {"reason": "Database upgrade", "starts_at": typed(start), "ends_at": typed(end)}
    return {**known, "repeats": "once", "environment": "", "scope": "alerts", **fields}


@pytest.fixture
def pause(as_user, cast, session):
    """`pause(start=-1)` makes a window that began an hour ago."""

    def make(**fields):
        assert as_user(cast.alice).post(HERE, data=form(**fields)).status_code == 303
        session.expire_all()
        return session.scalars(select(Pause).order_by(Pause.id.desc())).first()

    return make


def test_a_window_is_added_listed_and_audited(pause, as_user, cast, session):
    row = pause(repeats="weekly")
    assert (row.weekly, row.scope, row.environment, row.reason) == (True, "alerts", None, "Database upgrade")
    page = as_user(cast.bob).page(HERE).get_text(" ")
    assert "every week" in page
    assert "Database upgrade" in page
    [audit] = session.scalars(select(SettingAudit).where(SettingAudit.category == "pause"))
    assert (audit.actor_id, audit.scope_id) == (cast.alice.id, cast.shop.id)
    assert "Database upgrade" in audit.detail["new"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ends_at": "soon"}, "ends_at"),
        ({"starts_at": "2026-13-01T00:00"}, "starts_at"),
        ({"starts_at": typed(5)}, "ends_at"),
        ({"starts_at": typed(-9), "ends_at": typed(-8)}, "ends_at"),
        ({"ends_at": typed(24 * 40)}, "ends_at"),
        ({"repeats": "weekly", "ends_at": typed(24 * 7)}, "ends_at"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"environment": "moon"}, "environment"),
        ({"scope": "nothing"}, "scope"),
        ({"ends_at": "9999-12-31T23:59"}, "ends_at"),
        ({"starts_at": "0001-01-01T00:00"}, "ends_at"),
    ],
)
def test_what_cannot_be_is_shown_at_its_field_and_nothing_is_saved(as_user, cast, session, fields, field):
    answer = as_user(cast.alice).post(HERE, data=form(**fields))
    assert answer.status_code == 422
    assert f'id="{field}-0-error"' in answer.text
    assert session.scalars(select(Pause)).all() == []


def test_while_it_lasts_every_page_of_the_project_says_so_and_can_end_it(pause, as_user, cast, make, session):
    issue = make.issue(cast.shop, events=1)
    row = pause(start=-1)
    for path in ("/acme/shop/", f"/acme/shop/issues/{issue.id}/", "/acme/shop/settings/alerts/", HERE):
        banner = as_user(cast.alice).page(path).find("section", {"aria-label": "Maintenance"})
        text = banner.get_text(" ")
        assert "Database upgrade" in text
        assert "Alice" in text
        assert "End it now" in text
    assert "End it now" not in as_user(cast.bob).page("/acme/shop/").get_text()
    assert as_user(cast.bob).post(f"{HERE}{row.id}/end").status_code == 404
    answer = as_user(cast.alice).post(f"{HERE}{row.id}/end", data={"next": "/acme/shop/"})
    assert answer.headers["Location"].endswith("/acme/shop/")
    assert as_user(cast.alice).page("/acme/shop/").find("section", {"aria-label": "Maintenance"}) is None


def test_from_the_general_page_everything_is_paused_from_now(as_user, cast, session):
    page = as_user(cast.alice).page("/acme/shop/settings/")
    form = page.find(id="pause").find("form")
    assert {each.get("name") for each in form.find_all("input")} >= {"scope", "ends_at", "reason"}
    data = {"scope": "all", "ends_at": typed(2), "reason": "We move"}
    assert as_user(cast.alice).post(form["action"], data=data).status_code == 303
    row = session.scalars(select(Pause)).one()
    assert (row.scope, row.weekly) == ("all", False)
    assert "All notifications are held" in as_user(cast.bob).page("/acme/shop/").get_text()


def test_it_is_changed_and_deleted(pause, as_user, cast, session):
    row = pause()
    answer = as_user(cast.alice).post(f"{HERE}{row.id}", data=form(end=4, reason="Longer"))
    assert answer.status_code == 303
    session.expire_all()
    assert row.reason == "Longer"
    answer = as_user(cast.alice).post(f"{HERE}{row.id}", data=form(reason=""))
    assert f'id="reason-{row.id}-error"' in answer.text
    assert as_user(cast.alice).post(f"{HERE}{row.id}/deletion").status_code == 303
    assert session.scalars(select(Pause)).all() == []
    assert len(session.scalars(select(SettingAudit).where(SettingAudit.category == "pause")).all()) == 3


def test_others_may_not_touch_it(pause, as_user, cast, make, session):
    row = pause()
    other = make.project(cast.acme, "billing", teams=[cast.team])
    assert as_user(cast.bob).post(HERE, data=form()).status_code == 404
    assert as_user(cast.charlie).get(HERE).status_code == 404
    there = f"/acme/{other.slug}/settings/alerts/pauses/{row.id}"
    for path in (there, f"{there}/end", f"{there}/deletion"):
        assert as_user(cast.alice).post(path, data=form()).status_code == 404


def test_weekly_ones_that_leave_no_gap_are_refused(pause, as_user, cast):
    monday = datetime.now(UTC) + timedelta(days=7)
    days = [(monday + timedelta(days=n)).strftime("%Y-%m-%dT00:00") for n in (0, 4, 7)]
    pause(repeats="weekly", starts_at=days[0], ends_at=days[1])
    fields = form(repeats="weekly", starts_at=days[1], ends_at=days[2])
    answer = as_user(cast.alice).post(HERE, data=fields)
    assert answer.status_code == 422
    assert "leave a gap" in answer.text
