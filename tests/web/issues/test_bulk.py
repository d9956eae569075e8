"""One change to several issues of a list."""

import pytest
from sqlalchemy import select

from app.models import Activity, Issue, Subscription

BACK = "/acme/shop/?query=is%3Aunresolved"


@pytest.fixture
def bulk(as_user, bob):
    return lambda issues, do, **data: as_user(bob).post(
        "/issues/bulk", data={"issue": [each.id for each in issues], "do": do, "next": BACK, **data}
    )


@pytest.mark.parametrize(
    ("do", "before", "after"),
    [
        ("resolve", "unresolved", "resolved"),
        ("ignore", "unresolved", "ignored"),
        ("reopen", "ignored", "unresolved"),
    ],
)
def test_each_issue_moves_and_has_its_own_activity(bulk, make, shop, session, do, before, after):
    issues = [make.issue(shop, status=before) for _ in range(3)]
    answer = bulk(issues[:2], do)
    assert (answer.status_code, answer.location) == (303, BACK)
    session.expire_all()
    assert [issue.status for issue in issues] == [after, after, before]
    assert {row for (row,) in session.execute(select(Activity.issue_id))} == {each.id for each in issues[:2]}


@pytest.mark.parametrize(
    ("do", "data", "person", "team"),
    [
        ("take", {}, "bob", None),
        ("assign", {"assignee": "@cy"}, "cy", None),
        ("assign", {"assignee": "#shop-team"}, None, "team"),
        ("unassign", {}, None, None),
    ],
)
def test_issues_are_given_to_somebody_together(bulk, make, cast, session, do, data, person, team):
    issues = [make.issue(cast.shop, assignee_user_id=cast.alice.id) for _ in range(2)]
    bulk(issues, do, **data)
    session.expire_all()
    ids = getattr(cast, person).id if person else None, getattr(cast, team).id if team else None
    assert [(each.assignee_user_id, each.assignee_team_id) for each in issues] == [ids, ids]


def test_issues_are_subscribed_to_together(bulk, make, shop, session):
    bulk([make.issue(shop), make.issue(shop)], "subscribe")
    assert session.scalars(select(Subscription.state)).all() == ["subscribed", "subscribed"]


def test_what_had_nothing_to_change_is_said(bulk, as_user, bob, make, shop):
    browser = as_user(bob)
    issues = [make.issue(shop, status=status) for status in ("resolved", "unresolved")]
    data = {"issue": [each.id for each in issues], "do": "resolve", "next": "/acme/shop/"}
    browser.post("/issues/bulk", data=data)
    assert "1 issue resolved. 1 issue had nothing to change." in browser.page("/acme/shop/").text


def test_nobody_changes_an_issue_that_they_may_not_see(bulk, make, cast, session):
    here, there = make.issue(cast.shop), make.issue(cast.other_shop)
    assert bulk([here, there], "resolve").status_code == 404
    session.expire_all()
    assert [here.status, there.status] == ["unresolved", "unresolved"]


def test_a_name_that_nobody_bears_changes_nothing(bulk, make, shop, session):
    issues = [make.issue(shop), make.issue(shop)]
    answer = bulk(issues, "assign", assignee="@nobody-here")
    assert answer.status_code == 422
    assert "@nobody-here" in answer.text
    assert session.scalars(select(Issue.assignee_user_id)).all() == [None, None]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"do": "resolve"}, "Select an issue first."),
        ({"do": "resolve", "issue": ["x", "-1", "9" * 40]}, "Select an issue first."),
        ({"do": "resolve", "issue": [str(n) for n in range(1001)]}, "Select at most 1000 issues."),
    ],
)
def test_a_selection_that_is_none_is_refused(as_user, bob, data, problem):
    answer = as_user(bob).post("/issues/bulk", data=data)
    assert answer.status_code == 422
    assert problem in answer.text


def test_an_unknown_wish_is_refused(bulk, issue):
    assert bulk([issue], "explode").status_code == 422


def test_the_bar_below_the_list_needs_no_script(as_user, bob, issue):
    form = as_user(bob).page("/acme/shop/").select_one("form#bulk")
    assert (form["method"], form["action"]) == ("post", "/issues/bulk")
    assert {button["value"] for button in form.select('.bulkbar button[name="do"]')} == {
        "resolve", "ignore", "reopen", "take", "unassign", "assign", "subscribe"
    }  # fmt: skip
    assert form.select_one('input[name="issue"]')["value"] == str(issue.id)


def test_names_are_offered_to_be_typed(as_user, cast):
    names = as_user(cast.bob).get("/acme/shop/people").text
    for name in ("@alice", "@bob", "@cy", "#shop-team"):
        assert f'value="{name}"' in names
    assert "@dee" not in names
    assert as_user(cast.bob).get("/acme/issues/people").text == ""
