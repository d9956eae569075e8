"""PagerDuty: what is sent for each kind, by which key, and what its answers mean."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels.base import Outcome, settings_of
from app.channels.pagerduty import LONGEST_SUMMARY, MOST_BYTES, PagerDuty
from app.domain.message import Frame, Happened, Message
from tests.channels.test_webhook import NOW, message
from tests.support.incidents import KEY, Incidents, pagerduty, refused
from tests.support.receiver import answer, hang_up

OTHER, THIRD = "b" * 32, "c" * 32
DESCRIPTION = "pagerduty-events-v2.ours.yaml"
YES = {"status": "success", "message": "Event processed", "dedup_key": "abc-143"}


@pytest.fixture(autouse=True)
def checked(contract):
    return contract(DESCRIPTION)


@pytest.fixture
def kept(receiver):
    found = Incidents()
    receiver.usual = pagerduty(found)
    return found


@pytest.fixture
def send(http, receiver):
    http.bases = {"pagerduty": receiver.base}

    def sending(about: Message, **settings):
        return PagerDuty(**{"routing_key": KEY, **settings}).send(about, http=http, now=NOW)

    return sending


@pytest.fixture
def bodies(receiver):
    return lambda: [json.loads(each.body) for each in receiver.taken]


def of(kind: str, **changes) -> Message:
    return message(kind=kind, **changes)


def an_event(**changes) -> Happened:
    return replace(message().event, **changes)


def test_a_new_issue_triggers_with_what_is_known(send, kept, bodies):
    event = an_event(server_name="web-1")
    said = send(of("new", event=event))
    [body] = bodies()
    assert said.outcome is Outcome.DELIVERED
    assert body["routing_key"] == KEY
    assert (body["event_action"], body["dedup_key"]) == ("trigger", "abc-143")
    assert body["client"] == "Tocsin"
    assert body["links"] == [{"href": "https://t.example.org/acme/shop/issues/143/", "text": "SHOP-4F"}]
    about = body["payload"]
    assert about["summary"] == "[production] KeyError: cart (shop.cart)"
    assert (about["source"], about["severity"]) == ("web-1", "error")
    assert (about["component"], about["group"], about["class"]) == ("shop", "production", "KeyError")
    assert about["timestamp"] == "2026-11-23T09:00:00Z"
    details = about["custom_details"]
    assert details["tags"] == {"browser": "Firefox"}
    assert (details["events"], details["users"], details["release"]) == ("7", "3", "shop@1.0")
    assert (details["first_seen"], details["last_seen"]) == ("2026-11-23T09:00:00Z",) * 2
    assert details["rule"] == "New issues"
    assert details["frames"] == ["shop/cart.py:42 in checkout"] * 5


KINDS = {
    "new": "trigger",
    "regression": "trigger",
    "again": "trigger",
    "assigned": "acknowledge",
    "resolved": "resolve",
    "ignored": "resolve",
    "deleted": "resolve",
}


@pytest.mark.parametrize(("kind", "action"), KINDS.items(), ids=KINDS)
def test_each_kind_is_one_action_with_the_same_key(send, kept, bodies, kind, action):
    send(of(kind))
    [body] = bodies()
    assert (body["event_action"], body["dedup_key"]) == (action, "abc-143")
    if action != "trigger":
        assert set(body) == {"routing_key", "event_action", "dedup_key"}


LEVELS = {
    "fatal": ({}, "critical"),
    "error": ({}, "error"),
    "warning": ({}, "warning"),
    "info": ({}, "info"),
    "debug": ({}, "info"),
    "strange": ({}, "error"),
}


@pytest.mark.parametrize(("level", "severity"), [(name, row[1]) for name, row in LEVELS.items()])
def test_the_level_is_the_severity(level, severity):
    issue = replace(message().issue, level=level)
    assert PagerDuty(KEY).payload(of("new", issue=issue))["payload"]["severity"] == severity


SHIFTS = {
    "a fixed one": ({"production": "info"}, "info"),
    "one more": ({"production": "+1"}, "critical"),
    "two less": ({"production": "-2"}, "info"),
    "no further than there are": ({"production": "+9"}, "critical"),
    "everywhere": ({"*": "warning"}, "warning"),
    "here before everywhere": ({"*": "warning", "production": "fatal"}, "critical"),
    "elsewhere": ({"staging": "info"}, "error"),
}


@pytest.mark.parametrize(("levels", "severity"), SHIFTS.values(), ids=SHIFTS)
def test_levels_can_be_set_or_shifted_by_environment(levels, severity):
    found = PagerDuty(KEY, levels=levels).payload(of("new"))
    assert found["payload"]["severity"] == severity


def test_nothing_is_empty_and_nothing_breaks_a_line(send, kept, bodies):
    issue = replace(message().issue, title="\x00\r\n", culprit="a\x1b[31m\nb")
    send(
        of("new", issue=issue, event=an_event(exception_type="Key\x07Error", tags={"": "x", "a\nb": "c\x00"}))
    )
    send(of("new", issue=replace(issue, culprit=""), event=None))
    [first, second] = [body["payload"] for body in bodies()]
    assert first["summary"] == "[production] KeyError (a[31m b)"
    assert first["custom_details"]["tags"] == {"a b": "c"}
    assert second["summary"] == "SHOP-4F in Shop"
    assert second["source"] == "shop"


def test_a_summary_is_cut_by_characters(send, kept, bodies):
    fits = f"[production] {'💥' * (LONGEST_SUMMARY - 13)}"
    for title in (fits[13:], fits[13:] + "x"):
        send(of("new", issue=replace(message().issue, title=title, culprit="")))
    first, second = (body["payload"]["summary"] for body in bodies())
    assert first == fits
    assert len(second) == LONGEST_SUMMARY
    assert second.endswith("💥...")


def test_what_is_too_large_keeps_its_tags_and_then_nothing(send, kept, receiver, bodies):
    frames = [Frame("x" * 120_000, 1, "f", True)] * 5
    send(of("new", event=an_event(frames=frames)))
    send(of("new", event=an_event(tags={"a": "x" * 600_000})))
    first, second = bodies()
    assert first["payload"]["custom_details"] == {"tags": {"browser": "Firefox"}}
    assert "custom_details" not in second["payload"]
    assert all(len(each.body) <= MOST_BYTES for each in receiver.taken)


def test_a_bare_message_is_title_and_link(send, kept, bodies):
    send(of("new").bare())
    [body] = bodies()
    assert body["payload"]["summary"] == "KeyError: cart"
    assert body["links"][0]["href"].startswith("https://t.example.org/")
    assert "custom_details" in body["payload"]
    assert "browser" not in json.dumps(body)


HOSTS = {"us": "https://events.pagerduty.com/v2/enqueue", "eu": "https://events.eu.pagerduty.com/v2/enqueue"}


@pytest.mark.parametrize(("region", "host"), HOSTS.items(), ids=HOSTS)
def test_the_region_is_the_host(send, kept, region, host):
    assert send(of("new"), region=region).request.startswith(f"POST {host}\n")


# By which key

ROUTES = {"environment=staging": OTHER, "team = pay ": THIRD}


def test_a_tag_leads_to_a_key_and_the_first_that_fits_is_used(send, kept, bodies):
    for tags, place in (({}, "staging"), ({"team": "pay"}, "staging"), ({"team": "pay"}, "x"), ({}, "x")):
        send(of("new", event=an_event(tags=tags, environment=place)), routes=ROUTES)
    assert [body["routing_key"] for body in bodies()] == [OTHER, OTHER, THIRD, KEY]


def test_what_was_opened_by_a_key_is_acknowledged_and_resolved_by_it(send, kept):
    said = send(of("new", event=an_event(environment="staging")), routes=ROUTES)
    opened = said.references
    for kind in ("assigned", "resolved"):
        said = send(of(kind, event=None, references=opened), routes=ROUTES)
    assert kept.history == ["opened", "acknowledged", "resolved"]
    assert said.references["keys"] == []


def test_what_is_kept_of_a_key_is_not_the_key(send, kept):
    said = send(of("new"))
    assert KEY not in json.dumps(said.references)
    assert KEY not in said.request
    assert said.request.count("••••aaaa") == 1
    assert said.changes == {"used_keys": [KEY]}


def test_it_is_resolved_by_the_key_that_was_replaced_since(send, kept):
    opened = send(of("new"))
    send(of("resolved", references=opened.references), routing_key=OTHER, used_keys=[KEY])
    assert kept.history == ["opened", "resolved"]


def test_after_a_change_of_keys_all_that_was_opened_is_resolved(send, kept):
    first = send(of("new"))
    second = send(of("again", references=first.references), routing_key=OTHER, used_keys=[KEY])
    send(of("resolved", references=second.references), routing_key=OTHER, used_keys=[KEY, OTHER])
    assert kept.history == ["opened", "opened", "resolved", "resolved"]
    assert kept.open == {}


def test_a_replaced_key_that_is_gone_there_holds_up_nothing(send, kept, receiver):
    first = send(of("new"))
    second = send(of("again", references=first.references), routing_key=OTHER, used_keys=[KEY])
    receiver.script(pagerduty(kept), refused(400, {"errors": ["routing_key is not known"]}))
    said = send(of("resolved", references=second.references), routing_key=OTHER, used_keys=[KEY, OTHER])
    assert said.outcome is Outcome.DELIVERED
    assert said.references["keys"] == []


def test_of_several_resolves_only_those_that_failed_are_sent_again(send, kept, receiver, bodies):
    first = send(of("new"))
    second = send(of("again", references=first.references), routing_key=OTHER, used_keys=[KEY])
    receiver.script(pagerduty(kept), answer(500))
    settings = {"routing_key": OTHER, "used_keys": [KEY, OTHER]}
    failed = send(of("resolved", references=second.references), **settings)
    assert failed.outcome is Outcome.RETRY
    send(of("resolved", references=failed.references), **settings)
    assert kept.open == {}
    assert len(bodies()) == 5


def test_while_it_may_be_open_another_event_goes_by_the_same_key(send, kept, bodies):
    first = send(of("new", event=an_event(environment="staging")), routes=ROUTES)
    send(of("again", references=first.references), routes=ROUTES)
    assert [body["routing_key"] for body in bodies()] == [OTHER, OTHER]


def test_after_it_was_resolved_an_event_is_led_anew(send, kept, bodies):
    said = send(of("new", event=an_event(environment="staging")), routes=ROUTES)
    said = send(of("resolved", references=said.references), routes=ROUTES)
    send(of("regression", references=said.references), routes=ROUTES)
    assert [body["routing_key"] for body in bodies()] == [OTHER, OTHER, KEY]


def test_the_bare_form_goes_where_the_full_one_went(send, receiver, bodies, kept):
    receiver.script(refused(400, {"status": "invalid event", "errors": ["'payload.group' is strange"]}))
    about = of("new", event=an_event(environment="staging"))
    said = send(about, routes=ROUTES)
    send(replace(about.bare(), references=said.references), routes=ROUTES)
    assert [body["routing_key"] for body in bodies()] == [OTHER, OTHER]


def test_what_may_have_arrived_keeps_its_key(send, receiver):
    receiver.script(hang_up)
    said = send(of("new"))
    assert (said.outcome, said.is_unsure) == (Outcome.RETRY, True)
    assert said.references["keys"]


# What answers mean

ANSWERS = {
    "taken": (refused(202, YES), Outcome.DELIVERED),
    "200 without its word": (answer(200, b"<html>"), Outcome.RETRY),
    "an unknown key": (
        refused(400, {"status": "invalid event", "errors": ["'routing_key' is invalid"]}),
        Outcome.BROKEN,
    ),
    "another field": (refused(400, {"status": "invalid event", "errors": ["summary"]}), Outcome.BAD_MESSAGE),
    "no JSON of ours": (refused(400, {"status": "Unrecognized object"}), Outcome.BAD_MESSAGE),
    "too large": (answer(413), Outcome.BAD_MESSAGE),
    "a redirect": (answer(302, location="/x"), Outcome.RETRY),
    "a mishap": (answer(500), Outcome.RETRY),
    "maintenance": (answer(503, retry_after="60"), Outcome.RETRY_AT),
    "cut": (hang_up, Outcome.RETRY),
    "strange": (answer(403), Outcome.DOUBTFUL),
}


@pytest.mark.parametrize(("script", "outcome"), ANSWERS.values(), ids=ANSWERS)
def test_what_answers_mean(send, receiver, script, outcome):
    receiver.script(script)
    assert send(of("new")).outcome is outcome


def test_too_many_wait_thrice_half_a_minute_and_then_two(send, receiver):
    receiver.usual = refused(429, {"status": "throttle exceeded"})
    waits, references = [], {}
    for _ in range(5):
        said = send(of("new", references=references))
        references = {**references, **said.references}
        waits.append(said.retry_after)
    half, two = timedelta(seconds=30), timedelta(minutes=2)
    assert waits == [half, half, half, two, two]
    receiver.usual = refused(202, YES)
    assert send(of("new", references=references)).references["slowed"] == 0


def test_too_many_wait_as_long_as_it_says(send, receiver):
    receiver.script(answer(429, retry_after="7"))
    said = send(of("new"))
    assert (said.outcome, said.retry_after) == (Outcome.RETRY_AT, timedelta(seconds=7))


# A test

TRIAL = {
    "issue": None,
    "event": None,
    "rule": "",
    "reason": "",
    "headline": "Test message from Tocsin for Shop",
}


def test_a_test_opens_a_harmless_incident_of_its_own_and_resolves_it(send, kept, bodies):
    said = send(of("test", **TRIAL))
    opened, closed = bodies()
    assert kept.history == ["opened", "resolved"]
    assert opened["payload"]["severity"] == "info"
    assert opened["payload"]["summary"] == "Test message from Tocsin for Shop"
    assert opened["dedup_key"] == closed["dedup_key"] == "abc-143-test-msg_0123456789abcdef"
    assert said.outcome is Outcome.DELIVERED
    assert "look" in said.advice
    assert said.request.count("POST") == 2


def test_a_test_that_fails_says_so(send, receiver):
    receiver.script(refused(400, {"errors": ["routing_key"]}))
    assert send(of("test", **TRIAL)).outcome is Outcome.BROKEN
    receiver.script(refused(202, YES), answer(500))
    assert send(of("test", **TRIAL)).outcome is Outcome.RETRY


# What is typed

WRONG = {
    "routing_key": ["a" * 31, "a" * 33, "a" * 31 + "-", "ä" * 32],
    "routes": [
        {"production": KEY},
        {"=production": KEY},
        {"environment=": KEY},
        {"environment=production": "short"},
        {f"tag={number}": KEY for number in range(51)},
    ],
    "levels": [{"production": "loud"}, {"production": "1"}, {"production": "+"}, {"": "info"}, {"x": "-10"}],
}
RIGHT = {
    "routing_key": [KEY, "R" + "0" * 31],
    "routes": [{"environment=production": KEY, "url=https://x/?a=b": OTHER}],
    "levels": [{"production": "fatal", "staging": "-1", "*": "+2"}],
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_are_checked(name):
    [field] = [each for each in settings_of(PagerDuty) if each.name == name]
    assert [value for value in WRONG[name] if not field.check(value)] == []
    assert [value for value in RIGHT[name] if field.check(value)] == []


def test_secrets_do_not_stand_in_its_repr():
    assert KEY not in repr(PagerDuty(KEY, routes={"a=b": KEY}, used_keys=[KEY]))


@pytest.mark.parametrize("kind", ["new", "resolved"])
def test_a_picture_is_taken_from_what_is_sent(kind):
    drawn = PagerDuty("").picture(of(kind))
    assert "abc-143" in drawn.note
    assert drawn.title
