"""Pushes of providers of repositories: who may send them, and what becomes of them."""

import hashlib
import hmac
import json

import pytest
from sqlalchemy import select

from app.domain.errors import NotFound
from app.models import (
    Activity,
    Commit,
    CommitFile,
    IssueCommit,
    Notice,
    Push,
    PushHook,
    ReleaseCommit,
    Repository,
)
from app.services.releases import pushing, repository_owners
from app.services.sealing import Seal


def sha(number):
    return f"{number:040x}"


GITHUB = {
    "ref": "refs/heads/main",
    "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
    "commits": [
        {
            "id": sha(number),
            "message": message,
            "timestamp": f"2026-11-19T10:0{number}:00+01:00",
            "author": {"name": "Bob", "email": "bob@example.org", "username": "bob"},
            "added": ["cart/new.py"],
            "removed": [],
            "modified": ["cart/page.py"],
        }
        for number, message in ((1, "Tidy up"), (2, "Guard the cart\n\nFixes SHOP-1"))
    ],
}
GITLAB = {
    "object_kind": "push",
    "project": {"path_with_namespace": "acme/shop", "web_url": "https://gitlab.com/acme/shop"},
    "commits": GITHUB["commits"],
}
BITBUCKET = {
    "repository": {"full_name": "acme/shop", "links": {"html": {"href": "https://bitbucket.org/acme/shop"}}},
    "push": {
        "changes": [
            {
                "commits": [
                    {
                        "hash": each["id"],
                        "message": each["message"],
                        "date": each["timestamp"],
                        "author": {"raw": " Bob  <bob@example.org> "},
                    }
                    for each in reversed(GITHUB["commits"])
                ]
            }
        ]
    },
}
GENERIC = {
    "repository": "acme/shop",
    "url": "https://git.example.com/acme/shop",
    "commits": [
        {
            "id": each["id"],
            "message": each["message"],
            "timestamp": each["timestamp"],
            "author_name": "Bob",
            "author_email": "bob@example.org",
        }
        for each in reversed(GITHUB["commits"])
    ],
}
PUSHES = {
    "github": (GITHUB, {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}),
    "gitlab": (GITLAB, {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": "d-1"}),
    "bitbucket": (BITBUCKET, {"X-Event-Key": "repo:push", "X-Request-UUID": "d-1"}),
    "generic": (GENERIC, {"X-Tocsin-Delivery": "d-1"}),
}


def proof(provider, body, secret):
    digest = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "github": {"X-Hub-Signature-256": digest},
        "gitlab": {"X-Gitlab-Token": secret},
        "bitbucket": {"X-Hub-Signature": digest},
        "generic": {"X-Tocsin-Signature": digest},
    }[provider]


@pytest.fixture
def hook(session, cast, settings, now):
    """`hook("github")`: its address and its secret."""

    def made(provider="github"):
        seal = Seal(settings.credential_keys)
        row, secret = pushing.add(session, cast.acme, provider, seal, by=cast.alice, now=now)
        session.commit()
        return f"/hooks/push/{row.key}", secret

    return made


@pytest.fixture
def push(client, hook, session):
    """Sends what a provider would; the answer."""
    made = {}

    def send(provider="github", sent=None, secret=None, headers=(), body=None):
        if provider not in made:
            made[provider] = hook(provider)
        path, own = made[provider]
        payload, usual = PUSHES[provider]
        body = body or json.dumps(payload if sent is None else sent).encode()
        signed = proof(provider, body, own if secret is None else secret)
        answer = client.post(
            path, data=body, headers={**usual, **signed, **dict(headers)}, content_type="application/json"
        )
        session.commit()
        return answer

    return send


def types(session):
    return session.scalars(select(Activity.type).order_by(Activity.id)).all()


@pytest.mark.parametrize("provider", PUSHES)
def test_a_push_is_kept_and_its_fix_shows_on_the_issue(session, make, cast, push, run_jobs, told, provider):
    issue = make.issue(cast.shop)
    assert push(provider).status_code == 202
    run_jobs()
    rows = session.scalars(select(Commit).order_by(Commit.date_added)).all()
    assert [(row.key, row.author_email) for row in rows] == [(sha(n), "bob@example.org") for n in (1, 2)]
    place = session.scalars(select(Repository)).one()
    assert (place.name, place.provider) == ("acme/shop", provider)
    assert place.url.endswith("/acme/shop")
    assert session.scalars(select(IssueCommit.issue_id)).all() == [issue.id]
    assert (types(session), issue.status, told()) == (["referenced_in_commit"], "unresolved", [])


@pytest.mark.parametrize("provider", PUSHES)
def test_who_does_not_know_the_secret_leaves_nothing_behind(session, push, provider):
    assert push(provider, secret="guessed").status_code == 401
    assert session.scalars(select(Push)).all() == []


@pytest.mark.parametrize("provider", ["github", "bitbucket", "generic"])
def test_a_signature_of_other_bytes_is_wrong(session, client, hook, provider):
    path, secret = hook(provider)
    headers = proof(provider, b"{}", secret)
    assert client.post(path, data=b"{ }", headers=headers).status_code == 401
    assert client.post(path, data=b"{ }").status_code == 401


def test_nobody_is_told_whether_an_address_was_ever_given(client):
    assert client.post("/hooks/push/0123456789abcdef0123456789abcdef", data=b"{}").status_code == 404


def test_what_is_sent_twice_counts_once(session, make, cast, push, run_jobs):
    make.issue(cast.shop)
    for _ in range(2):
        assert push().status_code == 202
        run_jobs()
    assert len(session.scalars(select(Push)).all()) == 1
    assert types(session) == ["referenced_in_commit"]


def test_a_push_that_comes_again_under_another_name_changes_nothing(session, make, cast, push, run_jobs):
    make.issue(cast.shop)
    for name in ("one", "two"):
        push(headers={"X-GitHub-Delivery": name})
        run_jobs()
    assert types(session) == ["referenced_in_commit"]


STRANGE = {
    "no JSON": b"hello",
    "a list": b"[]",
    "no repository": b'{"commits": []}',
    "commits that are none": b'{"repository": {"full_name": "a/b"}, "commits": [7]}',
    "a hash that is none": b'{"repository": {"full_name": "a/b"}, "commits": [{"id": "../x"}]}',
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_read_is_said_on_the_page(as_user, session, cast, push, run_jobs, body):
    assert push(body=body).status_code == 202
    run_jobs()
    assert session.scalars(select(PushHook.trouble)).one() != ""
    assert "could not be used" in as_user(cast.alice).get("/acme/settings/repositories/").text
    push(headers={"X-GitHub-Delivery": "d-2"})
    run_jobs()
    assert session.scalars(select(PushHook.trouble)).one() == ""


def test_other_events_are_taken_and_mean_nothing(session, push, run_jobs):
    assert push(sent={"zen": "Keep it simple."}, headers={"X-GitHub-Event": "ping"}).status_code == 202
    run_jobs()
    assert session.scalars(select(Commit)).all() == []
    assert session.scalars(select(PushHook.trouble)).one() == ""


def test_files_that_a_push_names_are_kept(session, push, run_jobs):
    push()
    run_jobs()
    rows = session.execute(select(CommitFile.path, CommitFile.change).distinct().order_by(CommitFile.path))
    assert rows.all() == [("cart/new.py", "A"), ("cart/page.py", "M")]


MERGED = {
    "github": (
        {
            "action": "closed",
            "pull_request": {
                "merged": True,
                "merge_commit_sha": sha(9),
                "title": "Guard the cart",
                "body": "Closes SHOP-1",
            },
            "repository": GITHUB["repository"],
        },
        {"X-GitHub-Event": "pull_request"},
    ),
    "gitlab": (
        {
            "object_kind": "merge_request",
            "project": GITLAB["project"],
            "object_attributes": {
                "action": "merge",
                "merge_commit_sha": sha(9),
                "title": "Fix SHOP-1",
                "description": None,
            },
        },
        {},
    ),
}


@pytest.mark.parametrize("provider", MERGED)
def test_what_a_merged_request_fixes_its_commit_fixes(session, make, cast, push, run_jobs, provider):
    issue = make.issue(cast.shop)
    sent, headers = MERGED[provider]
    push(provider, sent=sent, headers=headers)
    run_jobs()
    commit = {**GITHUB["commits"][0], "id": sha(9), "message": "Merge it"}
    push(provider, sent={**PUSHES[provider][0], "commits": [commit]}, headers=[(KEYS[provider], "d-2")])
    run_jobs()
    row = session.scalars(select(Commit)).one()
    assert (row.message, row.author_email) == ("Merge it", "bob@example.org")
    assert session.scalars(select(IssueCommit.issue_id)).all() == [issue.id]


@pytest.mark.parametrize("provider", MERGED)
@pytest.mark.parametrize("named", ["../" + sha(9), "f" * 65, "x" * 300, "a\x00b", 7])
def test_a_merged_request_names_a_commit_or_is_not_used(session, push, run_jobs, provider, named):
    sent, headers = MERGED[provider]
    where = "pull_request" if provider == "github" else "object_attributes"
    push(provider, sent={**sent, where: {**sent[where], "merge_commit_sha": named}}, headers=headers)
    run_jobs()
    assert session.scalars(select(Commit)).all() == []
    assert session.scalars(select(PushHook.trouble)).one() != ""


KEYS = {"github": "X-GitHub-Delivery", "gitlab": "X-Gitlab-Event-UUID"}


def test_a_release_that_stood_at_a_commit_to_come_gets_it_and_its_deploy_is_told_then(
    session, make, cast, push, run_jobs, told
):
    from datetime import UTC, datetime

    from app.domain.commit_lists import Ref
    from app.services.releases import committing, deploying

    issue = make.issue(cast.shop)
    make.repository(cast.acme)
    push(sent={"zen": "!"}, headers={"X-GitHub-Event": "ping"})
    release = make.release(cast.shop, "4.2.2")
    committing.set_refs(session, release, [Ref("acme/shop", sha(2))], by=None, now=datetime.now(UTC))
    wishes = deploying.Wishes("production")
    deploying.deploy(session, release, wishes, [], by=cast.alice, now=datetime.now(UTC))
    session.commit()
    run_jobs()
    assert told() == []
    push(headers={"X-GitHub-Delivery": "d-2"})
    run_jobs()
    run_jobs.sweep()
    assert len(session.scalars(select(ReleaseCommit)).all()) == 2
    session.refresh(issue)
    assert issue.status == "resolved"
    assert "bob" in told()
    kinds = session.scalars(select(Notice.kind).order_by(Notice.id)).all()
    assert kinds == ["deploy", "resolved"]


def test_a_deploy_waits_for_no_push_for_ever(session, make, cast, hook, run_jobs):
    from datetime import UTC, datetime, timedelta

    from app.domain.commit_lists import Ref
    from app.services.releases import committing, deploying

    hook()
    make.repository(cast.acme)
    release = make.release(cast.shop, "4.2.2")
    committing.set_refs(session, release, [Ref("acme/shop", sha(2))], by=None, now=datetime.now(UTC))
    deploying.deploy(session, release, deploying.Wishes("production"), [], by=None, now=datetime.now(UTC))
    run_jobs.sweep()
    assert session.scalars(select(Notice.planned_at)).all() == [None]
    run_jobs.sweep(after=timedelta(minutes=3))
    assert session.scalars(select(Notice.planned_at)).all() != [None]


# The page


def test_an_owner_makes_a_hook_whose_secret_is_shown_once(as_user, session, cast, client):
    page = as_user(cast.alice).post("/acme/settings/repositories/", data={"provider": "github"})
    assert page.status_code == 200
    row = session.scalars(select(PushHook)).one()
    assert f"https://tocsin.example.org/hooks/push/{row.key}" in page.text
    assert "it is not shown again" in page.text
    again = as_user(cast.alice).get("/acme/settings/repositories/").text
    assert row.key in again
    assert "it is not shown again" not in again


def test_a_new_secret_ends_the_old_one(as_user, session, cast, push):
    assert push().status_code == 202
    row = session.scalars(select(PushHook)).one()
    answer = as_user(cast.alice).post(f"/acme/settings/repositories/{row.id}/secret")
    assert "it is not shown again" in answer.text
    assert push(headers={"X-GitHub-Delivery": "d-2"}).status_code == 401


def test_a_hook_that_is_deleted_takes_nothing_more(as_user, session, cast, push):
    push()
    row = session.scalars(select(PushHook)).one()
    assert as_user(cast.alice).post(f"/acme/settings/repositories/{row.id}/delete").status_code == 303
    assert push(headers={"X-GitHub-Delivery": "d-2"}).status_code == 404


def test_members_see_the_repositories_and_no_hook(as_user, session, cast, push, run_jobs):
    push()
    run_jobs()
    row = session.scalars(select(PushHook)).one()
    page = as_user(cast.bob).get("/acme/settings/repositories/")
    assert "acme/shop" in page.text
    assert row.key not in page.text
    theirs = as_user(cast.bob)
    assert theirs.post("/acme/settings/repositories/", data={"provider": "github"}).status_code == 404
    assert theirs.post(f"/acme/settings/repositories/{row.id}/delete").status_code == 404
    assert as_user(cast.charlie).get("/acme/settings/repositories/").status_code == 404


def test_a_hook_says_whose_the_commits_are_and_owners_may_change_that(
    as_user, session, make, cast, push, run_jobs, settings, now
):
    make.repository(cast.acme, is_shared=False)  # somebody named it before: that is no claim
    make.project(cast.acme, "tools", teams=[make.team(cast.acme, "tools-team", members=[cast.dee])])
    session.commit()
    push()
    session.scalars(select(PushHook)).one().project = cast.shop
    session.commit()
    run_jobs()

    def shown(person):
        return ">acme/shop<" in as_user(person).get("/acme/settings/repositories/").text

    assert (shown(cast.bob), shown(cast.dee)) == (True, False)
    row = session.scalars(select(Repository)).one()
    path = f"/acme/settings/repositories/{row.id}/sharing"
    with pytest.raises(NotFound):
        repository_owners.find(session, cast.dee, cast.acme, row.id)
    assert as_user(cast.bob).post(path, data={"project": ""}).status_code == 404
    assert as_user(cast.alice).post(path, data={"project": "none"}).status_code == 422
    assert as_user(cast.alice).post(path, data={"project": ""}).status_code == 303
    assert (shown(cast.bob), shown(cast.dee)) == (True, True)
    assert as_user(cast.alice).post(path, data={"project": "tools"}).status_code == 303
    assert (shown(cast.bob), shown(cast.dee)) == (False, True)


def test_a_hook_is_made_for_a_project(as_user, session, cast):
    sent = {"provider": "github", "project": "shop"}
    assert "for Shop" in as_user(cast.alice).post("/acme/settings/repositories/", data=sent).text
    assert session.scalars(select(PushHook.project_id)).one() == cast.shop.id
    sent["project"] = "other-shop"
    assert as_user(cast.alice).post("/acme/settings/repositories/", data=sent).status_code == 422


def test_a_provider_that_there_is_not_is_refused(as_user, cast):
    answer = as_user(cast.alice).post("/acme/settings/repositories/", data={"provider": "floppy"})
    assert answer.status_code == 422
