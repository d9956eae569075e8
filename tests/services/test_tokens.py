"""Tokens for the API: what is kept of them, whose they are, when they end."""

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import ApiToken, SettingAudit
from app.services.people import tokens

pytestmark = pytest.mark.both_databases
URL = "https://tocsin.example.org"


@pytest.fixture
def made(session, cast, now):
    """A token of Alice's and one of the organization's, each with its text."""
    return {
        "a person's": tokens.give_person(session, cast.alice, name="CI", by=cast.alice, now=now),
        "an organization's": tokens.give_organization(
            session, cast.acme, name="CI", url=URL, by=cast.alice, now=now
        ),
    }


def test_nothing_of_a_token_is_kept_but_its_hash_and_its_end(session, made):
    for row, text in made.values():
        kept = session.execute(select(ApiToken.__table__).where(ApiToken.id == row.id)).one()
        assert (row.last_characters, len(row.token_hash)) == (text[-4:], 64)
        assert not any(isinstance(each, str) and text[-12:] in each for each in kept)


def test_a_token_is_found_by_its_text_and_nothing_else(session, made):
    for row, text in made.values():
        assert tokens.find(session, text) is row
        for wrong in (text[:-1], text[:-1] + ("0" if text[-1] != "0" else "1"), row.token_hash, ""):
            assert tokens.find(session, wrong) is None


def test_a_persons_token_is_one_that_scanners_for_secrets_know(made):
    _, text = made["a person's"]
    assert text.startswith("sntryu_")
    assert len(bytes.fromhex(text.removeprefix("sntryu_"))) == 32


def test_an_organizations_token_says_where_it_is_good(made, now):
    row, text = made["an organization's"]
    prefix, facts, secret = text.split("_")
    assert (prefix, row.scopes) == ("sntrys", ["org:ci"])
    told = {"iat": int(now.timestamp()), "url": URL, "region_url": URL, "org": "acme"}
    assert json.loads(base64.b64decode(facts, validate=True)) == told
    assert (len(secret), len(base64.b64decode(f"{secret}=", validate=True))) == (43, 32)


def test_a_token_has_the_scopes_it_was_given(session, cast, now):
    row, _ = tokens.give_person(session, cast.alice, given=["event:write", "org:read"], now=now)
    assert row.scopes == ["org:read", "event:write"]
    with pytest.raises(Refused):
        tokens.give_person(session, cast.alice, given=["everything"], now=now)


def test_a_revoked_token_is_gone_and_says_who_ended_it(session, cast, made, now):
    for row, text in made.values():
        tokens.revoke(session, row, by=cast.alice, now=now)
        tokens.revoke(session, row, by=cast.bob, now=now + timedelta(days=1))
        assert tokens.find(session, text) is None
        assert (row.revoked_at, row.revoked_by) == (now, cast.alice)


def test_a_persons_token_ends_with_the_account_and_an_organizations_does_not(session, cast, made):
    cast.alice.is_active = False
    session.flush()
    assert tokens.find(session, made["a person's"][1]) is None
    assert tokens.find(session, made["an organization's"][1]).organization is cast.acme


def test_an_organizations_token_outlives_its_maker_and_ends_with_the_organization(session, make, now):
    ana, org = make.user(), make.organization("gone")
    row, text = tokens.give_organization(session, org, url=URL, by=ana, now=now)
    session.delete(ana)
    session.flush()
    session.refresh(row)
    assert (tokens.find(session, text), row.created_by) == (row, None)
    session.delete(org)
    session.flush()
    session.expire_all()
    assert tokens.find(session, text) is None


def test_nobody_makes_more_than_they_could_keep_apart(session, cast, now, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    row, _ = tokens.give_person(session, cast.bob, by=cast.bob, now=now)
    with pytest.raises(Refused):
        tokens.give_person(session, cast.bob, by=cast.bob, now=now)
    tokens.revoke(session, row, by=cast.bob, now=now)
    assert tokens.give_person(session, cast.bob, by=cast.bob, now=now)


def test_making_and_revoking_stand_in_the_change_log_of_all_concerned(session, cast, made, now):
    row, _ = made["an organization's"]
    tokens.revoke(session, row, by=cast.bob, now=now)
    found = select(SettingAudit).where(SettingAudit.category == "token").order_by(SettingAudit.id)
    log = [(each.user_id, each.actor_id, each.new, each.scope) for each in session.scalars(found)]
    alice, bob = cast.alice.id, cast.bob.id
    assert log[:2] == [(alice, alice, "made", "account"), (alice, alice, "made", "organization")]
    ends = {(alice, bob, "revoked", "organization"), (bob, bob, "revoked", "organization")}
    assert set(log[2:]) == ends
