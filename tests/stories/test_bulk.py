"""What one person does to many issues at once, and who hears of it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.models import Activity, Notice, Subscription

LATER = timedelta(seconds=20)


@pytest.fixture
def three(make, shop):
    return [make.issue(shop, title=f"Error{n}: cart") for n in range(3)]


@pytest.fixture
def in_bulk(as_user):
    """Presses a button of the bar; the toast that the next page shows."""

    def press(browser, issues, do, **fields):
        answer = browser.post(
            "/acme/shop/bulk", data={"issue": [issue.id for issue in issues], "do": do, **fields}
        )
        assert answer.status_code == 303
        return browser.page(answer.location).select_one(".toast")

    return press


def undo(browser, toast):
    form = toast.select_one("form")
    fields = {each["name"]: each["value"] for each in form.select("input") if each["name"] != "csrf_token"}
    answer = browser.post(form["action"], data=fields)
    return browser.page(answer.location).select_one(".toast").text


def test_three_issues_are_one_summary_for_each_who_hears(
    three, cast, as_user, in_bulk, run_jobs, told, mailbox, session
):
    """Case 27."""
    in_bulk(as_user(cast.alice), three, "resolve")
    run_jobs()
    assert told() == []
    run_jobs.sweep(after=LATER)
    assert told() == ["bob", "cy"]
    types = session.execute(
        select(Activity.type, Activity.actor_id, func.count()).group_by(Activity.type, Activity.actor_id)
    )
    assert [tuple(row) for row in types] == [("set_resolved", cast.alice.id, 3)]
    rows = session.scalars(select(Subscription))
    assert {(row.user_id, *row.reasons) for row in rows} == {(cast.alice.id, "participated")}
    for person in (cast.bob, cast.cy):
        [mail] = mailbox(person)
        for issue in three:
            assert issue.short_id in mail.text


def test_one_issue_is_the_usual_mail(three, cast, as_user, in_bulk, run_jobs, told, mailbox):
    in_bulk(as_user(cast.alice), three[:1], "resolve")
    run_jobs.sweep(after=LATER)
    assert told("resolved") == ["bob", "cy"]
    assert mailbox(cast.bob)[0]["X-Tocsin-Issue"] == three[0].short_id


def test_who_follows_one_of_them_only_gets_its_mail(
    three, cast, make, as_user, in_bulk, run_jobs, told, mailbox
):
    make.choice(cast.bob, "workflow", "participating")
    make.subscription(three[1], cast.bob, "subscribed")
    in_bulk(as_user(cast.alice), three, "resolve")
    run_jobs.sweep(after=LATER)
    told()
    assert [mail["X-Tocsin-Kind"] for mail in mailbox(cast.bob)] == ["resolved"]
    assert mailbox(cast.bob)[0]["X-Tocsin-Issue"] == three[1].short_id


def test_an_undo_within_fifteen_seconds_sends_nothing_ever(
    three, cast, as_user, in_bulk, run_jobs, told, session
):
    browser = as_user(cast.alice)
    toast = in_bulk(browser, three, "resolve")
    run_jobs()
    assert "Nobody was told." in undo(browser, toast)
    run_jobs()
    run_jobs.sweep(after=LATER)
    assert told() == []
    session.expire_all()
    assert {issue.status for issue in three} == {"unresolved"}
    assert set(session.scalars(select(Notice.gate_code))) == {"undone"}


def test_an_undo_after_they_were_told_is_told_too(three, cast, as_user, in_bulk, run_jobs, told, session):
    browser = as_user(cast.alice)
    toast = in_bulk(browser, three, "resolve")
    run_jobs.sweep(after=LATER)
    assert told() == ["bob", "cy"]
    said = undo(browser, toast)
    assert "3 issues as before" in said
    assert "Nobody was told" not in said
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=1))
    assert told() == ["bob", "cy"]
    session.expire_all()
    assert {issue.status for issue in three} == {"unresolved"}


def test_what_somebody_changed_meanwhile_is_told_all_the_same(
    three, cast, as_user, in_bulk, acts, run_jobs, told, session
):
    browser = as_user(cast.alice)
    toast = in_bulk(browser, three, "resolve")
    acts.reopen(three[0], by=cast.bob)
    undo(browser, toast)
    run_jobs()
    run_jobs.sweep(after=LATER)
    session.expire_all()
    gates = select(Notice.kind, Notice.gate_code).where(Notice.issue_id == three[0].id)
    assert set(map(tuple, session.execute(gates))) == {("resolved", None), ("reopened", None)}
    assert told() == ["alice", "bob", "cy", "cy"]


def test_ignored_issues_come_back_as_they_were(three, cast, as_user, in_bulk, run_jobs, told, session):
    browser = as_user(cast.alice)
    in_bulk(browser, three[:1], "ignore_day")
    toast = in_bulk(browser, three, "ignore")
    undo(browser, toast)
    run_jobs.sweep(after=LATER)
    session.expire_all()
    assert [issue.status for issue in three] == ["ignored", "unresolved", "unresolved"]
    assert told() == []
    page = browser.page(f"/acme/shop/issues/{three[0].id}/")
    assert "took that back" not in page.text


def test_a_program_that_changes_several_makes_one_summary_too(
    three, cast, make, app, session, run_jobs, told, mailbox
):
    headers = {"Authorization": f"Bearer {make.token(cast.alice)}"}
    query = "&".join(f"id={issue.id}" for issue in three)
    session.commit()
    path = f"/api/0/projects/acme/shop/issues/?{query}"
    answer = app.test_client().put(path, json={"status": "resolved"}, headers=headers)
    assert answer.status_code == 200
    run_jobs()
    run_jobs.sweep(after=LATER)
    assert told() == ["bob", "cy"]
    assert len(mailbox(cast.bob)) == 1
