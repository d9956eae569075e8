"""Mattermost, Rocket.Chat, Discord's /slack: the older form, within the tightest limits of the three."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels.base import Outcome
from app.channels.slack_compatible import SlackCompatible
from tests.channels.slack_samples import EVENT, ISSUE, NOW, message
from tests.support.receiver import answer, hang_up

KINDS = ("new", "again", "regression", "resolved", "ignored", "unignored", "assigned", "comment", "deleted")


@pytest.fixture
def channel(receiver):
    receiver.usual = answer(200, b"ok")
    return SlackCompatible(receiver.url, mention="@here")


def bodies(receiver) -> list[dict]:
    return [json.loads(each.body) for each in receiver.taken]


def test_a_new_issue_is_a_text_and_an_attachment(http, receiver, channel):
    said = channel.send(message(), http=http, now=NOW)
    [body] = bodies(receiver)
    [attachment] = body["attachments"]
    assert said.outcome == Outcome.DELIVERED
    assert body["text"] == "@here New issue: KeyError: 'cart'"
    assert (attachment["title"], attachment["title_link"]) == ("New issue: KeyError", ISSUE.url)
    assert (attachment["color"], attachment["text"]) == (
        "#dc2626",
        "`'cart'`\n`shop.cart`\nSHOP-4F · Shop · 7 events · rule “New issues”",
    )
    assert {"title": "environment", "value": "`production`", "short": True} in attachment["fields"]
    assert "blocks" not in json.dumps(body)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_message_of_its_own_and_only_alerts_mention(http, receiver, channel, kind):
    channel.send(message(kind, actor="Bob", comment="Look\nhere"), http=http, now=NOW)
    [body] = bodies(receiver)
    assert body["text"].startswith("@here") == (kind in ("new", "again", "regression"))
    assert "> Look\n> here" in body["attachments"][0]["text"]


def test_a_channel_of_ones_own_is_named(receiver):
    assert SlackCompatible(receiver.url, channel="ops").payload(message())["channel"] == "ops"


def test_a_summary_lists_issues(channel):
    told = message("digest", issue=None, event=None, issues=[ISSUE] * 12, headline="Many new issues in Shop")
    text = channel.payload(told)["attachments"][0]["text"]
    assert text.count("SHOP-4F") == 10


def test_the_bare_form_is_title_and_link(channel):
    assert channel.payload(message().bare()) == {"text": f"@here New issue: KeyError: 'cart'\n{ISSUE.url}"}


def test_nothing_in_an_error_calls_people(channel):
    nasty = "@here @everyone <!channel> `x` [a](http://b)"
    issue = replace(ISSUE, title=nasty, culprit=nasty)
    event = replace(EVENT, exception_type="", exception_value=nasty, environment=nasty)
    told = message(
        "resolved", issue=issue, event=event, headline=f"Resolved: {nasty}", actor=nasty, rule=nasty
    )
    shown = json.dumps(channel.payload(told), ensure_ascii=False)
    assert not [each for each in ("@here", "@everyone", "<!channel") if each in shown]


@pytest.mark.parametrize("text", ["x" * 5000, "💥" * 5000, "", "a\nb\x00"])
def test_no_part_is_longer_than_the_tightest_server_takes(channel, text):
    issue = replace(ISSUE, title=text, culprit=text)
    tags = {f"tag{number}": text for number in range(20)}
    event = replace(EVENT, exception_type=text, exception_value=text, tags=tags)
    told = message(
        "comment", issue=issue, event=event, headline=f"Comment: {text}", comment=text, tags=tuple(tags)
    )
    body = channel.payload(told)
    [attachment] = body["attachments"]
    units = lambda value: len(value.encode("utf-16-le")) // 2  # noqa: E731
    assert units(body["text"]) <= 2000
    assert units(attachment["title"]) <= 256
    assert 0 < units(attachment["text"]) <= 2048
    assert all(units(each["value"]) <= 1024 for each in attachment["fields"])


MEANINGS = {
    "404": (answer(404), Outcome.DOUBTFUL),
    "400": (answer(400), Outcome.BAD_MESSAGE),
    "410": (answer(410), Outcome.BROKEN),
    "429": (answer(429, retry_after="7"), Outcome.RETRY_AT),
    "500": (answer(500), Outcome.RETRY),
    "302": (answer(302, location="https://x"), Outcome.RETRY),
    "cut": (hang_up, Outcome.RETRY),
    "Rocket.Chat": (answer(200, b'{"success":true}'), Outcome.DELIVERED),
}


@pytest.mark.parametrize(("script", "outcome"), MEANINGS.values(), ids=MEANINGS)
def test_what_answers_mean(http, receiver, channel, script, outcome):
    receiver.script(script)
    said = channel.send(message(), http=http, now=NOW)
    assert said.outcome == outcome
    assert said.retry_after == (timedelta(seconds=7) if outcome is Outcome.RETRY_AT else None)
    assert receiver.url not in said.request
