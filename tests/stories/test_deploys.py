"""Who is told of a deploy, why, and that it happens once (`notifications.md` 11.5)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.models import Activity, Notice, ReleaseCommit, Verdict
from app.services.preferences import preferring
from app.services.releases import deploying, deploys_then
from app.services.releases.deploying import Wishes
from app.services.releases.deploys_then import Live


@pytest.fixture
def release(make, cast):
    """4.2.2 of shop, with two commits of Bob's and one of somebody unknown."""
    made = make.release(cast.shop, "shop@4.2.2")
    for author, line in ((cast.bob, "Show totals"), (cast.bob, "Tidy up"), ("Ana Lima", "Guard the cart")):
        make.commit(cast.acme, line, author=author, release=made)
    return made


@pytest.fixture
def deploy(session, release, cast, now, run_jobs):
    def act(*projects, by=None, environment="production", **wishes):
        wishes = Wishes(environment, **wishes)
        row = deploying.deploy(session, release, wishes, projects, by=by or cast.alice, now=now)
        session.commit()
        run_jobs()
        return row

    return act


@pytest.fixture
def choose(session, now):
    def act(user, value, **place):
        preferring.choose(session, user, "deploys", value, via="web", now=now, **place)
        session.commit()

    return act


def verdicts(session):
    found = select(Verdict).where(Verdict.subject == "user").order_by(Verdict.notice_id, Verdict.subject_id)
    return [(row.code, row.reasons) for row in session.scalars(found)]


def test_those_with_commits_in_it_are_told_and_nobody_else(session, deploy, told):
    deploy()
    assert told("deploy") == ["bob"]
    assert verdicts(session) == [("deploys_never", []), ("send", ["committer"]), ("deploys_never", [])]


def test_who_wants_all_is_told_and_who_wants_none_is_not(session, cast, deploy, choose, told):
    choose(cast.cy, "always", organization=cast.acme)
    choose(cast.alice, "always")
    choose(cast.bob, "never")
    deploy(by=cast.alice)  # one's own deploy is no reason not to hear of it
    assert told("deploy") == ["alice", "cy"]
    scopes = {row.code: row.params.get("scope") for row in session.scalars(select(Verdict))}
    assert scopes == {"send": "organization", "deploys_never": "account"}


def test_a_choice_for_another_organization_changes_nothing(cast, deploy, choose, told):
    choose(cast.cy, "always", organization=cast.rivals)
    choose(cast.bob, "never", organization=cast.rivals)
    deploy()
    assert told("deploy") == ["bob"]


def test_an_address_that_nobody_verified_is_no_proof_of_a_commit(session, cast, deploy, told):
    cast.bob.addresses[0].verified_at = None
    deploy()
    assert told() == []


def test_several_projects_are_one_message_that_names_those_its_reader_sees(
    session, make, cast, release, deploy, choose, told, mailbox
):
    """Case: a deploy of a monorepo (getsentry/sentry#79956)."""
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    secret_team = make.team(cast.acme, "secret-team", members=[cast.dee])
    secret = make.project(cast.acme, "secret", teams=[secret_team])
    make.project(cast.acme, "idle", teams=[cast.team])
    for project in (billing, secret):
        make.release(project, release.version)
    choose(cast.dee, "always")
    deploy(cast.shop, billing, secret)
    assert told("deploy") == ["bob", "dee"]
    [to_bob], [to_dee] = mailbox(cast.bob), mailbox(cast.dee)
    assert [name in to_bob.text for name in ("Shop", "Billing", "Secret", "Idle")] == [
        True,
        True,
        False,
        False,
    ]
    assert {name for name in ("Shop", "Secret") if name in to_dee.text} == {"Secret"}
    assert len(session.scalars(select(Activity).where(Activity.type == "deploy")).all()) == 3
    assert len(session.scalars(select(Notice).where(Notice.kind == "deploy")).all()) == 3
    assert ("merged", ["committer"]) in verdicts(session)


def test_without_commits_only_who_wants_all_is_told(session, make, cast, deploy, choose, told, mailbox):
    make.release(cast.shop, "shop@5.0")
    session.execute(delete(ReleaseCommit))
    choose(cast.cy, "always")
    deploy()
    assert told("deploy") == ["cy"]
    assert "No commits of it are known here." in mailbox(cast.cy)[0].text


def test_the_mail_says_what_was_deployed(session, make, cast, release, deploy, mailbox):
    make.release(cast.shop, "shop@4.2.1", at=release.date_added.replace(year=2025))
    deploy()
    [mail] = mailbox(cast.bob)
    assert mail.subject == "Deployed 4.2.2 to production · Shop"
    said = " ".join(mail.text.split())
    assert "deployed 12:00 by Alice. 3 commits by 2 people since 4.2.1." in said
    assert "Guard the cart" in said
    assert "You're getting this because release shop@4.2.2 contains 2 commits of yours." in said
    assert "Deploys in Acme (Only with my commits, built-in default): change: " in said
    assert "/settings/account/notifications/deploys/?at=acme#o-acme" in said
    assert mail["List-Id"] == "shop deploys <deploys.shop.acme.example.org>"


def test_one_press_stops_deploys_of_the_organization(client, cast, deploy, told, mailbox):
    deploy()
    assert told() == ["bob"]
    [mail] = mailbox(cast.bob)
    link = mail["List-Unsubscribe"].partition("<")[2].partition(">")[0]
    path = "/u/" + link.rpartition("/u/")[2]
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    deploy(environment="staging")
    assert told() == []


def test_explain_tells_why_each_was_told_or_not(as_user, session, cast, deploy):
    deploy()
    notice = session.scalars(select(Notice)).one()
    page = as_user(cast.cy).get(f"/notices/{notice.public_id}/")
    assert "Alice deployed release shop@4.2.2 to production." in page.text
    assert "Deploys: only with own commits, and it has none (built-in default)." in page.text
    assert "release shop@4.2.2 contains 2 commits of theirs" in page.text


def test_it_waits_in_quiet_hours_with_everything_else(make, cast, session, deploy, told, run_jobs):
    make.quiet_now(cast.bob)
    deploy()
    assert told() == []
    found = [row for row in session.scalars(select(Verdict)) if row.subject_id == cast.bob.id]
    assert [(row.code, row.outcome) for row in found] == [("quiet_hours", "defer")]
    run_jobs.sweep(after=timedelta(hours=4))
    assert told("deploy") == ["bob"]


def test_a_release_is_live_where_it_was_deployed_last(session, make, cast, release, deploy, now):
    def live(version=release.version, hours=0):
        until = now + timedelta(hours=hours)
        return deploys_then.standing(session, cast.shop, version, until=until)

    assert live() is None  # nobody tells of deploys
    deploy(environment="staging", date_finished=now - timedelta(hours=3))
    assert (live().environment, live().at) == ("staging", now - timedelta(hours=3))
    assert live("shop@4.2.1") == Live("staging")
    older = make.release(cast.shop, "shop@4.2.1")
    deploying.deploy(session, older, Wishes("production"), [], by=cast.alice, now=now - timedelta(hours=2))
    assert live() == Live("production")
    deploy(date_finished=now)
    assert live() == Live("production", now, "Alice")
    assert live(hours=-1) == Live("production")


def test_the_mail_about_a_new_issue_says_since_when_its_release_is_live(
    deploy, release, report, run_jobs, mailbox, cast
):
    deploy()
    report("KeyError: after it", release=release.version, environment="production")
    run_jobs()
    said = " ".join(mailbox(cast.cy)[-1].text.split())
    assert ", release shop@4.2.2 (deployed 20 Nov 12:00 by Alice). 1 event, " in said
