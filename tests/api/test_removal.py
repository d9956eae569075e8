"""Issues deleted, discarded and merged by programs."""

import pytest
from sqlalchemy import select

from app.models import Event, Issue, Tombstone

LIST = "/projects/acme/shop/issues/"


@pytest.fixture
def statuses(session):
    return lambda: list(session.scalars(select(Issue.status).order_by(Issue.id)))


@pytest.fixture
def three(make, shop):
    return [make.issue(shop, events=n) for n in (1, 3, 2)]


@pytest.mark.parametrize(
    "path", ["/issues/{0.id}/", "/issues/{0.short_id}/", "/organizations/acme/issues/{0.id}/"]
)
def test_one_is_deleted(api, three, statuses, path):
    path = path.format(*three)
    assert api.delete(path).status_code == 202
    assert statuses() == ["deleting", "unresolved", "unresolved"]
    assert api.get(path).status_code == api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("query", "left"),
    [("?id={0.id}&id={2.id}", [1]), ("?query=timesSeen:>2", [0, 2]), ("?status=resolved", [0, 1, 2])],
)
def test_many_are_deleted(api, three, statuses, query, left):
    assert api.delete(LIST + query.format(*three)).status_code == 204
    assert [place for place, status in enumerate(statuses()) if status == "unresolved"] == left


@pytest.mark.parametrize("path", [LIST, "/organizations/acme/issues/"])
def test_nothing_is_deleted_that_was_not_named(api, three, statuses, path):
    assert api.delete(path).status_code == 400
    assert statuses() == ["unresolved"] * 3


def test_what_is_deleted_is_gone_from_every_list_at_once(api, three, session):
    events = api.read("/projects/acme/shop/events/")
    event_id = session.scalar(select(Event.event_id).where(Event.issue_id == three[0].id))
    api.delete(f"/issues/{three[0].id}/")
    assert len(api.read(f"{LIST}?query=")) == 2
    assert len(api.read("/projects/acme/shop/events/")) == len(events) - 1
    for path in (
        f"/projects/acme/shop/events/{event_id}/",
        f"/organizations/acme/eventids/{event_id}/",
        f"/organizations/acme/shortids/{three[0].short_id}/",
        f"/issues/{three[0].id}/events/",
    ):
        assert api.get(path).status_code == 404


def test_issues_are_discarded(api, three, statuses, session):
    answer = api.put(f"{LIST}?id={three[0].id}", {"discard": True})
    assert (answer.status_code, answer.json) == (200, {"discard": True})
    assert statuses() == ["deleting", "unresolved", "unresolved"]
    assert session.scalars(select(Tombstone.short_id)).all() == [three[0].short_id]


def test_a_member_does_not_discard_nor_does_a_token_that_only_writes(program, cast, three, statuses):
    for caller in (program(cast.bob), program(cast.alice, ["event:write"])):
        assert caller.put(f"/issues/{three[0].id}/", {"discard": True}).status_code == 403
    assert statuses() == ["unresolved"] * 3


def test_a_token_that_only_writes_does_not_merge(program, cast, three, statuses):
    path = f"{LIST}?id={three[0].id}&id={three[1].id}"
    assert program(cast.alice, ["event:write"]).put(path, {"merge": True}).status_code == 403
    assert statuses() == ["unresolved"] * 3
    assert program(cast.bob, ["event:admin"]).put(path, {"merge": True}).status_code == 200


def test_issues_are_merged_into_the_one_with_the_most_events(api, three, session):
    query = "&".join(f"id={issue.id}" for issue in three)
    answer = api.put(f"{LIST}?{query}", {"merge": True})
    parent, children = str(three[1].id), {str(three[0].id), str(three[2].id)}
    assert answer.status_code == 200
    assert answer.json["merge"]["parent"] == parent
    assert set(answer.json["merge"]["children"]) == children
    for name in (*children, three[0].short_id, three[2].short_id):
        assert api.read(f"/issues/{name}/")["id"] == parent
    assert api.read(f"/organizations/acme/shortids/{three[0].short_id}/")["groupId"] == parent
    assert api.read(f"/issues/{parent}/")["count"] == "6"


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("?id={0.id}", {"merge": True}),
        ("?id={0.id}&id={1.id}", {"merge": True, "status": "resolved"}),
        ("?id={0.id}&id={1.id}", {"discard": True, "merge": True}),
        ("?id={0.id}", {"discard": True, "assignedTo": "bob@example.org"}),
        ("?id={0.id}", {"discard": "yes"}),
    ],
)
def test_what_cannot_be_done_changes_nothing(api, three, statuses, query, sent):
    assert api.put(LIST + query.format(*three), sent).status_code == 400
    assert statuses() == ["unresolved"] * 3


def test_issues_of_two_projects_are_not_merged(api, make, cast, three, statuses):
    """Case 26."""
    other = make.issue(make.project(cast.acme, "till", teams=[cast.team]))
    answer = api.put(f"/organizations/acme/issues/?id={three[0].id}&id={other.id}", {"merge": True})
    assert answer.status_code == 400
    assert statuses() == ["unresolved"] * 4
