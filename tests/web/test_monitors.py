"""Pages of monitors: what is listed, what one shows, and the form that sets it up."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.domain.cursor import Cursor
from app.models import CheckIn, Issue, Monitor, MonitorEnvironment
from app.services.events import digesting
from app.services.events.digesting import Batch
from app.services.monitors import checking_in, monitor_pages, monitor_rows

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
    issue = page.find("a", string="nightly-backup is failing")
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


@pytest.mark.any_database
def test_a_place_that_is_none_is_the_beginning(boss, missed):
    def listed(query):
        heading = boss.page(f"{HERE}nightly-backup/{query}").select_one("#check-ins")
        return [each.text.strip() for each in heading.find_parent("section").select("td[data-label=State]")]

    assert listed("?cursor=junk") == listed("") == ["Missed", "OK"]
    assert listed(f"?cursor={Cursor(0, 1).encode()}") == []


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
    make.check_in(cast.shop, slug="weekly-report", monitor_config=None)
    place = session.scalars(select(MonitorEnvironment)).one()
    assert place.expected_at > now
    assert place.expected_at.astimezone(ZoneInfo("Europe/Paris")).strftime("%a %H:%M") == "Mon 09:30"


@pytest.mark.parametrize("typed", [{}, {"is_sent": "1"}])
def test_only_where_somebody_says_so_check_ins_change_what_the_page_says(boss, session, cast, make, typed):
    boss.post(f"{HERE}new/", data=TYPED | typed)
    make.check_in(cast.shop, slug="weekly-report")
    made = session.scalars(select(Monitor)).one()
    session.refresh(made)
    assert made.schedule_kind == ("interval" if typed else "crontab")
    page = boss.page(f"{HERE}weekly-report/")
    assert ("A check-in changed its settings" if typed else "They may not change") in page.text
    box = boss.page(f"{HERE}weekly-report/edit/").find("input", {"name": "is_sent"})
    assert box.has_attr("checked") is bool(typed)


def test_however_many_environments_there_are_each_has_its_picture(boss, cast, make, monkeypatch):
    monkeypatch.setattr(monitor_pages, "TOGETHER", 2)
    for number in range(5):
        make.check_in(cast.shop, environment=f"e{number}")
    assert len(boss.page(f"{HERE}nightly-backup/").select(".ticks .tick")) == 5


def test_a_job_that_was_only_heard_of_is_expected_once_somebody_says_when(boss, session, cast, make):
    make.check_in(cast.shop, monitor_config=None)
    assert "Not set up" in boss.page(HERE).text
    boss.post(f"{HERE}nightly-backup/edit/", data=TYPED | {"kind": "interval", "every": "2", "unit": "hour"})
    place = session.scalars(select(MonitorEnvironment)).one()
    session.refresh(place)
    assert place.expected_at is not None
    assert place.wake_at is not None


LATE = [("ok", "overdue since"), ("in_progress", "counts from its end")]


@pytest.mark.parametrize(("status", "said"), LATE)
def test_what_should_have_come_by_now_is_not_next(boss, session, cast, make, status, said):
    make.check_in(cast.shop, status)
    place = session.scalars(select(MonitorEnvironment)).one()
    for page in (HERE, f"{HERE}nightly-backup/"):
        assert said in boss.page(page).find("td", {"data-label": "Next"}).text
    place.expected_at = datetime.now(UTC) + timedelta(minutes=5)
    session.commit()
    assert "in 4 min" in boss.page(HERE).find("td", {"data-label": "Next"}).text


SET_UP = ('"value":"0 3 * * *"', '--schedule "0 3 * * *"', 'monitor_config={"schedule"')


def test_what_is_there_to_copy_says_when_the_job_runs_unless_that_is_known(boss, cast, make):
    def copied():
        return [each.text for each in boss.page(f"{HERE}nightly-backup/").select(".copy pre")]

    make.check_in(cast.shop, monitor_config=None)
    assert [words in text for words, text in zip(SET_UP, copied(), strict=True)] == [True] * 3
    for kind, line in ({"every": "1", "unit": "minute"}, "./job.sh;"), ({}, "30 9 * * MON ./job.sh;"):
        wishes = TYPED | ({"kind": "interval"} if kind else {}) | kind
        boss.post(f"{HERE}nightly-backup/edit/", data=wishes)
        assert [words in text for words, text in zip(SET_UP, copied(), strict=True)] == [False] * 3
        assert copied()[0].startswith(line)


def test_a_job_that_nobody_set_up_and_that_fails_is_listed_as_failing(boss, cast, make):
    make.check_in(cast.shop, "error", monitor_config=None)
    page = boss.page(HERE)
    assert [each.text.strip() for each in page.select("main .badge")] == ["Failing"]
    assert "say when it runs" in page.text


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


def test_a_wrong_crontab_is_said_at_its_field_and_not_again_below(boss):
    page = BeautifulSoup(boss.post(f"{HERE}new/", data=TYPED | {"crontab": "61 3 * *"}).text, "html.parser")
    assert "five fields" in page.select_one("#crontab-error").text
    due = page.select_one("#due")
    assert "is shown here" in due.text

    def typed(crontab):
        return boss.get(f"{due['hx-get']}&{urlencode(TYPED | {'crontab': crontab})}").text

    assert "is shown here" in typed("61 3 * *")
    assert "bad minute" in typed("61 3 * * *")


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
    assert session.scalars(select(CheckIn)).all()
    assert "Its issues stay" in boss.page(f"{HERE}nightly-backup/removal/").text
    boss.post(f"{HERE}nightly-backup/removal/")
    session.expire_all()
    assert session.scalars(select(Issue.title)).all() == ["nightly-backup is failing"]
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
