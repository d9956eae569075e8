"""Issues as clients read them: lists, searches, details, comments."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.short_id import encode


def titles(answer) -> list[str]:
    return [row["title"] for row in answer]


@pytest.fixture
def issues(make, cast, now):
    """In the order in which they were last seen, the newest last."""
    found = []
    for n, (title, status, level) in enumerate(
        [
            ("KeyError: open", "unresolved", "error"),
            ("ValueError: done", "resolved", "warning"),
            ("OSError: silent", "ignored", "fatal"),
        ]
    ):
        seen = now + timedelta(hours=n)
        found.append(make.issue(cast.shop, title=title, status=status, level=level, last_seen=seen))
    return found


def test_an_issue_has_every_member_that_clients_index(api, make, cast):
    issue = make.issue(
        cast.shop, events=3, users_seen=2, assignee_user_id=cast.bob.id, regressed_at=cast.shop.created_at
    )
    make.subscription(issue, cast.alice, "subscribed")
    [row] = api.read("/projects/acme/shop/issues/")
    stats = row.pop("stats")
    assert row == {
        "id": str(issue.id),
        "shortId": "SHOP-1",
        "title": "KeyError: cart",
        "culprit": "shop.cart.checkout",
        "level": "error",
        "type": "error",
        "status": "unresolved",
        "substatus": "regressed",
        "statusDetails": {},
        "platform": "python",
        "project": {"id": str(cast.shop.id), "slug": "shop", "name": "Shop", "platform": "python"},
        "metadata": {"type": "KeyError", "value": "cart", "filename": "shop/cart.py", "function": "checkout"},
        "count": "3",
        "userCount": 2,
        "firstSeen": "2026-11-20T12:00:00.000000Z",
        "lastSeen": "2026-11-20T12:00:00.000000Z",
        "assignedTo": {"type": "user", "id": str(cast.bob.id), "name": "Bob", "email": "bob@example.org"},
        "isBookmarked": False,
        "isSubscribed": True,
        "hasSeen": False,
        "isPublic": False,
        "logger": None,
        "annotations": [],
        "numComments": 0,
        "shareId": None,
        "permalink": f"https://tocsin.example.org/acme/shop/issues/{issue.id}/",
        "priority": "high",
    }
    assert len(stats["24h"]) == 24


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["open"]),
        ("?query=", ["silent", "done", "open"]),
        ("?query=is:resolved", ["done"]),
        ("?query=is:archived", ["silent"]),
        ("?query=!is:unresolved%20level:fatal", ["silent"]),
        ("?query=issue:SHOP-2", ["done"]),
        ("?query=%22valueerror%22", ["done"]),
        ("?query=&statsPeriod=1h", []),
        ("?query=&statsPeriod=99999d", ["silent", "done", "open"]),
        ("?query=&sort=new&limit=1", ["silent"]),
        ("?query=&project=shop", ["silent", "done", "open"]),
        ("?query=&project=-1", ["silent", "done", "open"]),
        ("?query=&project=tools", []),
        ("?query=&project=tools&project=shop", ["silent", "done", "open"]),
    ],
)
def test_searches_of_an_organization(api, make, cast, issues, query, found):
    make.project(cast.acme, "tools", teams=[cast.team])
    rows = api.read(f"/organizations/acme/issues/{query}")
    assert [title.split()[-1] for title in titles(rows)] == found


def test_projects_and_organizations_may_be_named_by_id(api, cast, issues):
    by_slug = api.read("/projects/acme/shop/issues/?query=")
    assert api.read(f"/projects/{cast.acme.id}/{cast.shop.id}/issues/?query=") == by_slug
    assert api.read(f"/organizations/{cast.acme.id}/issues/?query=&project={cast.shop.id}") == by_slug


def test_environments_narrow_the_list(api, make, cast):
    make.arrival(cast.shop, "Staged: x", environment="staging")
    make.arrival(cast.shop, "Live: x", environment="production")
    make.arrival(cast.shop, "Local: x", environment="dev")
    assert titles(api.read("/projects/acme/shop/issues/?environment=staging")) == ["Staged: x"]
    both = api.read("/organizations/acme/issues/?environment=staging&environment=dev")
    assert sorted(titles(both)) == ["Local: x", "Staged: x"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("query=is:nonsense", "is takes unresolved, resolved"),
        ("sort=age", "sort must be one of: date, new, freq, user"),
        ("statsPeriod=often", "such as 14d"),
    ],
)
def test_what_is_not_understood_says_what_would_be(api, issues, query, says):
    answer = api.get(f"/projects/acme/shop/issues/?{query}")
    assert answer.status_code == 400
    assert says in answer.json["detail"]


def test_substatus_says_more_than_status(api, make, cast):
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    make.issue(cast.shop, first_seen=long_ago)
    make.issue(cast.shop, regressed_at=cast.shop.created_at)
    make.issue(cast.shop, status="ignored")
    make.issue(cast.shop, status="resolved")
    make.issue(cast.shop, first_seen=datetime.now(UTC))
    rows = api.read("/projects/acme/shop/issues/?query=")
    assert {row["shortId"]: row["substatus"] for row in rows} == {
        "SHOP-1": "ongoing",
        "SHOP-2": "regressed",
        "SHOP-3": "archived_forever",
        "SHOP-4": None,
        "SHOP-5": "new",
    }


@pytest.mark.parametrize("name", ["{id}", "SHOP-1", "shop-1"])
@pytest.mark.parametrize("before", ["", "/organizations/acme"])
def test_an_issue_is_found_by_id_and_by_short_id(api, issue, before, name):
    path = f"{before}/issues/{name.format(id=issue.id)}/"
    assert api.read(path)["id"] == str(issue.id)


def test_details_add_releases_tags_and_history(api, make, cast, acts):
    issue = make.arrival(cast.shop)
    acts.assign(issue, to=cast.team, by=cast.bob)
    details = api.read(f"/issues/{issue.id}/")
    assert details["firstRelease"] == details["lastRelease"] == {"version": "shop@1.0.0"}
    assert {"key": "browser", "name": "browser", "topValues": [{"value": "Firefox 128", "percent": 100}]} in (
        details["tags"]
    )
    [activity] = details["activity"]
    assert (activity["type"], activity["user"]["name"]) == ("assigned", "Bob")
    assert activity["data"] == {"to": {"type": "team", "id": cast.team.id, "name": "#shop-team"}}
    assert details["assignedTo"] == {"type": "team", "id": str(cast.team.id), "name": "shop-team"}


def test_a_short_id_that_two_organizations_have_needs_the_organization(api, make, cast):
    other = make.project(cast.rivals, "shop", teams=[])
    make.member(cast.rivals, cast.alice, role="owner")
    ours, theirs = make.issue(cast.shop), make.issue(other)
    assert ours.short_id == theirs.short_id == encode("shop", 1)
    answer = api.put("/issues/SHOP-1/", {"status": "resolved"})
    assert (answer.status_code, list(answer.json)) == (400, ["detail"])
    assert api.read("/issues/SHOP-1/?org=rivals")["id"] == str(theirs.id)
    assert api.read("/organizations/acme/issues/SHOP-1/")["id"] == str(ours.id)


def test_a_short_id_leads_to_its_issue(api, issue):
    found = api.read("/organizations/acme/shortids/shop-1/")
    assert found["group"]["id"] == found["groupId"] == str(issue.id)
    assert (found["organizationSlug"], found["projectSlug"], found["shortId"]) == ("acme", "shop", "SHOP-1")


def test_a_comment_is_written_read_and_told(program, api, issue, cast, run_jobs, told):
    made = program(cast.bob).post("/issues/SHOP-1/comments/", {"text": " Looking into it. "})
    assert (made.status_code, made.json["data"]["text"]) == (201, "Looking into it.")
    assert api.read("/issues/SHOP-1/comments/") == [made.json]
    run_jobs()
    assert told("comment") == ["alice", "cy"]


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({}, {"text": ["Write something first: the comment is empty."]}),
        ({"text": 5}, {"text": ["Must be text."]}),
        ({"txt": "Hello"}, {"txt": ["Unknown. There are: text."]}),
        ([], {"detail": "The body must be a JSON object."}),
    ],
)
def test_a_comment_that_says_nothing_is_refused(api, issue, sent, errors):
    answer = api.post("/issues/SHOP-1/comments/", sent)
    assert (answer.status_code, answer.json) == (400, errors)


@pytest.fixture
def bobs_comment(program, cast, issue):
    """Where it is, once everything that it tells has been told."""
    made = program(cast.bob).post("/issues/SHOP-1/comments/", {"text": "Looking into it."})
    return f"/issues/SHOP-1/comments/{made.json['id']}/"


def test_other_words_are_marked_as_such_and_tell_nobody_anew(
    program, api, cast, bobs_comment, run_jobs, told, as_user
):
    run_jobs()
    told()
    answer = program(cast.bob).put(bobs_comment, {"text": "Found it, @cy."})
    assert (answer.status_code, answer.json["data"]["text"]) == (200, "Found it, @cy.")
    assert "edited_at" in answer.json["data"]
    assert api.read("/issues/SHOP-1/comments/") == [answer.json]
    run_jobs()
    assert told() == []
    page = as_user(cast.alice).page(f"/acme/shop/issues/{api.read('/issues/SHOP-1/')['id']}/")
    assert "Edited since" in page.select_one(".timeline").text


def test_only_who_wrote_a_comment_changes_it(program, api, cast, bobs_comment):
    for person in (cast.alice, cast.cy):
        assert program(person).put(bobs_comment, {"text": "Mine"}).status_code == 403
    [comment] = api.read("/issues/SHOP-1/comments/")
    assert comment["data"] == {"text": "Looking into it."}


@pytest.mark.parametrize(("who", "status"), [("bob", 204), ("alice", 204), ("cy", 403), ("charlie", 404)])
def test_a_comment_is_deleted_by_who_wrote_it_or_by_an_admin(program, api, cast, bobs_comment, who, status):
    assert program(getattr(cast, who)).delete(bobs_comment).status_code == status
    left = [] if status == 204 else ["Looking into it."]
    assert [each["data"]["text"] for each in api.read("/issues/SHOP-1/comments/")] == left
    assert program(cast.bob).delete(bobs_comment).status_code == (204 if left else 404)


def test_of_a_comment_that_was_deleted_nobody_is_told_any_more(
    program, cast, bobs_comment, run_jobs, told, as_user, issue
):
    program(cast.alice).delete(bobs_comment)
    run_jobs()
    assert told() == []
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert "Alice deleted the comment." in page.select_one(".timeline").text


@pytest.mark.parametrize("sent", [{}, {"text": ""}, {"text": 5}, {"words": "x"}])
def test_a_comment_cannot_be_emptied(program, cast, bobs_comment, sent):
    assert program(cast.bob).put(bobs_comment, sent).status_code == 400
