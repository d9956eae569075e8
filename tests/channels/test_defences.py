"""What strangers write, and what the other side answers, does no harm on its way through the channels."""

import json
import time
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from app.channels import CHANNELS, apprise, campfire, twilio_answers
from app.channels.apprise import Apprise
from app.channels.base import Call, settings_of
from app.channels.http import Reply
from app.channels.irc import Irc
from app.channels.meanings import attempt
from app.channels.opsgenie import OpsGenie
from app.channels.pagerduty import PagerDuty
from app.channels.slack import Slack
from app.channels.slack_calls import STRANGE, happened, pressed
from app.channels.slack_compatible import SlackCompatible
from app.channels.twilio import Twilio
from app.domain import apprise_rules, incident, recipients, twilio_signing
from app.domain.errors import Refused
from app.domain.message_words import harmless
from app.domain.outward import Allowed
from app.domain.recipients import Recipients
from app.services.integrations import channel_settings
from app.services.sealing import masked
from tests.channels.slack_samples import EVENT, ISSUE, NOW, message
from tests.support.receiver import answer

ANN, BOB = "+15005550009", "+15005550010"
ACCOUNT, TOKEN = "AC" + "a" * 32, "b" * 32
NEVER = "\u200b"


# Time


LONG = {
    "addresses of Campfire": lambda: campfire.address_in("http://a/" * 100_000),
    "rooms of Campfire": lambda: campfire.address_in("http://a" + "/rooms/1" * 100_000),
    "words for Campfire": lambda: campfire.address_in("http://a/rooms/1 " * 50_000),
    "commas for Apprise": lambda: apprise_rules.wrong_with("ntfy://" + "," * 1990),
    "letters in what Apprise says": lambda: apprise._masked("a" * 100_000, "ntfy://x"),
    "calls in a title": lambda: harmless("<@[](" * 50_000),
}


@pytest.mark.parametrize("work", LONG.values(), ids=LONG)
def test_nothing_takes_longer_than_it_is_long(work):
    begun = time.process_time()
    work()
    assert time.process_time() - begun < 1


def test_what_is_too_long_is_not_even_tidied():
    begun = time.process_time()
    for name, given in (
        ("campfire", {"url": "http://a/" * 200_000}),
        ("twilio", {"recipients": ["+"] * 10**6}),
    ):
        with pytest.raises(Refused):
            channel_settings.read(name, given, allowed=Allowed())
    assert time.process_time() - begun < 1


def test_the_curl_line_of_campfire_still_holds_the_address():
    address = "https://chat.example.org/rooms/2/7-AbCdEf123456/messages"
    assert campfire.address_in(f"curl -d 'Hello!' '{address}'") == address


# Words


CALLS = {
    "everybody": "@everyone look",
    "everybody, in a word": "x@here",
    "somebody": "<@123> <!here> <#4> @bob",
    "a link with words": "[Reset](https://evil.example.org)",
    "a link in Slack's form": "<https://evil.example.org|Reset>",
    "lines": "a\n@channel\n> b",
}
FORBIDDEN = ("@everyone", "@here", "@channel", "@bob", "<@", "<!", "<#", "](", "<http", "\n")


@pytest.mark.parametrize("words", CALLS.values(), ids=CALLS)
def test_a_stranger_calls_nobody_and_forges_no_link(words):
    found = message(
        issue=replace(ISSUE, title=words, culprit=words),
        event=replace(EVENT, exception_value=words, tags={"a": words}),
        headline=f"New issue: {words}",
        reason=words,
        tags=("a",),
    )
    said = Apprise("discord://1/2").payload(found)
    body = said["body"].rpartition("\n\n")[0].replace("\n", " ")
    compatible = SlackCompatible("https://a.example.org").payload(found)
    slack = Slack(bot_token="x", channel="C1").payload(found)
    for text in (
        said["title"],
        body,
        compatible["text"],
        compatible["attachments"][0]["title"],
        slack["text"],
    ):
        assert not [each for each in FORBIDDEN if each in text]
    assert "://" not in slack["text"]


def test_an_address_in_a_title_is_no_link_in_slack_and_can_still_be_read():
    text = Slack(bot_token="x", channel="C1").payload(message(headline="New issue: https://a.example.org"))[
        "text"
    ]
    assert text == f"New issue: https:{NEVER}//a.example.org"


def test_a_tag_is_not_taken_for_what_tocsin_says():
    forged = {"url": "https://evil.example.org", "Project": "Other", "reason": "Call 555", "mine": "1"}
    found = message(reason="A rule", event=replace(EVENT, tags=forged))
    details = OpsGenie("k" * 20).payload(found)["details"]
    assert (details["url"], details["project"], details["reason"]) == (found.url, "Shop", "A rule")
    assert (details["tag url"], details["tag Project"], details["mine"]) == (
        "https://evil.example.org",
        "Other",
        "1",
    )
    custom = PagerDuty("k" * 32).payload(found)["payload"]["custom_details"]
    assert (custom["project"], custom["reason"]) == ("Shop", "A rule")
    assert incident.facts(found).items() <= details.items()


# Calls of Slack's


def press_of(account="U0B0B", team="T0ACME", **more):
    return {
        "type": "block_actions",
        "user": {"id": account, "username": "b\ud800ob\x00"},
        "team": {"id": team},
        "actions": [{"action_id": "resolve", "value": "7"}],
        **more,
    }


@pytest.mark.parametrize("wrong", ["U" * 65, "U\ud800", "u0b0b", "U 1", "U"])
def test_ids_that_are_none_of_slacks_are_refused(wrong):
    assert pressed(press_of(account=wrong), key="k") == STRANGE
    assert pressed(press_of(team=wrong), key="k") == STRANGE
    shared = {"team_id": wrong, "event": {"type": "link_shared", "links": []}}
    assert happened(shared, key="k") == STRANGE
    assert STRANGE.status == 400


def test_what_slack_says_can_be_kept_and_answered():
    act = pressed(press_of(), key="k").act
    assert act["names"]["account"] == "b?ob"
    assert happened({"type": "url_verification", "challenge": "a\ud800\x00"}, key="").text == "a?"
    shared = {"team_id": "T0ACME", "event_id": "Ev\ud800", "event": {"type": "link_shared", "links": []}}
    assert happened(shared, key="k").key.encode() == b"Ev?"


# Twilio


def phone(**settings):
    usual = {"account": ACCOUNT, "sender": "+15005550006", "numbers": [ANN, BOB], "auth_token": TOKEN}
    return Twilio(**{**usual, **settings})


def kept(channel, changes):
    """As the engine writes them down: on top of what it is by then."""
    return replace(channel, **{name: change(getattr(channel, name)) for name, change in changes.items()})


def test_what_twilio_repeats_is_not_in_the_log():
    said = {"sid": "SM" + "1" * 32, "status": "queued", "body": f"123456 for {ANN}", "auth_token": TOKEN}
    reply = Reply(201, {}, json.dumps(said), 1, "", body=json.dumps(said))
    came = attempt(lambda: reply, lambda one: twilio_answers.meaning_of(one, now=NOW), request="")
    assert came.response == f"HTTP 201\nsid: SM{'1' * 32}\nstatus: queued"
    assert came.references == {"sid": said["sid"]}
    refused = Reply(400, {}, "", 1, "", body=json.dumps({"code": 21211, "status": 400, "message": ANN}))
    assert twilio_answers.meaning_of(refused, now=NOW).response == "HTTP 400\ncode: 21211"


def stop(number):
    url = "https://t.example.org/hooks/k/in"
    form = [("From", number), ("Body", "STOP")]
    signature = twilio_signing.signature(TOKEN, url, form)
    return Call("in", url, {"x-twilio-signature": signature}, urlencode(form).encode())


def test_a_stop_and_wrong_codes_during_a_send_are_not_lost(http, receiver):
    http.bases = {"twilio": receiver.base}
    receiver.usual = answer(201, json.dumps({"sid": "SM1"}).encode())
    known = Recipients()
    for number in (ANN, BOB):
        known.ask(number, "123456", "salt", now=NOW)
    assert known.confirm(ANN, "123456", now=NOW) == ""
    before = phone(marks=known.marks_text, ledger=known.ledger_text)
    said = before.send(message(), http=http, now=NOW)
    meanwhile = kept(before, before.hear(stop(ANN), now=NOW).changes)
    meanwhile = kept(meanwhile, before.hear(stop(BOB), now=NOW).changes)
    for _ in range(recipients.MOST_TRIES):
        wrong = meanwhile.confirm(recipients.key_of(BOB), "000000", now=NOW)
        meanwhile = replace(meanwhile, **wrong.changes)
    after = kept(meanwhile, said.changes)
    found = Recipients.read(after.marks, after.ledger)
    assert (found.off(ANN), found.off(BOB)) == ("21610", "21610")
    assert found.is_confirmed(ANN)
    assert found.has(ANN, message().id)
    assert after.confirm(recipients.key_of(BOB), "123456", now=NOW).wrong


MERGES = {
    "nothing else happened": ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}),
    "others added": ({}, {"a": {"x": 1}}, {"b": 2}, {"a": {"x": 1}, "b": 2}),
    "both added to one": ({"a": {}}, {"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
    "both took off": ({"a": 1, "b": 1}, {"b": 1}, {"a": 1}, {}),
    "taken off, and changed": ({"a": 1}, {}, {"a": 2}, {"a": 2}),
    "lists": ({"a": [1, 1, 2]}, {"a": [1, 2, 3]}, {"a": [1, 1, 2, 4]}, {"a": [1, 2, 4, 3]}),
    "a new code": (
        {"code": {"hash": "a", "tries": 0}},
        {"code": {"hash": "b", "tries": 0}},
        {"code": {"hash": "a", "tries": 4}},
        {"code": {"hash": "b", "tries": 0}},
    ),
}


@pytest.mark.parametrize(("before", "after", "now", "found"), MERGES.values(), ids=MERGES)
def test_what_two_write_is_merged(before, after, now, found):
    assert json.loads(recipients.merged(*map(json.dumps, (before, after, now)))) == found


# What is typed


def wrong_with(channel, name, value):
    [field] = [each for each in settings_of(channel) if each.name == name]
    return field.check(value)


@pytest.mark.parametrize("sign", ["\x01", "\x1b", "\x7f", "\x00", "\r", "\x9b", ",", " "])
def test_no_control_sign_stands_in_a_target_of_irc(sign):
    assert wrong_with(Irc, "targets", [f"#o{sign}ps"])
    assert wrong_with(Irc, "keys", {f"#o{sign}ps": "key"})


SHAPES = {
    "an unprintable tag": ("slack_compatible", {"tags": ["a\x1bb"]}, "tags"),
    "a tag without end": ("slack_compatible", {"tags": ["a" * 2001]}, "tags"),
    "an unprintable name of a person": ("pushover", {"people": {"A\x00": "k" * 30}}, "people"),
    "too many people": ("pushover", {"people": {str(n): "k" * 30 for n in range(51)}}, "people"),
    "too many channels": ("irc", {"keys": {f"#{n}": "key" for n in range(51)}}, "keys"),
    "a level with a line break": ("victorops", {"levels": {"a\nb": "info"}}, "levels"),
}


@pytest.mark.parametrize(("channel", "given", "field"), SHAPES.values(), ids=SHAPES)
def test_lists_and_lines_have_an_end_and_can_be_printed(channel, given, field):
    usual = {
        "slack_compatible": {"url": "https://a.example.org/x"},
        "pushover": {"token": "k" * 30, "user": "k" * 30},
        "irc": {"server": "irc.example.org", "targets": ["#ops"]},
        "victorops": {"api_key": "k" * 20, "routing_key": "core"},
    }
    with pytest.raises(Refused) as refused:
        channel_settings.read(channel, {**usual[channel], **given}, allowed=Allowed())
    assert refused.value.field == field


IRC = {
    "server": "irc.example.org",
    "targets": ["#ops"],
    "server_password": "letmein-123456789",
    "password": "hunter2-123456789",
    "keys": {"#ops": "open-sesame-12345"},
}
HOOK = {"url": "https://a.example.org/x", "headers": {"Authorization": "Bearer open-sesame"}}
SMS = {"account": ACCOUNT, "sender": "+15005550006", "recipients": [ANN], "auth_token": TOKEN}
MOVES = {
    "the server": ("irc", IRC, {"server": "evil.example.org"}, "server_password"),
    "the port": ("irc", IRC, {"port": "6699"}, "server_password"),
    "the encryption": ("irc", IRC, {"encryption": "plain"}, "server_password"),
    "the keys alone": (
        "irc",
        IRC,
        {"server": "b.example.org", "server_password": "a", "password": "b"},
        "keys",
    ),
    "the origin": ("webhook", HOOK, {"url": "https://evil.example.org/x"}, "headers"),
    "the scheme": ("webhook", HOOK, {"url": "https://a.example.org:8443/x"}, "headers"),
    "the account": ("twilio", SMS, {"account": "AC" + "c" * 32}, "recipients"),
}


@pytest.mark.parametrize("is_written_back", [True, False])
@pytest.mark.parametrize(("channel", "given", "move", "field"), MOVES.values(), ids=MOVES)
def test_secrets_do_not_move_along_to_where_they_were_not_meant_to_go(
    channel, given, move, field, is_written_back
):
    first = channel_settings.read(channel, given, allowed=Allowed())
    before = {**first.settings, **first.secrets}
    fields = {each.key: each for each in settings_of(CHANNELS[channel])}
    masked = {
        name: channel_settings._masked(fields[name], value)
        for name, value in given.items()
        if fields[name].secret
    }
    typed = {**masked, **move} if is_written_back else move
    with pytest.raises(Refused) as refused:
        channel_settings.read(channel, typed, before=before, allowed=Allowed())
    assert refused.value.field == field
    assert refused.value.message.startswith("Enter it again")
    entered = {name: value for name, value in given.items() if fields[name].secret}
    again = channel_settings.read(channel, {**entered, **move}, before=before, allowed=Allowed())
    assert again.secrets.keys() == first.secrets.keys()


def test_what_leads_to_the_same_place_keeps_its_secrets():
    first = channel_settings.read("webhook", HOOK, allowed=Allowed())
    before = {**first.settings, **first.secrets}
    given = {
        "url": "https://a.example.org/another",
        "headers": {"Authorization": masked("Bearer open-sesame")},
    }
    again = channel_settings.read("webhook", given, before=before, allowed=Allowed())
    assert again.secrets == first.secrets
    gone = channel_settings.read(
        "webhook", {"url": "https://b.example.org", "headers": {}}, before=before, allowed=Allowed()
    )
    assert gone.secrets["headers"] == {}, "what is taken away goes nowhere"
