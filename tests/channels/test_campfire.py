"""Campfire: messages of a bot, changed in place where the server can, and rooms of the classic service."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.channels.base import Outcome, settings_of
from app.channels.campfire import Campfire
from app.channels.http import Http
from app.domain.message import Subject
from tests.channels.conftest import LOOPBACK
from tests.channels.test_webhook import message
from tests.support.receiver import answer, hang_up, slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = "AbCdEf123456"
CLASSIC = "https://acme.campfirenow.com/room/123456"
TOKEN = "0123456789abcdef" * 2
ALLOWED_TAGS = {"strong", "a", "br", "code", "del", "ul", "li"}


def made(number=1015):
    return answer(201, location=f"https://chat.example.org/rooms/2/messages/{number}")


@pytest.fixture
def http(receiver):
    found = Http(allowed=LOOPBACK, bases={"campfire_classic": receiver.base})
    receiver.usual = made()
    yield found
    found.close()


@pytest.fixture
def bot(receiver):
    def make(**settings):
        return Campfire(**{"url": f"{receiver.base}/rooms/2/7-{KEY}/messages", **settings})

    return make


@pytest.fixture
def calls(contract, receiver):
    """What reached the server: `calls() == [("POST", "", "<strong>…")]`."""
    contract("campfire-once.ours.yaml")

    def look():
        return [
            (each.method, each.path.partition("messages")[2], each.body.decode()) for each in receiver.taken
        ]

    return look


def rooted(minutes=5, **changes):
    references = {
        "root": "1015",
        "where": "2/7",
        "at": (NOW - timedelta(minutes=minutes)).isoformat(),
        "word": "New issue",
    }
    return message(**{"references": references, **changes})


def test_a_new_issue_is_a_message_whose_number_is_kept(http, calls, bot, receiver):
    said = bot().send(message(), http=http, now=NOW)
    assert said.outcome is Outcome.DELIVERED
    assert calls() == [
        (
            "POST",
            "",
            '<strong>New issue</strong> <a href="https://t.example.org/acme/shop/issues/143/">SHOP-4F</a> '
            "KeyError: cart<br><code>shop.cart</code><br>production - shop@1.0 - 7 events",
        )
    ]
    assert receiver.taken[0].headers["Content-Type"] == "text/html; charset=utf-8"
    assert said.references == {
        "root": "1015", "where": "2/7", "at": NOW.isoformat(), "word": "New issue",
    }  # fmt: skip


HEADS = {
    "regression": ({"kind": "regression", "headline": "Regression: x"}, "<strong>Regression</strong> "),
    "again": ({"kind": "again", "headline": "Alert: x"}, "<strong>Alert</strong> "),
    "resolved": (
        {"kind": "resolved", "headline": "Resolved: x", "actor": "Ana"},
        "<strong>Resolved by Ana</strong> ",
    ),
    "ignored": ({"kind": "ignored", "headline": "Ignored: x"}, "<strong>Ignored</strong> "),
    "a test": (
        {"kind": "test", "issue": None, "headline": "Test message from Tocsin for Shop"},
        "<strong>Test message from Tocsin for Shop</strong> ",
    ),
    "a digest": (
        {
            "kind": "digest",
            "issue": None,
            "headline": "Many",
            "issues": [Subject(1, "SHOP-1", "https://x/", "E1")],
        },
        '<strong>Many</strong> <a href="https://t.example.org/acme/shop/issues/143/">Open</a>'
        '<ul><li><a href="https://x/">SHOP-1</a> E1</li></ul>',
    ),
    "chosen tags": ({"tags": ("browser",)}, "<strong>New issue</strong> "),
    "privacy": (
        {"issue": Subject(1, "SHOP-4F", "https://t.example.org/x/"), "event": None},
        '<strong>New issue</strong> <a href="https://t.example.org/x/">SHOP-4F</a> Shop',
    ),
}


@pytest.mark.parametrize(("changes", "start"), HEADS.values(), ids=HEADS)
def test_each_kind_has_its_words(bot, changes, start):
    assert bot().payload(message(**changes))["body"].startswith(start)


def test_chosen_tags_come_with_their_names(bot):
    assert "<br>browser: Firefox - 7 events" in bot().payload(message(tags=("browser",)))["body"]


NASTY = [
    '<script>alert("x")</script>',
    "a & b",
    "x\ny\r\nz",
    "\x00\x1b[31m",
    '"><a href="javascript:x">',
    "💥",
]


@pytest.mark.parametrize("kind", ["new", "again", "resolved", "digest"])
@pytest.mark.parametrize("text", NASTY)
def test_nothing_but_a_few_tags_stands_in_a_message(http, calls, bot, text, kind):
    usual = rooted(kind=kind, actor=text, headline=f"{text}: {text}", tags=("a",))
    issue = replace(usual.issue, title=text, culprit=text)
    event = replace(usual.event, tags={"a": text}, environment=text)
    told = replace(usual, issue=None if kind == "digest" else issue, event=event, issues=[issue])
    assert bot().send(told, http=http, now=NOW).outcome is Outcome.DELIVERED
    [(_, _, body)] = calls()
    assert set(re.findall(r"</?([a-z]+)", body)) <= ALLOWED_TAGS
    assert not re.search(r'<(?!/?(?:strong|br|code|del|ul|li)>|a href="https://[^"<>]*">|/a>)', body)
    assert not {"\n", "\r", "\x00", "\x1b"} & set(body)


def test_what_is_too_long_is_cut(bot):
    long = message()
    issue = replace(long.issue, title="💥" * 9000, culprit="x" * 9000)
    body = bot().payload(replace(long, issue=issue))["body"]
    assert len(body) < 2000


# Changes in place


def test_what_is_resolved_is_struck_through(http, calls, bot, receiver):
    receiver.script(answer(200, b'{"id": 1015}'))
    resolved = rooted(kind="resolved", headline="Resolved: x", actor="Ana")
    assert bot().send(resolved, http=http, now=NOW).outcome is Outcome.DELIVERED
    [(method, path, body)] = calls()
    assert (method, path) == ("PATCH", "/1015")
    assert body.startswith("<del><strong>New issue</strong> <a href=")
    assert body.endswith("KeyError: cart</del> Resolved by Ana")


@pytest.mark.parametrize(("minutes", "method"), [(59, "PATCH"), (60, "POST"), (61, "POST")])
def test_what_happens_again_changes_a_message_that_is_still_in_sight(
    http, calls, bot, receiver, minutes, method
):
    receiver.usual = answer(200, b"{}") if method == "PATCH" else made(1016)
    again = rooted(minutes, kind="again", headline="Alert: x")
    said = bot().send(again, http=http, now=NOW)
    assert calls()[0][0] == method
    assert said.references.get("root") == (None if method == "PATCH" else "1016")


def test_a_regression_is_a_new_message(http, calls, bot):
    bot().send(rooted(kind="regression"), http=http, now=NOW)
    assert calls()[0][:2] == ("POST", "")


ELSEWHERE = {"another room": {"room": "3"}, "another bot": {"url": "8"}}


@pytest.mark.parametrize("settings", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_message_of_another_room_or_bot_is_left_alone(http, calls, bot, receiver, settings):
    if "url" in settings:
        settings = {"url": f"{receiver.base}/rooms/2/8-{KEY}/messages"}
    bot(**settings).send(rooted(kind="resolved"), http=http, now=NOW)
    assert calls()[0][0] == "POST"


def test_a_server_that_cannot_change_messages_is_remembered_and_told_anew(http, calls, bot, receiver):
    receiver.script(answer(404), made(1016))
    resolved = rooted(kind="resolved", headline="Resolved: x")
    said = bot().send(resolved, http=http, now=NOW)
    assert said.outcome is Outcome.DELIVERED
    assert [method for method, _, _ in calls()] == ["PATCH", "POST"]
    assert said.changes == {"old_since": NOW.isoformat()}
    later = bot(**said.changes).send(resolved, http=http, now=NOW + timedelta(days=6))
    assert [method for method, _, _ in calls()] == ["PATCH", "POST", "POST"]
    assert later.changes == {}
    bot(**said.changes).send(resolved, http=http, now=NOW + timedelta(days=8))
    assert calls()[-1][0] == "PATCH"


def test_a_message_that_is_not_the_bots_is_told_anew(http, calls, bot, receiver):
    receiver.script(answer(403), made())
    said = bot().send(rooted(kind="resolved"), http=http, now=NOW)
    assert (said.outcome, said.changes) == (Outcome.DELIVERED, {})
    assert len(calls()) == 2


def test_a_sound_is_a_message_after_the_message_and_its_failure_none(http, calls, bot, receiver):
    receiver.script(made(), answer(500))
    said = bot(sound="trombone").send(message(), http=http, now=NOW)
    assert said.outcome is Outcome.DELIVERED
    assert said.references["root"] == "1015"
    assert calls()[1] == ("POST", "", "/play trombone")
    bot(sound="trombone").send(rooted(kind="resolved"), http=http, now=NOW)
    assert [body for _, _, body in calls()].count("/play trombone") == 1


TESTED = {
    "a server of today": (answer(200, b"[]"), ""),
    "an old server": (answer(404), NOW.isoformat()),
}


@pytest.mark.parametrize(("script", "old_since"), TESTED.values(), ids=TESTED)
def test_a_test_reads_then_posts_and_finds_out_how_old_the_server_is(
    http, calls, bot, receiver, script, old_since
):
    receiver.script(script, made())
    said = bot(old_since="2026-11-22T00:00:00+00:00").send(
        message(kind="test", issue=None), http=http, now=NOW
    )
    assert said.outcome is Outcome.DELIVERED
    assert [method for method, _, _ in calls()] == ["GET", "POST"]
    assert said.changes == {"old_since": old_since}


def test_a_test_with_a_wrong_key_says_so(http, calls, bot, receiver):
    receiver.script(answer(302, location="https://chat.example.org/session/new"))
    said = bot().send(message(kind="test", issue=None), http=http, now=NOW)
    assert said.outcome is Outcome.BROKEN
    assert "key" in said.advice
    assert len(calls()) == 1


MEANINGS = {
    "made": (made(), Outcome.DELIVERED),
    "made, without saying where": (answer(201), Outcome.DELIVERED),
    "sign in": (answer(302, location="/session/new"), Outcome.BROKEN),
    "moved": (answer(301, location=f"https://new.example.org/rooms/2/7-{KEY}/messages"), Outcome.RETRY),
    "not in the room": (answer(404), Outcome.BROKEN),
    "not allowed": (answer(403), Outcome.DOUBTFUL),
    "blank": (answer(422), Outcome.BAD_MESSAGE),
    "banned": (answer(429), Outcome.DOUBTFUL),
    "a fault of theirs": (answer(500), Outcome.RETRY),
    "busy": (answer(503, retry_after="9"), Outcome.RETRY_AT),
    "cut": (hang_up, Outcome.RETRY),
    "slow": (slow(3), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), MEANINGS.values(), ids=MEANINGS)
def test_what_answers_mean(http, calls, bot, receiver, script, outcome):
    http.total_seconds = 2
    receiver.script(script)
    said = bot().send(message(), http=http, now=NOW)
    assert said.outcome is outcome
    assert KEY not in f"{said.advice}{said.request}{said.response}"
    assert len(calls()) == 1


def test_an_address_within_is_called_only_where_the_operator_allows_it(bot):
    closed = Http()
    said = bot().send(message(), http=closed, now=NOW)
    closed.close()
    assert said.outcome is Outcome.BLOCKED
    assert "OUTBOUND_ALLOW" in said.advice


# Classic


@pytest.fixture
def classic(contract, receiver):
    contract("campfire-classic.ours.yaml")
    receiver.usual = answer(201, b'{"message": {"id": 1}}')

    def look():
        return [(each.method, each.path, json.loads(each.body or b"null")) for each in receiver.taken]

    return look


def test_a_room_of_the_classic_service_is_spoken_to_in_lines(http, classic, receiver):
    channel = Campfire(CLASSIC, token=TOKEN, sound="trombone")
    assert channel.send(message(), http=http, now=NOW).outcome is Outcome.DELIVERED
    (method, path, spoken), (_, _, sound) = classic()
    assert (method, path) == ("POST", "/room/123456/speak.json")
    assert spoken["message"]["type"] == "TextMessage"
    assert spoken["message"]["body"] == (
        "New issue SHOP-4F KeyError: cart - shop.cart - production - shop@1.0 - 7 events - "
        "https://t.example.org/acme/shop/issues/143/"
    )
    assert sound == {"message": {"type": "SoundMessage", "body": "trombone"}}
    assert receiver.taken[0].headers["Authorization"] == (
        "Basic " + base64.b64encode(f"{TOKEN}:X".encode()).decode()
    )


def test_a_test_of_the_classic_service_asks_who_the_token_is(http, classic):
    receiver_calls = Campfire(CLASSIC, token=TOKEN)
    receiver_calls.send(message(kind="test", issue=None, headline="Test"), http=http, now=NOW)
    assert [path for _, path, _ in classic()] == ["/users/me.json", "/room/123456/speak.json"]


CLASSIC_MEANINGS = {
    "said": (answer(201), Outcome.DELIVERED),
    "a wrong token": (answer(401), Outcome.BROKEN),
    "no such room": (answer(404), Outcome.BROKEN),
    "too fast": (answer(503, retry_after="10"), Outcome.RETRY_AT),
    "a fault of theirs": (answer(500), Outcome.RETRY),
    "elsewhere": (answer(302), Outcome.RETRY),
}


@pytest.mark.parametrize(("script", "outcome"), CLASSIC_MEANINGS.values(), ids=CLASSIC_MEANINGS)
def test_what_answers_of_the_classic_service_mean(http, classic, receiver, script, outcome):
    receiver.script(script)
    said = Campfire(CLASSIC, token=TOKEN).send(message(kind="resolved"), http=http, now=NOW)
    assert said.outcome is outcome
    assert TOKEN not in said.request


# Settings

URL = f"https://chat.example.org/rooms/2/7-{KEY}/messages"
PASTED = {
    "the address": URL,
    "the line": f"curl -d 'Hello!' {URL}",
    "the line in quotes": f'curl -d "Hello!" "{URL}"',
    "below a path": f"https://example.org/chat/rooms/2/7-{KEY}/messages",
    "classic": CLASSIC,
}


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_an_address_is_taken_as_campfire_shows_it(text):
    [field] = [each for each in settings_of(Campfire) if each.name == "url"]
    tidied = field.tidy(text)
    assert tidied.startswith("https://")
    assert not field.check(tidied)


WRONG = {
    "url": [
        "https://chat.example.org/rooms/2/messages",
        f"https://chat.example.org/rooms/2/7-{KEY}x/messages",
        f"https://chat.example.org/rooms/2/{KEY}/messages",
        "https://acme.campfirenow.com/",
        "http://acme.campfirenow.com/room/1",
    ],
    "room": ["x", "-1", "٣"],
    "token": ["x" * 30, "a" * 23, "a" * 65],
    "sound": ["a b", "/play x", "X"],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused_in_the_form(name):
    [field] = [each for each in settings_of(Campfire) if each.name == name]
    assert all(field.check(field.tidy(value)) for value in WRONG[name])


def test_its_picture_is_its_message(bot):
    shown = bot().picture(message())
    assert (shown.look, shown.title) == ("chat", "New issue SHOP-4F")
    assert "production - shop@1.0 - 7 events" in shown.text


def test_secrets_do_not_stand_in_its_repr(bot):
    assert KEY not in repr(bot(token=TOKEN))
    assert TOKEN not in repr(bot(token=TOKEN))
