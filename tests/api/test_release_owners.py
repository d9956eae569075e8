"""Whose a release is: who guesses its version may have it for a project of their own, and nothing of it."""

import pytest
from sqlalchemy import event, select

from app.db import db
from app.domain.errors import Refused
from app.domain.resolutions import in_commit
from app.models import Activity, Commit, IssueCommit, Release, ReleaseProject, Subscription
from app.services.issues import resolving
from app.services.releases import deploying, releases, suspecting
from app.services.releases.deploying import Wishes

RELEASES = "/organizations/acme/releases/"
V1 = "shop@1.0.0"
PATH = f"{RELEASES}{V1}/"


def commit(number, message="Tidy up", **members):
    return {
        "id": f"{number:040x}",
        "message": message,
        "author_name": "Bob",
        "author_email": "bob@example.org",
        "repository": "acme/shop",
        **members,
    }


@pytest.fixture
def tools(make, cast):
    """A project of Dee's, who does not see shop."""
    return make.project(cast.acme, "tools", teams=[make.team(cast.acme, "tools-team", members=[cast.dee])])


@pytest.fixture
def release(session, program, cast, tools, now):
    """Bob made it for shop, which Dee does not see; it has a commit, a deploy and addresses."""
    sent = {"version": V1, "projects": ["shop"], "url": "https://ci/7", "ref": "main", "commits": [commit(1)]}
    assert program(cast.bob).post(RELEASES, sent).status_code == 201
    made = session.scalars(select(Release)).one()
    wishes = Wishes("production", url="https://secret/")
    deploying.deploy(session, made, wishes, [cast.shop], by=cast.bob, now=now)
    return made


@pytest.fixture
def guest(program, cast, release):
    """Dee's program, after she guessed the version."""
    made = program(cast.dee)
    answer = made.post(RELEASES, {"version": V1, "projects": ["tools"]})
    assert answer.status_code == 208
    return made


def test_who_guesses_a_version_reads_nothing_of_what_is_in_it(guest):
    for shown in (guest.read(PATH), *guest.read(RELEASES)):
        assert [each["slug"] for each in shown["projects"]] == ["tools"]
        assert (shown["commitCount"], shown["deployCount"], shown["authors"]) == (0, 0, [])
        assert not any(shown[each] for each in ("lastCommit", "lastDeploy", "url", "ref"))
    assert guest.get(f"{PATH}commits/").status_code == 404
    assert guest.get(f"/projects/acme/tools/releases/{V1}/commits/").status_code == 404
    assert guest.get(f"{PATH}files/").status_code == 404
    assert guest.read(f"{PATH}deploys/") == []


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("DELETE", PATH, None),
        ("PUT", PATH, {"dateReleased": "2026-11-20T11:00:00Z"}),
        ("PUT", PATH, {"projects": ["tools"]}),
        ("PUT", PATH, {"commits": [commit(2)]}),
        ("PUT", PATH, {"refs": []}),
        ("POST", RELEASES, {"version": V1, "projects": ["tools"], "status": "archived"}),
        ("POST", f"{PATH}deploys/", {"environment": "production"}),
    ],
)
def test_nor_do_they_change_it(guest, program, cast, method, path, sent):
    before = program(cast.bob).read(PATH)
    answer = guest(method, path, sent)
    assert (answer.status_code, "do not see" in answer.json["detail"]) == (403, True)
    assert program(cast.bob).read(PATH) == before


def test_who_names_its_version_in_an_event_is_a_guest_too(
    report, run_jobs, session, program, cast, release, tools
):
    report(project=tools, release=V1)
    run_jobs()
    session.expire_all()
    links = session.execute(select(ReleaseProject.project_id, ReleaseProject.is_guest))
    assert {project_id: is_guest for project_id, is_guest in links} == {cast.shop.id: False, tools.id: True}
    assert program(cast.dee).get(f"{PATH}commits/").status_code == 404


def test_what_an_event_names_first_is_theirs_who_sent_it(report, run_jobs, program, cast, tools):
    report(project=tools, release="tools@1")
    run_jobs()
    dees = program(cast.dee)
    assert dees.put(f"{RELEASES}tools@1/", {"commits": [commit(1)]}).status_code == 200
    assert len(dees.read(f"{RELEASES}tools@1/commits/")) == 1


def test_nobody_is_kept_from_their_release_by_the_events_of_others(report, run_jobs, program, cast, tools):
    report(project=tools, release=V1)
    run_jobs()
    sent = {"version": V1, "projects": ["shop"], "commits": [commit(1)]}
    assert program(cast.bob).post(RELEASES, sent).status_code == 208
    assert program(cast.dee).get(f"{PATH}commits/").status_code == 404


def test_what_an_organization_names_is_meant_and_who_was_there_first_reads_nothing(
    session, program, cast, tools
):
    dees, ci = program(cast.dee), program(cast.acme)
    assert dees.post(RELEASES, {"version": V1, "projects": ["tools"]}).status_code == 201
    sent = {"version": V1, "projects": ["shop"], "commits": [commit(1)]}
    assert ci.post(RELEASES, sent).status_code == 208
    assert dees.get(f"{PATH}commits/").status_code == 404
    assert dees.read(PATH)["commitCount"] == 0
    assert program(cast.dee).get("/organizations/acme/repos/").json == []
    assert len(program(cast.bob).read(f"{PATH}commits/")) == 1


def test_whoever_brought_something_stays_an_owner(program, cast, tools):
    dees = program(cast.dee)
    dees.post(RELEASES, {"version": V1, "projects": ["tools"], "commits": [commit(1)]})
    program(cast.acme).post(RELEASES, {"version": V1, "projects": ["shop"]})
    assert len(dees.read(f"{PATH}commits/")) == 1
    assert len(program(cast.bob).read(f"{PATH}commits/")) == 1


def test_what_is_left_of_owners_who_are_gone_is_for_no_guest(session, guest, cast):
    session.delete(cast.shop)
    assert guest.get(f"{PATH}commits/").status_code == 404
    assert guest.post(RELEASES, {"version": V1, "projects": ["tools"]}).json["commitCount"] == 0


def test_a_guest_does_not_keep_owners_from_their_release(guest, program, cast):
    bobs = program(cast.bob)
    sent = {"dateReleased": "2026-11-20T11:00:00Z", "commits": [commit(1), commit(2)]}
    assert bobs.put(PATH, sent).json["commitCount"] == 2


def test_a_project_that_an_owner_adds_owns_it_too(guest, api, cast):
    api.post(RELEASES, {"version": V1, "projects": ["tools"]})
    assert len(guest.read(f"{PATH}commits/")) == 1
    assert guest.put(PATH, {"ref": "next"}).json["ref"] == "next"


@pytest.mark.parametrize(
    "sent", [{"status": "archived"}, {"dateReleased": "2026-11-20T11:00:00Z"}, {"commits": []}]
)
def test_what_concerns_all_its_projects_is_for_who_sees_all(guest, api, sent):
    api.post(RELEASES, {"version": V1, "projects": ["tools"]})
    assert guest.put(PATH, sent).status_code == 403
    assert guest.delete(PATH).status_code == 403
    assert api.put(PATH, sent).status_code == 200
    assert api.delete(PATH).status_code == 204


def test_pages_show_a_guest_no_commit(as_user, make, cast, tools, guest):
    page = as_user(cast.dee).get(f"/acme/tools/releases/{V1}/")
    assert page.status_code == 200
    assert "Tidy up" not in page.text
    assert "bob@example.org" not in page.text
    assert "Tidy up" in as_user(cast.bob).get(f"/acme/shop/releases/{V1}/").text


def test_a_guests_issues_have_no_suspects_in_it(session, program, make, cast, tools, guest):
    files = [{"path": "cart/page.py", "type": "M"}]
    program(cast.bob).put(PATH, {"commits": [commit(3, patch_set=files)]})
    frames = {"frames": [{"filename": "cart/page.py", "in_app": True}]}
    data = {"exception": [{"type": "E", "value": "v", "stacktrace": frames}]}
    found = [
        suspecting.of(session, make.issue(project, first_release=V1), data) for project in (cast.shop, tools)
    ]
    assert [len(each) for each in found] == [1, 0]


# What commits fix


@pytest.fixture
def dees(program, cast, tools):
    """`dees(message)`: a release of Dee's own with a commit that says so, under Bob's name."""

    def sent(*messages, version="tools@1"):
        rows = [commit(number, message) for number, message in enumerate(messages, 1)]
        made = {"version": version, "projects": ["tools"], "commits": rows}
        return program(cast.dee).post(RELEASES, made)

    return sent


def test_a_token_fixes_nothing_that_its_person_does_not_see(session, make, cast, tools, dees):
    hidden, own = make.issue(cast.shop), make.issue(tools)
    dees(f"Fixes {hidden.short_id}, {own.short_id}")
    assert (hidden.status, own.status) == ("unresolved", "resolved")
    assert session.scalars(select(IssueCommit.issue_id)).all() == [own.id]


def test_what_a_token_does_is_its_persons_whoever_is_named_as_the_author(session, make, cast, tools, dees):
    own = make.issue(tools)
    dees(f"Fixes {own.short_id}")
    found = session.scalars(select(Activity).where(Activity.issue_id == own.id)).all()
    assert [(each.actor_id, each.data["author"]) for each in found] == [(cast.dee.id, "Bob")] * 2
    assert set(session.scalars(select(Subscription.user_id))) == {cast.dee.id}


def test_a_token_takes_back_no_fix_that_its_person_does_not_see(session, program, make, cast, dees):
    hidden = make.issue(cast.shop)
    sent = {"version": V1, "projects": ["shop"], "commits": [commit(1, f"Fixes {hidden.short_id}")]}
    program(cast.bob).post(RELEASES, sent)
    dees("Tidy up")
    assert hidden.status == "resolved"


def test_a_token_settles_nothing_by_the_commits_of_others(session, make, cast, tools, dees):
    hidden = make.issue(cast.shop)
    theirs = make.commit(cast.acme, f"Fixes {hidden.short_id}", key=f"{1:040x}")
    session.add(
        IssueCommit(issue_id=hidden.id, commit_id=theirs.id, tie="resolves", created_at=theirs.date_added)
    )
    dees(f"Fixes {hidden.short_id}")
    assert hidden.status == "unresolved"


def test_a_flood_of_commits_takes_as_many_queries_as_one(app, make, tools, dees):
    make.issue(tools)
    sent = []

    def note(_connection, _cursor, statement, *_more):
        sent.append(statement)

    def taken(*messages, version):
        sent.clear()
        assert dees(*messages, version=version).status_code == 201
        return len(sent)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            few = taken("Fixes TOOLS-1, TOOLS-1", version="tools@1")
            many = taken(*[f"Fixes TOOLS-1, TOOLS-{number}" for number in range(2, 302)], version="tools@2")
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    assert many < few + 10


def test_of_a_list_a_hundred_issues_are_fixed(session, make, tools, dees, caplog):
    issues = [make.issue(tools) for _ in range(102)]
    names = ", ".join(issue.short_id for issue in issues)
    dees(f"Fixes {names}", f"Fixes {issues[0].short_id}")
    assert [issue.status for issue in issues] == ["resolved"] * 100 + ["unresolved"] * 2
    ties = session.scalars(select(IssueCommit.issue_id).order_by(IssueCommit.issue_id)).all()
    assert ties == [issues[0].id, *(issue.id for issue in issues[:100])]
    assert [record.left_out for record in caplog.records if hasattr(record, "left_out")] == [2]


# Whose repositories are


def test_a_guessed_hash_reads_no_commit_of_a_repository_of_others(release, program, cast):
    def asked(repository):
        refs = [{"repository": repository, "commit": "0000"}]
        return program(cast.dee).post(RELEASES, {"version": "tools@9", "projects": ["tools"], "refs": refs})

    assert asked("acme/shop").status_code == 400
    assert asked("acme/shop").text == asked("acme/none").text.replace("none", "shop")


def test_who_names_a_repository_of_others_gets_one_apart(release, session, program, cast, dees):
    assert dees("Tidy up").status_code == 201
    names = {
        person.name: [each["name"] for each in program(person).get("/organizations/acme/repos/").json]
        for person in (cast.alice, cast.bob, cast.dee)
    }
    assert names == {
        "Alice": ["acme/shop", "acme/shop (tools)"],
        "Bob": ["acme/shop"],
        "Dee": ["acme/shop (tools)"],
    }
    sent = {"refs": [{"repository": "acme/shop", "commit": f"{1:040x}"}]}
    shown = program(cast.dee).put(f"{RELEASES}tools@1/", sent).json
    assert shown["lastCommit"]["repository"]["name"] == "acme/shop (tools)"
    assert session.scalars(select(Commit.message).order_by(Commit.id)).all() == ["Tidy up", "Tidy up"]


def test_no_issue_is_resolved_by_a_commit_of_a_repository_of_others(release, session, make, cast, tools, now):
    own = make.issue(tools)
    into = in_commit("acme/shop", f"{1:040x}"[:8])
    with pytest.raises(Refused, match="There is no repository"):
        resolving.resolve(session, own, by=cast.dee, now=now, into=into)
    assert releases.offer(session, tools).repositories == []
    assert resolving.resolve(session, own, by=cast.alice, now=now, into=into)


def test_a_project_that_an_owner_releases_it_for_may_use_it_from_then_on(release, make, program, cast):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    make.member(cast.acme, cast.charlie)
    billing.teams.append(make.team(cast.acme, "billing-team", members=[cast.charlie]))
    assert program(cast.charlie).get("/organizations/acme/repos/").json == []
    sent = {"version": "billing@1", "projects": ["billing"], "commits": [commit(2)]}
    program(cast.bob).post(RELEASES, sent)
    assert [each["name"] for each in program(cast.charlie).get("/organizations/acme/repos/").json] == [
        "acme/shop"
    ]


@pytest.mark.parametrize(
    ("refs", "because"),
    {
        "too many": ([{"repository": "a", "commit": "abcd"}] * 501, "at most 500"),
        "a long name": ([{"repository": "a" * 201, "commit": "abcd"}], "needs a repository"),
        "a long hash": ([{"repository": "a", "commit": "a" * 65}], "names no commit"),
    }.values(),
)
def test_refs_have_bounds(release, program, cast, refs, because):
    answer = program(cast.bob).put(PATH, {"refs": refs})
    assert (answer.status_code, because in answer.text) == (400, True)


# What is shown as a link


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://ci/7", "/ci", "https://ci/\u202e7"])
def test_an_address_is_one_of_the_web(api, release, url):
    for path in (PATH, f"{PATH}deploys/"):
        answer = api("PUT" if path == PATH else "POST", path, {"url": url, "environment": "production"})
        assert (answer.status_code, list(answer.json)) == (400, ["url"])


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u202e", "\u200b", "\n"])
def test_a_version_is_one_visible_line(api, cast, mark):
    answer = api.post(RELEASES, {"version": f"shop{mark}1", "projects": ["shop"]})
    assert (answer.status_code, list(answer.json)) == (400, ["version"])


def test_an_author_is_one_line(api, release):
    sent = commit(9, author_name="Bob\u2028\u202e \n  Lee " + "x" * 500, author_email="b\n@example.org")
    api.put(PATH, {"commits": [sent]})
    [shown] = api.read(f"{PATH}commits/")
    assert shown["author"] == {"name": ("Bob Lee " + "x" * 500)[:200], "email": "b @example.org"}
