"""What stands in the mails that arrive, once real things have happened to an issue."""

from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app.clock import now as clock
from app.models import Issue, User
from app.services.issues import resolving
from app.services.issues.timeline import Batch
from app.services.releases import fixing
from tests.support.databases import contents

SHA = "1f0c3aa" + "0" * 33


@pytest.fixture
def issue(report, run_jobs, session):
    report(release="1.0")
    run_jobs()
    return session.scalars(select(Issue)).one()


@pytest.fixture
def arrived(run_jobs, mailbox, cast):
    """The newest mail to Bob, in one line."""

    def text() -> str:
        run_jobs()
        return " ".join(mailbox(to=cast.bob)[-1].text.split())

    return text


def test_a_regression_compares_the_releases(issue, cast, as_user, report, arrived, run_jobs, mailbox):
    as_user(cast.alice).post(f"/issues/{issue.id}/resolution", data={"release": "1.0"})
    said = arrived()
    assert "RESOLVED IN 1.0" in said
    assert "Alice resolved this in release 1.0." in said
    report(release="1.1")
    said = arrived()
    assert "by Alice in release 1.0. It came back" in said
    assert "in 1.1, which is newer than 1.0." in said
    assert "2 events in 24 hours" in said
    assert mailbox(to=cast.bob)[-1]["X-Tocsin-Kind"] == "regression"


def test_the_next_release_names_the_one_before_it(issue, cast, as_user, arrived):
    as_user(cast.alice).post(f"/issues/{issue.id}/resolution", data={"into": "next"})
    said = arrived()
    assert "RESOLVED IN THE NEXT RELEASE" in said
    assert "the next release created after 1.0." in said


def test_a_commit_is_named_with_its_words_and_its_release(issue, make, cast, session, now, arrived):
    commit = make.commit(cast.acme, "Guard the cart. Fixes SHOP-1\n\nMore of it", key=SHA, author=cast.alice)
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    release = make.release(cast.shop, "2.0")
    make.in_release(commit, release)
    fixing.release_commits(session, release, [commit], now=now)
    session.commit()
    said = arrived()
    assert "RESOLVED IN 2.0" in said
    assert "Fixed by commit 1f0c3aa “Guard the cart. Fixes SHOP-1”" in said
    fixing.edit(session, [(session.merge(commit), "Something else")], base_url="", now=now)
    session.commit()
    reopened = "It was resolved in release 2.0 by commit 1f0c3aa “Something else”, which no longer names it"
    assert reopened in arrived()


def test_what_ended_an_ignore_is_said_with_its_numbers(issue, cast, as_user, report, arrived, mailbox):
    as_user(cast.alice).post(f"/issues/{issue.id}/ignore", data={"event_count": "2"})
    report()
    report()
    said = arrived()
    assert "ESCALATING" in said
    assert "Ignored by Alice on" in said
    assert "until 2 more events." in said
    assert "2 events came since it was ignored." in said


def test_the_reader_hears_what_still_ties_them(issue, cast, acts, arrived):
    acts.comment(issue, "I have a look", by=cast.bob)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    assert "ASSIGNED TO YOU" in arrived()
    acts.assign(issue, to=cast.cy, by=cast.alice)
    said = arrived()
    assert "NO LONGER YOURS" in said
    assert "You stay subscribed because you commented on this issue." in said


def test_a_team_hears_how_many_of_it_are_told(issue, cast, acts, arrived):
    acts.assign(issue, to=cast.team, by=cast.alice)
    assert "Alice assigned this to #shop-team, your team. Told: 2 of 3." in arrived()


def test_only_this_comments_mention_counts_as_one(issue, cast, acts, arrived):
    acts.comment(issue, "@bob look", by=cast.cy)
    assert "because Cy mentioned you." in arrived()
    acts.comment(issue, "nothing new", by=cast.alice)
    said = arrived()
    assert "Alice mentioned you" not in said
    assert "You are now subscribed" not in said


def test_everybody_reads_their_own_clock(issue, cast, acts, session, run_jobs, mailbox):
    session.get(User, cast.bob.id).timezone = "Asia/Tokyo"
    session.commit()
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert "times are Asia/Tokyo" in mailbox(to=cast.bob)[-1].text
    assert "times are UTC" in mailbox(to=cast.cy)[-1].text


def test_the_template_of_a_project_makes_one_subject_for_the_whole_thread(
    cast, acts, report, run_jobs, mailbox, session
):
    """Case 105, and that later titles and templates do not break the thread."""
    cast.shop.subject_template, cast.shop.subject_prefix = "${tag:environment} $title $foo", "[shop]"
    session.commit()
    report(environment="prod")
    run_jobs()
    cast.shop.subject_template = "$shortID"
    session.commit()
    acts.comment(session.scalars(select(Issue)).one(), "Why?", by=cast.alice)
    run_jobs()
    assert {mail.subject for mail in mailbox(to=cast.bob)} == {"[shop] prod KeyError: cart $foo"}


def test_every_mail_about_an_issue_names_one_root(issue, cast, acts, run_jobs, mailbox):
    """Case 104: one thread a person, from the first mail on."""
    acts.comment(issue, "Why?", by=cast.alice)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    mails = mailbox(to=cast.bob)
    assert len(mails) == 3
    assert len({(mail["References"], mail["In-Reply-To"]) for mail in mails}) == 1
    assert len({mail["Message-ID"] for mail in mails}) == 3


def test_an_organization_that_guards_its_data_sends_links(cast, acts, report, run_jobs, mailbox, session):
    """Case 107, through a summary too."""
    cast.acme.enhanced_privacy = True
    session.commit()
    report("SecretError: hunter2", environment="vault", release="9.9.9")
    run_jobs()
    issue = session.scalars(select(Issue)).one()
    acts.comment(issue, "the password is hunter2", by=cast.alice)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    mails = mailbox(to=cast.bob)
    assert [mail["X-Tocsin-Kind"] for mail in mails] == ["alert.new", "comment", "resolved"]
    for mail in mails:
        said = f"{mail.raw.decode()} {mail.text} {mail.html}"
        assert [word for word in ("hunter2", "Secret", "vault", "9.9.9", "shop/cart") if word in said] == []


@pytest.fixture
def summary(cast, make, session, run_jobs, mailbox):
    """Of 25 issues that Alice resolves with one click, as Bob gets it."""
    batch = Batch("b_1")
    for number in range(25):
        issue = make.issue(cast.shop, title=f"Error{number}: cart")
        resolving.resolve(session, issue, by=cast.alice, now=clock(), batch=batch)
    session.commit()
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    return mail


def test_a_summary_lists_twenty_and_counts_the_rest(summary):
    assert summary.subject == "Alice resolved 25 issues in Shop"
    assert "Alice via Tocsin" in summary["From"]
    assert summary.text.count("RESOLVED  Error") == 20
    assert "and 5 more" in summary.text
    assert summary["List-Id"] == "shop workflow <workflow.shop.acme.example.org>"


def test_looking_at_every_link_of_a_summary_changes_nothing(summary, cast, client, session):
    before = contents(session)
    client.sign_in(cast.bob)
    for link in summary.links:
        parts = urlsplit(link)
        for method in ("GET", "HEAD"):
            answer = client.open(f"{parts.path}?{parts.query}", method=method, follow_redirects=True)
            assert answer.status_code == 200, link
    assert contents(session) == before
