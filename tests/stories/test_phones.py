"""Phones that ring until somebody acknowledges them, and phones that ask to be left alone."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from app.domain import twilio_signing
from app.jobs import notify, post
from app.models import AlertRule, Attempt, Delivery, Destination, DestinationIssue, Issue, Notice, Verdict
from app.services.integrations import connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support import phones
from tests.support.dying import dies_while_it_waits
from tests.support.phones import RECEIPT
from tests.support.receiver import answer, hang_up

A_WHILE = timedelta(minutes=10)
ANN, BOB = "+15005550009", "+15005550010"
AUTH_TOKEN = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def elsewhere(app, cast, settings, receiver, monkeypatch):
    """Both services are where the receiver is."""
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    found = replace(settings, pushover_base_url=receiver.base, twilio_base_url=receiver.base)
    monkeypatch.setitem(app.config, "SETTINGS", found)


@pytest.fixture
def connect(cast, session, settings, make):
    def add(channel: str, **given) -> Destination:
        vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
        kinds = ["new", "regression", "again"]
        made, _ = connecting.add(
            session, cast.shop, channel, Wishes("Phones", kinds, given), vault, by=cast.alice, now=make.now
        )
        both = [{"id": "first_seen"}, {"id": "regression"}, {"id": "every_event"}]
        make.rule_to(made, conditions=both, condition_match="any", frequency_minutes=0)
        return made

    return add


@pytest.fixture
def work(run_jobs):
    """Whatever waits is done, a while later every time."""
    passed = [timedelta()]

    def later(times: int = 1) -> None:
        run_jobs()
        for _ in range(times):
            passed[0] += A_WHILE
            run_jobs.sweep(after=passed[0])

    return later


@pytest.fixture
def the_issue(session):
    def look() -> Issue:
        session.commit()
        return session.scalars(select(Issue).order_by(Issue.id)).first()

    return look


@pytest.fixture
def plan(app, run_jobs, session):
    """Decide about what happened; nothing is sent yet."""

    def decide() -> None:
        run_jobs.digest()
        session.commit()
        ids = session.scalars(select(Notice.id).where(Notice.planned_at.is_(None)).order_by(Notice.id)).all()
        with app.app_context():
            for notice_id in ids:
                notify.run(notice_id)
        session.commit()

    return decide


@pytest.fixture
def states(session):
    def look() -> list[str]:
        session.commit()
        found = select(Delivery.state).where(Delivery.destination_id.is_not(None)).order_by(Delivery.id)
        return list(session.scalars(found))

    return look


# Pushover


@pytest.fixture
def pushover(receiver):
    receiver.usual = phones.Pushover()
    return receiver.usual


@pytest.fixture
def siren(connect, pushover) -> Destination:
    return connect("pushover", token="t" * 30, user="u" * 30, priority="2")


def test_an_emergency_is_silenced_once_when_its_issue_is_resolved(
    cast, siren, pushover, report, work, acts, the_issue, states
):
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    assert pushover.history == ["rings", "silenced", "Resolved"] * 2
    assert set(states()) == {"accepted"}


def test_killed_while_it_begins_to_ring_it_is_silenced_for_good(
    app, cast, siren, pushover, report, plan, work, acts, the_issue, receiver, states
):
    """It arrived, and the worker died before it knew: it rings twice, and is silenced by one call."""
    report()
    plan()
    dies_while_it_waits(app, post.run, siren.id, receiver=receiver)
    work()
    acts.resolve(the_issue(), by=cast.bob)
    work()
    assert pushover.history == ["rings", "rings", "silenced", "Resolved"]
    assert pushover.ringing == {}
    assert set(states()) == {"accepted"}


def test_killed_and_resolved_before_anybody_knew_it_is_silenced_all_the_same(
    app, cast, siren, pushover, report, plan, work, acts, the_issue, receiver
):
    report()
    plan()
    dies_while_it_waits(app, post.run, siren.id, receiver=receiver)
    acts.resolve(the_issue(), by=cast.bob)
    work(2)
    assert pushover.ringing == {}
    assert pushover.history.count("silenced") == 1


def test_down_while_it_is_resolved_it_is_silenced_once_it_is_back(
    cast, siren, pushover, report, work, acts, the_issue, receiver
):
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    receiver.script(answer(500), hang_up)
    work(3)
    assert pushover.history == ["rings", "silenced", "Resolved"]


def test_silenced_but_not_told_it_is_not_silenced_again(
    cast, siren, pushover, report, work, acts, the_issue, receiver
):
    report()
    work()
    acts.resolve(the_issue(), by=cast.bob)
    receiver.script(pushover, answer(500))
    work(2)
    assert pushover.history == ["rings", "silenced", "Resolved"]


def test_ignoring_and_deleting_silence(cast, siren, pushover, report, work, acts, session):
    for number in range(2):
        report(f"Error{number}: cart")
    work()
    session.commit()
    first, second = session.scalars(select(Issue).order_by(Issue.id))
    acts.ignore(first, by=cast.bob)
    acts.bulk([second], "delete", by=cast.alice, sure="yes")
    work()
    assert pushover.history == ["rings", "rings", "silenced", "silenced", "Deleted"]


def test_nobody_hears_again_of_what_rings_until_it_is_acknowledged(
    cast, siren, pushover, report, work, client, session, settings
):
    report()
    work()
    report()
    work()
    assert pushover.history == ["rings"]
    address = f"/hooks/{siren.callback_key}/acknowledged"
    told = {"receipt": RECEIPT, "acknowledged": "1", "acknowledged_by": "u" * 30}
    for _ in range(2):
        assert client.post(address, data=told, csrf=False).status_code == 200
    work()
    assert session.scalars(select(DestinationIssue)).one().references["emergency"] == "over"
    noted = session.scalars(select(Attempt.response).where(Attempt.response.contains("Acknowledged,"))).all()
    assert len(noted) == 1
    assert noted[0].count("Acknowledged") == 1
    report()
    work()
    assert pushover.history == ["rings", "rings"]


def test_an_acknowledgement_of_something_unknown_changes_nothing(
    siren, pushover, report, work, client, session
):
    report()
    work()
    told = {"receipt": "x" * 30, "acknowledged": "1", "acknowledged_by": "u" * 30}
    assert client.post(f"/hooks/{siren.callback_key}/acknowledged", data=told, csrf=False).status_code == 200
    work()
    assert session.scalars(select(DestinationIssue)).one().references["emergency"] == "rings"


def test_when_the_months_messages_are_used_up_people_are_told_instead_at_once(
    cast, siren, pushover, report, work, run_jobs, receiver, mailbox, states, session
):
    reset = str(int((datetime.now(UTC) + timedelta(days=9)).timestamp()))
    receiver.script(answer(429, b'{"status": 0}', X_Limit_App_Reset=reset))
    for number in range(3):
        report(f"Error{number}: cart")
        work()
    assert len(receiver.taken) == 1
    assert states() == ["expired"] * 3
    told = [mail.text for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]
    assert all(sum(f"Error{number}: cart" in text for text in told) == 1 for number in range(3))
    broken = [mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]
    assert [("used up" in mail.text.replace("\n", " ")) for mail in broken] == [True]
    session.refresh(siren)
    assert siren.state == "failing"


# Twilio


@pytest.fixture
def twilio(receiver):
    receiver.usual = phones.Twilio(lambda: format_datetime(datetime.now(UTC)))
    return receiver.usual


@pytest.fixture
def sms(connect, twilio) -> Destination:
    numbers = [ANN, BOB]
    account = {"account": "AC" + "a" * 32, "sender": "+15005550006", "auth_token": AUTH_TOKEN}
    return connect("twilio", recipients=numbers, **account)


@pytest.fixture
def page(as_user, cast, sms):
    browser = as_user(cast.alice)
    address = f"/acme/shop/settings/integrations/{sms.id}"

    class Page:
        def test(self) -> None:
            assert browser.post(f"{address}/test").status_code == 303

        def text(self) -> str:
            return browser.get(f"{address}/").text

        def confirm(self, label: str, code: str) -> str:
            key = re.search(rf'recipient-([0-9a-f]+)">\s*<td[^>]*>{re.escape(label)}', self.text())[1]
            assert browser.post(f"{address}/confirm", data={"key": key, "code": code}).status_code == 303
            return self.text()

    return Page()


@pytest.fixture
def both_confirmed(page, run_jobs, twilio):
    page.test()
    run_jobs()
    codes = {number: text[:6] for number, text in twilio.inbox}
    page.confirm("+15•••0009", codes[ANN])
    page.confirm("+15•••0010", codes[BOB])
    twilio.inbox.clear()
    twilio.made.clear()


def called(client, sms, name, **form):
    path = f"/hooks/{sms.callback_key}/{name}"
    signed = twilio_signing.signature(AUTH_TOKEN, f"https://tocsin.example.org{path}", form.items())
    headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
    return client.post(path, data=urlencode(form), headers=headers, csrf=False)


def test_a_number_gets_alerts_once_its_code_was_entered(
    page, sms, twilio, report, work, run_jobs, mailbox, cast
):
    report("KeyError: one")
    run_jobs()
    assert twilio.inbox == []
    assert [mail for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]
    page.test()
    run_jobs()
    (_, asked), _ = twilio.inbox
    assert "is the code" in asked
    assert asked[:6] not in page.text()
    assert "That is not the code" in page.confirm("+15•••0009", "nonsense")
    assert "Confirmed." in page.confirm("+15•••0009", asked[:6])
    twilio.inbox.clear()
    report("ValueError: two")
    work()
    assert twilio.who() == [ANN]


def test_an_alert_beyond_the_hourly_most_counts_as_not_sent_and_comes_by_mail(
    both_confirmed, sms, twilio, report, work, session, mailbox, cast, as_user, states
):
    sms.settings = {**sms.settings, "hourly": "2"}
    by_mail_to_all = session.scalars(select(AlertRule).order_by(AlertRule.id)).first()
    by_mail_to_all.is_active = False
    for number in range(3):
        report(f"Error{number}: cart")
        work()
    assert states()[-3:] == ["accepted", "accepted", "cancelled"]  # the second says that there are more
    session.refresh(sms)
    assert sms.state == "ok"
    [unsent] = session.scalars(select(Verdict).where(Verdict.code == "reached_nobody"))
    page = as_user(cast.alice).get(f"/notices/{unsent.notice.public_id}/").text
    assert "Each number has had its most: nothing was sent." in page
    assert "Told Phones" not in page
    assert "had nobody to send it to" in page
    assert sum("Error2: cart" in mail.text for mail in mailbox(to=cast.alice)) == 1
    assert not any("Error1: cart" in mail.text for mail in mailbox(to=cast.alice))


def test_one_stops_and_the_other_goes_on_until_start(
    both_confirmed, sms, page, twilio, report, work, client, session
):
    report("Error1: cart")
    work()
    assert called(client, sms, "in", From=ANN, To="+15005550006", Body="STOP").text == "<Response/>"
    twilio.stopped.add(ANN)
    report("Error2: cart")
    work()
    assert twilio.who() == [ANN, BOB, BOB]
    assert "text START to +15005550006" in page.text()
    session.refresh(sms)
    assert sms.state == "ok"
    twilio.stopped.clear()
    called(client, sms, "in", From=ANN, To="+15005550006", Body="START")
    report("Error3: cart")
    work()
    assert twilio.who()[3:] == [ANN, BOB]


def test_a_stop_that_nobody_reported_ends_the_number_with_its_first_refusal(
    both_confirmed, sms, page, twilio, report, work, receiver
):
    twilio.stopped.add(ANN)
    for number in range(3):
        report(f"Error{number}: cart")
        work()
    assert twilio.who() == [BOB] * 3
    refused = [each for each in receiver.taken if f"To={ANN[1:]}".encode() in each.body.replace(b"%2B", b"")]
    assert len(refused) == 2  # the code that confirmed it, and the one alert that was refused


def test_when_all_stop_it_is_switched_off_and_its_admins_are_told_once(
    both_confirmed, sms, twilio, report, work, session, mailbox
):
    twilio.stopped |= {ANN, BOB}
    for number in range(2):
        report(f"Error{number}: cart")
        work()
    session.refresh(sms)
    assert sms.state == "disabled"
    assert len([mail for mail in mailbox() if mail["X-Tocsin-Kind"] == "integration_off"]) == 1


def test_killed_with_a_message_on_its_way_nobody_gets_it_twice(
    both_confirmed, app, sms, twilio, report, plan, work, receiver, states
):
    report()
    plan()
    dies_while_it_waits(app, post.run, sms.id, receiver=receiver)
    work()
    assert twilio.who() == [ANN, BOB]
    assert states()[-1] == "accepted"


def test_down_for_long_a_message_is_tried_four_times_in_all_and_then_mailed(
    both_confirmed, sms, twilio, report, work, receiver, states, mailbox, cast
):
    receiver.usual = answer(500)
    before = len(receiver.taken)
    report()
    work(6)
    assert len([each for each in receiver.taken[before:] if each.method == "POST"]) <= 1
    assert len(receiver.taken) - before == 4
    assert states()[-1] == "expired"
    assert [mail for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]


def test_a_full_queue_is_left_alone_for_five_minutes(
    both_confirmed, sms, twilio, report, run_jobs, receiver, states
):
    full = json.dumps({"code": 21611, "message": "Queue full.", "status": 400}).encode()
    receiver.script(answer(400, full))
    report()
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=4))
    assert (twilio.who(), states()[-1]) == ([], "deferred")
    run_jobs.sweep(after=timedelta(minutes=6))
    assert twilio.who() == [ANN, BOB]


def test_two_reports_of_lost_messages_end_a_number(both_confirmed, sms, page, client, report, work, twilio):
    for sid in ("SM1", "SM2"):
        told = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30005", "To": BOB}
        assert called(client, sms, "status", **told).status_code == 204
    assert "30005" in page.text()
    report()
    work()
    assert twilio.who() == [ANN]


def test_a_call_that_is_not_signed_is_refused(sms, client):
    answered = client.post(f"/hooks/{sms.callback_key}/in", data={"From": ANN, "Body": "STOP"}, csrf=False)
    assert answered.status_code == 403


def test_numbers_and_codes_stand_nowhere_in_the_clear(
    both_confirmed, sms, report, work, session, caplog, page
):
    from tests.support.databases import contents

    caplog.set_level("DEBUG")
    report()
    work()
    kept = repr(contents(session)) + caplog.text + page.text()
    assert ANN not in kept
    assert AUTH_TOKEN not in kept
