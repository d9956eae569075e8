"""Integrations from the event to the answer: once, in order, repaired, and never silently lost."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.jobs import notify, post
from app.models import Attempt, Delivery, Destination, DestinationIssue, Notice, NotificationSetting, Verdict
from app.services.preferences import preferring
from tests.support.dying import survives
from tests.support.receiver import answer, hang_up, slow

SOON = timedelta(seconds=20)
LATER = timedelta(minutes=10)
ONCE_CLAIMS_ARE_OVER = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def at_once(cast):
    """Mails of the project do not wait for each other."""
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0


@pytest.fixture
def types(receiver):
    """What was posted: `types() == ["issue.created"]`."""
    return lambda: [json.loads(request.body)["type"] for request in receiver.taken]


@pytest.fixture
def states(session):
    def look():
        session.commit()
        found = select(Delivery.state).where(Delivery.destination_id.is_not(None)).order_by(Delivery.id)
        return session.scalars(found).all()

    return look


@pytest.fixture
def health(session, hook):
    def look():
        session.commit()
        session.refresh(hook)
        return hook.state

    return look


def test_a_new_issue_is_posted_with_what_the_rule_wants_to_show(cast, make, hook, report, run_jobs, receiver):
    rule = make.rule_to(hook, name="Everything to ops")
    event_id = report("KeyError: cart")
    run_jobs()
    [request] = receiver.taken
    body = json.loads(request.body)
    assert body["type"] == "issue.created"
    assert body["data"]["issue"]["title"] == "KeyError: cart"
    assert body["data"]["issue"]["url"].startswith("https://tocsin.example.org/acme/shop/issues/")
    assert body["data"]["event"]["id"] == event_id
    assert body["data"]["event"]["environment"] == "production"
    assert body["data"]["event"]["exception"] == {"type": "KeyError", "value": "cart"}
    assert body["data"]["event"]["top_frames"][0]["function"] == "checkout"
    assert body["data"]["rule"]["id"] == rule.id
    assert body["data"]["rule"]["name"] == "Everything to ops"


def test_an_alert_whose_rule_names_no_integration_is_not_posted(cast, hook, report, run_jobs, receiver):
    report()
    run_jobs()
    assert receiver.taken == []


def test_what_is_decided_about_an_integration_is_recorded_and_explained(
    cast, make, hook, report, run_jobs, session, as_user
):
    make.rule_to(hook)
    report()
    run_jobs()
    [verdict] = session.scalars(select(Verdict).where(Verdict.subject == "destination"))
    assert (verdict.outcome, verdict.code, verdict.reasons) == ("send", "send", ["rule_integration"])
    page = as_user(cast.alice).get(f"/notices/{verdict.notice.public_id}/").text
    assert "Ops hook" in page
    assert "Webhook" in page
    assert "204" in page


def test_workflow_changes_are_posted_where_they_are_switched_on(
    issue, cast, make, hook, acts, run_jobs, types, session, receiver, settings
):
    make.webhook(cast.shop, receiver.url, settings, name="Quiet hook", kinds=["new"])
    acts.resolve(issue, by=cast.bob)
    run_jobs()
    assert types() == ["issue.resolved"]
    assert json.loads(receiver.taken[0].body)["data"]["actor"] == {"id": cast.bob.id, "name": "Bob"}
    session.commit()
    skipped = session.scalar(select(Verdict).where(Verdict.code == "channel_off"))
    assert skipped.params["integration_kind"] == "resolved"


def test_what_failed_is_tried_again_under_the_same_id(
    cast, make, hook, report, run_jobs, receiver, states, health, session
):
    make.rule_to(hook)
    receiver.script(answer(500), hang_up)
    report()
    run_jobs()
    assert states() == ["deferred"]
    assert health() == "failing"
    run_jobs.sweep(after=SOON)
    run_jobs.sweep(after=LATER)
    assert states() == ["accepted"]
    assert health() == "ok"
    assert len({request.headers["webhook-id"] for request in receiver.taken}) == 1
    codes = session.scalars(select(Attempt.code).where(Attempt.request != "").order_by(Attempt.id)).all()
    assert codes == ["500", "cut", "204"]


def test_retry_after_holds_every_message_for_it(
    cast, make, hook, report, run_jobs, receiver, states, session
):
    make.rule_to(hook)
    receiver.script(answer(429, retry_after="120"))
    for number in range(3):
        report(f"Error{number}: cart")
    run_jobs()
    assert len(receiver.taken) == 1
    run_jobs.sweep(after=timedelta(seconds=100))
    assert len(receiver.taken) == 1
    run_jobs.sweep(after=timedelta(seconds=125))
    assert states() == ["accepted"] * 3


def test_a_resolve_waits_behind_its_unsent_alert(
    cast, make, hook, report, run_jobs, receiver, types, acts, session
):
    make.rule_to(hook)
    receiver.script(answer(500), answer(500))
    report()
    run_jobs()
    [issue] = session.scalars(select(Notice).where(Notice.rule_id.is_not(None))).all()[:1]
    session.commit()
    run_jobs.sweep(after=SOON)
    assert types() == ["issue.created"] * 2
    acts.comment(issue.issue, "on it", by=cast.bob)
    run_jobs()
    assert types() == ["issue.created"] * 2
    run_jobs.sweep(after=timedelta(hours=1))
    assert types() == ["issue.created"] * 3 + ["issue.commented"]


def test_one_issue_that_waits_does_not_hold_up_another(cast, make, hook, report, run_jobs, receiver, states):
    make.rule_to(hook)
    receiver.script(answer(500))
    report("Error1: cart")
    run_jobs()
    run_jobs.sweep(after=timedelta(seconds=1))
    report("Error2: cart")
    run_jobs()
    run_jobs.sweep(after=timedelta(seconds=6))
    assert set(states()) == {"accepted"}


def test_gone_for_good_is_switched_off_told_once_and_its_alerts_come_by_mail(
    cast, make, hook, report, run_jobs, receiver, states, health, mailbox, session
):
    make.rule_to(hook, name="To ops")
    receiver.usual = answer(410, b"gone")
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    assert health() == "disabled"
    assert len(receiver.taken) == 1
    assert sorted(states()) == ["cancelled", "failed"]
    broken = [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]
    assert [mail.to for mail in broken] == [cast.alice.email]
    assert "Ops hook" in broken[0].subject
    assert "2 alerts" in broken[0].text
    assert "To ops" in broken[0].text
    assert f"/acme/shop/settings/integrations/{hook.id}/" in broken[0].text
    told = [mail.text for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]
    assert sum("KeyError: one" in text for text in told) == 1
    assert sum("ValueError: two" in text for text in told) == 1
    report("TypeError: three")
    run_jobs()
    told = [mail.text for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]
    assert sum("TypeError: three" in text for text in told) == 1
    assert len(receiver.taken) == 1


def test_who_wants_no_mail_about_integrations_is_not_told_that_one_fails(
    cast, make, hook, report, run_jobs, receiver, mailbox, session, now
):
    """What it misses comes to them all the same: those are alerts."""
    preferring.choose(session, cast.alice, "health", "off", via="web", now=now)
    make.rule_to(hook)
    receiver.script(answer(410))
    report()
    run_jobs()
    assert {mail["X-Tocsin-Kind"] for mail in mailbox(to=cast.alice)} == {"alert.new"}
    session.commit()
    hers = (Notice.kind == "integration_off") & (Verdict.subject_id == cast.alice.id)
    codes = session.scalars(select(Verdict.code).join(Verdict.notice).where(hers))
    assert codes.all() == ["health_off"]


def test_the_mail_about_a_broken_integration_hands_over_its_switch(
    cast, make, hook, report, run_jobs, receiver, mailbox, client, session
):
    make.rule_to(hook)
    receiver.script(answer(410))
    report()
    run_jobs()
    mail = next(mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off")
    address = re.search(r"<https?://[^/]+(/u/[^>]+)>", mail["List-Unsubscribe"])[1]
    assert client.post(address, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    session.commit()
    assert session.scalars(select(NotificationSetting.category)).all() == ["health"]


def test_a_person_who_switches_it_off_calls_off_what_waits(
    cast, make, hook, report, run_jobs, receiver, states, as_user, mailbox
):
    make.rule_to(hook)
    receiver.script(answer(500))
    report()
    run_jobs()
    as_user(cast.alice).post(f"/acme/shop/settings/integrations/{hook.id}/switch", data={"enabled": "no"})
    run_jobs()
    run_jobs.sweep(after=LATER)
    assert states() == ["cancelled"]
    assert len(receiver.taken) == 1
    assert not [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]


def test_a_private_address_is_not_called_and_its_admin_hears_of_it_once(
    cast, make, hook, report, run_jobs, receiver, states, health, session, mailbox
):
    make.rule_to(hook)
    session.refresh(hook)
    hook.settings = {**hook.settings, "url": receiver.url.replace("127.0.0.1", "10.255.255.1")}
    for number in range(2):
        report(f"Error{number}: cart")
    run_jobs()
    assert states() == ["failed"] * 2
    assert health() == "failing"
    assert receiver.taken == []
    broken = [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]
    assert len(broken) == 1
    assert "OUTBOUND_ALLOW" in broken[0].text.replace("\n", " ")


def test_a_message_that_lost_its_worth_is_dropped_and_comes_by_mail(
    cast, make, hook, report, run_jobs, receiver, states, mailbox
):
    make.rule_to(hook)
    receiver.usual = answer(500)
    report()
    run_jobs()
    for days in range(1, 9):
        run_jobs.sweep(after=timedelta(hours=12 * days))
    assert states() == ["expired"]
    assert len([mail for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]) == 1


def test_days_of_nothing_but_failures_switch_it_off(
    cast, make, hook, report, run_jobs, receiver, health, mailbox
):
    make.rule_to(hook)
    receiver.usual = answer(500)
    report("Error0: cart")
    run_jobs()
    for days in range(1, 7):
        run_jobs.sweep(after=timedelta(days=days))
        report(f"Error{days}: cart")
        run_jobs()
    run_jobs.sweep(after=timedelta(days=7))
    assert health() == "disabled"
    assert len([mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]) == 1


def test_a_worker_killed_at_any_statement_sends_at_most_once_more(
    cast, make, hook, report, run_jobs, receiver, states, session, app
):
    make.rule_to(hook)
    report()
    run_jobs.digest()
    session.commit()
    with app.app_context():
        notify.run(*session.scalars(select(Notice.id)))
    session.commit()
    sent = []
    for statements in range(60):
        before = len(receiver.taken)
        if survives(app, post.run, hook.id, statements=statements):
            break
        sent.append(len(receiver.taken) - before)
        _forget_claims(session)
    assert statements > 5
    assert set(sent) == {0, 1}
    session.commit()
    assert states() == ["accepted"]
    assert len({request.headers["webhook-id"] for request in receiver.taken}) == 1
    assert session.scalars(select(DestinationIssue.is_open)).all() == [True]
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    assert len(receiver.taken) == sum(sent) + (0 if sent[-1] else 1)


def _forget_claims(session):
    """As if their time were over."""
    session.commit()
    for row in session.scalars(select(Delivery).where(Delivery.state == "sending")):
        row.claimed_until = datetime.now(UTC) - timedelta(seconds=1)
    session.commit()


def test_a_dead_claim_is_taken_up_when_it_is_over(
    cast, make, hook, report, run_jobs, receiver, states, session, app
):
    make.rule_to(hook)
    report()
    run_jobs.digest()
    session.commit()
    with app.app_context():
        notify.run(*session.scalars(select(Notice.id)))
    session.commit()
    for statements in range(1, 60):
        assert not survives(app, post.run, hook.id, statements=statements)
        if states() == ["sending"]:
            break
    before = len(receiver.taken)
    run_jobs.sweep()
    assert len(receiver.taken) == before
    run_jobs.sweep(after=ONCE_CLAIMS_ARE_OVER)
    assert states() == ["accepted"]


def test_a_slow_one_holds_up_neither_mail_nor_another(
    cast, make, hook, report, run_jobs, receiver, settings, told, session
):
    """Its job is its own: mails are sent by another."""
    make.rule_to(hook)
    receiver.script(slow(0.5))
    report()
    run_jobs()
    jobs = Counter(told())
    assert jobs["alice"] == 1
    assert len(receiver.taken) == 1


def test_storing_and_logging_know_no_secrets(
    cast, make, report, run_jobs, receiver, settings, session, caplog, database
):
    from app.services.integrations import connecting
    from app.services.integrations.connecting import Vault, Wishes
    from app.services.sealing import Seal
    from tests.support.databases import contents

    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    given = {
        "url": receiver.url,
        "secret": "whsec_" + "c2VjcmV0" * 5,
        "headers": {"Authorization": "Bearer open-sesame"},
    }
    made, _ = connecting.add(
        session, cast.shop, "webhook", Wishes("Ops", None, given), vault, by=cast.alice, now=make.now
    )
    make.rule_to(made)
    receiver.script(answer(500, b"you sent Bearer open-sesame"))
    caplog.set_level("DEBUG")
    report()
    run_jobs()
    run_jobs.sweep(after=SOON)
    kept = repr(contents(session)) + caplog.text
    assert "open-sesame" not in kept
    assert given["secret"] not in kept
    assert "Bearer open-sesame" in str(receiver.taken[0].headers)
    assert session.scalar(select(Destination.failure_count)) == 0
