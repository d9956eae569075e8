"""Issues that programs resolve in releases and by commits, and what they read of it."""

import pytest
from sqlalchemy import select

from app.models import Activity

LIST = "/projects/acme/shop/issues/"
SHA = "1f0c3aa" + "0" * 33
IN_COMMIT = {"inCommit": {"commit": "1f0c3aa", "repository": "acme/shop"}}
BY_COMMIT = {"inCommit": {"id": SHA, "repository": {"name": "acme/shop"}}}


@pytest.fixture
def known(make, cast, shop):
    make.release(shop, "4.2.1")
    make.commit(cast.acme, key=SHA)


WAYS = {
    "now": ({"status": "resolved"}, {}),
    "the next release": (
        {"status": "resolved", "statusDetails": {"inNextRelease": True}},
        {"inNextRelease": True},
    ),
    "the next release, in one word": ({"status": "resolvedInNextRelease"}, {"inNextRelease": True}),
    "a release": (
        {"status": "resolved", "statusDetails": {"inRelease": "4.2.1"}},
        {"inRelease": "4.2.1"},
    ),
    "the latest release": (
        {"status": "resolved", "statusDetails": {"inRelease": "latest"}},
        {"inRelease": "4.2.1"},
    ),
    "a commit": ({"status": "resolved", "statusDetails": IN_COMMIT}, BY_COMMIT),
}


@pytest.mark.parametrize(("sent", "details"), WAYS.values(), ids=WAYS)
def test_an_issue_is_resolved_in(api, known, issue, sent, details):
    answer = api.put("/issues/SHOP-1/", sent)
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["statusDetails"]) == ("resolved", details)
    assert answer.json["substatus"] is None
    read = api.read("/issues/SHOP-1/")
    assert (read["status"], read["statusDetails"]) == ("resolved", details)
    [line] = api.read(f"{LIST}?query=is:resolved")
    assert line["statusDetails"] == details


@pytest.mark.parametrize(("sent", "details"), WAYS.values(), ids=WAYS)
def test_many_are_and_the_answer_says_in_what(api, known, make, shop, sent, details):
    [make.issue(shop) for _ in range(3)]
    answer = api.put(LIST, sent)
    assert answer.json == {"status": "resolved", "statusDetails": details}
    assert [line["statusDetails"] for line in api.read(f"{LIST}?query=is:resolved")] == [details] * 3


@pytest.mark.parametrize(("sent", "details"), WAYS.values(), ids=WAYS)
def test_the_same_again_changes_nothing(api, known, issue, session, sent, details):
    assert api.put("/issues/SHOP-1/", sent).json["statusDetails"] == details
    assert api.put("/issues/SHOP-1/", sent).json["statusDetails"] == details
    assert len(session.scalars(select(Activity)).all()) == 1


def test_a_commit_in_a_release_says_both(api, make, cast, shop, issue):
    make.commit(cast.acme, key=SHA, release=make.release(shop, "4.2.1"))
    answer = api.put("/issues/SHOP-1/", {"status": "resolved", "statusDetails": IN_COMMIT})
    assert answer.json["statusDetails"] == {"inRelease": "4.2.1", **BY_COMMIT}


def test_once_it_is_unresolved_it_has_no_details(api, known, issue):
    api.put("/issues/SHOP-1/", {"status": "resolvedInNextRelease"})
    assert api.put("/issues/SHOP-1/", {"status": "unresolved"}).json["statusDetails"] == {}


def test_its_history_names_the_release_and_the_commit(api, known, issue):
    api.put("/issues/SHOP-1/", {"status": "resolved", "statusDetails": {"inRelease": "4.2.1"}})
    api.put("/issues/SHOP-1/", {"status": "resolved", "statusDetails": IN_COMMIT})
    by_commit, in_release = api.read("/issues/SHOP-1/")["activity"]
    assert (in_release["type"], in_release["data"]["version"]) == ("set_resolved_in_release", "4.2.1")
    assert (by_commit["type"], by_commit["data"]["commit"]) == ("set_resolved_in_commit", SHA)


BAD = {
    "an unknown release": ({"inRelease": "9"}, "inRelease", "Shop has no release “9”."),
    "an unknown commit": (
        {"inCommit": {"commit": "9c1d2e7", "repository": "acme/shop"}},
        "inCommit",
        "No commit 9c1d2e7 of acme/shop is known here.",
    ),
    "an unknown repository": (
        {"inCommit": {"commit": SHA, "repository": "acme/site"}},
        "inCommit",
        "There is no repository “acme/site” here.",
    ),
    "a release that is no text": (
        {"inRelease": 4},
        "inRelease",
        'Must be the version of a release, or "latest".',
    ),
    "two at once": (
        {"inRelease": "4.2.1", "inNextRelease": True},
        "statusDetails",
        "Only one of inRelease, inNextRelease can be meant.",
    ),
}


@pytest.mark.parametrize(("details", "member", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("path", ["/issues/SHOP-1/", LIST])
def test_what_cannot_be_is_named_and_changes_nothing(
    api, known, issue, session, path, details, member, message
):
    answer = api.put(path, {"status": "resolved", "statusDetails": details})
    assert (answer.status_code, answer.json) == (400, {member: [message]})
    assert session.scalars(select(Activity)).all() == []
    assert issue.status == "unresolved"


def test_without_any_release_the_next_one_is_refused(api, issue):
    answer = api.put("/issues/SHOP-1/", {"status": "resolvedInNextRelease"})
    assert answer.status_code == 400
    assert "Shop has no release yet" in answer.json["inRelease"][0]


def test_releases_are_chosen_for_one_project_at_a_time(api, known, make, cast, issue, session):
    other = make.issue(make.project(cast.acme, "site"))
    path = f"/organizations/acme/issues/?id={issue.id}&id={other.id}"
    answer = api.put(path, {"status": "resolvedInNextRelease"})
    assert answer.status_code == 400
    assert "several projects" in answer.json["detail"]
    assert session.scalars(select(Activity)).all() == []
    assert api.put(path, {"status": "resolved"}).status_code == 200


def test_a_long_list_asks_no_more_about_resolutions_than_a_short_one(api, known, make, shop, queries):
    make.issue(shop)
    api.put(LIST, {"status": "resolvedInNextRelease"})
    few = queries(api.get, f"{LIST}?query=is:resolved")
    [make.issue(shop) for _ in range(20)]
    api.put(LIST, {"status": "resolved", "statusDetails": IN_COMMIT})
    assert queries(api.get, f"{LIST}?query=is:resolved") <= few
