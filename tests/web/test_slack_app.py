"""The manifest of a Slack app: whole, with this instance's addresses, for who looks after the project."""

import json

import pytest
from bs4 import BeautifulSoup

from tests.support import slack

ROOT = "/acme/shop/settings/integrations/"


@pytest.fixture
def alerts(session, cast, settings):
    made = slack.bot(session, cast.shop, settings, cast.alice)
    session.commit()
    return made


def manifest(browser, path: str) -> dict:
    found = browser.page(path).select_one("#manifest")
    return json.loads(found.text)


def test_a_first_app_is_made_without_addresses(as_user, cast):
    made = manifest(as_user(cast.alice), f"{ROOT}slack-app/")
    assert made["features"]["unfurl_domains"] == ["tocsin.example.org"]
    assert "chat:write" in made["oauth_config"]["scopes"]["bot"]
    assert "request_url" not in json.dumps(made)
    assert not made["settings"]["socket_mode_enabled"]


def test_where_slack_cannot_reach_the_instance_it_listens_over_a_connection_of_its_own(as_user, cast):
    made = manifest(as_user(cast.alice), f"{ROOT}slack-app/?socket=1")
    assert made["settings"]["socket_mode_enabled"]
    assert made["settings"]["interactivity"] == {"is_enabled": True}
    assert made["settings"]["event_subscriptions"]["bot_events"] == ["link_shared"]


def test_the_page_of_an_integration_leads_to_the_manifest_with_its_addresses(as_user, cast, alerts):
    page = as_user(cast.alice).page(f"{ROOT}{alerts.id}/")
    [link] = [each for each in page.select("main a") if "manifest" in each.text]
    made = manifest(as_user(cast.alice), link["href"])
    base = f"https://tocsin.example.org/hooks/{alerts.callback_key}"
    assert made["settings"]["interactivity"]["request_url"] == f"{base}/interactions"
    assert made["settings"]["event_subscriptions"]["request_url"] == f"{base}/events"


def test_the_form_leads_to_a_first_manifest_and_shows_a_picture(as_user, cast):
    page = as_user(cast.alice).page(f"{ROOT}new/slack/")
    assert page.select_one(f'a[href="{ROOT}slack-app/"]')
    assert "KeyError" in page.text


def test_it_is_for_those_who_look_after_the_project(as_user, cast, make, session, alerts, settings):
    hook = make.webhook(cast.shop, "https://ops.example.org/x", settings, name="No Slack")
    session.commit()
    for path in (f"{ROOT}slack-app/", f"{ROOT}{alerts.id}/slack-app/"):
        assert as_user(cast.bob).get(path).status_code == 404
    assert as_user(cast.alice).get(f"{ROOT}{hook.id}/slack-app/").status_code == 404


def test_what_a_way_needs_is_asked_for(as_user, cast):
    form = {"name": "Alerts", "way": "bot", "kind": ["new"], "host": "slack.com"}
    wrong = as_user(cast.alice).post(f"{ROOT}new/slack/", data=form)
    assert (wrong.status_code, "A bot needs its token." in wrong.text) == (422, True)
    hook = as_user(cast.alice).post(f"{ROOT}new/slack/", data={**form, "way": "hook"})
    assert "An incoming webhook needs its address." in hook.text


def test_secrets_are_shown_by_their_last_characters(as_user, cast, alerts):
    page = as_user(cast.alice).get(f"{ROOT}{alerts.id}/edit/").text
    assert slack.TOKEN not in page
    assert slack.SIGNING not in page
    assert BeautifulSoup(page, "html.parser").text.count("Now ••••") == 2
