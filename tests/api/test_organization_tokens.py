"""What programs do with a token that is an organization's own, and nobody's."""

import logging

import pytest
from sqlalchemy import select

from app.api.blueprint import Denied
from app.api.credentials import me
from app.domain.kinds import RESOLVING
from app.models import Activity, Issue
from app.services.people import tokens, workspaces

RELEASES = "/organizations/acme/releases/"


@pytest.fixture
def build(program, cast):
    """A build server of acme's."""
    return program(cast.acme)


def test_it_says_what_it_may_do_and_names_no_person(build):
    assert build.read("/") == {"version": "0", "auth": {"scopes": ["org:ci"]}, "user": None}


def test_it_sees_every_project_of_its_organization_and_of_no_other(build, cast, make):
    lonely = make.project(cast.acme, "lonely")
    made = build.post(RELEASES, {"version": "1", "projects": ["shop", str(lonely.id)]})
    assert [row["slug"] for row in made.json["projects"]] == ["lonely", "shop"]
    assert build.read("/projects/acme/lonely/releases/")[0]["version"] == "1"
    other = build.post(RELEASES, {"version": "1", "projects": [str(cast.other_shop.id)]})
    assert (other.status_code, list(other.json)) == (400, ["projects"])
    assert build.get(f"/organizations/{cast.rivals.id}/releases/").status_code == 404


def test_it_owns_every_release_whoever_made_it(build, api):
    api.post(RELEASES, {"version": "1", "projects": ["shop"], "ref": "main"})
    assert build.read(f"{RELEASES}1/")["ref"] == "main"
    done = build.put(f"{RELEASES}1/", {"status": "archived", "dateReleased": "2026-11-23T03:53:05Z"})
    assert (done.status_code, done.json["status"]) == (200, "archived")
    assert build.delete(f"{RELEASES}1/").status_code == 204


def test_a_commit_counts_as_its_authors_who_verified_the_address(build, issue, cast, session):
    commit = {"id": "a" * 40, "message": f"Fixes {issue.short_id}", "author_email": cast.bob.email}
    sent = {"version": "1", "projects": ["shop"], "commits": [commit]}
    assert build.post(RELEASES, sent).status_code == 201
    assert session.get(Issue, issue.id).status == "resolved"
    done = select(Activity.actor_id).where(Activity.issue_id == issue.id, Activity.type.in_(RESOLVING))
    assert session.scalars(done).all() == [cast.bob.id]


@pytest.mark.parametrize("whose", ["acme", "alice"])
def test_a_revoked_token_is_of_no_use_at_once(program, cast, session, now, whose):
    asks = program(getattr(cast, whose))
    assert asks.get(RELEASES).status_code == 200
    text = asks.headers["Authorization"].removeprefix("Bearer ")
    tokens.revoke(session, tokens.find(session, text), by=cast.alice, now=now)
    answer = asks.get(RELEASES)
    assert (answer.status_code, answer.json) == (401, {"detail": "Invalid token"})


def test_the_tokens_of_who_leaves_the_organization_lead_nowhere(program, cast, session):
    bob = program(cast.bob)
    assert bob.get(RELEASES).status_code == 200
    session.delete(workspaces.membership(session, cast.acme, cast.bob))
    assert bob.get(RELEASES).status_code == 404


@pytest.mark.any_database
def test_what_takes_a_person_is_refused_wherever_it_is_asked(app, build):
    """A new call need not think of it."""
    build.get("/")
    with app.test_request_context("/api/0/", headers=build.headers), pytest.raises(Denied) as refused:
        me()
    assert refused.value.status == 403


@pytest.mark.any_database
def test_no_token_is_written_into_the_log(app, program, cast, caplog):
    caplog.set_level(logging.DEBUG)
    for whose in (cast.alice, cast.acme):
        asks = program(whose)
        for path in ("/", RELEASES, "/nothing/", "/organizations/acme/issues/"):
            asks.get(path)
        assert asks.headers["Authorization"][-12:] not in caplog.text
