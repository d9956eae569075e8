"""Pushover: what is sent for which kind, emergencies that are silenced, and what the answers mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from app.channels.base import Call, Outcome, settings_of
from app.channels.http import Http
from app.channels.pushover import Pushover
from app.domain.message import Subject
from tests.channels.conftest import LOOPBACK
from tests.channels.test_webhook import message
from tests.support.receiver import answer, hang_up, slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOKEN, USER, OTHER = "t" * 30, "u" * 30, "g" * 30
RECEIPT = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"
FINE = {"status": 1, "request": "647d2300"}
RINGS = {"emergency": "rings", "receipt": RECEIPT, "until": (NOW + timedelta(hours=1)).isoformat()}
CALLBACK = "https://t.example.org/hooks/0123456789abcdef/acknowledged"


def said(code=200, /, **data):
    headers = data.pop("headers", {})
    return answer(code, json.dumps({**FINE, **data}).encode(), content_type="application/json", **headers)


@pytest.fixture
def http(receiver):
    made = Http(allowed=LOOPBACK, bases={"pushover": receiver.base})
    receiver.usual = said()
    yield made
    made.close()


@pytest.fixture
def service(contract, receiver):
    """What reached the service, in order: its path and its form."""
    contract("pushover.ours.yaml")

    def look():
        return [(each.path, _form(each.body)) for each in receiver.taken]

    return look


def _form(body):
    return {name: value for name, [value] in parse_qs(body.decode()).items()}


def channel(**settings):
    return Pushover(**{"token": TOKEN, "user": USER, **settings})


def of_level(level, **changes):
    usual = message(**changes)
    return replace(usual, issue=replace(usual.issue, level=level))


def test_a_new_issue_says_what_broke_where_and_leads_to_it(http, service):
    answer_ = channel().send(message(), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    [(path, form)] = service()
    assert path == "/1/messages.json"
    assert form == {
        "token": TOKEN,
        "user": USER,
        "title": "New: SHOP-4F (production)",
        "message": "KeyError: cart\nshop.cart\nenvironment: production\nrelease: shop@1.0",
        "priority": "0",
        "timestamp": str(int(NOW.timestamp())),
        "url": "https://t.example.org/acme/shop/issues/143/",
        "url_title": "Open SHOP-4F",
    }


KINDS = {
    "regression": ({"kind": "regression"}, "Regression: SHOP-4F (production)", "KeyError: cart"),
    "again": ({"kind": "again"}, "Again: SHOP-4F (production)", "Rule “New issues” fired."),
    "resolved": ({"kind": "resolved", "actor": "Ana"}, "Resolved: SHOP-4F (production)", "By Ana"),
    "deleted": ({"kind": "deleted", "actor": "Ana"}, "Deleted: SHOP-4F (production)", "By Ana"),
    "chosen tags": ({"tags": ("browser",)}, "New: SHOP-4F (production)", "browser: Firefox"),
    "privacy": (
        {"issue": Subject(1, "SHOP-4F", "https://t.example.org/i/SHOP-4F/"), "event": None},
        "New: SHOP-4F",
        "New issue: KeyError: cart",
    ),
    "a digest": (
        {
            "kind": "digest",
            "issue": None,
            "event": None,
            "headline": "Many new issues in Shop",
            "issues": [Subject(n, f"SHOP-{n}", "https://x/", f"Error{n}") for n in range(1, 8)],
        },
        "Many new issues in Shop",
        "SHOP-1 Error1\nSHOP-2 Error2\nSHOP-3 Error3\nSHOP-4 Error4\nSHOP-5 Error5",
    ),
}


@pytest.mark.parametrize(("changes", "title", "words"), KINDS.values(), ids=KINDS)
def test_each_kind_has_its_words(changes, title, words):
    body = channel().payload(message(**changes))
    assert body["title"] == title
    assert words in body["message"]


def test_an_environment_has_levels_of_its_own():
    quiet = channel(priority="emergency", levels={"production": "-1", "staging": "debug"})
    assert quiet.payload(of_level("fatal"))["priority"] == 0
    staging = replace(of_level("fatal"), event=replace(message().event, environment="staging"))
    assert quiet.payload(staging)["priority"] == -2


def test_a_digest_has_five_titles_at_most():
    issues = [Subject(n, f"SHOP-{n}", "https://x/", "E") for n in range(9)]
    body = channel().payload(message(kind="digest", issue=None, issues=issues))
    assert body["message"].count("\n") == 4


PRIORITIES = {
    "fatal": ("level", "fatal", "new", 1),
    "fatal, as an emergency": ("emergency", "fatal", "new", 2),
    "error, where fatal is one": ("emergency", "error", "new", 0),
    "error": ("level", "error", "new", 0),
    "warning": ("level", "warning", "regression", -1),
    "info": ("level", "info", "again", -1),
    "debug": ("level", "debug", "new", -2),
    "fixed": ("1", "debug", "new", 1),
    "always an emergency": ("2", "debug", "new", 2),
    "resolved": ("2", "fatal", "resolved", -1),
    "an assignment": ("2", "fatal", "assigned", 0),
    "a test": ("2", "fatal", "test", 0),
}


@pytest.mark.parametrize(("setting", "level", "kind", "expected"), PRIORITIES.values(), ids=PRIORITIES)
def test_priorities_follow_the_level(setting, level, kind, expected):
    assert channel(priority=setting).payload(of_level(level, kind=kind))["priority"] == expected


LIMITS = {
    "characters": "x" * 5000,
    "outside the first plane": "💥" * 5000,
    "line breaks": "a\r\nb\rc\x00d\x1b" * 500,
    "nothing": "",
}


@pytest.mark.parametrize("text", LIMITS.values(), ids=LIMITS)
def test_what_is_too_long_or_empty_is_sent_within_the_limits(http, service, text):
    long = message(tags=("a",), headline=text)
    event = replace(long.event, tags={"a": text}, exception_type="", environment=text)
    issue = replace(long.issue, title=text, culprit=text)
    assert (
        channel().send(replace(long, issue=issue, event=event), http=http, now=NOW).outcome
        is Outcome.DELIVERED
    )
    [(_, form)] = service()
    assert 1 <= len(form["message"]) <= 1024
    assert len(form["title"]) <= 250
    assert not {"\x00", "\x1b", "\r"} & set(form["message"] + form["title"])


def test_an_address_that_is_too_long_is_left_out_and_never_cut(http, service):
    channel().send(message(url="https://t.example.org/" + "x" * 500), http=http, now=NOW)
    [(_, form)] = service()
    assert "url" not in form
    assert "url_title" not in form


def test_several_users_and_devices_are_named_with_commas(http, service):
    settings = {"user": f"{USER}, {OTHER}", "device": "phone, tablet", "sound": "siren"}
    channel(**settings).send(message(), http=http, now=NOW)
    [(_, form)] = service()
    assert (form["user"], form["device"], form["sound"]) == (f"{USER},{OTHER}", "phone,tablet", "siren")


# Emergencies


def test_an_emergency_rings_under_the_issues_key_and_can_be_acknowledged(http, service, receiver):
    receiver.script(said(receipt=RECEIPT))
    urgent = message(callbacks={"acknowledged": CALLBACK})
    answer_ = channel(priority="2", retry="45").send(urgent, http=http, now=NOW)
    [(_, form)] = service()
    assert (form["retry"], form["expire"], form["tags"], form["callback"]) == (
        "45",
        "3600",
        "abc-143",
        CALLBACK,
    )
    assert answer_.references == RINGS


def test_an_address_that_nobody_can_call_is_not_given(http, service):
    urgent = message(callbacks={"acknowledged": "http://localhost:8000/hooks/x/acknowledged"})
    channel(priority="2").send(urgent, http=http, now=NOW)
    assert "callback" not in service()[0][1]


def test_an_emergency_that_may_have_arrived_counts_as_ringing(http, service, receiver):
    receiver.script(hang_up)
    answer_ = channel(priority="2").send(message(), http=http, now=NOW)
    assert (answer_.outcome, answer_.is_unsure) == (Outcome.RETRY, True)
    assert answer_.references["emergency"] == "rings"


def test_resolving_silences_first_and_then_tells(http, service):
    resolved = message(kind="resolved", references=RINGS)
    answer_ = channel(priority="2").send(resolved, http=http, now=NOW)
    (cancel, form), (told, _) = service()
    assert cancel == "/1/receipts/cancel_by_tag/abc-143.json"
    assert form == {"token": TOKEN}
    assert told == "/1/messages.json"
    assert answer_.references == {"emergency": "over"}


def test_what_was_silenced_is_not_silenced_again_when_the_message_is_retried(http, service, receiver):
    receiver.script(said(), answer(500))
    first = channel(priority="2").send(message(kind="resolved", references=RINGS), http=http, now=NOW)
    assert first.outcome is Outcome.RETRY
    again = message(kind="resolved", references={**RINGS, **first.references})
    assert channel(priority="2").send(again, http=http, now=NOW).outcome is Outcome.DELIVERED
    assert [path.split("/")[2] for path, _ in service()] == ["receipts", "messages.json", "messages.json"]


def test_while_it_cannot_be_silenced_nobody_is_told_that_it_is_resolved(http, service, receiver):
    receiver.script(answer(500))
    answer_ = channel(priority="2").send(message(kind="resolved", references=RINGS), http=http, now=NOW)
    assert answer_.outcome is Outcome.RETRY
    assert len(service()) == 1


def test_nothing_left_to_silence_is_no_failure(http, service, receiver):
    receiver.script(said(400, status=0, errors=["tag not found"]))
    answer_ = channel(priority="2").send(message(kind="resolved", references=RINGS), http=http, now=NOW)
    assert answer_.outcome is Outcome.DELIVERED
    assert len(service()) == 2


SILENCED = {
    "what rings": ("-1", RINGS, 1),
    "what may ring, since its answer was lost": ("2", {}, 1),
    "what may ring, if it was fatal": ("emergency", {}, 1),
    "what was not fatal": ("emergency", {"emergency": "never"}, 0),
    "what was silenced": ("2", {"emergency": "over"}, 0),
    "what never rang": ("level", {}, 0),
}


@pytest.mark.parametrize(("priority", "references", "calls"), SILENCED.values(), ids=SILENCED)
def test_ignoring_silences_and_tells_nothing(http, service, priority, references, calls):
    ignored = message(kind="ignored", references=references)
    is_needed = Outcome.DELIVERED if calls else Outcome.UNNEEDED
    assert channel(priority=priority).send(ignored, http=http, now=NOW).outcome is is_needed
    assert len(service()) == calls


def test_nobody_hears_again_of_what_still_rings(http, service, receiver):
    receiver.script(said(acknowledged=0, expired=0))
    again = message(kind="again", references=RINGS)
    answer_ = channel(priority="2").send(again, http=http, now=NOW)
    assert answer_.outcome is Outcome.UNNEEDED
    [(path, _)] = service()
    assert path == f"/1/receipts/{RECEIPT}.json?token={TOKEN}"
    soon = message(kind="again", references={**RINGS, **answer_.references})
    channel(priority="2").send(soon, http=http, now=NOW + timedelta(seconds=4))
    assert len(service()) == 1


@pytest.mark.parametrize("state", [{"acknowledged": 1}, {"expired": 1}], ids=["acknowledged", "expired"])
def test_what_rings_no_more_is_told_again(http, service, receiver, state):
    receiver.script(said(**state), said())
    answer_ = channel().send(message(kind="again", references=RINGS), http=http, now=NOW)
    assert service()[1][0] == "/1/messages.json"
    assert answer_.references == {"emergency": "over"}


@pytest.mark.parametrize(
    "references",
    [{}, {"emergency": "over"}, {**RINGS, "until": NOW.isoformat()}],
    ids=["none", "over", "expired"],
)
def test_without_an_emergency_nobody_is_asked_before_telling_again(http, service, references):
    channel().send(message(kind="again", references=references), http=http, now=NOW)
    [(path, _)] = service()
    assert path == "/1/messages.json"


def test_an_acknowledgement_names_who_it_was():
    body = f"receipt={RECEIPT}&acknowledged=1&acknowledged_by={OTHER}&acknowledged_by_device=x".encode()
    heard = channel(people={"Ann Smith": OTHER}).hear(Call("acknowledged", CALLBACK, {}, body), now=NOW)
    assert (heard.status, heard.key) == (200, RECEIPT)
    assert heard.act == {"do": "acknowledged", "receipt": RECEIPT, "by": "Ann Smith"}


NOT_ACKNOWLEDGED = [b"", b"receipt=x&acknowledged=1", f"receipt={RECEIPT}".encode(), b"\xff\x00"]


@pytest.mark.parametrize("body", NOT_ACKNOWLEDGED)
def test_a_call_that_acknowledges_nothing_is_refused(body):
    heard = channel().hear(Call("acknowledged", CALLBACK, {}, body), now=NOW)
    assert (heard.status, heard.act) == (400, None)


# People


def test_an_assignment_goes_to_who_is_assigned_alone(http, service):
    told = message(kind="assigned", actor="Bob")
    told = replace(told, issue=replace(told.issue, assignee="Ann Smith"))
    channel(people={"Ann Smith": OTHER}).send(told, http=http, now=NOW)
    [(_, form)] = service()
    assert form["user"] == OTHER
    assert "To Ann Smith, by Bob" in form["message"]
    answer_ = channel().send(told, http=http, now=NOW)
    assert answer_.outcome is Outcome.UNSENT
    assert "Ann Smith" in answer_.response
    assert len(service()) == 1


# Answers


MEANINGS = {
    "queued": (said(), Outcome.DELIVERED),
    "200 that is none": (said(status=0), Outcome.BAD_MESSAGE),
    "200 without words": (answer(200), Outcome.BAD_MESSAGE),
    "a token it does not know": (said(400, status=0, token="invalid"), Outcome.BROKEN),
    "a user it does not know": (said(400, status=0, user="invalid"), Outcome.BROKEN),
    "another fault": (said(400, status=0, errors=["message cannot be blank"]), Outcome.BAD_MESSAGE),
    "not found": (answer(404), Outcome.BAD_MESSAGE),
    "a month's messages used up": (said(429, status=0), Outcome.RETRY_AT),
    "a fault of theirs": (answer(500), Outcome.RETRY),
    "busy": (answer(503), Outcome.RETRY),
    "busy until": (answer(503, retry_after="30"), Outcome.RETRY_AT),
    "elsewhere": (answer(302, location="https://x"), Outcome.RETRY),
    "cut": (hang_up, Outcome.RETRY),
    "slow": (slow(3), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), MEANINGS.values(), ids=MEANINGS)
def test_what_answers_mean(http, service, receiver, script, outcome):
    http.total_seconds = 2
    receiver.script(script)
    assert channel().send(message(), http=http, now=NOW).outcome is outcome
    assert len(service()) == 1


def test_when_the_months_messages_are_used_up_everything_waits_for_the_next_ones(http, service, receiver):
    reset = NOW + timedelta(days=8)
    receiver.script(said(429, status=0, headers={"X_Limit_App_Reset": str(int(reset.timestamp()))}))
    answer_ = channel().send(message(), http=http, now=NOW)
    assert (answer_.outcome, answer_.retry_after) == (Outcome.RETRY_AT, timedelta(days=8))
    assert "01 December 2026" in answer_.advice


@pytest.mark.parametrize(("left", "is_told"), [("1000", True), ("1001", False), ("0", True), ("x", False)])
def test_a_tenth_of_the_months_messages_left_is_told(http, service, receiver, left, is_told):
    headers = {"X_Limit_App_Limit": "10000", "X_Limit_App_Remaining": left}
    receiver.script(said(headers=headers))
    answer_ = channel().send(message(), http=http, now=NOW)
    assert bool(answer_.advice) is is_told


def test_a_test_looks_at_each_key_and_then_sends_without_ringing(http, service):
    tested = message(kind="test", issue=None, event=None, headline="Test message from Tocsin for Shop")
    settings = {"user": f"{USER},{OTHER}", "device": "phone", "priority": "2"}
    assert channel(**settings).send(tested, http=http, now=NOW).outcome is Outcome.DELIVERED
    paths = [path for path, _ in service()]
    assert paths == ["/1/users/validate.json"] * 2 + ["/1/messages.json"]
    assert service()[0][1] == {"token": TOKEN, "user": USER, "device": "phone"}
    assert service()[2][1]["priority"] == "0"


def test_a_key_that_is_not_known_ends_the_test(http, service, receiver):
    receiver.script(said(400, status=0, errors=["device name is not valid for user"]))
    answer_ = channel(device="phone").send(message(kind="test", issue=None), http=http, now=NOW)
    assert answer_.outcome is Outcome.BROKEN
    assert "device name is not valid" in answer_.advice
    assert len(service()) == 1


def test_the_log_shows_the_message_and_no_key(http, service):
    answer_ = channel().send(message(), http=http, now=NOW)
    assert "SHOP-4F" in answer_.request
    assert TOKEN not in answer_.request
    assert USER not in answer_.request


WRONG = {
    "token": ["t" * 29, "t" * 31, "t" * 29 + "-", "t" * 30 + "\n"],
    "user": ["u" * 29, ",", ",".join([USER] * 51)],
    "device": ["x" * 26, "a b", "ü"],
    "retry": ["29", "x", "", "-30", "٣٠", "10801"],
    "expire": ["0", "10801", "1e3"],
    "sound": ["a b", "x" * 21],
    "people": [{"Ann": "u" * 29}],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_in_the_form(name):
    [field] = [each for each in settings_of(Pushover) if each.name == name]
    assert all(field.check(value) for value in WRONG[name])


FINE_SETTINGS = {
    "token": TOKEN,
    "user": f"{USER}, {OTHER}",
    "device": "phone,my_tab-2",
    "retry": "30",
    "expire": "10800",
    "sound": "siren",
    "people": {"Ann": USER},
}


@pytest.mark.parametrize("name", FINE_SETTINGS)
def test_what_is_right_is_taken(name):
    [field] = [each for each in settings_of(Pushover) if each.name == name]
    assert not field.check(FINE_SETTINGS[name])


def test_its_picture_is_its_message():
    shown = channel().picture(message())
    assert (shown.look, shown.title) == ("phone", "New: SHOP-4F (production)")
    assert shown.buttons == ("Open SHOP-4F",)


def test_secrets_do_not_stand_in_its_repr():
    assert not [each for each in (TOKEN, USER, OTHER) if each in repr(channel(people={"Ann": OTHER}))]
