"""Slack: what is sent for which message, where it stands, and what answers mean."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.channels.base import Outcome, settings_of
from app.channels.http import Http
from app.channels.slack import HOOK as BY_HOOK
from app.channels.slack import Slack, tidied_channel
from tests.channels.conftest import LOOPBACK
from tests.channels.slack_samples import EVENT, HOOK, ISSUE, NOW, SIGNING, TOKEN, TS, error, message, ok
from tests.support.receiver import answer, hang_up, slow

BOT = Slack(bot_token=TOKEN, channel="C0123ABCD", signing_secret=SIGNING)
INCOMING = Slack(way=BY_HOOK, webhook_url=HOOK)
ROOT = {"channel": "C0123ABCD", "ts": TS}


@pytest.fixture
def http(receiver):
    made = Http(allowed=LOOPBACK, bases={"slack": receiver.base})
    yield made
    made.close()


@pytest.fixture
def api(contract, receiver):
    receiver.usual = ok()
    contract("slack-web-api-json.ours.yaml")
    return receiver


@pytest.fixture
def hooks(contract, receiver):
    receiver.usual = answer(200, b"ok")
    contract("slack-incoming-webhook.ours.yaml")
    return receiver


def sent(receiver) -> list[tuple[str, dict]]:
    return [
        (each.path.rpartition("/")[2], json.loads(each.body))
        for each in receiver.taken
        if each.method == "POST"
    ]


def test_a_new_issue_is_a_card_with_tags_and_buttons(http, api):
    said = BOT.send(message(), http=http, now=NOW)
    [(method, body)] = sent(api)
    [card] = body["attachments"]
    header, summary, fields, actions, context = card["blocks"]
    assert (said.outcome, said.references) == (Outcome.DELIVERED, ROOT)
    assert (method, body["channel"], card["color"]) == ("chat.postMessage", "C0123ABCD", "#dc2626")
    assert header["text"] == {"type": "plain_text", "text": "New issue: KeyError", "emoji": False}
    assert summary["text"]["text"] == f"*<{ISSUE.url}|SHOP-4F>*  `'cart'`\n`shop.cart`"
    assert [each["text"] for each in fields["fields"]] == [
        "*environment*\n`production`",
        "*release*\n`shop@1.0`",
        "*server_name*\n`web-1`",
        "*users*\n`3`",
    ]
    assert [each["type"] for each in actions["elements"]] == [
        "button",
        "static_select",
        "users_select",
        "button",
    ]
    assert "7 events" in context["elements"][0]["text"]
    assert "rule “New issues”" in context["elements"][0]["text"]
    assert api.taken[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert api.taken[0].headers["Content-Type"] == "application/json; charset=utf-8"
    assert TOKEN not in said.request


KINDS = {
    # kind: (methods with a root, words of the reply, is it broadcast)
    "new": (["chat.postMessage"], None, False),
    "again": (["chat.update", "chat.postMessage"], "Alert: KeyError: 'cart' · <", False),
    "regression": (["chat.update", "chat.postMessage"], "Regression: KeyError: 'cart' · <", True),
    "resolved": (["chat.update", "chat.postMessage"], "Resolved by Bob.", False),
    "ignored": (["chat.update"], None, False),
    "unignored": (["chat.update"], None, False),
    "deleted": (["chat.update"], None, False),
    "assigned": (["chat.postMessage"], "Assigned to Ann by Bob.", False),
    "comment": (["chat.postMessage"], "Bob commented:\nLook &lt;here&gt;", False),
}


@pytest.mark.parametrize(("kind", "expected"), KINDS.items(), ids=KINDS)
def test_what_follows_goes_into_the_message_and_below_it(http, api, kind, expected):
    methods, words, is_broadcast = expected
    issue = replace(ISSUE, assignee="Ann")
    told = message(kind, references=ROOT, actor="Bob", comment="Look <here>", issue=issue)
    said = BOT.send(told, http=http, now=NOW)
    calls = sent(api)
    assert said.outcome == Outcome.DELIVERED
    assert [method for method, _ in calls] == methods
    last = calls[-1][1]
    assert last.get("text", "").startswith(words or "")
    assert bool(last.get("thread_ts")) == (words is not None)
    assert bool(last.get("reply_broadcast")) == is_broadcast


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_first_message_each_kind_is_one(http, api, kind):
    said = BOT.send(message(kind, actor="Bob", comment="Look"), http=http, now=NOW)
    [(method, body)] = sent(api)
    assert (method, "thread_ts" in body) == ("chat.postMessage", False)
    assert said.references == ROOT
    assert "Look" in body["text"] or kind != "comment"


OLD = {
    "too old": ({**ROOT, "ts": f"{int((NOW - timedelta(days=8)).timestamp())}.000100"}, []),
    "of another channel": ({**ROOT, "channel": "C0999"}, []),
    "deleted": (ROOT, [error("message_not_found")]),
    "not to be changed": (ROOT, [error("cant_update_message")]),
}


@pytest.mark.parametrize(("references", "answers"), OLD.values(), ids=OLD)
def test_a_message_that_cannot_be_changed_is_followed_by_a_new_one(http, api, references, answers):
    fresh = f"{int(NOW.timestamp())}.000200"
    api.script(*answers, ok(ts=fresh))
    said = BOT.send(message("regression", references=references), http=http, now=NOW)
    assert (said.outcome, said.references) == (Outcome.DELIVERED, {"channel": "C0123ABCD", "ts": fresh})
    assert "thread_ts" not in sent(api)[-1][1]


def test_a_resolved_issue_is_green_has_one_button_and_names_who_did_it(http, api):
    told = message("resolved", references=ROOT, actor="Bob", called={"actor": "U0B0B"})
    BOT.send(told, http=http, now=NOW)
    (_, body), (_, reply) = sent(api)
    [card] = body["attachments"]
    [actions] = [each for each in card["blocks"] if each["type"] == "actions"]
    assert (card["color"], [each["text"]["text"] for each in actions["elements"]]) == ("#16a34a", ["Reopen"])
    assert card["blocks"][-1]["elements"][0]["text"].startswith("Resolved by <@U0B0B> · <!date^")
    assert reply["text"] == "Resolved by <@U0B0B>."


def test_an_assignee_who_linked_their_account_is_mentioned(http, api):
    issue = replace(ISSUE, assignee="Ann")
    told = message("assigned", references=ROOT, issue=issue, actor="Bob", called={"assignee": "U0ANN"})
    BOT.send(told, http=http, now=NOW)
    assert sent(api)[-1][1]["text"] == "Assigned to <@U0ANN> by Bob."


def test_alerts_mention_whom_the_integration_names_and_changes_nobody(http, api):
    bot = replace(BOT, mention="@here S0123, U0456")
    woken = "<!here> <!subteam^S0123> <@U0456>"
    for kind in ("new", "regression", "assigned"):
        bot.send(message(kind, references=ROOT), http=http, now=NOW)
    texts = [body["text"] for _, body in sent(api)]
    assert [woken in text for text in texts] == [True, False, True, False]


def test_a_hook_sends_each_message_on_its_own_and_buttons_only_with_a_signing_secret(http, hooks):
    for kind in KINDS:
        said = INCOMING.send(message(kind, references=ROOT, actor="Bob"), http=http, now=NOW)
        assert said.outcome == Outcome.DELIVERED
    bodies = [body for _, body in sent(hooks)]
    assert "actions" not in json.dumps(bodies)
    signed = replace(INCOMING, signing_secret=SIGNING)
    assert "actions" in json.dumps(signed.payload(message()))
    assert "abcdefgh12345678" not in said.request


def test_several_issues_are_one_message(http, api):
    several = [replace(ISSUE, id=number, short_id=f"SHOP-{number}") for number in range(12)]
    told = message("digest", issue=None, issues=several, event=None, headline="Many new issues in Shop")
    said = BOT.send(told, http=http, now=NOW)
    [(_, body)] = sent(api)
    assert len(body["attachments"][0]["blocks"]) == 12  # header, ten issues, the rest
    assert said.references == {}


def test_a_test_asks_who_the_bot_is_and_keeps_the_channels_id(http, receiver):
    receiver.script(
        ok(team_id="T01"),
        ok(channels=[{"id": "C01", "name": "ops"}], response_metadata={"next_cursor": "more"}),
        ok(channels=[{"id": "C0CHECKOUT", "name": "checkout"}]),
        ok(channel={"id": "C0CHECKOUT", "name": "checkout"}),
        ok(),
    )
    bot = replace(BOT, channel="#checkout")
    told = message("test", issue=None, event=None, headline="Test message from Tocsin for Shop")
    said = bot.send(told, http=http, now=NOW)
    methods = [each.path.rpartition("/")[2].partition("?")[0] for each in receiver.taken]
    assert methods == [
        "auth.test",
        "conversations.list",
        "conversations.list",
        "conversations.info",
        "chat.postMessage",
    ]
    assert said.outcome == Outcome.DELIVERED
    assert (said.changes["channel"], said.changes["team"]) == ("C0CHECKOUT", "T01")
    body = json.loads(receiver.taken[-1].body)
    assert body["channel"] == "C0CHECKOUT"
    assert "#checkout" in json.dumps(body)


def test_a_test_with_an_id_keeps_to_the_description(http, api):
    said = BOT.send(message("test", issue=None, event=None), http=http, now=NOW)
    assert (said.outcome, len(api.taken)) == (Outcome.DELIVERED, 3)


def test_a_channel_that_the_bot_does_not_see_is_named(http, receiver):
    receiver.usual = ok(channels=[])
    said = replace(BOT, channel="#nowhere").send(message(), http=http, now=NOW)
    assert said.outcome == Outcome.BROKEN
    assert "#nowhere" in said.advice


def test_the_bare_form_is_title_and_link(http, api):
    BOT.send(message().bare(), http=http, now=NOW)
    [(_, body)] = sent(api)
    assert body["text"] == f"New issue: KeyError: 'cart'\n<{ISSUE.url}|Open it in Tocsin>"
    assert "attachments" not in body


METHODS = {
    "invalid_auth": (error("invalid_auth"), Outcome.BROKEN, "token"),
    "missing_scope": (error("missing_scope", needed="chat:write"), Outcome.BROKEN, "chat:write"),
    "not_in_channel": (error("not_in_channel"), Outcome.BROKEN, "Invite it"),
    "is_archived": (error("is_archived"), Outcome.BROKEN, "archived"),
    "restricted_action": (error("restricted_action"), Outcome.BROKEN, ""),
    "msg_too_long": (error("msg_too_long"), Outcome.BAD_MESSAGE, ""),
    "invalid_blocks": (error("invalid_blocks"), Outcome.BAD_MESSAGE, ""),
    "ratelimited in the body": (error("ratelimited"), Outcome.RETRY, ""),
    "429": (answer(429, b"{}", retry_after="30"), Outcome.RETRY_AT, ""),
    "429 without a time": (answer(429, b"{}"), Outcome.RETRY, ""),
    "internal_error": (error("internal_error"), Outcome.RETRY, ""),
    "503": (answer(503), Outcome.RETRY, ""),
    "an unknown word": (error("out_of_cheese"), Outcome.DOUBTFUL, "out_of_cheese"),
    "no Slack at all": (answer(200, b"<html>"), Outcome.DOUBTFUL, ""),
    "a redirect": (answer(302, location="https://elsewhere.example"), Outcome.RETRY, ""),
    "cut": (hang_up, Outcome.RETRY, ""),
    "too long an answer": (answer(200, b'{"ok":true,"x":"' + b"y" * 70_000), Outcome.DELIVERED, ""),
}


@pytest.mark.parametrize(("script", "outcome", "advice"), METHODS.values(), ids=METHODS)
def test_what_answers_to_methods_mean(http, api, script, outcome, advice):
    api.script(script)
    said = BOT.send(message(), http=http, now=NOW)
    assert said.outcome == outcome
    assert advice in said.advice
    assert said.retry_after == (timedelta(seconds=30) if outcome is Outcome.RETRY_AT else None)


HOOKS = {
    "invalid_token": (403, b"invalid_token", Outcome.BROKEN),
    "its owner left": (400, b"invalid_token", Outcome.BROKEN),
    "team_disabled": (403, b"team_disabled", Outcome.BROKEN),
    "action_prohibited": (403, b"action_prohibited", Outcome.BROKEN),
    "posting_to_general_channel_denied": (403, b"posting_to_general_channel_denied", Outcome.BROKEN),
    "no_service": (404, b"no_service", Outcome.BROKEN),
    "no_service_id": (404, b"no_service_id", Outcome.BROKEN),
    "no_active_hooks": (404, b"no_active_hooks", Outcome.BROKEN),
    "no_team": (404, b"no_team", Outcome.BROKEN),
    "channel_not_found": (404, b"channel_not_found", Outcome.BROKEN),
    "channel_is_archived": (410, b"channel_is_archived", Outcome.BROKEN),
    "invalid_payload": (400, b"invalid_payload", Outcome.BAD_MESSAGE),
    "invalid_blocks": (400, b"invalid_blocks", Outcome.BAD_MESSAGE),
    "no_text": (400, b"no_text", Outcome.BAD_MESSAGE),
    "too_many_attachments": (400, b"too_many_attachments", Outcome.BAD_MESSAGE),
    "rollup_error": (500, b"rollup_error", Outcome.RETRY),
    "not ok": (200, b"<html>", Outcome.DOUBTFUL),
}


@pytest.mark.parametrize(("status", "body", "outcome"), HOOKS.values(), ids=HOOKS)
def test_what_answers_to_hooks_mean(http, hooks, status, body, outcome):
    hooks.script(answer(status, body))
    said = INCOMING.send(message(), http=http, now=NOW)
    assert said.outcome == outcome


def test_a_hook_that_is_asked_too_fast_waits_as_long_as_it_says(http, hooks):
    hooks.script(answer(429, b"rate_limited", retry_after="30"))
    said = INCOMING.send(message(), http=http, now=NOW)
    assert (said.outcome, said.retry_after) == (Outcome.RETRY_AT, timedelta(seconds=30))


def test_an_update_that_fails_is_tried_again_before_anything_is_said_below(http, api):
    api.script(error("internal_error"))
    said = BOT.send(message("resolved", references=ROOT), http=http, now=NOW)
    assert (said.outcome, len(api.taken)) == (Outcome.RETRY, 1)


def test_what_may_have_arrived_is_said_to_be_unsure(receiver, contract):
    receiver.usual = slow(1.5)
    http = Http(allowed=LOOPBACK, bases={"slack": receiver.base}, total_seconds=0.3)
    said = BOT.send(message(), http=http, now=NOW)
    http.close()
    assert (said.outcome, said.is_unsure) == (Outcome.RETRY, True)


EDGES = {
    "long": {"title": "x" * 5000, "culprit": "y" * 5000},
    "wide": {"title": "💥" * 3000, "culprit": "💥" * 3000},
    "to be escaped": {"title": "&<>" * 1000, "culprit": "`*_~<!channel>|" * 200},
    "empty": {"title": "", "culprit": ""},
    "lines": {"title": "a\nb\tc", "culprit": "\n\n"},
}


@pytest.mark.parametrize("texts", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_message_is_more_than_slack_takes(http, api, texts, kind):
    issue = replace(ISSUE, assignee=texts["title"][:300], **texts)
    event = replace(
        EVENT,
        exception_type="",
        exception_value=texts["title"],
        tags={f"tag{number}": texts["title"] for number in range(20)},
    )
    told = message(
        kind,
        issue=issue,
        event=event,
        headline=f"New issue: {texts['title']}",
        tags=tuple(f"tag{number}" for number in range(20)),
        actor=texts["title"],
        comment=texts["title"] * 5,
        rule=texts["title"],
        reason=texts["title"],
        project=texts["title"],
    )
    for references in ({}, ROOT):
        said = BOT.send(replace(told, references=references), http=http, now=NOW)
        assert said.outcome == Outcome.DELIVERED
    assert "<!channel>" not in "".join(json.dumps(body) for _, body in sent(api))


def test_more_tags_than_fit_are_counted():
    event = replace(EVENT, tags={f"tag{number}": "x" for number in range(11)})
    told = message(event=event, tags=tuple(event.tags))
    fields = BOT.payload(told)["attachments"][0]["blocks"][2]["fields"]
    assert [each["text"] for each in fields][-1] == "*more*\n`+5 more`"
    assert len(fields) == 8


def test_where_a_project_lets_out_a_link_there_is_a_link():
    told = message(issue=replace(ISSUE, title="", culprit="", event_count=0, first_seen=None), event=None)
    shown = json.dumps(BOT.payload(replace(told, headline="New issue: SHOP-4F")))
    assert "SHOP-4F" in shown
    assert "cart" not in shown
    assert "error" not in shown


SETTINGS = {
    "webhook_url": (HOOK, ["https://hooks.example.com/services/T01/B01/abcdefgh", HOOK + "/x", "https://x"]),
    "bot_token": (TOKEN, ["xoxp-1234567890", "xoxe.xoxb-1-1234567890", "xoxb-1"]),
    "signing_secret": (SIGNING, [SIGNING[:-1], SIGNING.upper()]),
    "app_token": ("xapp-1-A01-123-abc", ["xoxb-1234567890"]),
    "channel": ("#checkout", ["checkout", "#", "U0123ABCD", "#a b"]),
    "mention": ("@here <@U0123> S0123", ["bob", "@bob"]),
}


@pytest.mark.parametrize(("name", "values"), SETTINGS.items(), ids=SETTINGS)
def test_settings_are_checked(name, values):
    good, bad = values
    [field] = [each for each in settings_of(Slack) if each.name == name]
    assert field.check(good) == ""
    assert all(field.check(each) for each in bad)


CHANNELS = {
    "checkout": "#checkout",
    "#checkout": "#checkout",
    "C0123ABCD": "C0123ABCD",
    "https://acme.slack.com/archives/C0123ABCD": "C0123ABCD",
    "U0123ABCD": "U0123ABCD",
    "": "",
}


@pytest.mark.parametrize(("typed", "meant"), CHANNELS.items(), ids=CHANNELS)
def test_a_channel_may_be_typed_in_several_ways(typed, meant):
    assert tidied_channel(typed) == meant


def test_the_workspace_is_learned_from_the_first_answer(http, api):
    api.script(ok(message={"team": "T0123ABCD"}))
    assert BOT.send(message(), http=http, now=NOW).changes["team"] == "T0123ABCD"


def test_whoever_gives_a_webhooks_address_alone_means_that():
    assert not Slack(webhook_url=HOOK).is_bot
    assert Slack(webhook_url=HOOK, bot_token=TOKEN).is_bot


def test_secrets_do_not_stand_in_its_repr():
    assert not [each for each in (TOKEN, SIGNING) if each in repr(BOT)]
    assert HOOK not in repr(INCOMING)
