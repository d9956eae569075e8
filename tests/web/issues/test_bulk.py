"""One change to several issues of a list: all of them or none, asked about where it cannot be taken back."""

import json
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from app.models import (
    Activity,
    IgnoreCondition,
    Issue,
    IssueMute,
    Notice,
    Release,
    ReleaseProject,
    Resolution,
    Subscription,
    Tombstone,
)
from app.services.releases import fixing

LIST = "/acme/shop/?query=is:unresolved"
TABS = ("events", "users", "notifications")


@pytest.fixture
def bulk(as_user, bob):
    """`bulk([issue], "resolve")` by Bob, or by somebody else."""

    def press(issues, do, *, by=None, where="shop", **data):
        fields = {"issue": [each.id for each in issues], "do": do, "query": "is:unresolved", **data}
        return as_user(by or bob).post(f"/acme/{where}/bulk", data=fields)

    return press


@pytest.fixture
def undo(as_user, bob):
    """Presses Undo in the toast of the page that an answer leads to."""

    def press(answer, *, by=None):
        return as_user(by or bob).post("/issues/undo", data=fields_of_undo(as_user(bob), answer))

    return press


@pytest.fixture
def two(make, shop):
    return [make.issue(shop), make.issue(shop)]


def fields_of_undo(browser, answer):
    for name, value in cookies(answer).items():
        browser.set_cookie(name, value, domain="tocsin.example.org")
    form = browser.page("/acme/shop/").select_one(".toast form")
    return {each["name"]: each["value"] for each in form.select("input") if each["name"] != "csrf_token"}


def cookies(answer):
    pairs = (header.split(";")[0].partition("=") for header in answer.headers.getlist("Set-Cookie"))
    return {name: value for name, _, value in pairs}


def shown(answer):
    return BeautifulSoup(answer.text, "html.parser")


def statuses(session):
    session.expire_all()
    return session.scalars(select(Issue.status).order_by(Issue.id)).all()


@pytest.mark.parametrize(
    ("do", "before", "after"),
    [
        ("resolve", "unresolved", "resolved"),
        ("ignore", "unresolved", "ignored"),
        ("ignore_worse", "unresolved", "ignored"),
        ("ignore_hour", "unresolved", "ignored"),
        ("ignore_day", "resolved", "ignored"),
        ("ignore_week", "unresolved", "ignored"),
        ("reopen", "ignored", "unresolved"),
    ],
)
def test_each_issue_moves_and_has_its_own_activity(bulk, make, shop, session, do, before, after):
    issues = [make.issue(shop, status=before) for _ in range(3)]
    answer = bulk(issues[:2], do)
    assert (answer.status_code, answer.location) == (303, LIST)
    assert statuses(session) == [after, after, before]
    assert set(session.scalars(select(Activity.issue_id))) == {each.id for each in issues[:2]}


@pytest.mark.parametrize(
    ("do", "kept"),
    [
        ("ignore", None),
        ("ignore_worse", {"worse_than": 10, "event_count": 11, "event_window": 60}),
        ("ignore_hour", {"until": timedelta(hours=1)}),
        ("ignore_day", {"until": timedelta(days=1)}),
        ("ignore_week", {"until": timedelta(weeks=1)}),
    ],
)
def test_issues_are_ignored_for_as_long_as_was_said(bulk, two, session, do, kept):
    bulk(two, do)
    rows = session.scalars(select(IgnoreCondition)).all()
    assert len(rows) == (2 if kept else 0)
    for row in rows:
        if "until" in kept:
            assert timedelta() <= row.until - row.created_at - kept["until"] < timedelta(seconds=1)
        else:
            assert {name: getattr(row, name) for name in kept} == kept


def test_issues_are_resolved_in_the_next_release_together(bulk, two, shop, session, now):
    release = Release(organization_id=shop.organization_id, version="shop@1", date_added=now)
    session.add(release)
    session.flush()
    session.add(ReleaseProject(release_id=release.id, project_id=shop.id))
    bulk(two, "resolve_next")
    kinds = session.scalars(select(Resolution.kind)).all()
    assert (statuses(session), kinds) == (["resolved"] * 2, ["in_next_release"] * 2)


def test_without_a_release_nothing_is_resolved_in_the_next_one(bulk, two, session):
    answer = bulk(two, "resolve_next")
    assert answer.status_code == 422
    assert statuses(session) == ["unresolved"] * 2


def test_issues_of_two_projects_have_no_release_in_common(bulk, make, cast, session):
    other = make.project(cast.acme, "till", teams=[cast.team])
    answer = bulk([make.issue(cast.shop), make.issue(other)], "resolve_next", where="issues")
    assert answer.status_code == 422
    assert "several projects" in answer.text
    assert statuses(session) == ["unresolved"] * 2


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


@pytest.mark.parametrize("do", ["subscribe", "unsubscribe"])
def test_issues_are_subscribed_to_together(bulk, two, session, do):
    bulk(two, do)
    assert session.scalars(select(Subscription.state)).all() == [f"{do}d"] * 2


def test_what_had_nothing_to_change_is_said(as_user, bob, make, shop):
    browser = as_user(bob)
    issues = [make.issue(shop, status=status) for status in ("resolved", "unresolved")]
    browser.post("/acme/shop/bulk", data={"issue": [each.id for each in issues], "do": "resolve"})
    assert "1 issue resolved. 1 issue had nothing to change." in browser.page("/acme/shop/").text


def test_nobody_changes_an_issue_that_they_may_not_see(bulk, make, cast, session):
    here, there = make.issue(cast.shop), make.issue(cast.other_shop)
    assert bulk([here, there], "resolve").status_code == 404
    assert statuses(session) == ["unresolved"] * 2


def test_all_that_match_are_changed_on_every_page(bulk, make, shop, session):
    for _ in range(30):
        make.issue(shop)
    make.issue(shop, status="ignored")
    bulk([], "resolve", all="1")
    assert statuses(session) == ["resolved"] * 30 + ["ignored"]


def test_how_many_match_is_said(as_user, bob, make, shop):
    for _ in range(3):
        make.issue(shop)
    browser = as_user(bob)
    assert browser.get("/acme/shop/matching?query=is:unresolved").text.strip() == "All 3 that match"
    assert browser.get("/acme/shop/matching?query=timesSeen:abc").text.strip() == ""


# What is wrong


def test_a_name_that_nobody_bears_changes_nothing_and_stays_as_typed(bulk, two, session):
    answer = bulk(two[:1], "assign", assignee="@nobody-here")
    page = shown(answer)
    assert answer.status_code == 422
    assert "@nobody-here" in page.select_one(".errors").text
    assert page.select_one("#assignee")["value"] == "@nobody-here"
    assert [box["value"] for box in page.select(".row-check[checked]")] == [str(two[0].id)]
    assert session.scalars(select(Issue.assignee_user_id)).all() == [None, None]


def test_where_one_cannot_be_given_away_none_is(bulk, make, cast, session):
    other = make.project(cast.acme, "till", teams=[make.team(cast.acme, "tills", members=[cast.bob])])
    answer = bulk([make.issue(cast.shop), make.issue(other)], "assign", assignee="@cy", where="issues")
    assert answer.status_code == 422
    assert session.scalars(select(Issue.assignee_user_id)).all() == [None, None]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"do": "resolve"}, "Select an issue first."),
        ({"do": "resolve", "issue": ["x", "-1", "9" * 40]}, "Select an issue first."),
        ({"do": "resolve", "issue": [str(n) for n in range(1001)]}, "Select at most 1000 issues."),
        ({"do": "resolve", "all": "1", "query": "is:resolved"}, "No issue matches any more."),
        ({"do": "resolve", "all": "1", "query": "timesSeen:abc"}, "times"),
        ({"do": "explode", "issue": ["1"]}, "Choose what to do with the issues."),
    ],
)
def test_what_cannot_be_done_is_said_in_the_list(as_user, bob, two, session, data, problem):
    answer = as_user(bob).post("/acme/shop/bulk", data=data)
    assert answer.status_code == 422
    assert problem in answer.text
    assert shown(answer).select_one("#stream")
    assert statuses(session) == ["unresolved"] * 2


# Asked first


@pytest.mark.parametrize("do", ["merge", "delete", "discard"])
def test_what_cannot_be_taken_back_is_asked_about_first(as_user, alice, bulk, two, session, do):
    two[1].times_seen = 7
    page = shown(bulk(two, do, by=alice))
    form = page.select_one("form[action='/acme/shop/bulk']")
    assert [each["value"] for each in form.select("[name=issue]")] == [str(each.id) for each in two]
    assert "SHOP-1" in page.text
    assert "SHOP-2" in page.text
    assert statuses(session) == ["unresolved"] * 2
    assert do in {each["value"] for each in form.select("[name=do]")}
    sent = {"issue": [each.id for each in two], "do": do, "sure": form.select_one("[name=sure]")["value"]}
    assert as_user(alice).post("/acme/shop/bulk", data=sent).status_code == 303
    left = {"merge": ["merging", "unresolved"]}.get(do, ["deleting", "deleting"])
    assert statuses(session) == left
    assert session.scalar(select(func.count()).select_from(Tombstone)) == (2 if do == "discard" else 0)


def test_looking_at_the_question_changes_nothing(as_user, bob, two, session):
    page = as_user(bob).page(f"/acme/shop/bulk?do=delete&issue={two[0].id}&next=/acme/shop/issues/1/")
    assert "Delete 1 issue?" in page.text
    assert page.find("a", string="Cancel")["href"] == "/acme/shop/issues/1/"
    assert as_user(bob).get(f"/acme/shop/bulk?do=resolve&issue={two[0].id}").status_code == 404
    assert statuses(session) == ["unresolved"] * 2


@pytest.mark.parametrize(("who", "offered"), [("bob", {"delete"}), ("alice", {"delete", "discard"})])
def test_only_admins_are_offered_to_discard(bulk, cast, two, who, offered):
    page = shown(bulk(two, "delete", by=getattr(cast, who)))
    assert {each["value"] for each in page.select("main [name=do]")} == offered


def test_a_member_does_not_discard(bulk, two, session):
    answer = bulk(two, "discard", sure="yes")
    assert answer.status_code == 422
    assert "Only admins" in answer.text
    assert statuses(session) == ["unresolved"] * 2


def test_one_issue_alone_is_not_merged(bulk, two):
    answer = bulk(two[:1], "merge")
    assert answer.status_code == 422
    assert "Select two issues or more to merge." in answer.text


# Undo


def test_an_undo_puts_everything_back_and_tells_nobody(bulk, undo, two, session, now):
    _first, second = two
    second.status, second.resolved_at = "resolved", now
    bulk(two, "ignore_hour")
    assert statuses(session) == ["ignored"] * 2
    assert undo(bulk(two, "reopen")).status_code == 303
    assert statuses(session) == ["ignored"] * 2
    conditions = session.scalars(select(IgnoreCondition.until)).all()
    assert len(conditions) == 2
    gates = session.execute(select(Notice.kind, Notice.gate_code, Notice.planned_at.is_not(None))).all()
    assert set(map(tuple, gates)) == {("reopened", "undone", True)}


@pytest.mark.parametrize("do", ["resolve", "ignore"])
def test_who_takes_it_back_at_once_did_not_take_part(bulk, undo, two, session, do):
    undo(bulk(two, do))
    assert statuses(session) == ["unresolved"] * 2
    assert session.scalars(select(Subscription)).all() == []


def test_an_undo_gives_issues_back_to_whoever_had_them(bulk, undo, make, cast, session):
    issues = [make.issue(cast.shop, assignee_user_id=cast.cy.id), make.issue(cast.shop)]
    make.subscription(issues[0], cast.cy, "assigned")
    undo(bulk(issues, "take"))
    session.expire_all()
    assert [issue.assignee_user_id for issue in issues] == [cast.cy.id, None]
    rows = {(row.issue_id, row.user_id): row.reasons for row in session.scalars(select(Subscription))}
    assert rows == {(issues[0].id, cast.cy.id): ["assigned"]}
    assert set(session.scalars(select(Notice.gate_code))) == {"undone"}


def test_an_undo_leaves_alone_again_who_had_unsubscribed(bulk, undo, make, cast, session):
    issue = make.issue(cast.shop)
    make.subscription(issue, cast.cy, state="unsubscribed")
    undo(bulk([issue], "assign", assignee="@cy"))
    assert session.scalars(select(Subscription.state)).all() == ["unsubscribed"]


def test_a_claim_is_taken_back_with_the_resolution(bulk, undo, make, cast, two, session):
    make.choice(cast.bob, "claim", "on")
    answer = bulk(two, "resolve")
    session.expire_all()
    assert [issue.assignee_user_id for issue in two] == [cast.bob.id] * 2
    undo(answer)
    assert statuses(session) == ["unresolved"] * 2
    assert [issue.assignee_user_id for issue in two] == [None, None]


def test_what_somebody_changed_since_stays(bulk, undo, acts, two, cast, session):
    answer = bulk(two, "resolve")
    acts.reopen(two[0], by=cast.cy)
    acts.ignore(two[0], by=cast.cy)
    undo(answer)
    assert statuses(session) == ["ignored", "unresolved"]
    gates = select(Notice.issue_id, Notice.gate_code).where(Notice.kind == "resolved")
    assert dict(session.execute(gates).all()) == {two[0].id: None, two[1].id: "undone"}


def test_what_a_commit_resolved_that_was_refuted_since_is_not_resolved_by_it_again(
    bulk, undo, make, cast, issue, session, now
):
    commit = make.commit(cast.acme, f"Fixes {issue.short_id}")
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    fixing.release_commits(session, make.release(cast.shop, "1.0"), [commit], now=now)
    session.commit()
    answer = bulk([issue], "reopen")
    fixing.refute(session, issue, commit.id, by=cast.cy, now=now)
    session.commit()
    undo(answer)
    assert statuses(session) == ["unresolved"]


def test_a_second_undo_finds_nothing_left(bulk, as_user, bob, two, session):
    browser = as_user(bob)
    fields = fields_of_undo(browser, bulk(two, "resolve"))
    browser.post("/issues/undo", data=fields)
    browser.get("/acme/shop/")
    browser.post("/issues/undo", data=fields)
    assert "stayed as is" in browser.page("/acme/shop/").select_one(".toast").text
    assert statuses(session) == ["unresolved"] * 2


def test_an_undo_is_nobody_elses(bulk, undo, two, cast, session):
    assert undo(bulk(two, "resolve"), by=cast.cy).status_code == 404
    assert statuses(session) == ["resolved"] * 2


@pytest.mark.parametrize("action", ["", "x", "eyJmaXJzdCI6MX0.AAAA"])
def test_an_undo_that_we_did_not_sign_is_refused(as_user, bob, two, action):
    assert as_user(bob).post("/issues/undo", data={"action": action}).status_code == 422


# Rows and bar


@pytest.fixture
def press(as_user, bob, htmx, parsed):
    """What a key does to a row: the fragment that takes its place."""

    def change(issue, do, *, query="is:unresolved"):
        answer = as_user(bob).post(
            f"/issues/{issue.id}/row/{do}", data={"query": query}, headers=htmx(f"li#i-{issue.id}")
        )
        assert answer.status_code == 200
        return parsed(answer.text)

    return change


def test_a_row_that_leaves_the_list_becomes_a_line_with_an_undo(
    press, as_user, bob, issue, session, htmx, parsed
):
    line = press(issue, "resolve").select_one(f"li.row-gone#i-{issue.id}")
    assert "SHOP-1: resolved" in line.text
    button = line.find("button", string="Undo")
    answer = as_user(bob).post(
        button["hx-post"], data=json.loads(button["hx-vals"]), headers=htmx(f"li#i-{issue.id}")
    )
    assert parsed(answer.text).select_one(f"li.row#i-{issue.id} h3 a")
    assert statuses(session) == ["unresolved"]
    assert set(session.scalars(select(Notice.gate_code))) == {"undone"}


def test_a_row_that_still_belongs_there_shows_its_new_state(press, issue):
    row = press(issue, "resolve", query="").select_one(f"li.row#i-{issue.id}")
    assert "Resolved" in row.text
    assert row["data-row"] == "resolved"  # which the key r leaves alone


def test_a_line_says_until_when_it_is_ignored(press, issue):
    assert "ignored until more than 10 events in an hour" in press(issue, "ignore_worse").text


def test_where_nothing_changed_there_is_nothing_to_take_back(press, make, shop):
    line = press(make.issue(shop, status="resolved"), "resolve")
    assert "Undo" not in line.text


def test_the_numbers_beside_the_list_follow_what_is_done_in_it(as_user, bob, issue, htmx, parsed):
    browser, asked = as_user(bob), {"query": "is:unresolved"}
    done = browser.post(f"/issues/{issue.id}/row/resolve", data=asked, headers=htmx("li#x"))
    button = parsed(done.text).find("button", string="Undo")
    undone = browser.post(button["hx-post"], data=json.loads(button["hx-vals"]), headers=htmx("li#x"))
    for answer in (done, undone):
        assert json.loads(answer.headers["HX-Trigger"]) == {"issues-changed": {"target": "#stream-tabs"}}
    assert "issues-changed" in browser.page("/acme/shop/").select_one("#stream-tabs")["hx-trigger"]


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (["follow"], "SHOP-1: unsubscribed. Press s again to subscribe."),
        (["follow"] * 2, "SHOP-1: subscribed."),
        (["mute_hour"], "SHOP-1: Muted for you until"),
        (["mute_tomorrow"], "SHOP-1: Muted for you until"),
        (["mute_week"], "SHOP-1: Muted for you until"),
        (["mute_worse"], "SHOP-1: Muted for you until more than 10 events in an hour."),
        (["mute_hour", "unmute"], "SHOP-1: You hear of this issue again."),
    ],
)
def test_a_key_for_oneself_leaves_the_row_alone_and_is_said(as_user, make, cast, htmx, parsed, do, said):
    issue = make.issue(cast.shop)
    make.subscription(issue, cast.bob, "participated")
    for each in do:
        answer = as_user(cast.bob).post(f"/issues/{issue.id}/oneself/{each}", headers=htmx("li#x"))
    part = parsed(answer.text)
    assert [each["hx-swap-oob"] for each in part.find_all(recursive=False)] == ["beforeend:#toasts"]
    assert part.select_one(".toast p").text.startswith(said)


@pytest.mark.parametrize("do", ["follow", "mute_hour", "mute_tomorrow", "mute_week", "mute_worse", "unmute"])
def test_a_key_for_oneself_does_nothing_for_one_to_whom_nothing_is_sent(
    as_user, make, cast, session, htmx, parsed, do
):
    issue = make.issue(make.project(cast.acme, "billing"))
    alices = as_user(cast.alice)
    answer = alices.post(f"/issues/{issue.id}/oneself/{do}", headers=htmx("li#x"))
    page = alices.page(f"/acme/billing/issues/{issue.id}/")
    assert not page.select('.actions [data-key="s"], .actions [data-key="m"]')
    standing = " ".join(page.select_one(".follow .state span").text.split())
    said = "Nothing changed: it was so already." if do == "unmute" else standing
    assert parsed(answer.text).select_one(".toast p").text == f"{issue.short_id}: {said}"
    assert session.scalars(select(Subscription)).all() == session.scalars(select(IssueMute)).all() == []


def test_a_key_subscribes_nobody_who_turned_everything_off(as_user, make, cast, issue, session, htmx, parsed):
    make.choice(cast.bob, "workflow", "never")
    make.choice(cast.bob, "alerts", "off")
    for _ in range(2):
        answer = as_user(cast.bob).post(f"/issues/{issue.id}/oneself/follow", headers=htmx("li#x"))
        assert parsed(answer.text).select_one(".toast p").text == (
            f"{issue.short_id}: You turned workflow mail off for your account, "
            "and alerts are off (from your account) too."
        )
    assert session.scalars(select(Subscription)).all() == []


def test_a_key_for_oneself_is_nothing_for_those_who_do_not_see_the_issue(as_user, cast, make):
    issue = make.issue(cast.other_shop)
    assert as_user(cast.bob).post(f"/issues/{issue.id}/oneself/follow").status_code == 404


@pytest.mark.parametrize(
    ("where", "there", "missing"),
    [
        ("", ["j", "x", "r", "i", "a", "s", "m", "/"], ["e"]),
        ("issues/1/", ["j", "k", "r", "e", "i", "a", "s", "m", "/"], ["x"]),
        *((f"issues/1/{tab}/", ["j", "k", "g", "i", "/"], ["x", "r", "a", "s"]) for tab in TABS),
        ("releases/", ["/", "."], ["j", "x", "r", "e", "i", "a", "s", "m"]),
    ],
)
def test_the_help_names_the_keys_that_work_where_it_is_asked_for(as_user, bob, issue, where, there, missing):
    page = as_user(bob).page(f"/acme/shop/{where.replace('1', str(issue.id))}")
    named = {each.text for each in page.select("#keys kbd")}
    assert named.issuperset(there)
    assert named.isdisjoint(missing)


@pytest.mark.parametrize("do", ["delete", "merge", "discard", "explode"])
def test_a_key_does_nothing_that_cannot_be_taken_back(as_user, bob, issue, session, do):
    answer = as_user(bob).post(f"/issues/{issue.id}/row/{do}", data={"sure": "yes"})
    assert answer.status_code == 422
    assert statuses(session) == ["unresolved"]


def test_the_bar_below_the_list_needs_no_script(as_user, alice, issue):
    form = as_user(alice).page("/acme/shop/").select_one("form#bulk")
    assert (form["method"], form["action"]) == ("post", "/acme/shop/bulk")
    assert {button["value"] for button in form.select('.bulkbar button[name="do"]')} == {
        "resolve", "ignore_worse", "ignore_hour", "ignore_day", "ignore_week", "ignore", "reopen", "take",
        "unassign", "assign", "subscribe", "unsubscribe", "merge", "delete",
    }  # fmt: skip
    assert form.select_one('input[name="issue"]')["value"] == str(issue.id)


def test_names_are_offered_to_be_typed(as_user, cast):
    names = as_user(cast.bob).get("/acme/shop/people").text
    for name in ("@alice", "@bob", "@cy", "#shop-team"):
        assert f'value="{name}"' in names
    assert "@dee" not in names
    assert as_user(cast.bob).get("/acme/issues/people").text == ""
