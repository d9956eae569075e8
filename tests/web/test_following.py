"""The lists of issues that a person follows, left or muted, and the way to change each."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import now as real_now
from app.models import IssueMute, Subscription
from app.services.preferences import muting
from tests.support.browser import HTMX

ROOT = "/settings/account/notifications/issues/"


@pytest.fixture
def bobs(as_user, cast):
    """Bob's browser."""
    return as_user(cast.bob)


def states(session, user):
    session.expire_all()
    rows = session.scalars(select(Subscription).where(Subscription.user_id == user.id))
    return {row.issue_id: (row.state, row.reasons) for row in rows}


def listed(page):
    return [row["id"] for row in page.select("tr.setting")]


def press(browser, page, issue, **more):
    form = page.find(id=f"issue-{issue.id}").form
    fields = {field["name"]: field["value"] for field in form.select("input[name]")}
    return browser.post(form["action"], data=fields, **more)


@pytest.mark.both_databases
def test_each_issue_stands_in_its_list_with_the_reason(bobs, make, cast):
    followed, left, muted = (make.issue(cast.shop) for _ in range(3))
    make.subscription(followed, cast.bob, "assigned")
    make.subscription(left, cast.bob, state="unsubscribed")
    muting.mute(make.session, muted, user=cast.bob, until=real_now() + timedelta(days=1), now=real_now())
    page = bobs.page(ROOT)
    assert listed(page) == [f"issue-{followed.id}"]
    assert "this issue is assigned to you" in page.find(id=f"issue-{followed.id}").text
    assert listed(bobs.page(f"{ROOT}unsubscribed/")) == [f"issue-{left.id}"]
    assert listed(bobs.page(f"{ROOT}muted/")) == [f"issue-{muted.id}"]
    assert [count.text for count in page.select(".tabs .count")] == ["1", "1", "1"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["without script", "with script"])
def test_leaving_and_taking_it_back(session, bobs, make, cast, issue, headers):
    make.subscription(issue, cast.bob, "commented")
    answer = press(bobs, bobs.page(ROOT), issue, headers=headers)
    assert answer.status_code == (200 if headers else 303)
    assert states(session, cast.bob) == {issue.id: ("unsubscribed", [])}
    bobs.post(f"{ROOT}followed/{issue.id}", data={"do": "restore"}, headers=headers)
    assert states(session, cast.bob) == {issue.id: ("subscribed", ["commented"])}


def test_subscribing_again(session, bobs, make, cast, issue):
    make.subscription(issue, cast.bob, state="unsubscribed")
    press(bobs, bobs.page(f"{ROOT}unsubscribed/"), issue)
    assert states(session, cast.bob)[issue.id][0] == "subscribed"


def test_unmuting(session, bobs, cast, issue):
    muting.mute(session, issue, user=cast.bob, event_limit=5, now=real_now())
    page = bobs.page(f"{ROOT}muted/")
    assert "it gets worse" in page.find(id=f"issue-{issue.id}").text
    press(bobs, page, issue)
    assert session.scalars(select(IssueMute)).all() == []


def test_a_mute_that_is_over_is_not_listed(session, bobs, cast, issue):
    past = real_now() - timedelta(days=2)
    muting.mute(session, issue, user=cast.bob, until=past + timedelta(days=1), now=past)
    assert listed(bobs.page(f"{ROOT}muted/")) == []


def test_issues_out_of_reach_are_on_no_list_and_cannot_be_changed(session, bobs, make, cast):
    hidden = make.issue(cast.other_shop)
    make.subscription(hidden, cast.bob, "commented")
    assert listed(bobs.page(ROOT)) == []
    assert bobs.post(f"{ROOT}followed/{hidden.id}", data={"do": "unsubscribe"}).status_code == 404
    assert states(session, cast.bob)[hidden.id][0] == "subscribed"


def test_the_lists_are_ones_own(as_user, make, cast, issue):
    make.subscription(issue, cast.bob, "commented")
    assert listed(as_user(cast.alice).page(ROOT)) == []


def test_many_come_in_pages(bobs, make, cast):
    for _ in range(30):
        make.subscription(make.issue(cast.shop), cast.bob, "commented")
    assert len(listed(bobs.page(ROOT))) == 25
    assert len(listed(bobs.page(f"{ROOT}?page=2"))) == 5
    assert len(listed(bobs.page(f"{ROOT}?page=99"))) == 5


@pytest.mark.parametrize("sent", [{}, {"do": "delete"}])
def test_what_no_form_sends_is_refused(bobs, issue, sent):
    assert bobs.post(f"{ROOT}followed/{issue.id}", data=sent).status_code == 400
