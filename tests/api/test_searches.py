"""Kept searches through the API, and the language of searches in lists of issues."""

import pytest

pytestmark = pytest.mark.any_database
AT, PIN = "/organizations/acme/searches/", "/organizations/acme/pinned-searches/"


def test_a_search_is_kept_listed_and_deleted(api):
    made = api.post(AT, {"name": "Fatal", "query": "level:fatal", "visibility": "organization"})
    assert made.status_code == 201
    found = api.get(AT).json
    assert [each["name"] for each in found if each["isGlobal"]][:2] == ["Unresolved", "Needs triage"]
    assert found[-1] == made.json
    assert (made.json["visibility"], made.json["sort"], made.json["isPinned"]) == (
        "organization",
        "date",
        False,
    )
    assert api.delete(f"{AT}{made.json['id']}/").status_code == 204
    assert made.json["id"] not in [each["id"] for each in api.get(AT).json]


@pytest.mark.parametrize(
    ("given", "member"),
    [
        ({"name": "", "query": "x"}, "name"),
        ({"name": "n", "query": "is:x"}, "query"),
        ({"name": "n", "query": "x", "sort": "loud"}, "sort"),
        ({"name": "n", "query": "x", "visibility": "everyone"}, "visibility"),
        ({"name": 5, "query": "x"}, "name"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_member(api, given, member):
    refused = api.post(AT, given)
    assert (refused.status_code, list(refused.json)) == (400, [member])


def test_a_pin_shows_in_the_list(api):
    assert api.put(PIN, {"query": "is:unresolved assigned:me", "sort": "priority"}).json["isPinned"]
    assert [each["name"] for each in api.get(AT).json if each["isPinned"]] == ["Assigned to me"]
    assert [api.delete(PIN).status_code for _ in range(2)] == [204, 404]
    assert not [each for each in api.get(AT).json if each["isPinned"]]


@pytest.mark.parametrize("path", ["/projects/acme/shop/issues/", "/organizations/acme/issues/"])
def test_lists_take_the_language_of_the_pages(api, make, shop, path):
    make.issue(shop, title="often", times_seen=100)
    make.issue(shop, title="once", times_seen=1)
    found = api.get(f"{path}?query=is:unresolved+timesSeen:<500+!told:me&sort=priority")
    assert [each["title"] for each in found.json] == ["often", "once"]
    refused = api.get(f"{path}?query=is:nonsense+stack.lineno:4")
    assert refused.status_code == 400
    assert all(part in refused.json["detail"] for part in ("is:nonsense", "for_review", "stack.lineno"))


def test_a_search_is_kept_in_the_order_that_lists_are_asked_for(api):
    made = api.post("/organizations/acme/searches/", {"name": "Most people", "query": "", "sort": "user"})
    assert (made.status_code, made.json["sort"]) == (201, "user")
    assert api.get(f"/organizations/acme/issues/?sort={made.json['sort']}").status_code == 200
