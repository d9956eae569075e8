"""Accounts elsewhere that act as somebody: linked, seen and removed by their owner alone."""

from datetime import timedelta

import pytest

from app.channels.slack_calls import realm_of
from app.clock import now as clock_now
from app.domain.errors import Refused
from app.models import ChannelAccount
from app.services.integrations import channel_accounts
from tests.support import slack

PAGE = "/settings/account/connections/"
NAMES = {"account": "bob.slack", "workspace": "acme", "channel": "checkout"}


@pytest.fixture
def alerts(session, cast, settings):
    made = slack.bot(session, cast.shop, settings, cast.alice)
    session.commit()
    return made


@pytest.fixture
def ask(session, alerts):
    """The path of a link for a Slack account."""

    def asked(account="U0B0B", *, at=None):
        secret = channel_accounts.ask(
            session,
            alerts,
            realm=realm_of(slack.SIGNING),
            team=slack.TEAM,
            account=account,
            names=NAMES,
            now=at or clock_now(),
        )
        session.commit()
        return f"{PAGE}link/{secret}/"

    return asked


def accounts(session):
    session.expire_all()
    return [(row.account, row.user_id) for row in session.query(ChannelAccount).all()]


def test_the_page_says_who_where_and_what_it_allows_and_does_nothing(as_user, cast, ask, session):
    text = as_user(cast.bob).page(ask()).text
    for part in ("bob.slack (U0B0B)", "acme", "checkout", "Shop", "Alerts", "pressed the button yourself"):
        assert part in text
    assert accounts(session) == [("U0B0B", None)]


def test_pressing_links_once(as_user, cast, ask, session):
    path = ask()
    assert as_user(cast.bob).post(path).location == PAGE
    assert accounts(session) == [("U0B0B", cast.bob.id)]
    assert as_user(cast.cy).post(path).status_code == 410
    assert as_user(cast.cy).get(path).status_code == 410
    assert accounts(session) == [("U0B0B", cast.bob.id)]


def test_it_takes_a_token_of_the_page(app, as_user, cast, ask, session):
    app.config["WTF_CSRF_ENABLED"] = True
    assert as_user(cast.bob).post(ask(), csrf=False).status_code in (400, 403, 419)
    assert accounts(session) == [("U0B0B", None)]


def test_whoever_is_not_signed_in_signs_in_first(client, ask, session):
    path = ask()
    assert client.get(path).location.startswith("/auth/login/?next=/settings/account/connections/link/")
    client.post(path)
    assert accounts(session) == [("U0B0B", None)]


def test_whoever_did_not_give_a_password_lately_is_asked_for_it(as_user, cast, ask, session):
    bobs = as_user(cast.bob)
    with bobs.session_transaction(base_url="https://tocsin.example.org") as cookie:
        cookie["proven_at"] = 0
    assert "/confirmation/" in bobs.post(ask()).location
    assert accounts(session) == [("U0B0B", None)]


def test_a_link_is_for_those_who_see_the_project(as_user, cast, ask, session, make):
    stranger = make.member(cast.acme, make.user("Eve"))
    session.commit()
    path = ask()
    assert as_user(stranger).get(path).status_code == 410
    assert as_user(stranger).post(path).status_code == 410
    assert accounts(session) == [("U0B0B", None)]


def test_links_run_out_and_give_way_to_newer_ones(as_user, cast, ask, session):
    old = ask(at=clock_now() - timedelta(minutes=61))
    assert as_user(cast.bob).post(old).status_code == 410
    first, second = ask(), ask()
    assert as_user(cast.bob).post(first).status_code == 410
    assert as_user(cast.bob).post(second).status_code == 303
    assert as_user(cast.bob).get(f"{PAGE}link/nonsense/").status_code == 410


def test_somebody_sees_and_removes_their_own_alone(as_user, cast, ask, session):
    as_user(cast.bob).post(ask())
    assert "bob.slack" in as_user(cast.bob).page(PAGE).text
    assert "bob.slack" not in as_user(cast.cy).page(PAGE).text
    [row] = session.query(ChannelAccount).all()
    assert as_user(cast.cy).post(f"{PAGE}{row.id}/removal").status_code == 404
    assert as_user(cast.bob).post(f"{PAGE}{row.id}/removal").location == PAGE
    assert accounts(session) == []


def test_what_slack_says_is_shown_as_text(as_user, cast, ask, session, monkeypatch):
    monkeypatch.setitem(NAMES, "account", "<b onclick=x>Admin</b>")
    assert "<b onclick" not in as_user(cast.bob).get(ask()).text


def test_the_account_menu_leads_there(as_user, cast):
    page = as_user(cast.bob).page("/settings/account/")
    assert page.select_one(f'nav a[href="{PAGE}"]')


def test_what_was_asked_for_in_vain_is_forgotten(ask, session):
    ask("U0OLD", at=clock_now() - timedelta(hours=2))
    ask("U0NEW")
    assert accounts(session) == [("U0NEW", None)]


def test_accounts_that_somebody_makes_up_come_to_an_end(ask, session, monkeypatch, as_user, cast):
    monkeypatch.setattr(channel_accounts, "MOST_ASKED", 3)
    for number in range(3):
        ask(f"U{number}ONE")
    with pytest.raises(Refused):
        ask("U9MORE")
    session.rollback()
    assert ask("U1ONE"), "whoever was asked before is asked again"
    later = clock_now() + channel_accounts.ASKED_FOR + timedelta(seconds=1)
    assert ask("U9MORE", at=later), "an hour later the others are forgotten"
