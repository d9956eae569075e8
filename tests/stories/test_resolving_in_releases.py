"""Issues that are resolved in a release: what reopens them, and who hears of what."""

import pytest
from sqlalchemy import select

from app.models import Activity, Commit, Issue, Notice, Release, Verdict
from app.services.releases import fixing

SHA = "1f0c3aa" + "0" * 33


@pytest.fixture
def issue(report, run_jobs, told, session):
    """SHOP-1, which came with release 1.0; everybody was told."""
    report(release="1.0")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    return session.scalars(select(Issue)).one()


@pytest.fixture
def seen(report, run_jobs, told, session):
    """The error comes again, from this release; who was told of what."""

    def again(release):
        report(release=release)
        run_jobs()
        return told()

    return again


@pytest.fixture
def resolve(as_user, cast, issue, run_jobs):
    def act(status=303, by=None, **fields):
        answer = as_user(by or cast.alice).post(f"/issues/{issue.id}/resolution", data=fields)
        assert answer.status_code == status
        run_jobs()

    return act


def types(session, issue):
    found = select(Activity.type).where(Activity.issue_id == issue.id).order_by(Activity.id)
    return list(session.scalars(found))


@pytest.mark.usefixtures("at_once")
def test_the_next_release_from_the_click_to_the_regression(
    issue, resolve, seen, told, session, run_jobs, report
):
    resolve(into="next")
    assert told("resolved") == ["bob", "cy"]
    assert seen("1.0") == []  # case 5
    assert issue.status == "resolved"
    report("ValueError: something else", release="1.1")  # case 6
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    assert issue.status == "resolved"
    activity = session.scalars(select(Activity).where(Activity.issue_id == issue.id)).one()
    assert (activity.type, activity.data["version"]) == ("set_resolved_in_release", "1.1")
    assert seen("1.1") == ["alice", "bob", "cy"]  # case 7
    assert issue.status == "unresolved"
    assert types(session, issue) == ["set_resolved_in_release", "set_regression"]


def test_the_mail_says_in_what_it_was_resolved(issue, resolve, mailbox, cast):
    resolve(into="next")
    assert "next release" in mailbox(to=cast.bob)[-1].text
    resolve(release="1.0")
    assert "1.0" in mailbox(to=cast.bob)[-1].text


def test_a_release_that_is_older_than_the_fix_disturbs_nobody(issue, resolve, seen, told, report, run_jobs):
    report("ValueError: something else", release="2.0")
    run_jobs()
    resolve(release="2.0")
    told()
    assert seen("1.9") == []  # case 8
    assert seen(None) == []  # case 9
    assert seen("2.1") == ["alice", "bob", "cy"]


def test_changing_the_kind_is_told_again_and_the_same_again_is_not(issue, resolve, told, cast):
    resolve()
    assert told("resolved") == ["bob", "cy"]
    resolve(into="next", by=cast.bob)
    assert told("resolved") == ["alice", "cy"]
    resolve(into="next", by=cast.cy)
    assert told() == []


def test_there_is_no_next_release_where_there_is_none(make, as_user, cast, session, run_jobs, told):
    issue = make.issue(cast.shop)
    answer = as_user(cast.alice).post(f"/issues/{issue.id}/resolution", data={"into": "next"})  # case 11
    assert answer.status_code == 422
    run_jobs()
    assert (issue.status, types(session, issue), told()) == ("unresolved", [], [])


def test_a_commit_is_referred_to_in_silence_and_its_release_is_told(
    issue, make, cast, session, now, run_jobs, told, seen
):
    commit = make.commit(cast.acme, "Guard the cart. Fixes SHOP-1", key=SHA, author=cast.bob)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    session.commit()
    run_jobs()
    assert (issue.status, told()) == ("unresolved", [])
    release = make.release(cast.shop, "2.0")
    make.in_release(commit, release)
    fixing.release_commits(session, release, [commit], now=now)
    session.commit()
    run_jobs()
    assert issue.status == "resolved"
    assert told("resolved") == ["alice", "cy"]  # Bob did it
    assert seen("1.9") == []
    assert seen("2.0") == ["alice", "bob", "cy"]


def test_a_commit_that_takes_it_back_is_told_too(issue, make, cast, session, now, run_jobs, told):
    commit = make.commit(cast.acme, "Fixes SHOP-1", key=SHA)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    fixing.release_commits(session, make.release(cast.shop, "2.0"), [commit], now=now)
    session.commit()
    run_jobs()
    told()
    commit = session.scalars(select(Commit)).one()
    assert sorted(session.scalars(select(Release.version))) == ["1.0", "2.0"]
    fixing.edit(session, [(commit, "Something else")], base_url="", now=now)
    session.commit()
    run_jobs()
    assert issue.status == "unresolved"
    assert told("reopened") == ["alice", "bob", "cy"]


def test_who_claims_what_they_resolve_has_it_afterwards(issue, make, cast, resolve, told, session):
    make.choice(cast.alice, "claim", "on")  # case 48
    resolve()
    assert issue.assignee_user_id == cast.alice.id
    assert types(session, issue) == ["set_resolved", "assigned"]
    assert told("resolved") == ["bob", "cy"]


def test_who_hears_of_a_claim_hears_of_it_with_the_resolution(issue, make, cast, resolve, mailbox, session):
    make.choice(cast.alice, "claim", "on")
    make.choice(cast.cy, "workflow", "off", kind="resolution")
    resolve()
    [_, mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Kind"] == "resolved"
    assert "Nobody had it; now Alice has." in mail.text
    [_, other] = mailbox(to=cast.cy)
    assert other["X-Tocsin-Kind"] == "assigned"
    session.commit()
    of_bob = select(Notice.kind, Verdict.code).join(Verdict.notice).where(Verdict.subject_id == cast.bob.id)
    assert session.execute(of_bob.order_by(Notice.id)).all() == [
        ("alert.new", "send"),
        ("resolved", "send"),
        ("assigned", "merged"),
    ]
