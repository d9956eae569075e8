"""What a person can change on an issue's page or in a row, with htmx and without."""

import pytest
from sqlalchemy import select

from app.models import Activity, Issue, Subscription
from app.services.people import workspaces

MOVES = {
    "resolution": ("unresolved", "resolved"),
    "ignore": ("unresolved", "ignored"),
    "reopening": ("resolved", "unresolved"),
}
# Every control, with what it sends.
CONTROLS = {
    "resolution": {},
    "ignore": {},
    "reopening": {},
    "assignee": {"assignee": "me"},
    "subscription": {"state": "unsubscribed"},
    "comments": {"text": "hello"},
    "bookmark": {"bookmark": "added"},
    "priority": {"priority": "low"},
}
# What is swapped where it is not the block of actions.
TARGETS = {"comments": "comment", "priority": "priority"}


@pytest.fixture
def address(issue):
    return f"/acme/shop/issues/{issue.id}/"


@pytest.fixture
def post(as_user, bob, issue):
    """Bob does something to the issue."""
    return lambda what, headers=None, **data: as_user(bob).post(
        f"/issues/{issue.id}/{what}", data=data, headers=headers
    )


def activities(session, issue):
    session.expire_all()
    return list(session.scalars(select(Activity.type).where(Activity.issue_id == issue.id)))


# All of them


@pytest.mark.parametrize(("what", "data"), CONTROLS.items(), ids=CONTROLS)
def test_every_control_works_without_script(post, address, what, data):
    answer = post(what, **data)
    assert (answer.status_code, answer.location) == (303, address)


@pytest.mark.parametrize(("what", "data"), CONTROLS.items(), ids=CONTROLS)
def test_htmx_gets_what_changed_and_a_message(post, issue, what, data, htmx, parsed):
    answer = post(what, htmx(f"section#issue-{issue.id}-actions"), **data)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "HX-Request" in answer.vary
    part = parsed(answer.text)
    target = TARGETS.get(what, "actions")
    assert not part.select_one(f"#issue-{issue.id}-{target}").has_attr("hx-swap-oob")
    for beside in ("state", "bookmark", "assigned", "participants", "timeline", "news"):
        assert part.select_one(f"#issue-{issue.id}-{beside}")["hx-swap-oob"] == "true"
    assert part.select_one('[hx-swap-oob="beforeend:#toasts"] .toast p').text


@pytest.mark.parametrize("what", CONTROLS)
@pytest.mark.parametrize("who", ["dee", "charlie"])
def test_who_may_not_see_an_issue_cannot_change_it(as_user, cast, session, issue, what, who):
    browser = as_user(getattr(cast, who))
    assert browser.post(f"/issues/{issue.id}/{what}", data=CONTROLS[what]).status_code == 404
    assert browser.post(f"/issues/999999/{what}", data=CONTROLS[what]).status_code == 404
    assert activities(session, issue) == []


@pytest.mark.parametrize("what", CONTROLS)
def test_nothing_is_changed_by_looking_or_by_a_form_from_elsewhere(as_user, bob, session, issue, what):
    browser = as_user(bob)
    assert browser.get(f"/issues/{issue.id}/{what}").status_code == 405
    assert browser.post(f"/issues/{issue.id}/{what}", data=CONTROLS[what], csrf=False).status_code == 400
    assert activities(session, issue) == []


@pytest.mark.parametrize("what", CONTROLS)
def test_signed_out_people_are_sent_to_sign_in(client, issue, what):
    assert "/auth/login/" in client.post(f"/issues/{issue.id}/{what}", data=CONTROLS[what]).location


# Status


@pytest.mark.parametrize(("what", "states"), MOVES.items(), ids=MOVES)
def test_a_move_leads_to_its_state(post, session, issue, what, states):
    issue.status, expected = states
    post(what)
    assert session.get_one(Issue, issue.id, populate_existing=True).status == expected


def test_doing_it_twice_says_so_and_tells_no_one_twice(post, session, issue, htmx, parsed):
    post("resolution")
    again = parsed(post("resolution", htmx("section#x")).text)
    assert again.select_one(".toast p").text == "It was resolved already: nothing changed."
    assert activities(session, issue) == ["set_resolved"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/acme/shop/?query=is:unresolved&cursor=x", "/acme/shop/?query=is:unresolved&cursor=x"),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("/\\evil.example/", None),
        ("javascript:alert(1)", None),
    ],
)
def test_the_way_back_never_leads_elsewhere(post, address, given, expected):
    assert post("resolution", next=given).location == (expected or address)


# Assignee


@pytest.mark.parametrize(
    ("text", "person", "team"),
    [
        ("me", "bob", False),
        ("user:{cy}", "cy", False),
        ("team:{team}", None, True),
        ("@cy", "cy", False),
        ("CY@example.org", "cy", False),
        ("#shop-team", None, True),
        ("", None, False),
    ],
)
def test_an_issue_is_given_to_whom_is_named(post, session, cast, issue, text, person, team):
    issue.assignee_user_id = cast.alice.id
    post("assignee", assignee=text.format(cy=cast.cy.id, team=cast.team.id))
    found = session.get_one(Issue, issue.id, populate_existing=True)
    assert found.assignee_user_id == (getattr(cast, person).id if person else None)
    assert found.assignee_team_id == (cast.team.id if team else None)


@pytest.mark.parametrize("text", ["user:{dee}", "dee", "user:{charlie}", "team:0", "user:abc", "x" * 500])
def test_somebody_without_access_is_refused_with_the_form_as_it_was(
    post, session, cast, issue, htmx, parsed, text
):
    text = text.format(dee=cast.dee.id, charlie=cast.charlie.id)
    for headers in ({}, htmx("section#x")):
        answer = post("assignee", headers, assignee=text)
        assert answer.status_code == 422
        actions = parsed(answer.text).select_one(f"#issue-{issue.id}-actions")
        assert "Nobody with access to Shop is called" in actions.select_one(".errors").text
        assert ("<html" in answer.text) == (not headers)
    assert activities(session, issue) == []


def test_a_superuser_in_no_team_cannot_take_an_issue(as_user, make, issue):
    root = make.user("Root", is_superuser=True)
    answer = as_user(root).post(f"/issues/{issue.id}/assignee", data={"assignee": "me"})
    assert answer.status_code == 422
    assert "has no access to Shop" in answer.text


# Subscription


def test_unsubscribing_can_be_undone(post, as_user, bob, session, issue, htmx, parsed):
    part = parsed(post("subscription", htmx("section#x"), state="unsubscribed").text)
    assert "Unsubscribed by you" in part.select_one(".follow").text
    assert session.scalars(select(Subscription.state)).all() == ["unsubscribed"]
    form = part.select_one(".toast form")
    fields = {field["name"]: field["value"] for field in form.select("input")}
    as_user(bob).post(form["action"], data=fields)
    assert session.scalars(select(Subscription.state)).all() == []


def test_undoing_brings_back_exactly_what_was(make, post, session, bob, issue, htmx, parsed):
    row = make.subscription(issue, bob, "commented", "bookmarked")
    since = row.updated_at
    part = parsed(post("subscription", htmx("section#x"), state="unsubscribed").text)
    fields = {field["name"]: field["value"] for field in part.select(".toast input")}
    post("subscription", **fields)
    session.refresh(row)
    assert (row.state, row.reasons, row.updated_at) == ("subscribed", ["commented", "bookmarked"], since)


@pytest.mark.parametrize("state", ["subscribed", "unsubscribed"])
def test_asking_for_what_is_so_already_changes_nothing(post, state, htmx, parsed):
    post("subscription", state=state)
    part = parsed(post("subscription", htmx("section#x"), state=state).text)
    assert part.select_one(".toast p").text == "Nothing changed: it was so already."


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Request-Type": "partial"}])
def test_an_unknown_wish_is_refused(post, headers):
    assert post("subscription", headers, state="loudly").status_code == 422


# Priority


def test_a_priority_is_chosen_over_the_level_and_left_to_it_again(
    as_user, bob, make, shop, run_jobs, told, parsed, htmx
):
    issue = make.issue(shop, level="warning")
    browser, here = as_user(bob), f"/acme/shop/issues/{issue.id}/"
    form = browser.page(here).select_one(f"#issue-{issue.id}-priority form")
    assert form.select_one("option[selected]").text == "Medium, by its level"
    for chosen, shown in (("high", "High"), ("high", "High"), ("", "Medium, by its level")):
        part = parsed(browser.post(form["action"], data={"priority": chosen}, headers=htmx("section#x")).text)
        assert part.select_one(f"#issue-{issue.id}-priority option[selected]").text == shown
    said = [" ".join(entry.text.split()) for entry in browser.page(here).select(".timeline .said > span")]
    assert said[:2] == [
        "Bob left the priority to its level: medium",
        "Bob set the priority to high, instead of medium",
    ]
    run_jobs()
    assert told() == []


def test_a_priority_that_there_is_not_is_refused(post, session, issue, htmx, parsed):
    for headers in ({}, htmx("section#x")):
        answer = post("priority", headers, priority="urgent")
        assert answer.status_code == 422
        problem = parsed(answer.text).select_one(f"#issue-{issue.id}-priority #priority-error")
        assert problem.text.strip() == "Choose high, medium or low."
    assert activities(session, issue) == []


# Comments


def test_a_comment_comes_with_an_empty_form_and_its_place_in_the_timeline(post, issue, htmx, parsed):
    part = parsed(post("comments", htmx("form#x"), text="on it, @alice").text)
    assert part.select_one(f"#issue-{issue.id}-comment textarea").text == ""
    assert "on it, @alice" in part.select_one(".timeline .comment").text


@pytest.mark.parametrize(
    ("text", "problem"), [("  ", "the comment is empty"), ("x" * 10_001, "10000 is the most")]
)
def test_a_comment_that_cannot_be_stays_as_typed(post, session, issue, htmx, parsed, text, problem):
    for headers in ({}, htmx("form#x")):
        answer = post("comments", headers, text=text)
        assert answer.status_code == 422
        form = parsed(answer.text).select_one(f"#issue-{issue.id}-comment")
        assert form.textarea.text == text
        assert problem in form.select_one(".field-error[role=alert]").text
    assert activities(session, issue) == []


def test_the_same_comment_twice_is_refused(post, session, issue):
    post("comments", text="same")
    assert post("comments", text="same").status_code == 422
    assert activities(session, issue) == ["note"]


def test_few_who_can_have_it_are_a_list_and_many_are_searched(
    as_user, cast, make, bob, issue, post, address, parsed, session
):
    assert as_user(bob).page(address).select_one("select#assignee")
    for number in range(20):
        person = make.user(f"Person {number} of many")
        make.member(cast.acme, person)
        workspaces.add_to_team(session, cast.team, person, now=make.now)
    field = as_user(bob).page(address).select_one("input#assignee")
    listed = {each["value"]: each.text for each in field.find_next("datalist").select("option")}
    assert listed["#shop-team"] == ""
    assert listed[f"@{person.handle}"] == "Person 19 of many"
    assert post("assignee", assignee=f"@{person.handle}").status_code == 303
    session.expire_all()
    assert issue.assignee_user_id == person.id
    answer = post("assignee", assignee="@stranger")
    assert answer.status_code == 422
    menu = parsed(answer.text).select_one(f"#issue-{issue.id}-assign")
    assert "open" in menu.attrs
    assert menu.select_one("#assignee")["value"] == "@stranger"
    assert "Nobody with access" in menu.select_one("#assignee-error").text
