"""Who may call what: a token, its scope, its owner's role, and what its owner sees."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.scopes import OFFERED
from app.models import ApiToken, Attachment, IssueTag, Pause
from app.services.issues import commenting, keeping_searches
from tests.api.calls import calls, filled

# The one scope that each call needs; `write` includes `read`, `admin` includes `write`.
NEEDS = {
    "organizations": "org:read",
    "organization": "org:read",
    "teams": "team:read",
    "members": "member:read",
    "projects": "project:read",
    "projects_of": "project:read",
    "project": "project:read",
    "create_project": "project:admin",
    "change_project": "project:write",
    "delete_project": "project:admin",
    "keys": "project:read",
    "key": "project:read",
    "create_key": "project:write",
    "change_key": "project:write",
    "delete_key": "project:admin",
    "integrations": "project:read",
    "integration_of": "project:read",
    "create_integration": "project:write",
    "change_integration": "project:write",
    "delete_integration": "project:admin",
    "test_integration": "project:write",
    "deliveries_of": "project:read",
    "issues_of_project": "event:read",
    "issues_of_organization": "event:read",
    "issue_details": "event:read",
    "update_issue": "event:write",
    "update_issues_of_project": "event:write",
    "update_issues_of_organization": "event:write",
    "delete_issue": "event:admin",
    "delete_issues_of_project": "event:admin",
    "delete_issues_of_organization": "event:admin",
    "by_short_id": "event:read",
    "searches": "event:read",
    "create_search": "event:write",
    "delete_search": "event:write",
    "pin_search": "event:write",
    "unpin_search": "event:write",
    "tags": "event:read",
    "tag_values": "event:read",
    "hashes": "event:read",
    "feedback_of_project": "event:read",
    "write_feedback": "event:write",
    "stats": "project:read",
    "comments": "event:read",
    "comment": "event:write",
    "change_comment": "event:write",
    "delete_comment": "event:write",
    "events_of_issue": "event:read",
    "events_of_project": "event:read",
    "event_of_issue": "event:read",
    "event_of_project": "event:read",
    "by_event_id": "event:read",
    "attachments": "event:read",
    "attachment": "event:read",
    "logs": "event:read",
    "my_settings": "alerts:read",
    "settings_of": "alerts:read",
    "change_settings": "alerts:write",
    "ownership_of": "project:read",
    "change_ownership": "project:write",
    "match_ownership": "project:read",
    "rules": "alerts:read",
    "rule_of": "alerts:read",
    "create_rule": "alerts:write",
    "change_rule": "alerts:write",
    "preview_rule": "alerts:read",
    "delete_rule": "alerts:write",
    "mute_rule": "alerts:write",
    "unmute_rule": "alerts:write",
    "pauses_of": "alerts:read",
    "create_pause": "alerts:write",
    "pause_of": "alerts:read",
    "change_pause": "alerts:write",
    "delete_pause": "alerts:write",
    "end_pause": "alerts:write",
    "how_to_upload": "project:releases",
    "upload_chunks": "project:releases",
    "assemble_bundle": "project:releases",
    "assemble_files": "project:releases",
    "files": "project:releases",
    "files_of_project": "project:releases",
    "file": "project:releases",
    "file_of_project": "project:releases",
    "delete_file": "project:releases",
    "delete_file_of_project": "project:releases",
    "delete_files_of_project": "project:releases",
    "upload_file": "project:releases",
    "upload_file_of_project": "project:releases",
    "repositories": "org:read",
    "monitors_of_organization": "org:read",
    "monitors_of_project": "org:read",
    "monitor_of_organization": "org:read",
    "monitor_of_project": "org:read",
    "check_ins_of_monitor": "org:read",
    "check_ins_of_monitor_of_project": "org:read",
    "releases_of_organization": "project:read",
    "releases_of_project": "project:read",
    "create_release": "project:releases",
    "create_release_of_project": "project:releases",
    "release": "project:read",
    "release_of_project": "project:read",
    "change_release": "project:releases",
    "change_release_of_project": "project:releases",
    "delete_release": "project:releases",
    "delete_release_of_project": "project:releases",
    "previous_release": "project:read",
    "commits_of_release": "project:read",
    "commits_of_release_of_project": "project:read",
    "deploys": "project:read",
    "deploys_of_project": "project:read",
    "create_deploy": "project:releases",
    "create_deploy_of_project": "project:releases",
    "notices": "event:read",
    "notice": "event:read",
    "why": "event:read",
}
OPEN = {"about", "description"}
# These name nothing that could belong to somebody else.
OF_ONESELF = {"organizations", "projects", "my_settings", "change_settings", "notices", "why", "settings_of"}


@pytest.fixture
def parts(cast, make, issue, session, now, hook):
    """Names of things that exist in acme, for the gaps in addresses."""
    event = make.event(issue)
    attachment = Attachment(
        project_id=cast.shop.id,
        event_id=event.event_id,
        name="log.txt",
        content_type="text/plain",
        type="event.attachment",
        size=3,
        sha1="0" * 40,
        created_at=now,
        body=b"abc",
    )
    pause = Pause(
        project_id=cast.shop.id,
        reason="moving",
        starts_at=now,
        ends_at=now + timedelta(days=9),
        created_at=now,
    )
    tag = IssueTag(issue_id=issue.id, key="environment", value="production", count=1, last_seen=now)
    session.add_all([attachment, pause, tag])
    session.flush()
    keeping_searches.pin(session, cast.acme, cast.alice, query="level:fatal", sort="date")
    return {
        "org": "acme",
        "proj": "shop",
        "team": "shop-team",
        "public": make.key(cast.shop).public,
        "issue": issue.short_id,
        "comment_id": commenting.comment(session, issue, text="Hello", by=cast.alice, now=now).id,
        "short_id": issue.short_id,
        "event_id": event.event_id,
        "tag": "environment",
        "attachment_id": attachment.id,
        "public_id": make.notice(issue).public_id,
        "search_id": make.saved_search(cast.acme, cast.alice).id,
        "user": cast.alice.id,
        "integration": hook.id,
        "rule": make.rule(cast.shop).id,
        "pause": pause.id,
        "version": make.release(cast.shop, "1.0").version,
        "monitor": make.check_in(cast.shop).slug,
        "file_id": make.release_file(cast.shop, "1.0").id,
    }


def test_the_table_names_every_call(app):
    assert {name for _, _, name in calls(app)} == {*NEEDS, *OPEN}


# What scopes of other areas open too: a build server lists repositories before it sends commits.
# Feedback is of a project, and about an event.
ALSO = {"repositories": {"project"}, "feedback_of_project": {"project"}, "write_feedback": {"project"}}
GONE_BY_ANOTHER = (
    *("delete_issue", "delete_comment", "unmute_rule"),
    *("delete_release", "delete_release_of_project"),
    *("delete_file", "delete_file_of_project"),
)


def test_without_a_token_every_call_is_refused(app, program, parts, unlimited):
    nobody = program(None)
    for method, path, name in calls(app):
        unlimited()
        if name not in OPEN:
            answer = nobody(method, filled(path, parts), {})
            assert answer.status_code == 401, path
            assert answer.json == {"detail": "Authentication credentials were not provided."}


def test_a_token_without_the_scope_is_refused(app, program, cast, parts, unlimited):
    for method, path, name in calls(app):
        unlimited()
        if name not in OPEN:
            areas = {NEEDS[name].split(":")[0], *ALSO.get(name, ())}
            others = {scope for scope in set(NEEDS.values()) if scope.split(":")[0] not in areas}
            answer = program(cast.alice, sorted(others))(method, filled(path, parts), {})
            assert (answer.status_code, list(answer.json)) == (403, ["detail"]), path


def test_the_scope_alone_suffices(app, program, cast, parts, unlimited):
    last = "delete_project"
    for method, path, name in sorted(calls(app), key=lambda call: (call[2] == last, call[0] == "DELETE")):
        unlimited()
        if name not in OPEN:
            answer = program(cast.alice, [NEEDS[name]])(method, filled(path, parts), {})
            is_gone = answer.status_code == 404
            gone_by_its_other_address = is_gone and name in GONE_BY_ANOTHER
            succeeded = answer.status_code in (200, 201, 202, 204, 400)
            assert succeeded or gone_by_its_other_address, (path, answer.text)


def test_what_belongs_to_others_does_not_exist(app, program, cast, parts, unlimited):
    """Charlie has every scope and owns another organization."""
    charlie = program(cast.charlie)
    for method, path, name in calls(app):
        unlimited()
        if name not in OPEN | OF_ONESELF:
            answer = charlie(method, filled(path, parts), {"status": "resolved"})
            assert (answer.status_code, list(answer.json)) == (404, ["detail"]), (method, path)


# What an organization's own token is for. Nobody is behind it.
BUILDS = {
    *("repositories", "releases_of_organization", "releases_of_project"),
    *("create_release", "create_release_of_project", "release", "release_of_project"),
    *("change_release", "change_release_of_project", "delete_release", "delete_release_of_project"),
    *("previous_release", "commits_of_release", "commits_of_release_of_project"),
    *("deploys", "deploys_of_project", "create_deploy", "create_deploy_of_project"),
    *("how_to_upload", "upload_chunks", "assemble_bundle", "assemble_files"),
    *("files", "files_of_project", "upload_file", "upload_file_of_project"),
    *("file", "file_of_project", "delete_file", "delete_file_of_project", "delete_files_of_project"),
}


def test_an_organizations_own_token_makes_releases_and_does_nothing_else(
    app, program, cast, parts, unlimited
):
    build = program(cast.acme)
    for method, path, name in sorted(calls(app), key=lambda call: call[0] == "DELETE"):
        unlimited()
        answer = build(method, filled(path, parts), {})
        if name in BUILDS | OPEN:
            gone = answer.status_code == 404 and name in GONE_BY_ANOTHER
            assert answer.status_code in (200, 201, 204, 400) or gone, (method, path, answer.text)
        else:
            assert (answer.status_code, list(answer.json)) == (403, ["detail"]), (method, path)


def test_another_organizations_own_token_finds_nothing(app, program, cast, parts, unlimited):
    build = program(cast.rivals)
    for method, path, name in calls(app):
        unlimited()
        if name in BUILDS:
            answer = build(method, filled(path, parts), {"version": "9", "projects": ["shop"]})
            assert (answer.status_code, list(answer.json)) == (404, ["detail"]), (method, path)


@pytest.mark.any_database
def test_people_are_offered_the_scopes_that_open_something(app):
    assert set(OFFERED) == set(NEEDS.values())


def test_another_projects_things_do_not_exist_under_ones_own(api, cast, make, parts, unlimited):
    """Addresses that mix one's own names with somebody else's."""
    other = make.issue(cast.other_shop, title="Other: one", events=1)
    foreign = make.event(other).event_id
    for path in (
        f"/projects/acme/shop/keys/{make.key(cast.other_shop).public}/",
        f"/projects/acme/shop/events/{foreign}/",
        f"/issues/{parts['issue']}/events/{foreign}/",
        f"/organizations/acme/issues/{other.id}/",
        f"/organizations/acme/issues/{other.short_id}/",
        f"/organizations/acme/eventids/{foreign}/",
        f"/organizations/acme/shortids/{other.short_id}/",
        f"/organizations/acme/issues/?project={cast.other_shop.id}",
        f"/projects/acme/{cast.other_shop.id}/",
        "/teams/acme/rivals-team/projects/",
    ):
        method = "POST" if path.startswith("/teams") else "GET"
        assert api(method, path, {"name": "x"}).status_code == 404, path


def test_who_is_in_no_team_of_a_project_sees_the_organization_but_not_the_project(program, cast, issue):
    dee = program(cast.dee)
    assert dee.read("/organizations/acme/")["slug"] == "acme"
    assert dee.read("/organizations/acme/projects/") == dee.read("/organizations/acme/issues/") == []
    assert dee.get("/projects/acme/shop/").status_code == 404
    assert dee.put("/organizations/acme/issues/?id=1", {"status": "resolved"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/projects/acme/shop/"),
        ("DELETE", "/projects/acme/shop/"),
        ("POST", "/projects/acme/shop/keys/"),
        ("DELETE", "/projects/acme/shop/keys/x/"),
        ("POST", "/teams/acme/shop-team/projects/"),
        ("GET", "/users/1000000/notification-settings/"),
        ("GET", "/notices/why/?issue=SHOP-1&user=alice@example.org"),
    ],
)
def test_a_member_with_every_scope_may_do_what_a_member_may(program, cast, issue, method, path):
    answer = program(cast.bob)(method, path, {"name": "Mine"})
    assert (answer.status_code, list(answer.json)) == (403, ["detail"])


@pytest.mark.parametrize("header", ["Bearer nonsense", "bearer sntryu_" + "0" * 64, "Bearer ü"])
def test_a_wrong_token_is_told_so(program, header):
    answer = program(None).get("/", headers={"Authorization": header.encode().decode("latin-1")})
    assert (answer.status_code, answer.json) == (401, {"detail": "Invalid token"})


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer a b", ""])
def test_what_is_no_bearer_token_counts_as_none(program, header):
    nobody = program(None)
    assert nobody.get("/", headers={"Authorization": header}).json["auth"] is None
    assert nobody.get("/organizations/", headers={"Authorization": header}).status_code == 401


def test_the_scheme_may_be_written_in_any_case(program, cast, make):
    token = make.token(cast.alice)
    answer = program(None).get("/", headers={"Authorization": f"bEaReR {token}"})
    assert answer.json["user"] == {
        "id": str(cast.alice.id),
        "email": "alice@example.org",
        "name": "Alice",
    }


def test_tokens_of_people_who_are_switched_off_let_nobody_in(program, cast):
    bob = program(cast.bob)
    cast.bob.is_active = False
    assert bob.get("/").status_code == 401


def test_a_session_cookie_is_no_token(client, cast):
    signed_in = client.sign_in(cast.alice)
    assert signed_in.get("/api/0/organizations/").status_code == 401


def test_when_a_token_was_used_is_noted(api, session):
    api.get("/organizations/")
    assert session.scalars(select(ApiToken)).one().last_used_at is not None


def test_superusers_see_every_organization(program, make, cast):
    root = program(make.user("Root", is_superuser=True))
    assert [row["slug"] for row in root.read("/organizations/")] == ["acme", "rivals"]
    assert root.read("/projects/rivals/other-shop/")["isMember"] is False
