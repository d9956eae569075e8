"""OpsGenie and Jira Service Management: alerts and what becomes of them, within every limit."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels import opsgenie as module
from app.channels.base import Outcome, settings_of
from app.channels.opsgenie import ASK_AFTER, LONGEST_DETAILS, OpsGenie
from app.domain.message import Message
from tests.channels.test_pagerduty import TRIAL, an_event, of
from tests.channels.test_webhook import NOW, message
from tests.support.incidents import API_KEY, Incidents, opsgenie, refused
from tests.support.receiver import answer, hang_up

DESCRIPTION = "opsgenie-alerts.ours.yaml"
YES = {"result": "Request will be processed", "took": 0.3, "requestId": "request-1"}
AN_ID = "8743a1b2-11da-480e-8493-744660987bef"
OLD = (NOW - timedelta(days=2)).isoformat()


@pytest.fixture
def checked(contract):
    return contract(DESCRIPTION)


@pytest.fixture
def kept(receiver, checked):
    found = Incidents()
    receiver.usual = opsgenie(found)
    return found


@pytest.fixture
def send(http, receiver):
    http.bases = {"opsgenie": receiver.base}

    def sending(about: Message, **settings):
        usual = {"api_key": API_KEY, "host": "eu", "begun_at": OLD}
        return OpsGenie(**{**usual, **settings}).send(about, http=http, now=NOW)

    return sending


@pytest.fixture
def bodies(receiver):
    return lambda: [json.loads(each.body) for each in receiver.taken]


def test_a_new_issue_is_an_alert(send, kept, receiver, bodies):
    said = send(of("new"), tags=["on-call"], responders=["team: Core ", "user:bob@example.org"])
    [body], [request] = bodies(), receiver.taken
    assert said.outcome is Outcome.DELIVERED
    assert request.headers["Authorization"] == f"GenieKey {API_KEY}"
    assert request.path == "/v2/alerts"
    assert body["message"] == "SHOP-4F KeyError: cart"
    assert body["alias"] == "abc-143"
    assert (body["entity"], body["source"], body["priority"]) == ("shop.cart", "Tocsin", "P2")
    assert body["tags"] == ["project:shop", "environment:production", "level:error", "on-call"]
    assert body["responders"] == [
        {"type": "team", "name": "Core"},
        {"type": "user", "username": "bob@example.org"},
    ]
    assert body["details"]["browser"] == "Firefox"
    assert body["details"]["url"] == "https://t.example.org/acme/shop/issues/143/"
    assert body["details"]["events"] == "7"
    assert "Rule “New issues” fired." in body["description"]
    assert "shop/cart.py:42 in checkout" in body["description"]


KINDS = {
    "new": "/v2/alerts",
    "regression": "/v2/alerts",
    "again": "/v2/alerts",
    "assigned": "/v2/alerts/abc-143/notes?identifierType=alias",
    "comment": "/v2/alerts/abc-143/notes?identifierType=alias",
    "resolved": "/v2/alerts/abc-143/close?identifierType=alias",
    "ignored": "/v2/alerts/abc-143/close?identifierType=alias",
    "deleted": "/v2/alerts/abc-143/close?identifierType=alias",
}


@pytest.mark.parametrize(("kind", "path"), KINDS.items(), ids=KINDS)
def test_each_kind_has_its_place(send, kept, receiver, kind, path):
    said = send(of(kind))
    [request] = receiver.taken
    assert request.path == path
    assert said.outcome is Outcome.DELIVERED
    assert API_KEY not in said.request


NOTES = {
    "resolved": ({"headline": "Resolved: KeyError", "actor": "Bob"}, "Resolved by Bob"),
    "ignored": ({"headline": "Ignored: KeyError"}, "Ignored"),
    "merged": ({"kind": "deleted", "headline": "Merged into SHOP-1: KeyError"}, "Merged into SHOP-1"),
    "assigned": (
        {"issue": replace(message().issue, assignee="Cy"), "headline": "Assigned: x", "actor": "Bob"},
        "Assigned to Cy by Bob",
    ),
    "comment": ({"comment": "looking\x00 at it\r\nnow ", "actor": "Bob"}, "Bob: looking at it\nnow"),
    "a comment that is not let out": (
        {"kind": "comment", "actor": "Bob"},
        "Bob commented: https://t.example.org/acme/shop/issues/143/",
    ),
}


@pytest.mark.parametrize(("kind", "row"), NOTES.items(), ids=NOTES)
def test_a_note_says_who_did_what(send, kept, bodies, kind, row):
    changes, note = row
    send(message(**{"kind": kind, **changes}))
    [body] = bodies()
    assert body["note"] == note
    assert body.get("user", "") == changes.get("actor", "")


def test_assigning_acknowledges_where_that_is_wanted(send, kept):
    send(of("new"))
    send(of("assigned"), acknowledge="yes")
    assert kept.history == ["opened", "acknowledged"]


def test_an_alias_is_quoted(send, kept, receiver):
    send(of("resolved", key="a/b?c"))
    assert receiver.taken[0].path.startswith("/v2/alerts/a%2Fb%3Fc/close?")


PRIORITIES = {"fatal": "P1", "error": "P2", "warning": "P3", "info": "P5", "debug": "P5"}


@pytest.mark.parametrize(("level", "priority"), PRIORITIES.items())
def test_the_level_is_the_priority(level, priority):
    issue = replace(message().issue, level=level)
    assert OpsGenie(API_KEY).payload(of("new", issue=issue))["priority"] == priority


def test_levels_can_be_shifted():
    assert OpsGenie(API_KEY, levels={"production": "+1"}).payload(of("new"))["priority"] == "P1"


def test_every_limit_is_kept(send, kept, bodies):
    issue = replace(message().issue, title="💥" * 200, culprit="💥" * 500)
    tags = {f"tag {number}": "💥" * 100 for number in range(100)}
    event = an_event(tags=tags, exception_value="💥" * 20_000, environment="e" * 60 + ",x")
    settings = {
        "tags": [f"t{number}" for number in range(40)],
        "responders": [f"team:{number}" for number in range(50)],
    }
    said = send(of("new", issue=issue, event=event), **settings)
    send(of("comment", comment="💥" * 20_000, actor="x" * 200))
    opened, noted = bodies()
    assert said.outcome is Outcome.DELIVERED
    assert _units(opened["message"]) <= 130
    assert _units(opened["entity"]) <= 512
    assert _units(opened["description"]) <= 15_000
    assert len(opened["tags"]) == 20
    assert all(_units(tag) <= 50 and "," not in tag for tag in opened["tags"])
    room = sum(_units(name) + _units(value) for name, value in opened["details"].items())
    assert 7000 < room <= LONGEST_DETAILS
    assert len(opened["responders"]) == 50
    assert _units(noted["note"]) <= 25_000
    assert noted["user"] == "x" * 97 + "..."


def _units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def test_a_message_is_cut_between_characters(send, kept, bodies):
    for title in ("x" * 122, "x" * 123, "x" + "💥" * 100):
        send(of("new", issue=replace(message().issue, title=title)))
    whole, cut, wide = (body["message"] for body in bodies())
    assert whole == "SHOP-4F " + "x" * 122
    assert cut == "SHOP-4F " + "x" * 119 + "..."
    assert wide.endswith("💥...")
    assert 128 <= _units(wide) <= 130


def test_nothing_is_empty(send, kept, bodies):
    issue = replace(message().issue, title="\x00\n", culprit="")
    send(of("new", issue=issue, event=None))
    [body] = bodies()
    assert body["message"] == "SHOP-4F in Shop"
    assert "entity" not in body


def test_a_bare_message_is_title_and_link(send, kept, bodies):
    send(of("new").bare(), responders=["team:Core"], tags=["x"])
    [body] = bodies()
    assert set(body) == {"message", "alias", "description", "source", "priority"}
    assert "https://t.example.org/acme/shop/issues/143/" in body["description"]


RESPONDERS = {
    "team:Core": {"type": "team", "name": "Core"},
    "user:bob@example.org": {"type": "user", "username": "bob@example.org"},
    "schedule:Nights: west": {"type": "schedule", "name": "Nights: west"},
    "escalation:Up": {"type": "escalation", "name": "Up"},
    f"team:{AN_ID}": {"type": "team", "id": AN_ID},
}


@pytest.mark.parametrize(("line", "sent"), RESPONDERS.items(), ids=RESPONDERS)
def test_responders_are_named_by_what_identifies_them(line, sent):
    assert OpsGenie(API_KEY, "us", [line]).payload(of("new"))["responders"] == [sent]


HOSTS = {
    "jsm": "https://api.atlassian.com/jsm/ops/integration/v2/alerts",
    "us": "https://api.opsgenie.com/v2/alerts",
    "eu": "https://api.eu.opsgenie.com/v2/alerts",
}


@pytest.mark.parametrize(("host", "address"), HOSTS.items(), ids=HOSTS)
def test_each_host_has_its_address(send, receiver, host, address):
    receiver.script(refused(202, YES))
    assert send(of("new"), host=host).request.startswith(f"POST {address}\n")


def test_jira_service_management_takes_the_same_under_its_path_and_responders_by_id(
    contract, send, receiver, bodies
):
    contract(DESCRIPTION, "/jsm/ops/integration")
    kept = Incidents()
    receiver.usual = opsgenie(kept)
    for kind in ("new", "comment", "resolved"):
        send(of(kind), host="jsm", responders=[f"team:{AN_ID}"])
    assert kept.history == ["opened", "noted", "resolved"]
    assert bodies()[0]["responders"] == [{"type": "team", "id": AN_ID}]
    assert receiver.taken[0].path == "/jsm/ops/integration/v2/alerts"


# What answers mean

ANSWERS = {
    "taken": (refused(202, YES), Outcome.DELIVERED),
    "without its word": (answer(200, b"<html>"), Outcome.RETRY),
    "a wrong key": (refused(401, {"message": "Could not authenticate"}), Outcome.BROKEN),
    "the plan": (refused(402, {}), Outcome.BROKEN),
    "no right": (refused(403, {"code": 40301}), Outcome.BROKEN),
    "not supported": (refused(403, {"code": 40302}), Outcome.BROKEN),
    "gone": (refused(410, {}), Outcome.BROKEN),
    "a field": (refused(422, {"errors": {"message": "is empty"}}), Outcome.BAD_MESSAGE),
    "no JSON": (refused(400, {}), Outcome.BAD_MESSAGE),
    "not there": (refused(404, {}), Outcome.DOUBTFUL),
    "a mishap": (refused(500, {}), Outcome.RETRY),
    "overloaded": (answer(503, retry_after="5"), Outcome.RETRY_AT),
    "cut": (hang_up, Outcome.RETRY),
    "a redirect": (answer(302, location="/x"), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), ANSWERS.values(), ids=ANSWERS)
def test_what_answers_mean(send, receiver, script, outcome):
    receiver.script(script)
    assert send(of("new")).outcome is outcome


@pytest.mark.parametrize("kind", ["resolved", "assigned", "comment"])
def test_what_is_not_there_needs_no_closing(send, receiver, kind):
    receiver.script(refused(404, {}))
    assert send(of(kind)).outcome is Outcome.DELIVERED


def test_a_field_that_is_wrong_is_named(send, receiver):
    receiver.script(refused(422, {"errors": {"message": "can not be empty."}}))
    assert send(of("new")).advice == "message: can not be empty."


WAITS = {
    "as it says": ({"retry_after": "7"}, 7),
    "its period": ({"X_RateLimit_State": "THROTTLED", "X_RateLimit_Period_In_Sec": "90"}, 90),
    "a minute": ({"X_RateLimit_Period_In_Sec": "soon"}, 60),
    "an hour at most": ({"X_RateLimit_Period_In_Sec": "99999"}, 3600),
}


@pytest.mark.parametrize(("headers", "seconds"), WAITS.values(), ids=WAITS)
def test_too_many_wait(send, receiver, headers, seconds):
    receiver.script(answer(429, b"{}", **headers))
    said = send(of("new"))
    assert (said.outcome, said.retry_after) == (Outcome.RETRY_AT, timedelta(seconds=seconds))


# What became of it

REFUSED = refused(200, {"data": {"isSuccess": False, "status": "Responder not found"}})
DONE = refused(200, {"data": {"isSuccess": True, "status": "Created alert", "alertId": "x"}})


def test_on_the_first_day_a_new_alert_is_asked_about_ten_seconds_later(send, kept, receiver):
    said = send(of("new"), begun_at="")
    assert said.changes == {"begun_at": NOW.isoformat()}
    assert said.ask_after == ASK_AFTER
    later = send(of("new", references=said.references), begun_at=NOW.isoformat())
    assert [each.method for each in receiver.taken] == ["POST", "GET"]
    assert (later.outcome, later.ask_after) == (Outcome.DELIVERED, None)
    other = of("again", id="msg_another", references=said.references)
    send(other, begun_at=NOW.isoformat())
    assert receiver.taken[-1].method == "POST"


def test_later_on_it_is_not_asked_about(send, kept):
    assert send(of("new"), begun_at=OLD).ask_after is None


def test_what_was_taken_and_then_refused_is_worth_another_form(send, checked, receiver):
    receiver.script(refused(202, YES), REFUSED)
    said = send(of("new"), begun_at="")
    later = send(of("new", references=said.references), begun_at="")
    assert later.outcome is Outcome.BAD_MESSAGE
    assert "Responder not found" in later.advice
    receiver.script(refused(202, YES))
    send(replace(of("new").bare(), references={**said.references, **later.references}))
    assert receiver.taken[-1].method == "POST"


def test_that_nobody_can_say_what_became_of_it_is_no_failure(send, receiver):
    for script in (refused(404, {}), refused(403, {}), answer(200, b"?")):
        receiver.script(refused(202, YES), script)
        said = send(of("new"), begun_at="")
        assert send(of("new", references=said.references)).outcome is Outcome.DELIVERED
    receiver.script(answer(500))
    assert send(of("new", references=said.references)).outcome is Outcome.RETRY


# A test


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(module, "WAITS", (0.01, 0.01))


def test_a_test_creates_a_harmless_alert_asks_and_closes_it(send, kept, receiver, bodies):
    said = send(of("test", **TRIAL))
    assert [each.method for each in receiver.taken] == ["POST", "GET", "POST"]
    opened = json.loads(receiver.taken[0].body)
    assert (opened["priority"], opened["message"]) == ("P5", "Test message from Tocsin for Shop")
    assert opened["alias"].startswith("abc-143-test-")
    assert receiver.taken[2].path == f"/v2/alerts/{opened['alias']}/close?identifierType=alias"
    assert (said.outcome, said.advice) == (Outcome.DELIVERED, "")
    assert kept.history == ["opened", "resolved"]


def test_a_test_waits_a_little_for_what_became_of_it(send, checked, receiver, at_once):
    receiver.script(refused(202, YES), refused(404, {}), DONE, refused(202, YES))
    assert send(of("test", **TRIAL)).advice == ""
    receiver.script(refused(202, YES), *[refused(404, {})] * 3, refused(202, YES))
    said = send(of("test", **TRIAL))
    assert said.outcome is Outcome.DELIVERED
    assert "Look there" in said.advice


def test_a_test_says_why_it_was_refused_in_the_end(send, checked, receiver):
    receiver.script(refused(202, YES), REFUSED, refused(202, YES))
    said = send(of("test", **TRIAL))
    assert said.outcome is Outcome.BROKEN
    assert "Responder not found" in said.advice
    assert len(receiver.taken) == 3


def test_a_test_with_a_wrong_key_ends_at_once(send, receiver):
    receiver.script(refused(401, {}))
    assert send(of("test", **TRIAL)).outcome is Outcome.BROKEN
    assert len(receiver.taken) == 1


ADVICE = {"by id": ([f"team:{AN_ID}"], "Look there"), "by name": (["team:Core"], "ids, not by names")}


@pytest.mark.parametrize(("responders", "advice"), ADVICE.values(), ids=ADVICE)
def test_jira_service_management_is_not_asked_but_looked_at(contract, send, receiver, responders, advice):
    contract(DESCRIPTION, "/jsm/ops/integration")
    receiver.usual = opsgenie(Incidents())
    said = send(of("test", **TRIAL), host="jsm", responders=responders)
    assert [each.method for each in receiver.taken] == ["POST", "POST"]
    assert advice in said.advice


# What is typed

WRONG = {
    "api_key": ["a" * 19, "a" * 65, "a" * 30 + "_"],
    "responders": [["Core"], ["group:Core"], ["team:"], [f"team:{number}" for number in range(51)]],
    "tags": [["a,b"], ["x" * 51], ["💥" * 26]],
    "levels": [{"production": "P1"}],
}
RIGHT = {
    "api_key": [API_KEY],
    "responders": [["team:Core", "user:bob@example.org", "schedule: Nights", "escalation:Up"]],
    "tags": [["on-call", "x" * 50]],
    "levels": [{"production": "fatal"}],
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_are_checked(name):
    [field] = [each for each in settings_of(OpsGenie) if each.name == name]
    assert [value for value in WRONG[name] if not field.check(value)] == []
    assert [value for value in RIGHT[name] if field.check(value)] == []


def test_its_end_is_told_from_now_on():
    assert "5 April 2027" in OpsGenie.about.notice
    assert API_KEY not in repr(OpsGenie(API_KEY))


@pytest.mark.parametrize("kind", ["new", "resolved"])
def test_a_picture_is_taken_from_what_is_sent(kind):
    assert OpsGenie("").picture(of(kind)).title
