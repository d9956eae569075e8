"""The Resolve menu of an issue's page, and what the page says of how it was resolved."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.resolutions import in_commit, in_next_release, in_release
from app.models import Activity, Issue, Notice
from app.services.issues import reopening, resolving
from app.services.releases import fixing
from tests.web.issues.conftest import HOSTILE

SHA = "1f0c3aa" + "0" * 33


@pytest.fixture
def post(as_user, bob, issue):
    """Bob sends the form with these fields."""
    return lambda headers=None, **data: as_user(bob).post(
        f"/issues/{issue.id}/resolution", data=data, headers=headers
    )


@pytest.fixture
def page(as_user, bob, issue):
    return lambda: as_user(bob).page(f"/acme/shop/issues/{issue.id}/")


@pytest.fixture
def menu(page, issue):
    return lambda: page().select_one(f"#issue-{issue.id}-resolve")


def last(session) -> Activity | None:
    session.expire_all()
    return session.scalars(select(Activity).order_by(Activity.id.desc())).first()


def words(tag, between: str = "") -> str:
    return " ".join(tag.get_text(between).split())


# What is offered


def test_without_releases_and_commits_only_now_is_offered(menu):
    offered = menu()
    assert [words(each, " ") for each in offered.select("button.menu-item")] == [
        "Now Whatever comes in after this opens it again"
    ]
    assert not offered.select("#release, #commit")
    assert "as soon as an event names one" in offered.text


def test_with_releases_the_next_the_current_and_any_other_are(make, shop, menu, now):
    make.release(shop, "4.2.0", at=now)
    make.release(shop, "4.2.1", at=now + timedelta(hours=1))
    offered = menu()
    assert [words(each, " ") for each in offered.select("button.menu-item")] == [
        "Now Whatever comes in after this opens it again",
        "In the next release Events of 4.2.1 and older do not open it again",
        "In the current release, 4.2.1 "
        "Events of that release or a newer one open it again, older ones do not",
    ]
    assert [each["value"] for each in offered.select("datalist option")] == ["4.2.1", "4.2.0"]
    assert not offered.select("#commit")


def test_with_commits_they_are_too(make, cast, menu):
    make.commit(cast.acme)
    assert menu().select_one("input[name=repository]")["value"] == "acme/shop"
    make.commit(cast.acme, repository="acme/site")
    make.commit(cast.rivals, repository="rivals/shop")
    assert [each.text for each in menu().select("#repository option")] == ["acme/shop", "acme/site"]


def test_everything_in_the_menu_has_a_name_and_says_what_it_means(make, cast, shop, menu):
    make.release(shop, "4.2.1")
    make.commit(cast.acme)
    make.commit(cast.acme, repository="acme/site")
    offered = menu()
    for control in offered.select("input:not([type=hidden]), select"):
        label = offered.select_one(f"label[for={control['id']}]")
        assert label or control.get("aria-label")
        for described in control.get("aria-describedby", "").split():
            assert offered.select_one(f"#{described}").text
    assert all(form["method"] == "post" and form["action"] for form in offered.select("form"))


def test_a_very_long_version_is_shown_short_and_sent_whole(make, shop, menu):
    make.release(shop, "x" * 200)
    button = menu().select_one("button[name=release]")
    assert button["value"] == "x" * 200
    assert "x" * 50 not in button.text


def test_who_may_reopen_it_is_not_offered_to_resolve_it(make, shop, issue, page, session):
    issue.status = "resolved"
    session.flush()
    found = page()
    assert not found.select(f"#issue-{issue.id}-resolve, #issue-{issue.id}-way")
    assert found.select_one(f"#issue-{issue.id}-reopen").text.strip() == "Reopen"


def test_what_is_resolved_can_be_resolved_in_something_else(make, cast, shop, issue, page, post, session):
    make.release(shop, "4.2.1")
    make.commit(cast.acme, key=SHA)
    post()
    found = page().select_one(f"#issue-{issue.id}-way")
    assert [words(each, " ").partition(" Events")[0] for each in found.select("button.menu-item")] == [
        "In the next release",
        "In the current release, 4.2.1",
    ]
    assert found.select_one("#release")
    assert found.select_one("#commit")
    post(into="next")
    assert (last(session).type, issue.status) == ("set_resolved_in_release", "resolved")
    assert "Now" in page().select_one(f"#issue-{issue.id}-way").text
    post(into="commit", repository="acme/shop", commit="1f0c3aa")
    assert last(session).type == "set_resolved_in_commit"
    post(into="")
    assert last(session).type == "set_resolved"


def test_without_script_a_wrong_release_of_a_resolved_issue_comes_back_to_be_mended(
    make, shop, issue, post, parsed
):
    make.release(shop, "4.2.1")
    post()
    answer = post(into="release", release="4.2.9")
    assert answer.status_code == 422
    menu = parsed(answer.text).select_one(f"#issue-{issue.id}-way")
    assert "open" in menu.attrs
    assert menu.select_one("#release")["value"] == "4.2.9"


# What is sent


SENT = {
    "now": ({}, "set_resolved", "", "Resolved."),
    "now, said": ({"into": ""}, "set_resolved", "", "Resolved."),
    "the next release": ({"into": "next"}, "set_resolved_in_release", "", "Resolved in the next release."),
    "the current one": ({"release": "4.2.1"}, "set_resolved_in_release", "4.2.1", "Resolved in 4.2.1."),
    "another one": (
        {"into": "release", "release": " 4.2.0 "},
        "set_resolved_in_release",
        "4.2.0",
        "Resolved in 4.2.0.",
    ),
    "the latest": (
        {"into": "release", "release": "latest"},
        "set_resolved_in_release",
        "4.2.1",
        "Resolved in 4.2.1.",
    ),
    "a commit": (
        {"into": "commit", "repository": "acme/shop", "commit": "1f0c3aa"},
        "set_resolved_in_commit",
        "",
        "Resolved by commit 1f0c3aa.",
    ),
}


@pytest.mark.parametrize(("fields", "type_", "version", "said"), SENT.values(), ids=SENT)
def test_the_form_resolves_it(
    make, cast, shop, session, post, htmx, parsed, now, fields, type_, version, said
):
    make.release(shop, "4.2.0", at=now - timedelta(days=1))
    make.release(shop, "4.2.1")
    make.commit(cast.acme, key=SHA)
    part = parsed(post(htmx("section#x"), **fields).text)
    assert part.select_one(".toast p").text == said
    activity = last(session)
    assert (activity.type, activity.data.get("version", "")) == (type_, version)


REFUSED = {
    "no release in the project": ({"into": "next"}, "release", "has no release yet"),
    "no name": ({"into": "release", "release": " "}, "release", "Name the release"),
    "no commit": ({"into": "commit", "repository": "acme/shop", "commit": "9c1d"}, "repository", "acme/shop"),
    "nothing that we know": ({"into": "yesterday"}, "into", "Choose in what to resolve it"),
}


@pytest.mark.parametrize(("fields", "at_fault", "problem"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("script", [True, False])
def test_what_cannot_be_is_said_and_changes_nothing(
    session, issue, post, htmx, parsed, fields, at_fault, problem, script
):
    answer = post(htmx("section#x") if script else {}, **fields)
    assert answer.status_code == 422
    assert problem in parsed(answer.text).select_one(f"#issue-{issue.id}-actions .errors").text
    assert last(session) is None
    assert session.get_one(Issue, issue.id).status == "unresolved"


@pytest.mark.parametrize("script", [True, False])
def test_an_unknown_release_stays_as_typed_in_an_open_menu(
    make, shop, issue, session, post, htmx, parsed, script
):
    make.release(shop, "4.2.1")
    answer = post(htmx("section#x") if script else {}, into="release", release="4.2.9")
    menu = parsed(answer.text).select_one(f"#issue-{issue.id}-resolve")
    assert menu.has_attr("open")
    field = menu.select_one("#release")
    assert (field["value"], field["aria-invalid"]) == ("4.2.9", "true")
    assert "Shop has no release “4.2.9”" in menu.select_one("#release-error").text


def test_an_unknown_commit_stays_as_typed(make, cast, issue, post, htmx, parsed):
    make.commit(cast.acme)
    make.commit(cast.acme, repository="acme/site")
    part = parsed(post(htmx("section#x"), into="commit", repository="acme/site", commit="9c1d2e7").text)
    menu = part.select_one(f"#issue-{issue.id}-resolve")
    assert menu.has_attr("open")
    assert menu.select_one("#commit")["value"] == "9c1d2e7"
    assert menu.select_one("#repository option[selected]").text == "acme/site"


def test_what_is_so_already_is_said_to_be(make, shop, post, htmx, parsed):
    make.release(shop, "4.2.1")
    post(into="next")
    again = parsed(post(htmx("section#x"), into="next").text)
    assert again.select_one(".toast p").text == "It was resolved already: nothing changed."


# What the page says afterwards


@pytest.fixture
def ways(make, cast, shop, session, issue, now):
    make.release(shop, "4.2.1")
    make.repository(cast.acme, url="https://git.example.org/shop")
    make.commit(cast.acme, "Guard the cart\n\nLong story", key=SHA)


SAID = {
    "now": (None, "Resolved by Alice", "Alice resolved it"),
    "next": (
        in_next_release(),
        "Resolved in the next release after 4.2.1 by Alice",
        "Alice resolved it in the next release, the next after 4.2.1",
    ),
    "release": (in_release("4.2.1"), "Resolved in 4.2.1 by Alice", "Alice resolved it in 4.2.1"),
    "commit": (
        in_commit("acme/shop", SHA),
        "Resolved by commit 1f0c3aa, by Alice",
        "Alice resolved it by commit 1f0c3aa “Guard the cart”, which was in no release yet",
    ),
}


@pytest.mark.parametrize(("into", "state", "entry"), SAID.values(), ids=SAID)
def test_it_says_in_what_it_was_resolved_and_by_whom(
    cast, session, issue, ways, page, now, into, state, entry
):
    resolving.resolve(session, issue, by=cast.alice, now=now, into=into)
    found = page()
    assert words(found.select_one(f"#issue-{issue.id}-state")) == state
    assert words(found.select_one(".timeline .said > span")) == entry


def test_a_commit_leads_to_its_page(cast, session, issue, ways, page, now):
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_commit("acme/shop", SHA))
    links = page().select(f'a[href="https://git.example.org/shop/commit/{SHA}"]')
    assert [link.text for link in links] == ["1f0c3aa", "1f0c3aa"]


def test_the_next_release_is_named_once_it_is_there(make, cast, shop, session, issue, ways, page, now):
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_next_release())
    make.release(shop, "4.2.2", at=now + timedelta(hours=1))
    found = page()
    assert words(found.select_one(f"#issue-{issue.id}-state")) == "Resolved in 4.2.2 by Alice"
    said = words(found.select_one(".timeline .said > span"))
    assert said == "Alice resolved it in 4.2.2, the next after 4.2.1"


def test_a_commit_that_fixes_it_shows_before_and_after_its_release(
    make, cast, shop, session, issue, page, now
):
    commit = make.commit(cast.acme, "Fixes SHOP-1", key=SHA)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    release = make.release(shop, "4.2.2")
    fixing.release_commits(session, release, [commit], now=now)
    found = page()
    said = [words(each) for each in found.select(".timeline .said > span")]
    assert said[:2] == [
        "Tocsin resolved it in 4.2.2, which has commit 1f0c3aa “Fixes SHOP-1”",
        "Commit 1f0c3aa “Fixes SHOP-1” by Ana Lima fixes it, once it is in a release",
    ]
    assert words(found.select_one(f"#issue-{issue.id}-state")) == "Resolved in 4.2.2 by Tocsin"
    fixing.unlink(session, issue, commit, now=now)
    said = words(page().select_one(".timeline .said > span"))
    assert said == "Reopened: commit 1f0c3aa, which resolved it, no longer says so"


@pytest.mark.parametrize(
    ("is_released", "toast", "entry", "told"),
    [
        (
            True,
            "Commit 1f0c3aa does not fix it: unresolved again.",
            "Bob reopened it: commit 1f0c3aa “Fixes SHOP-1” does not fix it",
            ["resolved", "reopened"],
        ),
        (
            False,
            "Commit 1f0c3aa does not fix it. It stays unresolved.",
            "Bob said that commit 1f0c3aa “Fixes SHOP-1” does not fix it",
            [],
        ),
    ],
)
def test_a_commit_that_does_not_fix_it_says_who_said_so_and_that_is_taken_back(
    as_user, make, cast, shop, session, issue, bob, page, htmx, parsed, now, is_released, toast, entry, told
):
    commit = make.commit(cast.acme, "Fixes SHOP-1", key=SHA)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    if is_released:
        fixing.release_commits(session, make.release(shop, "4.2.2"), [commit], now=now)
    [form] = page().select(f"#issue-{issue.id}-fixes form")
    assert form.button["aria-label"] == "Not fixed by this commit, 1f0c3aa"
    assert as_user(cast.dee).post(form["action"]).status_code == 404
    answer = as_user(bob).post(form["action"], headers=htmx("section#x"))
    part = parsed(answer.text)
    assert part.select_one(".toast p").text == toast
    assert words(part.select_one(".timeline .said > span")) == entry
    [line] = part.select(f"#issue-{issue.id}-fixes[hx-swap-oob] li")
    assert words(line) == "1f0c3aa: not a fix, says Bob · Take back"
    assert line.button["id"] == form.button["id"]
    assert list(session.scalars(select(Notice.kind).order_by(Notice.id))) == told
    again = as_user(bob).post(form["action"], headers=htmx("section#x"))
    assert "nothing changed" in parsed(again.text).select_one(".toast p").text
    assert as_user(cast.dee).post(line.form["action"]).status_code == 404
    answers = [as_user(bob).post(line.form["action"], headers=htmx("section#x")).text for _ in range(2)]
    back, nothing = map(parsed, answers)
    toast = back.select_one(".toast p").text
    assert toast == "Commit 1f0c3aa is said to fix it again. It stays unresolved."
    entry = words(back.select_one(".timeline .said > span"))
    assert entry == "Bob took back that commit 1f0c3aa “Fixes SHOP-1” does not fix it"
    assert back.select_one(f"#issue-{issue.id}-fixes form")["action"] == form["action"]
    assert "nothing changed" in nothing.select_one(".toast p").text
    assert list(session.scalars(select(Notice.kind).order_by(Notice.id))) == told


def test_what_a_commit_is_to_an_issue_is_changed_so_often_a_minute_and_no_more(as_user, issue, bob):
    here = f"/issues/{issue.id}/fixes/1/refutation"
    answers = [as_user(bob).post(each).status_code for each in [here, f"{here}/withdrawal"] * 16]
    assert 429 not in answers[:30]
    assert answers[30:] == [429, 429]


def test_whose_commit_was_said_to_fix_an_issue_follows_it_for_that_also_when_it_does_not(
    as_user, make, cast, session, issue, now
):
    commit = make.commit(cast.acme, "Fixes SHOP-1", key=SHA, author=cast.bob)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    fixing.refute(session, issue, commit.id, by=cast.cy, now=now)
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert "You’re subscribed: a commit of yours was said to fix it." in words(page.select_one(".follow"))
    assert "committed what was said to fix it" in words(page.select_one(f"#issue-{issue.id}-participants"))


@pytest.mark.parametrize(
    ("into", "version", "compared"),
    [
        (None, "4.2.2", "It came back in 4.2.2"),
        (in_release("4.2.1"), "4.2.1", "It came back in 4.2.1 (the release it was resolved in)"),
        (
            in_release("4.2.1"),
            "4.2.2",
            "It came back in 4.2.2 (newer than 4.2.1, in which it was resolved)",
        ),
    ],
)
def test_a_regression_says_which_versions_it_compared(
    make, cast, shop, session, page, report, run_jobs, now, issue, into, version, compared
):
    make.release(shop, "4.2.1", at=now - timedelta(days=1))
    resolving.resolve(session, issue, by=cast.alice, now=now, into=into)
    report(release=version)
    run_jobs()
    entries = [words(each) for each in page().select(".timeline .said > span")]
    assert any(entry.startswith(f"{compared}, with event ") for entry in entries), entries


def test_once_it_is_reopened_nothing_is_left_of_it(cast, session, issue, ways, page, now):
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_release("4.2.1"))
    reopening.reopen(session, issue, by=cast.bob, now=now)
    assert "Resolved" not in page().select_one(f"#issue-{issue.id}-state").text


def test_hostile_names_are_shown_as_text(make, cast, shop, session, issue, page, now):
    make.repository(cast.acme, HOSTILE, url="javascript:alert(1)")
    make.commit(cast.acme, f"{HOSTILE} Fixes SHOP-1", key=SHA, repository=HOSTILE, author=HOSTILE)
    make.release(shop, HOSTILE)
    shown = [page()]
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_commit(HOSTILE, SHA))
    shown.append(page())
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_release(HOSTILE))
    shown.append(page())
    for found in shown:
        assert HOSTILE[:20] in found.text or HOSTILE in str(found.select("[value]"))
        assert not found.select("script:not([src])")
        assert not found.select('[hx-get="/boom"], [href^=javascript]')
