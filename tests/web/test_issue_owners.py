"""The pages of issue owners, as forms: checking, saving, importing, and owners on an issue's page."""

from datetime import UTC, datetime

import pytest

from app.models import Codeowners, Issue, Ownership, OwnershipVersion
from tests.support.browser import HTMX

PAGE = "/acme/shop/settings/issue-owners/"
RAW = "shop/* #shop-team\nshop/cart.py bob@example.org"


@pytest.fixture
def browser(as_user, cast):
    return as_user(cast.alice)


@pytest.fixture
def send(browser, parsed):
    """Sends the form as somebody filled it in; what the page then says."""

    def sent(do="save", status=200, **fields):
        version = browser.page(PAGE).select_one("[name=version]")["value"]
        answer = browser.post(PAGE, data={"version": version, "do": do, "fallthrough": "all", **fields})
        assert answer.status_code == status
        return parsed(answer)

    return sent


@pytest.fixture
def parsed():
    from bs4 import BeautifulSoup

    return lambda answer: BeautifulSoup(answer.text, "html.parser")


def messages(page):
    return [line.text for line in page.select("#owner-checks .owner-list li")]


def test_a_text_is_saved_with_what_follows_from_it(send, browser, cast, session, make):
    make.issue(cast.shop, events=1)
    send(status=303, raw=RAW, fallthrough="nobody", auto_assign="1")
    row = session.get(Ownership, cast.shop.id)
    assert (row.raw, row.fallthrough, row.auto_assign, row.only_assignee) == (RAW, False, True, False)
    page = browser.page(PAGE)
    assert page.select_one("#raw").text.strip() == RAW
    assert "Saved." in page.select_one(".toast").text
    assert "Version 1 · Alice" in page.select_one("#history").text


def test_saving_says_what_it_changes_for_open_issues(send, browser, cast, make):
    make.now = datetime.now(UTC)
    for n in range(2):
        make.issue(cast.shop, title=f"Key{n}: x", events=1)
    send(status=303, raw="shop/* bob@example.org")
    said = browser.page(PAGE).select_one(".toast").text
    assert "This changes who hears about 2 open issues: Alice −2, Cy −2." in said


def test_a_refused_text_stands_there_as_it_was_typed_with_every_error(send, session):
    page = send(status=422, raw="path:x nobody@example.com #nosuch\npath:*.py")
    errors = [each.text for each in page.select(".errors li")]
    assert errors == [
        "Line 1, column 8: no member with access to shop is called nobody@example.com.",
        "Line 1, column 27: no team with access to shop is called #nosuch.",
        "Line 2, column 10: an owner is missing: name a #team or a mail address after the pattern",
    ]
    assert page.select_one("#raw").text.strip() == "path:x nobody@example.com #nosuch\npath:*.py"
    assert session.query(OwnershipVersion).count() == 0


def test_checks_stand_beside_the_line_and_below_as_a_list(send, cast, make):
    make.issue(cast.shop, events=3)
    page = send("check", raw="# words\nshop/* #shop-team\nx")
    assert messages(page) == [
        "Line 2: 3 of the last 3 events.",
        "Line 3: column 2: an owner is missing: name a #team or a mail address after the pattern.",
    ]
    marks = page.select("#owner-marks li")
    assert [mark.text.strip() for mark in marks][:2] == ["", "3 of the last 3 events"]
    assert page.select_one("#raw")["aria-describedby"] == "owner-checks"


def test_while_somebody_types_the_checks_come_as_fragments(browser, cast, make):
    answer = browser.post(f"{PAGE}check", data={"raw": "x"}, headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<ol")
    assert 'id="owner-checks" hx-swap-oob="true"' in answer.text
    assert "<html" not in answer.text


def test_lines_move_without_a_mouse_or_script(send):
    page = send("down", raw="a #shop-team\nb #shop-team", move="1")
    assert page.select_one("#raw").text.strip() == "b #shop-team\na #shop-team"
    assert page.select_one("#move")["value"] == "2"
    assert send("up", raw="a #shop-team", move="1").select_one("#raw").text.strip() == "a #shop-team"


def test_what_no_line_covers_is_offered_as_a_line_to_begin(send, browser, cast, make):
    make.issue(cast.shop, events=1)
    page = send("check", raw="lib/* #shop-team")
    assert "Uncovered: 100 %" in page.select_one("#owner-checks").text
    assert page.select_one("#owner-checks button[name=add]")["value"] == "path:shop/*"
    page = send("check", raw="lib/* #shop-team", add="path:shop/*")
    assert page.select_one("#raw").text.lstrip("\n") == "lib/* #shop-team\npath:shop/* "


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tried": "SHOP-1"}, "Told: #shop-team (3 of 3), Bob."),
        ({"tried": "shop-1"}, "Told: #shop-team (3 of 3), Bob."),
        ({"path": r"SHOP\a.py"}, "Told: #shop-team (3 of 3)."),
        ({"path": "lib/a.py"}, "Nobody is named: all 3 members would be told."),
        ({"path": "lib/a.py", "fallthrough": "nobody"}, "Nobody would be told."),
        ({"url": "https://x/pay"}, "Told: Cy."),
        ({"tag": "browser=Chrome 81"}, "Told: Cy."),
        ({"tag": "browser"}, "“browser” is no tag: write key=value."),
        ({"tried": "SHOP-9"}, "There is no issue or event “SHOP-9” in Shop."),
    ],
)
def test_the_tester_tells_which_lines_match_and_who_would_be_told(send, cast, make, fields, told):
    make.issue(cast.shop, events=1)
    raw = f"{RAW}\nurl:*/pay cy@example.org\ntags.browser:Chrome* cy@example.org"
    assert told in " ".join(send("try", raw=raw, **fields).select_one("#owner-trial").text.split())


def test_the_tester_says_who_would_get_the_issue_and_why(send, cast, make):
    make.issue(cast.shop, events=1)
    page = send("try", raw=RAW, auto_assign="1", tried="SHOP-1")
    trial = page.select_one("#owner-trial").text
    assert "Auto-assign: Bob (line 2, longest pattern)." in trial
    assert "shop/cart.py, frame 1 of 2" in trial
    offered = [button["value"] for button in page.select("#owner-trial button[name=add]")]
    assert offered == ["path:shop/cart.py", "path:shop/*", "url:*/cart*"]


def test_an_issue_of_another_project_is_not_found_by_the_tester(send, cast, make):
    make.issue(cast.other_shop, events=1)
    assert "There is no issue" in send("try", raw=RAW, tried="OTHER-SHOP-1").select_one("#owner-trial").text


def test_an_earlier_version_can_be_read_and_restored(send, browser, session, cast):
    send(status=303, raw=RAW)
    send(status=303, raw="shop/* #shop-team")
    history = browser.page(PAGE).select_one("#history")
    assert "Removed: shop/cart.py bob@example.org line 2" in " ".join(history.text.split())
    assert browser.post(f"{PAGE}versions/1/restoration").location == PAGE
    assert session.get(Ownership, cast.shop.id).raw == RAW
    assert browser.post(f"{PAGE}versions/9/restoration").status_code == 404


def test_a_version_that_names_somebody_who_left_comes_back_to_be_mended(send, browser, session, cast, parsed):
    send(status=303, raw=RAW)
    send(status=303, raw="shop/* #shop-team")
    cast.bob.is_active = False
    answer = browser.post(f"{PAGE}versions/1/restoration")
    assert answer.status_code == 422
    assert parsed(answer).select_one("#raw").text.strip() == RAW
    assert "no member with access to shop is called bob@example.org" in answer.text


def test_who_was_slower_overwrites_nobody(send, browser, session, cast):
    send(status=303, raw=RAW)
    answer = browser.post(PAGE, data={"version": "0", "raw": "x #shop-team"})
    assert answer.status_code == 422
    assert "Somebody else saved these owners meanwhile" in answer.text
    assert session.get(Ownership, cast.shop.id).raw == RAW


def test_members_read_and_try_but_change_nothing(as_user, cast, session, make):
    make.owners(cast.shop, RAW)
    browser = as_user(cast.bob)
    page = browser.page(PAGE)
    assert page.select_one("#raw").has_attr("readonly")
    assert not page.select("button[value=save]")
    assert browser.post(PAGE, data={"raw": RAW, "do": "try", "path": "shop/x"}).status_code == 200
    assert browser.post(PAGE, data={"raw": ""}).status_code == 404
    for path in ("versions/1/restoration", "assignments/", "codeowners/", "codeowners/removal"):
        assert browser.post(f"{PAGE}{path}").status_code == 404
    assert session.get(Ownership, cast.shop.id).raw == RAW


@pytest.mark.parametrize("who", ["dee", "charlie"])
def test_others_do_not_find_it(as_user, cast, who):
    browser = as_user(getattr(cast, who))
    assert browser.get(PAGE).status_code == 404
    assert browser.post(f"{PAGE}check").status_code == 404
    assert browser.post(f"{PAGE}trial").status_code == 404


# CODEOWNERS


def test_a_file_is_imported_and_its_names_are_mapped(browser, cast, session, parsed):
    path = f"{PAGE}codeowners/"
    raw = "*.py @acme/shop-team\n/docs/ @docs\n!x @bob\n"
    assert browser.post(path, data={"file": raw, "stack_root": "/srv/"}).location == path
    row = session.get(Codeowners, cast.shop.id)
    assert (row.names, row.stack_root) == ({"@acme/shop-team": "#shop-team"}, "/srv/")
    page = browser.page(path)
    assert [field["name"] for field in page.select("#names input")] == ["name:@acme/shop-team", "name:@docs"]
    left_out = [each.text for each in page.select(".owner-warning")]
    assert left_out == [
        "Line 2: nobody is named for @docs. /docs/ @docs",
        "Line 3: a path with ! is not taken over. !x @bob",
    ]
    fields = {"file": raw, "name:@acme/shop-team": "#shop-team", "name:@docs": "bob@example.org"}
    assert browser.post(path, data=fields).status_code == 303
    assert browser.page(path).select_one("#taken-title").text == "Taken over: 2 lines"
    refused = browser.post(path, data={"file": raw, "name:@docs": "#nosuch"})
    assert refused.status_code == 422
    assert "@docs: nobody with access to shop is called so." in refused.text
    assert browser.post(f"{PAGE}codeowners/removal").status_code == 303
    assert session.get(Codeowners, cast.shop.id) is None


# Open issues


def test_open_issues_are_assigned_after_a_look(browser, cast, make, session):
    make.owners(cast.shop, RAW)
    issue = make.issue(cast.shop, events=1)
    page = browser.page(f"{PAGE}assignments/")
    assert "SHOP-1" in page.select_one("tbody").text
    assert session.get(Issue, issue.id).assignee_user_id is None
    assert browser.post(f"{PAGE}assignments/").location == PAGE
    assert session.get(Issue, issue.id).assignee_user_id == cast.bob.id
    page = browser.page(f"/acme/shop/issues/{issue.id}/")
    said = " ".join(page.select_one(".timeline").text.split())
    assert (
        "Tocsin assigned it to Bob by issue owners line 2, shop/cart.py bob@example.org, as Alice asked"
        in said
    )
    assert "Nothing to assign." in browser.page(f"{PAGE}assignments/").text


# An issue's page


def test_an_issue_suggests_its_owners_with_the_line_and_a_click_assigns(as_user, cast, make, session):
    make.owners(cast.shop, RAW)
    issue = make.issue(cast.shop, events=1)
    browser = as_user(cast.cy)
    part = browser.page(f"/acme/shop/issues/{issue.id}/").select_one(f"#issue-{issue.id}-suggested")
    assert [each.text for each in part.select(".people li > span + span")] == [
        "#shop-team owners line 1",
        "Bob owners line 2",
    ]
    button = part.select("button[name=assignee]")[1]
    browser.post(part.select_one("form")["action"], data={"assignee": button["value"]})
    assert session.get(Issue, issue.id).assignee_user_id == cast.bob.id


def test_an_issue_offers_lines_to_begin_and_the_editor_begins_them(as_user, browser, cast, make):
    issue = make.issue(cast.shop, events=1)
    page = browser.page(f"/acme/shop/issues/{issue.id}/")
    links = page.select(f"#issue-{issue.id}-suggested a")
    assert [link.text for link in links] == ["path:shop/cart.py", "path:shop/*", "url:*/cart*"]
    assert browser.page(links[1]["href"]).select_one("#raw").text.lstrip("\n") == "path:shop/* "


def test_owners_cost_an_issues_page_no_query(as_user, cast, make, queries):
    issue = make.arrival(cast.shop)
    browser, here = as_user(cast.bob), f"/acme/shop/issues/{issue.id}/"
    browser.get(here)
    make.owners(cast.shop, RAW)
    browser.get(here)
    with queries() as sent:
        browser.get(here)
    assert len(sent) == 8, "\n".join(sent)


def test_what_an_event_says_stays_text_in_the_editor(send, cast, make):
    bad = '<img src=x onerror="x">/*'
    frames = [{"filename": bad, "in_app": True}]
    make.issue(cast.shop)
    make.event(make.issue(cast.shop), exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]})
    page = send("try", raw="x #shop-team", tried="SHOP-2")
    assert not page.select("img")
    assert bad.replace("*", "[*]").replace('"', r"\"") in page.select_one("#owner-trial").text


@pytest.mark.parametrize(("path", "fields"), [("check", {}), ("trial", {}), ("", {"do": "check"})])
def test_checking_and_trying_is_limited_for_each_person(browser, path, fields):
    answers = [browser.post(f"{PAGE}{path}", data=fields, headers=HTMX).status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]


def test_what_is_typed_to_be_tried_is_cut(send):
    page = send("try", raw="x #shop-team", path="p" * 500, url="u" * 500, tag="t=" + "v" * 500)
    assert [len(page.select_one(f"#{each}")["value"]) for each in ("path", "url", "tag")] == [400] * 3
