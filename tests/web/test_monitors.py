"""Pages of monitors: what is listed, what one shows, and the form that sets it up."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import CheckIn, Monitor, MonitorEnvironment
from app.services.events import digesting
from app.services.events.digesting import Batch
from app.services.monitors import checking_in, monitor_pages, monitor_rows

pytestmark = pytest.mark.both_databases

HERE = "/acme/shop/monitors/"
TYPED = {
    "name": "Weekly report",
    "kind": "crontab",
    "crontab": "30 9 * * MON",
    "timezone": "Europe/Paris",
    "margin": "5",
    "max_runtime": "30",
    "failures": "1",
    "recoveries": "2",
}


@pytest.fixture
def boss(as_user, cast):
    """Who looks after the projects of acme."""
    return as_user(cast.alice)


@pytest.fixture
def missed(make, cast, session, now):
    """A job that ran well and did not come the next time."""
    made = make.check_in(cast.shop, release="jobs@1.2")
    later = now + timedelta(hours=2)
    found = checking_in.lapse(session, later, now=later, most=10)
    digesting.keep(session, Batch(reads=found.failures), now=later)
    session.expire_all()
    return made


def test_without_monitors_it_is_said_what_to_do(boss, cast, as_user):
    page = boss.page(HERE)
    assert "No job checks in yet." in page.text
    assert "/cron/nightly-backup/" in page.text
    assert page.find("a", string="New monitor")
    assert as_user(cast.bob).page(HERE).find("a", string="New monitor") is None


def test_a_state_is_a_word_with_a_shape_and_a_picture_says_what_it_shows(as_user, cast, missed, make):
    make.check_in(cast.shop, slug="a-good-one")
    page = as_user(cast.alice).page(HERE)
    badges = [each.text.strip() for each in page.select("main .badge")]
    assert badges == ["Failing", "OK"]
    assert all(each.find("svg") for each in page.select("main .badge"))
    labels = [each["aria-label"] for each in page.select(".ticks")]
    assert labels[1] == "Last: 1 ok"
    assert labels[0].startswith("Last ")
    assert "missed" in labels[0]


def test_one_shows_its_check_ins_its_issue_and_how_to_check_in(as_user, cast, missed):
    page = as_user(cast.alice).page(f"{HERE}nightly-backup/")
    for said in ("Every hour", "Missed", "did not come", "jobs@1.2", "sentry-cli monitors run", "curl"):
        assert said in page.text
    issue = page.find("a", string="Missed check-in: nightly-backup")
    shown = as_user(cast.alice).page(issue["href"])
    assert shown.find("a", href=f"{HERE}nightly-backup/")


def test_what_is_older_is_on_the_next_page(as_user, cast, make, now, monkeypatch):
    monkeypatch.setattr(monitor_pages, "CHECK_INS", 2)
    for minute in range(3):
        make.check_in(cast.shop, at=now + timedelta(minutes=minute))
    page = as_user(cast.alice).page(f"{HERE}nightly-backup/")
    older = page.find("a", rel="next")["href"]
    table = as_user(cast.alice).page(older).select("#check-ins")[0].find_next("tbody")
    assert len(table.find_all("tr")) == 1


@pytest.mark.parametrize("junk", ["x", "2026-01-01,1", "2026-01-01T00:00:00+00:00,x", ","])
@pytest.mark.any_database
def test_a_place_that_is_none_is_the_beginning(as_user, cast, missed, junk):
    assert "ok" in as_user(cast.alice).page(f"{HERE}nightly-backup/?before={junk}").text.lower()


def test_it_is_set_up_on_its_page_and_expected_from_its_first_check_in_on(boss, session, cast, make, now):
    answer = boss.post(f"{HERE}new/", data=TYPED)
    assert answer.location.endswith(f"{HERE}weekly-report/")
    made = session.scalars(select(Monitor)).one()
    assert (made.slug, made.schedule_text, made.timezone) == (
        "weekly-report",
        "30 9 * * MON",
        "Europe/Paris",
    )
    assert made.recovery_threshold == 2
    assert "It has not checked in yet" in boss.page(f"{HERE}weekly-report/").text


def test_a_job_that_was_only_heard_of_is_expected_once_somebody_says_when(boss, session, cast, make):
    make.check_in(cast.shop, monitor_config=None)
    assert "Not set up" in boss.page(HERE).text
    boss.post(f"{HERE}nightly-backup/edit/", data=TYPED | {"kind": "interval", "every": "2", "unit": "hour"})
    place = session.scalars(select(MonitorEnvironment)).one()
    session.refresh(place)
    assert place.expected_at is not None
    assert place.wake_at is not None


WRONG = {
    "a bad crontab": ({"crontab": "0 25 * * *"}, "bad hour"),
    "none": ({"crontab": " "}, "Say when the job runs."),
    "a bad zone": ({"timezone": "Mars/Base"}, "no time zone"),
    "a bad interval": ({"kind": "interval", "every": "0", "unit": "day"}, "whole number"),
    "a bad margin": ({"margin": "soon"}, "A whole number from 1"),
    "no name": ({"name": "🛎️"}, "A slug needs a letter"),
    "a slug that there is": ({"slug": "nightly-backup"}, "already"),
}


@pytest.mark.parametrize(("typed", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_and_nothing_is_saved(boss, session, missed, typed, said):
    answer = boss.post(f"{HERE}new/", data=TYPED | typed)
    assert answer.status_code == 422
    assert said in answer.text
    session.expire_all()
    assert len(session.scalars(select(Monitor)).all()) == 1


def test_the_next_times_are_shown_while_one_types(boss):
    said = boss.get(f"{HERE}new/due/", query_string=TYPED).text
    assert "At 09:30 on Monday, Europe/Paris" in said
    assert said.count("<li>Mon") == 5
    assert "no crontab" in boss.get(f"{HERE}new/due/?crontab=x+x+x+x+x&timezone=UTC").text
    assert "is shown here" in boss.get(f"{HERE}new/due/").text


def test_muted_paused_and_watched_again(boss, session, missed):
    def standing():
        session.expire_all()
        row = session.scalars(select(MonitorEnvironment)).one()
        return row.monitor.is_muted, row.monitor.is_paused, row.expected_at is not None

    assert standing() == (False, False, True)
    boss.post(f"{HERE}nightly-backup/mute", data={"muted": "yes"})
    boss.post(f"{HERE}nightly-backup/pause", data={"paused": "yes"})
    assert standing() == (True, True, False)
    boss.post(f"{HERE}nightly-backup/mute", data={"muted": "no"})
    boss.post(f"{HERE}nightly-backup/pause", data={"paused": "no"})
    assert standing() == (False, False, True)


def test_deleting_takes_its_check_ins_along_and_leaves_its_issues(boss, session, missed):
    assert "Its issues stay" in boss.page(f"{HERE}nightly-backup/removal/").text
    boss.post(f"{HERE}nightly-backup/removal/")
    session.expire_all()
    assert [session.scalars(select(each)).all() for each in (Monitor, CheckIn)] == [[], []]


@pytest.mark.parametrize("path", ["new/", "nightly-backup/edit/", "nightly-backup/removal/"])
def test_only_who_looks_after_the_project_changes_them(as_user, cast, missed, path):
    assert as_user(cast.bob).get(HERE + path).status_code == 404
    assert as_user(cast.bob).post(HERE + path, data=TYPED).status_code == 404
    assert as_user(cast.charlie).get(f"{HERE}nightly-backup/").status_code == 404


def test_a_full_project_says_so(boss, missed, monkeypatch):
    monkeypatch.setattr(monitor_rows, "MOST_MONITORS", 1)
    assert "the most that are kept" in boss.page(HERE).text
    assert "at most 1 monitors" in boss.post(f"{HERE}new/", data=TYPED).text
