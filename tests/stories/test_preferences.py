"""What people choose on the pages of their settings decides what they are mailed."""

import pytest
from sqlalchemy import select

from app.models import EmailAddress, NotificationDefault, Subscription, Verdict

ROOT = "/settings/account/notifications/"


@pytest.fixture
def chooses(as_user):
    """Somebody saves a row of their settings: `chooses(bob, "alerts", "off", project=shop)`."""

    def save(person, category, value, *, project=None, kind=""):
        sent = {"category": category, "value": value, "kind": kind, "version": "0"}
        answer = as_user(person).post(
            f"{ROOT}choice", data=sent | ({"project": project.id} if project else {})
        )
        assert answer.status_code == 303

    return save


@pytest.fixture
def codes(session):
    def look(person):
        found = select(Verdict.code).where(Verdict.subject_id == person.id).order_by(Verdict.id)
        return list(session.scalars(found))

    return look


def comment(acts, cast, issue, text="It began with the last release."):
    acts.comment(issue, text, by=cast.alice)


def test_with_only_subscribed_a_stranger_to_the_issue_hears_nothing(
    cast, issue, acts, run_jobs, told, chooses
):
    chooses(cast.bob, "workflow", "participating")
    comment(acts, cast, issue)
    run_jobs()
    assert told() == ["cy"]


def test_with_only_subscribed_an_assignment_is_heard(cast, issue, acts, run_jobs, mailbox, chooses):
    chooses(cast.bob, "workflow", "participating")
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    [mail] = mailbox(cast.bob)
    assert mail["X-Tocsin-Reason"] == "assigned"


def test_with_never_here_an_assignment_subscribes_and_stays_silent(
    session, cast, issue, acts, run_jobs, mailbox, chooses
):
    chooses(cast.bob, "workflow", "never", project=cast.shop)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert mailbox(cast.bob) == []
    row = session.scalars(select(Subscription).where(Subscription.user_id == cast.bob.id)).one()
    assert (row.state, row.reasons) == ("subscribed", ["assigned"])


def test_always_here_beats_never_everywhere(cast, issue, acts, run_jobs, told, chooses):
    chooses(cast.bob, "workflow", "never")
    chooses(cast.bob, "workflow", "always", project=cast.shop)
    comment(acts, cast, issue)
    run_jobs()
    assert "bob" in told()


def test_never_here_beats_always_everywhere_and_a_subscription(
    cast, issue, make, acts, run_jobs, told, chooses
):
    chooses(cast.bob, "workflow", "always")
    chooses(cast.bob, "workflow", "never", project=cast.shop)
    make.subscription(issue, cast.bob, "subscribed")
    comment(acts, cast, issue)
    run_jobs()
    assert told() == ["cy"]


def test_own_activity_is_mailed_to_those_who_ask_for_it(cast, issue, acts, run_jobs, told, chooses):
    chooses(cast.alice, "own_activity", "on")
    comment(acts, cast, issue)
    run_jobs()
    assert told() == ["alice", "bob", "cy"]


def test_without_comments_a_mention_still_comes(cast, issue, acts, run_jobs, told, codes, chooses):
    chooses(cast.cy, "workflow", "off", kind="comments")
    comment(acts, cast, issue)
    run_jobs()
    assert (told(), codes(cast.cy)) == (["bob"], ["kind_off"])
    comment(acts, cast, issue, "What do you think, @cy?")
    run_jobs()
    assert told() == ["bob", "cy"]


@pytest.mark.parametrize(("claims", "expected"), [("on", "Alice"), ("", None)])
def test_what_nobody_has_becomes_the_resolvers_if_they_want_that(
    session, cast, issue, acts, chooses, claims, expected
):
    chooses(cast.alice, "claim", claims)
    acts.resolve(issue, by=cast.alice)
    assert (issue.assignee_user.name if issue.assignee_user else None) == expected


def test_what_somebody_has_stays_theirs(cast, issue, acts, chooses):
    chooses(cast.alice, "claim", "on")
    acts.assign(issue, to=cast.bob, by=cast.cy)
    acts.resolve(issue, by=cast.alice)
    assert issue.assignee_user == cast.bob


def test_the_instances_default_holds_for_the_fresh_and_the_page_offers_to_subscribe(
    session, as_user, cast, issue, acts, run_jobs, told, codes, now
):
    session.add(NotificationDefault(category="workflow", value="participating", set_at=now))
    comment(acts, cast, issue)
    run_jobs()
    assert told() == []
    assert codes(cast.bob) == ["not_subscribed"]
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert page.find("button", string="Subscribe")


def test_alerts_on_here_beat_off_everywhere(make, cast, report, run_jobs, told, chooses):
    chooses(cast.bob, "alerts", "off")
    chooses(cast.cy, "alerts", "off")
    chooses(cast.bob, "alerts", "on", project=cast.shop)
    report()
    run_jobs()
    assert told() == ["alice", "bob"]


def test_a_projects_own_address_gets_its_mail_until_it_is_removed(
    session, as_user, make, cast, issue, acts, run_jobs, mailbox, now
):
    second = EmailAddress(address="bob@home.example", verified_at=now)
    cast.bob.addresses.append(second)
    session.flush()
    bobs = as_user(cast.bob)
    sent = {"category": "workflow", "project": cast.shop.id, "was": "", "email": second.id}
    assert bobs.post(f"{ROOT}route", data=sent).status_code == 303
    comment(acts, cast, issue, "First.")
    run_jobs()
    assert bobs.post(f"{ROOT}email/{second.id}/removal").status_code == 303
    comment(acts, cast, issue, "Second.")
    run_jobs()
    assert [mail.to for mail in mailbox() if mail.to.startswith("bob@")] == [
        "bob@home.example",
        "bob@example.org",
    ]


def test_an_unverified_address_gets_nothing_and_its_owner_a_warning(
    session, as_user, cast, issue, acts, run_jobs, mailbox, codes
):
    cast.cy.primary_address.verified_at = None
    comment(acts, cast, issue)
    run_jobs()
    assert [mail for mail in mailbox() if mail.to == "cy@example.org"] == []
    assert codes(cast.cy) == ["address_unverified"]
    assert "no verified address" in as_user(cast.cy).get(f"{ROOT}email/").text
