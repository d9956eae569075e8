"""Ignoring an issue for everybody, and muting it for oneself, on its page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import IgnoreCondition, IssueMute

HTMX = {"HX-Request": "true"}
NEXT_WEEK = (datetime.now(UTC) + timedelta(days=7)).date()


@pytest.fixture
def browser(as_user, bob):
    return as_user(bob)


@pytest.fixture
def send(browser, issue):
    """`send("mute", worse="1")` presses a button of that menu."""
    return lambda what, **form: browser.post(f"/issues/{issue.id}/{what}", data=form)


@pytest.fixture
def page(browser, issue):
    return lambda: browser.page(f"/acme/shop/issues/{issue.id}/")


@pytest.mark.parametrize(
    ("form", "stored"),
    [
        ({"event_count": "10"}, {"event_count": 10, "event_window": None}),
        ({"event_count": "10", "event_window": "60"}, {"event_count": 10, "event_window": 60}),
        ({"user_count": "5", "user_window": "1440"}, {"user_count": 5, "user_window": 1440}),
        ({"worse_than": "42"}, {"event_count": 43, "event_window": 60, "worse_than": 42}),
        ({"worse": "1"}, {"event_count": 11, "event_window": 60, "worse_than": 10}),
    ],
    ids=["events", "events in an hour", "users in a day", "worse than a number", "worse"],
)
def test_every_condition_of_the_menu_is_kept(send, session, issue, form, stored):
    assert send("ignore", **form).status_code == 303
    row = session.scalars(select(IgnoreCondition)).one()
    assert {name: getattr(row, name) for name in stored} == stored
    assert issue.status == "ignored"


@pytest.mark.parametrize(
    ("minutes", "span"), [("60", timedelta(hours=1)), ("10080", timedelta(days=7))], ids=["hour", "week"]
)
def test_for_a_time(send, session, minutes, span):
    send("ignore", minutes=minutes)
    until = session.scalars(select(IgnoreCondition.until)).one()
    assert abs(until - datetime.now(UTC) - span) < timedelta(minutes=1)


def test_a_date_ends_at_nine_on_the_readers_clock(send, session, bob):
    bob.timezone = "America/New_York"
    session.commit()
    year = datetime.now(UTC).year + 1
    send("ignore", until=f"{year}-07-01")
    assert session.scalars(select(IgnoreCondition.until)).one() == datetime(year, 7, 1, 13, tzinfo=UTC)


def test_without_a_choice_it_is_until_somebody_says_otherwise(send, session, issue):
    send("ignore")
    assert issue.status == "ignored"
    assert session.scalar(select(IgnoreCondition)) is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"event_count": "0"}, "event_count"),
        ({"event_count": "many"}, "event_count"),
        ({"event_window": "60"}, "event_count"),
        ({"event_count": "1", "event_window": "10081"}, "event_window"),
        ({"until": "tomorrow morning"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "0001-01-01"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"minutes": "99999999"}, "until"),
        ({"user_count": "１２"}, "user_count"),
    ],
)
def test_nonsense_comes_back_with_what_is_wrong_and_the_menu_open(browser, session, issue, form, field):
    answer = browser.post(f"/issues/{issue.id}/ignore", data=form, headers=HTMX)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert f'id="issue-{issue.id}-ignore" open' in answer.text
    session.expire_all()
    assert issue.status == "unresolved"


def test_the_page_says_who_ignores_it_until_when_and_how_near_that_is(send, page, make, issue):
    send("ignore", worse_than="42")
    make.event(issue, at=datetime.now(UTC) - timedelta(minutes=5))
    state = page().select_one(f"#issue-{issue.id}-state").text
    assert "by Bob until more than 42 events in an hour (now 1)" in " ".join(state.split())
    assert "Bob ignored it until more than 42 events in an hour" in page().select_one(".timeline").text


def test_the_menu_offers_what_counts_as_worse(page, make, shop, issue, now):
    at = datetime.now(UTC) - timedelta(hours=3)
    for _ in range(5):
        make.arrival(shop, issue.title, at=at)
    menu = page().select_one(f"#issue-{issue.id}-ignore")
    assert menu.find(id="worse_than")["value"] in ("10", "15")
    assert menu.summary["data-key"] == "i"


def test_somebody_else_may_choose_another_end(send, as_user, cast, session, issue):
    send("ignore", event_count="10")
    as_user(cast.cy).post(f"/issues/{issue.id}/ignore", data={"event_count": "20"})
    row = session.scalars(select(IgnoreCondition).execution_options(populate_existing=True)).one()
    assert (row.event_count, row.actor_id) == (20, cast.cy.id)


@pytest.mark.parametrize(
    "form",
    [{"minutes": "60"}, {"mute_until": "tomorrow"}, {"mute_until": NEXT_WEEK.isoformat()}],
    ids=["an hour", "tomorrow", "a date"],
)
def test_muting_until_a_time_says_so_to_the_reader_alone(send, page, as_user, cast, issue, form):
    send("mute", **form)
    assert "Muted by you until" in page().select_one(f"#issue-{issue.id}-mute").text
    others = as_user(cast.cy).page(f"/acme/shop/issues/{issue.id}/")
    assert "Mute for me" in others.select_one(f"#issue-{issue.id}-mute").text


def test_muting_until_it_gets_worse(send, page, session, issue):
    send("mute", mute_limit="30")
    assert session.scalars(select(IssueMute.event_limit)).one() == 30
    assert "until more than 30 events in an hour" in page().select_one(f"#issue-{issue.id}-mute").text


def test_unmuting(send, page, session, issue):
    send("mute", minutes="60")
    send("mute", unmute="1")
    assert session.scalar(select(IssueMute)) is None
    assert "Mute for me" in page().select_one(f"#issue-{issue.id}-mute").text


def test_a_mute_is_taken_back_with_its_undo(send, page, browser, issue):
    send("mute", minutes="60")
    undo = page().select_one("#toasts form")
    assert undo["action"] == f"/issues/{issue.id}/mute"
    assert undo.select_one("[name=as_before]")
    answer = browser.post(f"/issues/{issue.id}/mute", data={"as_before": "1"}, headers=HTMX)
    assert "everything is as it was before" in answer.text
    assert "Mute for me" in page().select_one(f"#issue-{issue.id}-mute").text


def test_the_log_tells_of_mutes(send, browser):
    send("mute", mute_limit="30")
    log = browser.page("/settings/account/notifications/log/")
    assert "Mute for SHOP-1: not muted → until more than 30 events in an hour" in log.text


@pytest.mark.parametrize("form", [{}, {"mute_until": "2020-01-01"}, {"mute_limit": "few"}, {"minutes": "0"}])
def test_a_mute_without_a_sensible_end_is_refused(send, session, form):
    assert send("mute", **form).status_code == 422
    assert session.scalar(select(IssueMute)) is None


@pytest.mark.parametrize("who", ["dee", "charlie"])
@pytest.mark.parametrize("what", ["ignore", "mute"])
def test_strangers_find_nothing(as_user, cast, issue, who, what):
    browser = as_user(getattr(cast, who))
    assert browser.post(f"/issues/{issue.id}/{what}", data={"minutes": "60"}).status_code == 404


def test_neither_needs_more_than_the_part_of_the_page_it_changes(browser, issue):
    answer = browser.post(f"/issues/{issue.id}/ignore", data={"minutes": "60"}, headers=HTMX)
    assert f'id="issue-{issue.id}-state" hx-swap-oob="true"' in answer.text
    assert "<html" not in answer.text
