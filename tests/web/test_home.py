"""The projects' home."""

from datetime import timedelta

from app.clock import now as real_now
from app.models import IngestCount


def row_of(page, name):
    return next(row for row in page.select("tbody tr") if name in row.text)


def test_it_lists_the_projects_one_sees_and_no_others(as_user, cast):
    page = as_user(cast.bob).page("/")
    assert [row.find("b").text for row in page.select("tbody tr")] == ["Shop"]
    assert "Other-shop" not in page.text


def test_a_project_shows_what_is_open_and_what_is_new(as_user, alice, make, shop):
    today, before = real_now() - timedelta(hours=1), real_now() - timedelta(days=3)
    make.issue(shop, first_seen=today, last_seen=today)
    make.issue(shop, first_seen=before, last_seen=today)
    make.issue(shop, first_seen=before, last_seen=before)
    make.issue(shop, first_seen=today, last_seen=today, status="resolved")
    row = row_of(as_user(alice).page("/"), "Shop")
    assert [cell.text for cell in row.select("td.num")] == ["3", "2"]


def test_the_sparkline_counts_the_errors_of_the_last_day(as_user, alice, shop, session):
    hour = real_now().replace(minute=0, second=0, microsecond=0)
    for hours_ago, count, outcome in (
        (0, 3, "accepted"),
        (5, 7, "accepted"),
        (30, 9, "accepted"),
        (1, 5, "invalid"),
    ):
        session.add(
            IngestCount(
                project_id=shop.id,
                hour=hour - timedelta(hours=hours_ago),
                category="error",
                outcome=outcome,
                count=count,
            )
        )
    spark = row_of(as_user(alice).page("/"), "Shop").find("svg", {"class": "spark"})
    assert spark["aria-label"] == "10 events in 24 hours, busiest hour 7"


def test_yours_are_the_open_issues_assigned_to_you(as_user, alice, bob, make, shop):
    make.issue(shop, title="Mine: open", assignee_user_id=alice.id)
    make.issue(shop, title="Mine: done", assignee_user_id=alice.id, status="resolved")
    make.issue(shop, title="Theirs: open", assignee_user_id=bob.id)
    yours = as_user(alice).page("/").find("aside")
    assert "Mine: open" in yours.text
    assert "Mine: done" not in yours.text
    assert "Theirs: open" not in yours.text


def test_an_issue_of_a_project_one_left_is_not_yours_any_more(as_user, cast, make):
    make.project(cast.acme, "other", teams=[make.team(cast.acme, members=[cast.dee])])
    make.issue(cast.shop, title="Mine: once", assignee_user_id=cast.dee.id)
    assert "Mine: once" not in as_user(cast.dee).page("/").text


def test_titles_are_shown_as_text_and_inert(as_user, alice, make, shop):
    make.issue(shop, title='<b hx-get="/x">Boom</b>', assignee_user_id=alice.id)
    page = as_user(alice).page("/")
    assert page.find("b", attrs={"hx-get": True}) is None
    assert page.find(string='<b hx-get="/x">Boom</b>').find_parent(attrs={"hx-ignore": True})


def test_somebody_in_no_team_is_told_whom_to_ask(as_user, cast):
    page = as_user(cast.dee).page("/")
    assert "No project yet." in page.text
    assert "Make a project" not in page.text


def test_a_project_without_events_offers_to_connect_it(as_user, alice, shop):
    assert as_user(alice).page("/").find("a", href="/welcome/acme/shop/connect/")


def test_the_page_takes_few_queries_however_many_projects_there_are(as_user, alice, make, cast, app):
    from sqlalchemy import event

    from app.db import db

    for _ in range(5):
        make.project(cast.acme, teams=[cast.team])
    client = as_user(alice)
    client.get("/")
    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", record := lambda *args: asked.append(args[2]))
    try:
        client.get("/")
    finally:
        with app.app_context():
            event.remove(db.engine, "before_cursor_execute", record)
    assert len([each for each in asked if each.startswith("SELECT")]) <= 10, asked
