"""Releases and their commits, as sentry-cli and build servers make them (`web-api.md` 3)."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.releases import BUSY
from app.db import db
from app.models import Activity, Commit, Issue, Notice, Release, ReleaseHead, Resolution
from app.services.releases import committing

RELEASES = "/organizations/acme/releases/"
V1 = "shop@1.0.0"


def sha(number: int) -> str:
    return f"{number:040x}"


def commit(number: int, message: str = "Tidy up", **members) -> dict:
    return {
        "id": sha(number),
        "message": message,
        "author_name": "Bob",
        "author_email": "bob@example.org",
        "timestamp": f"2026-11-19T10:{number:02}:00Z",
        "repository": "acme/shop",
        "patch_set": [{"path": "shop/cart.py", "type": "M"}],
        **members,
    }


@pytest.fixture
def new(api):
    """A release of shop."""

    def made(version=V1, **members):
        answer = api.post(RELEASES, {"version": version, "projects": ["shop"], **members})
        assert answer.status_code in (201, 208), answer.text
        return answer.json

    return made


def test_a_new_release_has_all_that_sentry_cli_needs(api, cast):
    sent = {"version": V1, "projects": ["shop"], "dateStarted": "2026-11-20T11:00:00Z", "url": "https://ci/7"}
    answer = api.post(RELEASES, sent)
    assert answer.status_code == 201
    shown = answer.json
    assert shown["id"] == int(shown["id"])
    del shown["id"], shown["dateCreated"]
    assert shown == {
        "version": V1,
        "shortVersion": "1.0.0",
        "url": "https://ci/7",
        "ref": None,
        "status": "open",
        "dateReleased": None,
        "newGroups": 0,
        "commitCount": 0,
        "deployCount": 0,
        "lastCommit": None,
        "lastDeploy": None,
        "firstEvent": None,
        "lastEvent": None,
        "authors": [],
        "projects": [{"id": str(cast.shop.id), "slug": "shop", "name": cast.shop.name}],
    }


def test_making_it_again_keeps_what_there_is(api, session, new):
    first = new(dateReleased="2026-11-20T11:00:00Z", url="https://ci/7")
    answer = api.post("/projects/acme/shop/releases/", {"version": V1})
    assert answer.status_code == 208
    assert answer.json == first
    assert session.scalars(select(Activity.type)).all() == ["release"]


REFUSED = {
    "no version": ({"projects": ["shop"]}, "version"),
    "a slash": ({"version": "a/b", "projects": ["shop"]}, "version"),
    "latest": ({"version": "latest", "projects": ["shop"]}, "version"),
    "a line break": ({"version": "a\nb", "projects": ["shop"]}, "version"),
    "too long": ({"version": "v" * 201, "projects": ["shop"]}, "version"),
    "an unknown project": ({"version": V1, "projects": ["nope"]}, "projects"),
    "somebody else's project": ({"version": V1, "projects": ["other-shop"]}, "projects"),
    "no project": ({"version": V1, "projects": []}, "projects"),
    "no list of projects": ({"version": V1, "projects": "shop"}, "projects"),
    "a strange status": ({"version": V1, "projects": ["shop"], "status": "gone"}, "status"),
    "a strange time": ({"version": V1, "projects": ["shop"], "dateReleased": "soon"}, "dateReleased"),
    "commits that are none": ({"version": V1, "projects": ["shop"], "commits": [{"id": ""}]}, "detail"),
    "an unknown repository": (
        {"version": V1, "projects": ["shop"], "refs": [{"repository": "x/y", "commit": "abcdef1"}]},
        "refs",
    ),
}


@pytest.mark.parametrize(("sent", "member"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_release_is_refused(api, cast, session, sent, member):
    answer = api.post(RELEASES, sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert session.scalars(select(Release)).all() == []


def test_it_is_archived_and_restored_without_naming_projects(api, new):
    new()
    for status in ("archived", "open"):
        answer = api.post(RELEASES, {"version": V1, "projects": [], "status": status})
        assert (answer.status_code, answer.json["status"]) == (208, status)
    assert api.read(f"{RELEASES}?status=archived") == []


def test_finishing_it_is_noted_once_and_keeps_what_was_there(api, session, new):
    new(url="https://ci/7")
    path = f"{RELEASES}{V1.replace('@', '%40')}/"
    for _ in range(2):
        answer = api.put(path, {"projects": ["shop"], "dateReleased": "2026-11-20T11:30:00Z"})
        assert answer.status_code == 200
    assert answer.json["dateReleased"] == "2026-11-20T11:30:00.000000Z"
    assert answer.json["url"] == "https://ci/7"
    assert session.scalars(select(Activity.type)).all() == ["release"]
    assert session.scalars(select(Notice)).all() == []


def test_commits_are_kept_newest_first_and_setting_them_again_changes_nothing(api, session, new):
    new()
    sent = {"commits": [commit(1), commit(3), commit(2)]}
    for _ in range(2):
        answer = api.put(f"{RELEASES}{V1}/", sent)
        assert answer.json["commitCount"] == 3
    assert answer.json["lastCommit"]["id"] == sha(3)
    assert answer.json["authors"] == [{"name": "Bob", "email": "bob@example.org"}]
    shown = api.read(f"{RELEASES}{V1}/commits/")
    assert [each["id"] for each in shown] == [sha(3), sha(2), sha(1)]
    assert shown[0] == {
        "id": sha(3),
        "message": "Tidy up",
        "dateCreated": "2026-11-19T10:03:00.000000Z",
        "author": {"name": "Bob", "email": "bob@example.org"},
        "repository": {"id": shown[0]["repository"]["id"], "name": "acme/shop"},
        "url": None,
    }


def test_a_list_replaces_the_one_before_it(api, new):
    new(commits=[commit(1), commit(2)])
    assert api.put(f"{RELEASES}{V1}/", {"commits": [commit(3)]}).json["commitCount"] == 1
    assert api.put(f"{RELEASES}{V1}/", {"refs": []}).json["commitCount"] == 0


def test_without_times_the_order_is_the_one_given(api, new):
    new(commits=[commit(each, timestamp=None) for each in (2, 1, 3)])
    assert [each["id"] for each in api.read(f"{RELEASES}{V1}/commits/")] == [sha(2), sha(1), sha(3)]


def test_a_marked_message_leaves_the_commit_out(api, new):
    assert new(commits=[commit(1, "wip #skiptracker"), commit(2)])["commitCount"] == 1


def test_a_commit_without_an_address_or_a_repository_is_kept_all_the_same(api, session, new):
    new(commits=[commit(1, author_email=None, author_name="Ana Lima", repository=None)])
    row = session.scalars(select(Commit)).one()
    assert (row.author_email, row.repository.name) == ("ana-lima@localhost", "unnamed")


def test_a_fix_resolves_its_issue_in_the_release(api, session, make, cast, new):
    issue = make.issue(cast.shop)
    new(commits=[commit(1, f"Guard the cart\n\nFixes {issue.short_id}")])
    session.refresh(issue)
    shown = api.read(f"/issues/{issue.id}/")
    assert (shown["status"], shown["statusDetails"]) == (
        "resolved",
        {"inRelease": V1, "inCommit": {"id": sha(1), "repository": {"name": "acme/shop"}}},
    )
    assert session.scalars(select(Notice.kind)).all() == ["resolved"]


def test_the_same_list_does_not_resolve_again_what_was_reopened(api, session, make, cast, new):
    issue = make.issue(cast.shop)
    sent = [commit(1, f"Fixes {issue.short_id}")]
    new(commits=sent)
    api.put(f"/issues/{issue.id}/", {"status": "unresolved"})
    new(commits=sent)
    assert api.read(f"/issues/{issue.id}/")["status"] == "unresolved"


def test_an_edited_commit_resolves_what_it_names_now_and_reopens_what_it_named(api, session, make, cast, new):
    one, two = make.issue(cast.shop), make.issue(cast.shop)
    new(commits=[commit(1, f"Fixes {one.short_id}")])
    new(commits=[commit(1, f"Fixes {two.short_id}")])
    assert [session.get(Issue, each.id).status for each in (one, two)] == ["unresolved", "resolved"]


def test_what_waited_for_the_next_release_is_resolved_in_it(api, session, make, cast, new):
    new()
    issue = make.issue(cast.shop)
    api.put(f"/issues/{issue.id}/", {"statusDetails": {"inNextRelease": True}, "status": "resolved"})
    new("shop@1.1.0")
    resolution = session.scalars(select(Resolution)).one()
    assert resolution.release.version == "shop@1.1.0"


def test_the_previous_release_with_commits_is_named_by_a_whole_hash(api, make, cast, new):
    new(commits=[commit(1), commit(2)])
    new("shop@1.1.0", commits=[commit(3, id="abc1234")])
    new("shop@1.2.0")
    assert api.read(f"{RELEASES}{V1}/previous-with-commits/") == {}
    found = api.read(f"{RELEASES}shop@1.2.0/previous-with-commits/")
    assert (found["version"], found["lastCommit"]["id"]) == (V1, sha(2))


# Refs


def test_a_ref_to_a_known_commit_brings_in_what_came_since_the_release_before(api, new):
    new("shop@0.1", commits=[commit(each) for each in (1, 2, 3, 4, 5)])
    new("shop@0.2", refs=[{"repository": "acme/shop", "commit": sha(2)[:40]}])
    api.delete(f"{RELEASES}shop@0.1/")
    shown = new("shop@0.3", refs=[{"repository": "acme/shop", "commit": sha(4)}])
    assert shown["commitCount"] == 2
    assert [each["id"] for each in api.read(f"{RELEASES}shop@0.3/commits/")] == [sha(4), sha(3)]


def test_a_ref_says_itself_where_the_range_begins(api, new):
    new("shop@0.1", commits=[commit(each) for each in (1, 2, 3, 4, 5)])
    for ref in (
        {"repository": "acme/shop", "commit": sha(4), "previousCommit": sha(1)},
        {"repository": "acme/shop", "commit": f"{sha(1)}..{sha(4)}"},
    ):
        new("shop@0.2", refs=[ref])
        found = api.read(f"{RELEASES}shop@0.2/commits/")
        assert [each["id"] for each in found] == [sha(4), sha(3), sha(2)]


def test_an_unknown_commit_is_remembered_and_does_not_count(api, session, new):
    new("shop@0.1", commits=[commit(1)])
    shown = new("shop@0.2", refs=[{"repository": "acme/shop", "commit": "fedcba9"}])
    assert (shown["commitCount"], shown["lastCommit"]) == (0, None)
    heads = session.scalars(select(ReleaseHead.sha).where(ReleaseHead.commit_id.is_(None))).all()
    assert heads == ["fedcba9"]


# Lists, and who may


def test_releases_are_listed_newest_first_by_project_and_beginning(api, make, cast, new):
    make.release(cast.shop, "worker@9")
    new()
    new("shop@1.1.0")
    assert [each["version"] for each in api.read(RELEASES)][:2] == ["shop@1.1.0", V1]
    assert [each["version"] for each in api.read(f"{RELEASES}?query=worker")] == ["worker@9"]
    assert len(api.read("/projects/acme/shop/releases/")) == 3
    assert len(api.read(f"{RELEASES}?project={cast.shop.id}&per_page=2")) == 2


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("query", "found"),
    [("shop@1.0", 1), ("SHOP", 1), ("1.0-rc", 1), ("rc", 0), ("1_0", 0), ("shop@1.0-RC1%", 0)],
)
def test_releases_are_searched_as_on_their_page(api, make, cast, query, found):
    make.release(cast.shop, "shop@1.0-RC1")
    make.release(cast.shop, "worker@9")
    rows = api.read(f"{RELEASES}?{urlencode({'query': query})}")
    assert [row["version"] for row in rows] == ["shop@1.0-RC1"] * found


def test_a_release_counts_the_issues_first_seen_in_it(api, make, cast, new):
    make.issue(cast.shop, first_release=V1)
    assert new()["newGroups"] == 1


def test_a_release_that_is_deleted_is_gone(api, new):
    new()
    assert api.delete(f"{RELEASES}{V1}/").status_code == 204
    assert api.get(f"{RELEASES}{V1}/").status_code == 404
    assert api.delete(f"/projects/acme/shop/releases/{V1}/").status_code == 404


def test_names_in_addresses_may_be_strange(api, new):
    new("acc@1.0.0+build.5 (arm)")
    assert api.read(f"{RELEASES}acc@1.0.0+build.5%20(arm)/")["version"] == "acc@1.0.0+build.5 (arm)"


def test_nobody_sees_releases_of_projects_that_they_do_not_see(program, cast, new):
    new()
    for who in (cast.dee, cast.charlie):
        theirs = program(who)
        assert theirs.get(f"{RELEASES}{V1}/").status_code == 404
        assert theirs.put(f"{RELEASES}{V1}/", {"status": "archived"}).status_code == 404
        sent = {"version": V1, "projects": [], "status": "archived"}
        assert theirs.post(RELEASES, sent).status_code in (400, 404)
    assert program(cast.dee).read(RELEASES) == []


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (["project:releases"], 200, 208),
        (["org:ci"], 200, 208),
        (["project:write"], 200, 208),
        (["project:read"], 200, 403),
        (["event:admin"], 403, 403),
    ],
)
def test_a_token_for_releases_reads_and_writes_them(program, cast, new, scopes, reads, writes):
    new()
    theirs = program(cast.bob, scopes)
    assert theirs.get(f"{RELEASES}{V1}/").status_code == reads
    assert theirs.post(RELEASES, {"version": V1, "projects": ["shop"]}).status_code == writes


def test_repositories_are_of_no_provider_that_a_client_knows(api, program, cast, new):
    new(commits=[commit(1)])
    [found] = program(cast.bob, ["org:ci"]).read("/organizations/acme/repos/")
    assert (found["name"], found["provider"]["id"], found["status"]) == ("acme/shop", "unknown", "active")
    assert found["dateCreated"].endswith("Z")
    assert {"id", "url"} <= set(found)


# Deploys


def test_a_deploy_is_kept_and_neither_makes_nor_finishes_a_release(api, new):
    new()
    sent = {"environment": "production", "name": "rollout", "dateFinished": "2026-11-20T11:00:00Z"}
    answer = api.post(f"{RELEASES}{V1}/deploys/", sent)
    assert answer.status_code == 201
    assert answer.json | {"id": "1"} == {
        "id": "1",
        "environment": "production",
        "name": "rollout",
        "url": None,
        "dateStarted": None,
        "dateFinished": "2026-11-20T11:00:00.000000Z",
    }
    assert api.read(f"{RELEASES}{V1}/deploys/") == [answer.json]
    shown = api.read(f"{RELEASES}{V1}/")
    assert (shown["deployCount"], shown["dateReleased"]) == (1, None)
    assert shown["lastDeploy"]["environment"] == "production"
    assert api.post(f"{RELEASES}nope/deploys/", sent).status_code == 404
    assert api.post(f"{RELEASES}{V1}/deploys/", {}).json == {"environment": ["Name the environment."]}


def test_lists_take_as_many_queries_for_many_releases_as_for_one(api, queries, new):
    new(commits=[commit(1)])
    few = queries(api.get, RELEASES)
    for minor in range(1, 6):
        new(f"shop@1.{minor}.0", commits=[commit(minor), commit(minor + 10)])
    assert queries(api.get, RELEASES) == few


# Side by side


@pytest.mark.on_postgresql
def test_a_second_list_of_commits_at_the_same_time_is_refused(app, api, session, new):
    new()
    held = session.scalars(select(Release)).one().id
    session.commit()
    with app.app_context(), Session(db.engine) as other:
        committing.hold(other, other.get_one(Release, held))
        answer = api.put(f"{RELEASES}{V1}/", {"commits": [commit(1)]})
        assert (answer.status_code, answer.json["detail"]) == (409, BUSY)
    assert api.put(f"{RELEASES}{V1}/", {"commits": [commit(1)]}).json["commitCount"] == 1
