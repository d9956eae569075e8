"""How the page says that the reader stands to an issue, and what it offers to change that."""

from datetime import UTC, datetime

import pytest

from app.models import NotificationDefault
from app.services import access
from tests.conftest import NOON

# As pages say it: with the year once that is another one.
DAY = f"{NOON:%d %b}" if datetime.now(UTC).year == NOON.year else f"{NOON:%d %b %Y}"
STATUSES = ("unresolved", "resolved", "ignored")


@pytest.fixture
def block(as_user, cast):
    """The part of the page that says so to Bob."""
    return lambda issue: as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/").select_one(".follow")


def said(block):
    return " ".join(block.select_one(".state span").text.split())


def offered(block):
    """The button, or else the link."""
    return (block.button or block.select_one("p > a")).text.strip()


def follows(make, cast, issue):
    make.subscription(issue, cast.bob, "subscribed", "commented")


def left(make, cast, issue):
    make.subscription(issue, cast.bob, state="unsubscribed")


def participates(make, cast, issue):
    make.choice(cast.bob, "workflow", "participating")


def never_here(make, cast, issue):
    make.choice(cast.bob, "workflow", "never", project=cast.shop)


def never_by_default(make, cast, issue):
    make.session.add(NotificationDefault(category="workflow", value="never", set_at=make.now))
    make.session.flush()


def no_alerts(make, cast, issue):
    make.choice(cast.bob, "alerts", "off", project=cast.shop)


def nothing(make, cast, issue):
    make.choice(cast.bob, "workflow", "never")
    make.choice(cast.bob, "alerts", "off")


STANDINGS = {
    "subscribed": (follows, "You’re subscribed: you subscribed, you commented.", "Unsubscribe"),
    "everything": (
        lambda make, cast, issue: None,
        "You’re not subscribed, but you still get everything in Shop: Workflow is Always (built-in default).",
        "Unsubscribe",
    ),
    "not subscribed": (participates, "You’re not subscribed: only alerts reach you.", "Subscribe"),
    "unsubscribed": (
        left,
        f"Unsubscribed by you, {DAY}: nothing about this issue reaches you.",
        "Subscribe",
    ),
    "off here": (
        never_here,
        "You turned workflow mail off for Shop; alerts still reach you.",
        "Stop its alerts",
    ),
    "off": (
        nothing,
        "You turned workflow mail off for your account, and alerts are off (from your account) too.",
        "Workflow settings",
    ),
    "off by the default of the instance": (
        never_by_default,
        "Workflow mail is off here (instance default); alerts still reach you.",
        "Stop its alerts",
    ),
    "no alerts here": (
        no_alerts,
        "You’re not subscribed, but you still get every change in Shop: Workflow is Always (built-in "
        "default); alerts are off (your choice for this project).",
        "Unsubscribe",
    ),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("arrange", "sentence", "control"), STANDINGS.values(), ids=STANDINGS)
def test_every_state_is_said_in_every_status(make, cast, block, status, arrange, sentence, control):
    issue = make.issue(cast.shop, status=status)
    arrange(make, cast, issue)
    part = block(issue)
    assert said(part) == sentence
    assert offered(part) == control


def test_where_workflow_is_off_a_link_leads_to_the_setting_of_this_project(make, cast, issue, block):
    never_here(make, cast, issue)
    assert block(issue).find("a")["href"] == "/settings/account/notifications/workflow/?at=shop#p-shop"


def test_undo_brings_back_everything_as_it_was(make, cast, issue, as_user, htmx, parsed, block):
    follows(make, cast, issue)
    before = said(block(issue))
    answer = as_user(cast.bob).post(
        f"/issues/{issue.id}/subscription", data={"state": "unsubscribed"}, headers=htmx("section#x")
    )
    undo = parsed(answer.text).select_one(".toast form")
    as_user(cast.bob).post(
        undo["action"], data={each["name"]: each["value"] for each in undo.select("input")}
    )
    assert said(block(issue)) == before


def test_the_star_is_pressed_where_it_is_ones_own(cast, issue, as_user, acts):
    acts.bookmark(issue, by=cast.bob)
    for person, pressed in ((cast.bob, "true"), (cast.cy, "false")):
        page = as_user(person).page(f"/acme/shop/issues/{issue.id}/")
        stars = page.select("[name=bookmark]")
        assert {star["aria-pressed"] for star in stars} == {pressed}


@pytest.mark.parametrize("query", ["is:bookmarked", "bookmarks:me", "!bookmarks:me"])
def test_what_one_bookmarked_is_found(make, cast, issue, acts, as_user, query):
    make.issue(cast.shop, title="ValueError: other")
    acts.bookmark(issue, by=cast.bob)
    page = as_user(cast.bob).page("/acme/shop/", query_string={"query": query})
    titles = [row.text for row in page.select(".row h3")]
    assert titles == ["ValueError: other" if query[0] == "!" else issue.title]
    others = as_user(cast.cy).page("/acme/shop/", query_string={"query": "is:bookmarked"})
    assert others.select(".row h3") == []


def test_whoever_sees_a_project_without_being_in_its_team_can_bookmark_and_is_told_nothing(
    make, cast, issue, as_user, acts, run_jobs, told
):
    owner = make.member(cast.acme, make.user("Olga"), role="owner")
    assert owner.id not in access.project_member_ids(make.session, cast.shop.id)
    acts.bookmark(issue, by=owner)
    page = as_user(owner).page(f"/acme/shop/issues/{issue.id}/")
    assert page.select_one(".star")["aria-pressed"] == "true"
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert "olga" not in told()
