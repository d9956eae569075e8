"""Issues changed by programs: one and many, once and again."""

import pytest
from sqlalchemy import select

from app.models import Activity, Issue, Subscription

LIST = "/projects/acme/shop/issues/"


@pytest.fixture
def statuses(session, cast):
    """The status of each issue of shop, in order."""

    def now() -> list[str]:
        found = select(Issue.status).where(Issue.project_id == cast.shop.id).order_by(Issue.id)
        return list(session.scalars(found))

    return now


@pytest.fixture
def three(make, shop):
    """Unresolved, resolved and ignored."""
    return [make.issue(shop, status=status) for status in ("unresolved", "resolved", "ignored")]


def test_updating_one_answers_with_the_issue(api, issue, cast):
    answer = api.put(f"/issues/{issue.id}/", {"status": "resolved", "assignedTo": "bob@example.org"})
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["assignedTo"]["name"]) == ("resolved", "Bob")
    assert [each["type"] for each in answer.json["activity"]] == ["assigned", "set_resolved"]


def test_updating_many_answers_with_what_was_applied(api, three, cast, session, statuses):
    sent = {"status": "muted", "assignedTo": f"team:{cast.team.id}", "isSubscribed": True, "hasSeen": True}
    sent |= {"priority": "low", "inbox": True, "isPublic": False}
    answer = api.put(f"{LIST}?id={three[0].id}&id={three[1].id}", sent)
    assert (answer.status_code, answer.json) == (
        200,
        {
            "status": "ignored",
            "statusDetails": {},
            "assignedTo": {"type": "team", "id": str(cast.team.id), "name": "shop-team"},
            "isSubscribed": True,
            "hasSeen": True,
            "priority": "low",
        },
    )
    session.expire_all()
    assert statuses() == ["ignored", "ignored", "ignored"]
    assert [issue.assignee_team_id for issue in three] == [cast.team.id, cast.team.id, None]
    subscribed = select(Subscription.issue_id).where(Subscription.user_id == cast.alice.id)
    assert set(session.scalars(subscribed)) == {three[0].id, three[1].id}


@pytest.mark.parametrize(
    ("query", "becomes"),
    [
        ("", ["resolved", "resolved", "resolved"]),
        ("?id={0.id}", ["resolved", "resolved", "ignored"]),
        ("?id={2.short_id}", ["unresolved", "resolved", "resolved"]),
        ("?id={0.id}&id={2.id}", ["resolved", "resolved", "resolved"]),
        ("?id={0.id}&id={2.id}&status=muted", ["unresolved", "resolved", "resolved"]),
        ("?status=unresolved", ["resolved", "resolved", "ignored"]),
        ("?status=muted", ["unresolved", "resolved", "resolved"]),
        ("?query=is:ignored", ["unresolved", "resolved", "resolved"]),
        ("?query=", ["resolved", "resolved", "resolved"]),
    ],
)
def test_the_query_string_names_the_issues(api, three, statuses, query, becomes):
    assert api.put(LIST + query.format(*three), {"status": "resolved"}).status_code == 200
    assert statuses() == becomes


def test_in_an_organization_the_issues_must_be_named(api, three, statuses):
    answer = api.put("/organizations/acme/issues/", {"status": "resolved"})
    assert (answer.status_code, list(answer.json)) == (400, ["detail"])
    assert statuses() == ["unresolved", "resolved", "ignored"]
    assert api.put("/organizations/acme/issues/?status=unresolved", {"status": "resolved"}).status_code == 200
    assert statuses() == ["resolved", "resolved", "ignored"]


def test_ids_that_name_nothing_are_not_found(api, three, make, cast):
    foreign = make.issue(cast.other_shop)
    for name in (foreign.id, "9" * 30, "SHOP-ZZ"):
        assert api.put(f"{LIST}?id={name}", {"status": "resolved"}).status_code == 404
    assert api.put(f"{LIST}?id={foreign.id}&id={three[0].id}", {"status": "resolved"}).status_code == 200
    assert foreign.status == "unresolved"


def test_an_organizations_update_reaches_only_projects_that_one_sees(program, make, cast, three, statuses):
    hidden = make.issue(make.project(cast.acme, "secret"))
    answer = program(cast.bob).put("/organizations/acme/issues/?query=is:unresolved", {"status": "resolved"})
    assert answer.status_code == 200
    assert (statuses()[0], hidden.status) == ("resolved", "unresolved")


def test_more_than_fit_are_done_by_asking_again(api, make, shop, monkeypatch, statuses):
    monkeypatch.setattr("app.api.issue_changes.MOST_AT_ONCE", 2)
    for _ in range(5):
        make.issue(shop)
    for done in (2, 4, 5, 5):
        assert api.put(LIST, {"status": "resolved"}).status_code == 200
        assert statuses().count("resolved") == done


@pytest.mark.both_databases
@pytest.mark.parametrize("status", ["resolved", "unresolved", "muted"])
def test_saying_the_same_again_changes_nothing_and_tells_no_one_twice(
    api, make, shop, session, run_jobs, told, status
):
    make.issue(shop, status="ignored" if status == "unresolved" else "unresolved")
    sent = {"status": status, "snoozeDuration": None}
    first = api.put(LIST, sent)
    run_jobs()
    assert told() == ([] if status == "muted" else ["bob", "cy"])
    assert api.put(LIST, sent).json == first.json
    assert api.put("/issues/SHOP-1/", sent).status_code == 200
    run_jobs()
    assert told() == []
    assert len(session.scalars(select(Activity)).all()) == 1


ASSIGNEES = {
    "an id": "{bob.id}",
    "user and id": "user:{bob.id}",
    "an address": "Bob@Example.org",
    "a handle": "bob",
    "user and handle": "user:bob",
}


@pytest.mark.parametrize("form", ASSIGNEES.values(), ids=ASSIGNEES)
def test_people_are_assigned_by(api, issue, cast, form):
    answer = api.put("/issues/SHOP-1/", {"assignedTo": form.format(bob=cast.bob)})
    assert answer.json["assignedTo"] == {
        "type": "user",
        "id": str(cast.bob.id),
        "name": "Bob",
        "email": "bob@example.org",
    }


@pytest.mark.parametrize("form", ["team:{team.id}", "team:shop-team", "#shop-team"])
def test_teams_are_assigned_by(api, issue, cast, form):
    answer = api.put("/issues/SHOP-1/", {"assignedTo": form.format(team=cast.team)})
    assert answer.json["assignedTo"] == {"type": "team", "id": str(cast.team.id), "name": "shop-team"}


@pytest.mark.parametrize("nobody", ["", None])
def test_an_assignment_is_taken_back_by(api, make, cast, nobody):
    make.issue(cast.shop, assignee_user_id=cast.bob.id)
    assert api.put("/issues/SHOP-1/", {"assignedTo": nobody}).json["assignedTo"] is None


@pytest.mark.parametrize(
    "who", ["dee@example.org", "user:999999", "team:rivals-team", "#nowhere", "team:bob"]
)
def test_nobody_is_assigned_what_they_cannot_see(api, make, cast, session, statuses, who):
    make.issue(cast.shop)
    answer = api.put("/issues/SHOP-1/", {"status": "resolved", "assignedTo": who})
    assert (answer.status_code, list(answer.json)) == (400, ["assignedTo"])
    assert statuses() == ["unresolved"]


def test_one_subscribes_and_unsubscribes_oneself(api, issue, cast, session):
    assert api.put("/issues/SHOP-1/", {"isSubscribed": True}).json["isSubscribed"] is True
    assert api.put("/issues/SHOP-1/", {"isSubscribed": False}).json["isSubscribed"] is False
    row = session.scalars(select(Subscription)).one()
    assert (row.user_id, row.state, row.via) == (cast.alice.id, "unsubscribed", "api")


def test_a_bookmark_is_ones_own(api, issue, cast, session):
    assert api.put("/issues/SHOP-1/", {"isBookmarked": True}).json["isBookmarked"] is True
    assert session.scalars(select(Subscription.reasons)).one() == ["bookmarked"]
    assert [each["isBookmarked"] for each in api.get(LIST).json] == [True]
    assert api.put("/issues/SHOP-1/", {"isBookmarked": False}).json["isBookmarked"] is False


def test_a_priority_is_chosen_over_the_level_and_tells_nobody(api, make, shop, run_jobs, told):
    make.issue(shop, level="warning")
    assert api.read("/issues/SHOP-1/")["priority"] == "medium"
    for _ in range(2):
        answer = api.put("/issues/SHOP-1/", {"priority": "high"})
        assert answer.json["priority"] == "high"
        [activity] = answer.json["activity"]
        assert (activity["type"], activity["user"]["name"]) == ("set_priority", "Alice")
        assert activity["data"] == {"priority": "high", "was": "medium"}
    assert [each["priority"] for each in api.read(LIST)] == ["high"]
    assert api.put(LIST, {"priority": None}).json == {"priority": None}
    answer = api.put("/issues/SHOP-1/", {"priority": None})
    assert (answer.json["priority"], len(answer.json["activity"])) == ("medium", 2)
    run_jobs()
    assert told() == []


def test_what_somebody_has_seen_is_so_until_it_comes_back(api, program, cast, issue):
    assert api.put("/issues/SHOP-1/", {"hasSeen": True}).json["hasSeen"] is True
    assert [each["hasSeen"] for each in api.read(LIST)] == [True]
    bobs = program(cast.bob).read("/issues/SHOP-1/")
    assert (bobs["hasSeen"], [each["name"] for each in bobs["seenBy"]]) == (False, ["Alice"])
    api.put("/issues/SHOP-1/", {"status": "resolved"})
    again = api.put("/issues/SHOP-1/", {"status": "unresolved"}).json
    assert (again["hasSeen"], len(again["seenBy"])) == (False, 1)
    api.put("/issues/SHOP-1/", {"hasSeen": True})
    unseen = api.put("/issues/SHOP-1/", {"hasSeen": False}).json
    assert (unseen["hasSeen"], unseen["seenBy"]) == (False, [])


@pytest.mark.both_databases
def test_who_has_seen_it_is_said_of_members_and_their_addresses_where_those_may_be_listed(
    api, program, make, cast, issue
):
    for person in (cast.alice, make.user("Root", is_superuser=True)):
        assert program(person).put("/issues/SHOP-1/", {"hasSeen": True}).json["hasSeen"] is True
    for scopes, email in ((["event:read"], None), (["event:read", "member:read"], cast.alice.email)):
        [seen] = program(cast.bob, scopes).read("/issues/SHOP-1/")["seenBy"]
        assert (seen["name"], seen["email"]) == ("Alice", email)


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"status": "done"}, {"status": ['"done" is not a valid choice.']}),
        ({"isSubscribed": 1}, {"isSubscribed": ["Must be true or false."]}),
        ({"isBookmarked": "yes"}, {"isBookmarked": ["Must be true or false."]}),
        ({"priority": "urgent"}, {"priority": ['"urgent" is not a valid choice.']}),
        ({"isPublic": True}, {"isPublic": ["There are no public links to issues here."]}),
        ("resolved", {"detail": "The body must be a JSON object."}),
    ],
)
@pytest.mark.parametrize("path", [LIST, "/issues/SHOP-1/"])
def test_a_bad_choice_is_named_and_changes_nothing(api, issue, statuses, path, sent, errors):
    answer = api.put(path, sent)
    assert (answer.status_code, answer.json) == (400, errors)
    assert statuses() == ["unresolved"]


def test_an_unknown_status_to_choose_by_is_refused(api, three, statuses):
    answer = api.put(f"{LIST}?status=done", {"status": "resolved"})
    assert (answer.status_code, answer.json) == (400, {"status": ['"done" is not a valid choice.']})
    assert statuses() == ["unresolved", "resolved", "ignored"]


def test_the_body_is_read_whatever_its_type_is_said_to_be(api, issue):
    answer = api.put("/issues/SHOP-1/", {"status": "resolved"}, content_type="text/plain")
    assert answer.json["status"] == "resolved"
