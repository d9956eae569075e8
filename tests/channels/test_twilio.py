"""Twilio: one segment for each phone that agreed, once; what answers mean; reports and STOP."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from app.channels.base import Call, Outcome, settings_of
from app.channels.http import Http
from app.channels.twilio import Twilio
from app.domain import sms_text, twilio_signing
from app.domain.message import Subject
from app.domain.recipients import Recipients, key_of
from tests.channels.conftest import LOOPBACK
from tests.channels.test_webhook import message
from tests.support.receiver import answer, hang_up, slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ACCOUNT, KEY = "AC" + "a" * 32, "SK" + "b" * 32
SECRET, TOKEN = "s3cret" + "S" * 26, "0123456789abcdef" * 2
FROM, ANN, BOB, CID = "+15005550006", "+15005550009", "+15005550010", "+15005550011"
STATUS = "https://t.example.org/hooks/0123456789abcdef/status"
LINK = "https://t.example.org/i/SHOP-4F"


def said(sid="SM1"):
    return answer(201, json.dumps({"sid": sid, "status": "queued", "num_segments": "1"}).encode())


def refused(code, status=400):
    return answer(status, json.dumps({"code": code, "message": "No.", "status": status}).encode())


@pytest.fixture
def http(receiver):
    made = Http(allowed=LOOPBACK, bases={"twilio": receiver.base})
    receiver.usual = said()
    yield made
    made.close()


@pytest.fixture
def texts(contract, receiver):
    """What was sent: `texts() == [{"To": …, "Body": …}]`."""
    contract("twilio-messages-strict.ours.yaml")
    return lambda: forms(receiver)


def forms(receiver):
    sent = [each for each in receiver.taken if each.method == "POST"]
    return [{name: value for name, [value] in parse_qs(each.body.decode()).items()} for each in sent]


def confirmed(*numbers, off=None):
    known = Recipients()
    for number in numbers:
        known.ask(number, "1", "s", now=NOW - timedelta(hours=1))
        known.confirm(number, "1", now=NOW - timedelta(hours=1))
        known.ledger.clear()
    for number, code in (off or {}).items():
        known.switch_off(number, code)
    return known.marks_text


def channel(**settings):
    numbers = settings.get("numbers", [ANN])
    usual = {
        "account": ACCOUNT,
        "sender": FROM,
        "numbers": numbers,
        "auth_token": TOKEN,
        "marks": confirmed(*numbers),
    }
    return Twilio(**{**usual, **settings})


def after(before, answer_):
    new = {name: change(getattr(before, name)) for name, change in answer_.changes.items()}
    return replace(before, **new)


def known(channel_):
    return Recipients.read(channel_.marks, channel_.ledger)


def test_a_new_issue_is_one_segment_with_its_short_link(http, texts, receiver):
    answer_ = channel().send(message(callbacks={"status": STATUS}), http=http, now=NOW)
    assert (answer_.outcome, answer_.code, answer_.advice) == (Outcome.DELIVERED, "201", "")
    assert texts() == [
        {
            "To": ANN,
            "From": FROM,
            "Body": f"SHOP-4F NEW KeyError: cart {LINK}",
            "StatusCallback": STATUS,
            "ValidityPeriod": "3600",
            "SmartEncoded": "true",
            "RiskCheck": "disable",
        }
    ]
    [request] = receiver.taken
    assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert (
        request.headers["Authorization"]
        == f"Basic {base64.b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"
    )
    assert answer_.references == {"sid": "SM1"}


BODIES = {
    "regression": ({"kind": "regression"}, f"SHOP-4F REGRESSION KeyError: cart {LINK}"),
    "again": ({"kind": "again"}, f"SHOP-4F AGAIN KeyError: cart {LINK}"),
    "resolved": ({"kind": "resolved"}, f"SHOP-4F RESOLVED KeyError: cart {LINK}"),
    "a digest": (
        {"kind": "digest", "issue": None, "headline": "Many new issues in Shop"},
        "Many new issues in Shop https://t.example.org/acme/shop/issues/143/",
    ),
    "a test": ({"kind": "test", "issue": None, "headline": "Test message from Tocsin for Shop"},) * 1
    + ("Test message from Tocsin for Shop",),
    "privacy": (
        {"issue": Subject(1, "SHOP-4F", "https://t.example.org/x/"), "event": None},
        f"SHOP-4F NEW Shop {LINK}",
    ),
}


@pytest.mark.parametrize(("changes", "body"), BODIES.values(), ids=BODIES)
def test_each_kind_has_its_words(changes, body):
    assert channel().payload(message(**changes))["Body"] == body


@pytest.mark.parametrize(
    "title", ["x" * 5000, "💥" * 5000, "{" * 5000, "a\r\nb\x00c\x1b" * 99, "’“”—…" * 99, "ж" * 99]
)
def test_every_message_is_one_segment_in_the_alphabet_of_phones(http, texts, title):
    usual = message()
    answer_ = channel().send(replace(usual, issue=replace(usual.issue, title=title)), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    [form] = texts()
    assert (sms_text.encoding(form["Body"]), sms_text.segments(form["Body"])) == (sms_text.GSM, 1)
    assert form["Body"].endswith(LINK)


SENDERS = {
    "a number": (FROM, "From"),
    "a short code": ("12345", "From"),
    "a name": ("ErrTracker", "From"),
    "a service": ("MG" + "c" * 32, "MessagingServiceSid"),
}


@pytest.mark.parametrize(("sender", "field"), SENDERS.values(), ids=SENDERS)
def test_a_sender_is_a_number_a_name_or_a_service(http, texts, sender, field):
    channel(sender=sender).send(message(), http=http, now=NOW)
    [form] = texts()
    assert form[field] == sender
    assert len({"From", "MessagingServiceSid"} & set(form)) == 1


def test_without_a_link_and_without_anything_kept(http, texts):
    channel(link="no", retention="none").send(message(), http=http, now=NOW)
    [form] = texts()
    assert form["Body"] == "SHOP-4F NEW KeyError: cart"
    assert (form["ContentRetention"], form["AddressRetention"]) == ("discard", "obfuscate")


CALLBACKS = {
    "none": "",
    "an underscore in the host": "https://my_host.example.org/hooks/x/status",
    "on this machine": "http://localhost:8000/hooks/x/status",
    "within": "https://10.0.0.1/hooks/x/status",
}


@pytest.mark.parametrize("address", CALLBACKS.values(), ids=CALLBACKS)
def test_an_address_that_twilio_cannot_call_is_not_given(http, texts, address):
    channel().send(message(callbacks={"status": address}), http=http, now=NOW)
    assert "StatusCallback" not in texts()[0]


def test_without_the_auth_token_no_reports_are_asked_for_since_none_could_be_checked(http, texts, receiver):
    keyed = channel(key=KEY, secret=SECRET, auth_token="")
    keyed.send(message(callbacks={"status": STATUS}), http=http, now=NOW)
    assert "StatusCallback" not in texts()[0]
    signed = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    assert receiver.taken[0].headers["Authorization"] == f"Basic {signed}"


@pytest.mark.parametrize(
    ("region", "host"),
    [("us1", "api.twilio.com"), ("ie1", "api.dublin.ie1.twilio.com"), ("au1", "api.sydney.au1.twilio.com")],
)
def test_each_region_has_its_host(region, host):
    asked = []

    def resolve(name, port):
        asked.append(name)
        return []

    http = Http(resolve=resolve)
    channel(region=region).send(message(), http=http, now=NOW)
    http.close()
    assert asked == [host]


# Several numbers

OFF = ["21211", "21614", "21265", "21610", "21408", "21612"]


@pytest.mark.parametrize("code", OFF)
def test_a_number_that_cannot_be_sent_to_is_off_and_the_others_go_on(http, texts, receiver, code):
    receiver.script(said(), refused(int(code)), said())
    before = channel(numbers=[ANN, BOB, CID])
    answer_ = before.send(message(), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    assert "+15•••0010" in answer_.advice
    assert code in answer_.advice
    later = after(before, answer_)
    assert known(later).off(BOB) == code
    later.send(message(id="msg_2"), http=http, now=NOW)
    assert [each["To"] for each in texts()] == [ANN, BOB, CID, ANN, CID]


def test_who_sent_stop_is_told_of_with_the_way_back(http, texts, receiver):
    receiver.script(refused(21610))
    answer_ = channel(numbers=[ANN, BOB]).send(message(), http=http, now=NOW)
    assert f"text START to {FROM}" in answer_.advice


def test_when_every_number_is_off_the_integration_is_broken(http, texts, receiver):
    receiver.usual = refused(21610)
    answer_ = channel(numbers=[ANN, BOB]).send(message(), http=http, now=NOW)
    assert answer_.outcome is Outcome.BROKEN
    assert len(texts()) == 2


def test_a_retry_leaves_out_who_has_the_message(http, texts, receiver):
    receiver.script(said(), answer(500))
    before = channel(numbers=[ANN, BOB])
    first = before.send(message(), http=http, now=NOW)
    assert first.outcome is Outcome.RETRY
    assert after(before, first).send(message(), http=http, now=NOW).outcome is Outcome.DELIVERED
    assert [each["To"] for each in texts()] == [ANN, BOB, BOB]


# After a read timeout


@pytest.fixture
def listed(contract, receiver):
    """The service as the vendor describes it; what it lists of its messages."""
    contract("vendor/twilio-messages.openapi3.json")

    def script(*rows):
        receiver.script(answer(200, json.dumps({"messages": [dict(row) for row in rows]}).encode()))

    return script


def row(minutes=0, body=f"SHOP-4F NEW KeyError: cart {LINK}", **more):
    created = NOW + timedelta(minutes=minutes)
    return {"body": body, "date_created": f"{created:%a, %d %b %Y %H:%M:%S} +0000", "status": "sent", **more}


LISTED = {
    "it is there": ([row()], 0),
    "after words of a trial account": (
        [row(body=f"Sent from a trial account - SHOP-4F NEW KeyError: cart {LINK}")],
        0,
    ),
    "it is not": ([], 1),
    "an earlier one with the same words": ([row(minutes=-30)], 1),
    "another": ([row(body="SHOP-9 NEW x")], 1),
    "one that failed": ([row(status="failed")], 1),
    "without a date": ([{"body": row()["body"]}], 1),
}


@pytest.mark.parametrize(("rows", "sent"), LISTED.values(), ids=LISTED)
def test_what_may_have_arrived_is_looked_up_and_sent_only_if_it_is_not_there(
    http, listed, receiver, rows, sent
):
    listed(*rows)
    answer_ = channel().send(message(is_repeat=True), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    parts = urlsplit(receiver.taken[0].path)
    assert parse_qs(parts.query) == {"To": [ANN], "DateSent>": ["2026-11-23T00:00:00Z"], "PageSize": ["20"]}
    assert len(forms(receiver)) == sent


def test_while_it_cannot_be_looked_up_nothing_is_sent(http, listed, receiver):
    receiver.script(answer(503))
    answer_ = channel().send(message(is_repeat=True), http=http, now=NOW)
    assert answer_.outcome is Outcome.RETRY
    assert forms(receiver) == []


# Caps


def test_ten_an_hour_then_one_that_there_is_more(http, texts):
    before = channel()
    for number in range(13):
        answer_ = before.send(message(id=f"msg_{number}"), http=http, now=NOW + timedelta(minutes=number))
        assert answer_.outcome is (Outcome.DELIVERED if number < 11 else Outcome.UNSENT)
        before = after(before, answer_)
    assert len(texts()) == 11
    assert texts()[10]["Body"] == "There are more alerts: see https://t.example.org"
    assert "nothing was sent" in answer_.response


# Confirming


def a_test(**changes):
    words = {"kind": "test", "issue": None, "event": None, "headline": "Test message from Tocsin for Shop"}
    return message(**{**words, **changes})


def test_nobody_is_sent_an_alert_before_the_number_is_confirmed(http, texts):
    answer_ = channel(marks="").send(message(), http=http, now=NOW)
    assert (answer_.outcome, answer_.code) == (Outcome.BLOCKED, "unconfirmed")
    assert "+15•••0009" in answer_.advice
    assert texts() == []


def test_a_test_sends_a_code_that_confirms_the_number_for_good(http, receiver):
    before = channel(marks="", numbers=[ANN, BOB])
    answer_ = before.send(a_test(), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    asked = after(before, answer_)
    code = re.match(r"\d{6} ", forms(receiver)[0]["Body"])[0].strip()
    assert code not in answer_.request
    assert code not in f"{asked.marks}{asked.ledger}"
    assert [(each.label, each.is_asked) for each in asked.to_confirm(now=NOW)] == [
        ("+15•••0009", True),
        ("+15•••0010", True),
    ]
    assert asked.confirm(key_of(ANN), "nonsense", now=NOW).wrong
    said_ = asked.confirm(key_of(ANN), code, now=NOW)
    assert said_.wrong == ""
    later = replace(asked, **said_.changes)
    assert [each.tone for each in later.to_confirm(now=NOW)] == ["sent", "held"]
    later.send(message(id="msg_2"), http=http, now=NOW)
    assert [each["To"] for each in forms(receiver)] == [ANN, BOB, ANN]


def test_a_test_looks_at_the_account_and_sends_to_who_is_confirmed(http, receiver):
    assert channel().send(a_test(), http=http, now=NOW).outcome is Outcome.DELIVERED
    assert [each.method for each in receiver.taken] == ["GET", "POST"]
    assert receiver.taken[0].path == f"/2010-04-01/Accounts/{ACCOUNT}.json"
    assert forms(receiver)[0]["Body"] == "Test message from Tocsin for Shop"


def test_wrong_credentials_end_the_test(http, receiver):
    receiver.script(refused(20003, 401))
    assert channel().send(a_test(), http=http, now=NOW).outcome is Outcome.BROKEN
    assert forms(receiver) == []


def test_a_code_that_could_not_be_sent_is_sent_again_at_the_next_try(http, receiver):
    before = channel(marks="")
    receiver.script(answer(200), answer(500))
    first = before.send(a_test(), http=http, now=NOW)
    assert first.outcome is Outcome.RETRY
    receiver.script(answer(200))
    again = after(before, first).send(a_test(), http=http, now=NOW + timedelta(seconds=5))
    assert again.outcome is Outcome.DELIVERED
    assert len(forms(receiver)) == 2


def test_pressing_test_over_and_over_sends_no_code_each_time(http, receiver):
    before = channel(marks="")
    for press in range(3):
        answer_ = before.send(a_test(id=f"msg_{press}"), http=http, now=NOW + timedelta(seconds=press))
        before = after(before, answer_)
    assert len(forms(receiver)) == 1


def test_a_test_finds_out_whether_a_number_is_on_again(http, receiver):
    before = channel(marks=confirmed(ANN, off={ANN: "21610"}))
    answer_ = before.send(a_test(), http=http, now=NOW)
    assert known(after(before, answer_)).off(ANN) == ""


# Answers

MEANINGS = {
    "taken": (said(), Outcome.DELIVERED),
    "credentials": (refused(20003, 401), Outcome.BROKEN),
    "401 without words": (answer(401), Outcome.BROKEN),
    "suspended": (refused(20005, 403), Outcome.BROKEN),
    "no such account": (refused(20404, 404), Outcome.BROKEN),
    "a trial account": (refused(21608), Outcome.BROKEN),
    **{
        f"sender {code}": (refused(code), Outcome.BROKEN)
        for code in (21212, 21606, 21659, 21660, 21703, 21705)
    },
    **{f"text {code}": (refused(code), Outcome.BAD_MESSAGE) for code in (21602, 21617, 21619)},
    "another fault": (refused(21999), Outcome.BAD_MESSAGE),
    "queue full": (refused(21611), Outcome.RETRY),
    "too fast": (refused(20429, 429), Outcome.RETRY),
    "a fault of theirs": (answer(500), Outcome.RETRY),
    "busy": (answer(503, retry_after="9"), Outcome.RETRY),
    "elsewhere": (answer(302, location="https://x"), Outcome.RETRY),
    "cut": (hang_up, Outcome.RETRY),
    "slow": (slow(3), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), MEANINGS.values(), ids=MEANINGS)
def test_what_answers_mean(http, texts, receiver, script, outcome):
    http.total_seconds = 2
    receiver.script(script)
    assert channel().send(message(), http=http, now=NOW).outcome is outcome
    assert len(texts()) == 1


WAITS = {
    "queue full": (refused(21611), timedelta(minutes=5)),
    "too fast": (refused(20429, 429), timedelta(seconds=1)),
    "too fast, with seconds": (answer(429, retry_after="30"), timedelta(seconds=30)),
}


@pytest.mark.parametrize(("script", "wait"), WAITS.values(), ids=WAITS)
def test_how_long_to_wait_at_least(http, texts, receiver, script, wait):
    receiver.script(script)
    assert channel().send(message(), http=http, now=NOW).retry_after == wait


def test_an_address_that_twilio_refuses_is_left_out_and_told(http, texts, receiver):
    receiver.script(refused(21609), said())
    answer_ = channel().send(message(callbacks={"status": STATUS}), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    assert "21609" in answer_.advice
    assert ["StatusCallback" in each for each in texts()] == [True, False]


def test_the_log_shows_no_number_and_no_secret(http, texts):
    answer_ = channel(key=KEY, secret=SECRET).send(message(), http=http, now=NOW)
    assert "SHOP-4F" in answer_.request
    assert "+15•••0009" in answer_.request
    assert not [each for each in (ANN, SECRET, TOKEN) if each in answer_.request]


# Calls


def call(name="status", token=TOKEN, **form):
    url = f"https://t.example.org/hooks/0123456789abcdef/{name}"
    signature = twilio_signing.signature(token, url, list(form.items()))
    return Call(name, url, {"x-twilio-signature": signature}, urlencode(form).encode())


def heard(channel_, *calls):
    for each in calls:
        answer_ = channel_.hear(each, now=NOW)
        assert answer_.status in (200, 204)
        channel_ = after(channel_, answer_)
    return channel_


def report(sid, code="", status="undelivered", number=ANN):
    return call(MessageSid=sid, MessageStatus=status, ErrorCode=code, To=number)


def test_only_what_is_signed_with_the_auth_token_counts():
    genuine = report("SM1", "30005")
    forged = [
        report("SM1", "30005", number=BOB).__class__(genuine.name, genuine.url, genuine.headers, b"To=x"),
        replace(genuine, headers={}),
        replace(genuine, url=genuine.url.replace("status", "in")),
        call(token="f" * 32, MessageSid="SM1"),
    ]
    assert [channel().hear(each, now=NOW).status for each in forged] == [403] * 4
    assert channel(auth_token="").hear(genuine, now=NOW).status == 403
    assert channel().hear(genuine, now=NOW).status == 204


REPORTS = {
    "two that are lost": ([("SM1", "30005"), ("SM2", "30006")], "30006"),
    "one that is reported twice": ([("SM1", "30005"), ("SM1", "30005")], ""),
    "unreachable for now": ([("SM1", "30003"), ("SM2", "30003"), ("SM3", "30008")], ""),
    "stopped": ([("SM1", "21610")], "21610"),
}


@pytest.mark.parametrize(("told", "off"), REPORTS.values(), ids=REPORTS)
def test_reports_of_lost_messages_end_a_number(told, off):
    later = heard(channel(), *(report(sid, code) for sid, code in told))
    assert known(later).off(ANN) == off


def test_what_arrived_makes_up_for_what_did_not():
    later = heard(
        channel(), report("SM1", "30005"), report("SM2", status="delivered"), report("SM3", "30005")
    )
    assert known(later).off(ANN) == ""


@pytest.mark.parametrize("code", ["30007", "30032", "30034"])
def test_what_carriers_hold_against_the_sender_is_told_until_a_message_arrives(http, texts, code):
    later = heard(channel(), report("SM1", code))
    answer_ = later.send(message(), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    assert code in answer_.advice
    mended = heard(after(later, answer_), report("SM2", status="delivered"))
    assert mended.send(message(id="msg_2"), http=http, now=NOW).advice == ""


def test_stop_ends_a_number_at_once_and_start_begins_it_again(http, texts):
    both = channel(numbers=[ANN, BOB])
    stopped = heard(both, call("in", From=ANN, To=FROM, Body=" stop "))
    answer_ = stopped.send(message(), http=http, now=NOW)
    assert [each["To"] for each in texts()] == [BOB]
    started = heard(after(stopped, answer_), call("in", From=ANN, To=FROM, Body="Start"))
    started.send(message(id="msg_2"), http=http, now=NOW)
    assert [each["To"] for each in texts()][1:] == [ANN, BOB]


def test_an_answer_to_somebodys_message_says_nothing():
    answer_ = channel().hear(call("in", From=ANN, To=FROM, Body="who is this?"), now=NOW)
    assert (answer_.status, answer_.text, answer_.changes) == (200, "<Response/>", {})


# Settings

WRONG = {
    "account": ["AC" + "a" * 31, "AC" + "g" * 32, "SK" + "a" * 32],
    "key": ["SK" + "a" * 31, "AC" + "a" * 32],
    "secret": ["x" * 31, "x" * 33, "-" * 32],
    "auth_token": ["a" * 31, "g" * 32],
    "sender": ["15005550006", "+0123456", "1234", "TwelveLetter", "+1"],
    "numbers": [["15005550009"], ["+15005550009x"], [f"+1500555{n:04}" for n in range(11)]],
    "hourly": ["0", "61", "x", "-1"],
    "daily": ["0", "501", ""],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_in_the_form(name):
    [field] = [each for each in settings_of(Twilio) if each.name == name]
    assert all(field.check(value) for value in WRONG[name])


TOGETHER = {
    "no number": ({"numbers": []}, "numbers"),
    "a key without its secret": ({"key": KEY, "auth_token": ""}, "secret"),
    "neither key nor token": ({"auth_token": ""}, "key"),
}


@pytest.mark.parametrize(("settings", "field"), TOGETHER.values(), ids=TOGETHER)
def test_what_does_not_go_together_is_refused(settings, field):
    assert channel(**settings).wrong_together()[0] == field
    assert channel().wrong_together() is None
    assert channel(key=KEY, secret=SECRET, auth_token="").wrong_together() is None


def test_its_picture_is_its_message():
    shown = channel().picture(message())
    assert (shown.look, shown.title, shown.text) == ("phone", FROM, f"SHOP-4F NEW KeyError: cart {LINK}")


def test_secrets_do_not_stand_in_its_repr():
    assert not [each for each in (SECRET, TOKEN, ANN) if each in repr(channel(secret=SECRET))]
