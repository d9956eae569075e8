"""VictorOps: message types, the address that is pasted, and failures that come with 200."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels.base import Outcome, settings_of
from app.channels.victorops import LONGEST_NAME, LONGEST_TEXT, VictorOps
from app.domain.message import Message
from tests.channels.test_pagerduty import TRIAL, an_event, of
from tests.channels.test_webhook import NOW, message
from tests.support.incidents import API_KEY, Incidents, refused, victorops
from tests.support.receiver import answer, hang_up

DESCRIPTION = "splunk-oncall-rest.ours.yaml"
YES = {"result": "success", "entity_id": "abc-143"}


@pytest.fixture(autouse=True)
def checked(contract):
    return contract(DESCRIPTION)


@pytest.fixture
def kept(receiver):
    found = Incidents()
    receiver.usual = victorops(found)
    return found


@pytest.fixture
def send(http, receiver):
    http.bases = {"victorops": receiver.base}

    def sending(about: Message, **settings):
        return VictorOps(**{"api_key": API_KEY, "routing_key": "database", **settings}).send(
            about, http=http, now=NOW
        )

    return sending


@pytest.fixture
def bodies(receiver):
    return lambda: [json.loads(each.body) for each in receiver.taken]


def test_a_new_issue_is_critical_with_what_its_rules_can_use(send, kept, receiver, bodies):
    said = send(of("new", event=an_event(server_name="web-1")))
    [body], [request] = bodies(), receiver.taken
    assert said.outcome is Outcome.DELIVERED
    assert request.path == f"/integrations/generic/20131114/alert/{API_KEY}/database"
    assert API_KEY not in said.request
    assert (body["message_type"], body["entity_id"]) == ("CRITICAL", "abc-143")
    assert body["entity_display_name"] == "SHOP-4F KeyError: cart"
    assert (body["monitoring_tool"], body["host_name"]) == ("Tocsin", "web-1")
    assert body["state_start_time"] == body["timestamp"] == int(NOW.timestamp())
    assert body["issue_url"] == body["vo_annotate.u.Issue"] == "https://t.example.org/acme/shop/issues/143/"
    assert body["vo_annotate.s.Note"] == "Rule “New issues” fired."
    assert (body["project"], body["environment"]) == ("shop", "production")
    assert (body["release"], body["level"]) == ("shop@1.0", "error")
    assert "shop/cart.py:42 in checkout" in body["state_message"]


KINDS = {
    "new": "CRITICAL",
    "regression": "CRITICAL",
    "again": "CRITICAL",
    "assigned": "ACKNOWLEDGEMENT",
    "resolved": "RECOVERY",
    "ignored": "RECOVERY",
    "deleted": "RECOVERY",
}


@pytest.mark.parametrize(("kind", "meant"), KINDS.items(), ids=KINDS)
def test_each_kind_is_a_type_of_the_same_entity(send, kept, bodies, kind, meant):
    send(of(kind))
    [body] = bodies()
    assert (body["message_type"], body["entity_id"]) == (meant, "abc-143")


TYPES = {"fatal": "CRITICAL", "error": "CRITICAL", "warning": "WARNING", "info": "INFO", "debug": "INFO"}


@pytest.mark.parametrize(("level", "meant"), TYPES.items(), ids=TYPES)
def test_the_level_is_the_type(level, meant):
    issue = replace(message().issue, level=level)
    assert VictorOps(API_KEY, "x").payload(of("new", issue=issue))["message_type"] == meant


def test_levels_can_be_set_by_environment():
    assert VictorOps(API_KEY, "x", {"production": "info"}).payload(of("new"))["message_type"] == "INFO"


def test_whoever_has_it_now_acknowledges(send, kept, bodies):
    issue = replace(message().issue, assignee="Cy")
    send(of("assigned", issue=issue, headline="Assigned: KeyError", actor="Bob"))
    send(of("assigned", headline="Assigned: KeyError", actor="Bob"))
    send(of("assigned", headline="Assigned: KeyError"))
    first, second, third = bodies()
    assert (first["ack_author"], first["ack_msg"]) == ("Cy", "Assigned to Cy by Bob")
    assert (second["ack_author"], second["ack_msg"]) == ("Bob", "Assigned by Bob")
    assert third["ack_author"] == "Tocsin"


def test_limits_are_kept_and_nothing_is_empty(send, kept, bodies):
    issue = replace(message().issue, title="💥" * 600)
    send(of("new", issue=issue, event=an_event(exception_value="💥" * 30_000)))
    send(of("new", issue=replace(issue, title="\x00\r\n"), event=None, reason=""))
    long, empty = bodies()
    assert len(long["entity_display_name"]) == LONGEST_NAME
    assert len(long["state_message"]) == LONGEST_TEXT
    assert long["state_message"].endswith("💥...")
    assert empty["entity_display_name"] == "SHOP-4F in Shop"
    assert all(value != "" for value in empty.values())


def test_a_recovery_says_who_resolved_it(send, kept, bodies):
    send(of("resolved", headline="Resolved: KeyError", actor="Bob"))
    [body] = bodies()
    assert body["state_message"] == "Resolved by Bob\nhttps://t.example.org/acme/shop/issues/143/"


ANSWERS = {
    "taken": (refused(200, YES), Outcome.DELIVERED),
    "a failure": (refused(200, {"result": "failure", "message": "Bad field"}), Outcome.BAD_MESSAGE),
    "without its word": (answer(200, b"<html>"), Outcome.RETRY),
    "no key of theirs": (answer(404), Outcome.BROKEN),
    "not readable": (answer(400), Outcome.BAD_MESSAGE),
    "too many": (answer(429), Outcome.RETRY),
    "too many, and for how long": (answer(429, retry_after="9"), Outcome.RETRY_AT),
    "a mishap": (answer(502), Outcome.RETRY),
    "cut": (hang_up, Outcome.RETRY),
    "a redirect": (answer(301, location="/x"), Outcome.RETRY),
    "strange": (answer(401), Outcome.DOUBTFUL),
}


@pytest.mark.parametrize(("script", "outcome"), ANSWERS.values(), ids=ANSWERS)
def test_what_answers_mean(send, receiver, script, outcome):
    receiver.script(script)
    assert send(of("new")).outcome is outcome


def test_a_failure_says_why(send, receiver):
    receiver.script(refused(200, {"result": "failure", "message": "Bad\nfield"}))
    assert send(of("new")).advice == "Bad field"


def test_a_test_pages_nobody(send, kept, bodies):
    said = send(of("test", **TRIAL))
    [body] = bodies()
    assert said.outcome is Outcome.DELIVERED
    assert (body["message_type"], kept.history) == ("INFO", [])
    assert body["entity_id"].startswith("abc-143-test-")


def test_it_is_sent_one_a_second_at_most():
    assert VictorOps.about.pace == timedelta(seconds=1)


ADDRESS = "https://alert.victorops.com/integrations/generic/20131114/alert"
PASTED = {
    "the key": (API_KEY, API_KEY),
    "its address": (f"{ADDRESS}/{API_KEY}/$routing_key", API_KEY),
    "with a routing key": (f" {ADDRESS}/{API_KEY}/database ", API_KEY),
    "without": (f"{ADDRESS}/{API_KEY}", API_KEY),
}


@pytest.mark.parametrize(("typed", "key"), PASTED.values(), ids=PASTED)
def test_the_whole_address_may_be_pasted_for_the_key(typed, key):
    field = _field("api_key")
    assert field.tidy(typed) == key
    assert field.check(field.tidy(typed)) == ""


WRONG = {
    "api_key": ["a" * 19, "https://example.org/x", f"{ADDRESS}/short/x", "a" * 30 + "/x"],
    "routing_key": ["$routing_key", "a b", "x" * 129, "ä", "a/b"],
}
RIGHT = {"api_key": [API_KEY], "routing_key": ["database", "x" * 128, "A_b.c-d"]}


@pytest.mark.parametrize("name", WRONG)
def test_settings_are_checked(name):
    field = _field(name)
    assert [value for value in WRONG[name] if not field.check(field.tidy(value))] == []
    assert [value for value in RIGHT[name] if field.check(value)] == []


def _field(name: str):
    return next(each for each in settings_of(VictorOps) if each.name == name)


def test_a_routing_key_that_nobody_filled_in_is_named():
    assert "$routing_key" in _field("routing_key").check("$routing_key")


@pytest.mark.parametrize("kind", ["new", "resolved", "assigned"])
def test_a_picture_is_taken_from_what_is_sent(kind):
    assert VictorOps("", "").picture(of(kind)).title == "SHOP-4F KeyError: cart"
