"""Addresses that take replies: signed, short enough, and for one purpose only."""

import pytest

from app.domain import reply_address
from app.domain.mail_tokens import BadToken, MailToken
from app.domain.reply_address import ReplyTo

KEYS = ("first key of the instance", "an older key of it")
DOMAIN = "reply.example.org"
TO = ReplyTo(user_id=987_654_321, issue_id=2**39, mail_version=7)
STOP = MailToken("project_alerts", user_id=42, scope_id=2**39, mail_version=7)


def test_it_says_whose_reply_it_takes_and_to_what():
    assert reply_address.read(reply_address.for_reply(TO, KEYS, DOMAIN), KEYS, DOMAIN) == TO
    assert reply_address.read(reply_address.for_unsubscribe(STOP, KEYS, DOMAIN), KEYS, DOMAIN) == STOP


def test_it_fits_into_a_local_part_and_survives_being_lower_or_upper_cased():
    address = reply_address.for_reply(TO, KEYS, DOMAIN)
    assert len(address.partition("@")[0]) <= 64
    assert address == address.lower()
    assert reply_address.read(address.upper(), KEYS, DOMAIN) == TO


def test_an_address_signed_with_an_older_key_is_still_good():
    assert reply_address.read(reply_address.for_reply(TO, KEYS[1:], DOMAIN), KEYS, DOMAIN) == TO


def test_one_changed_character_spoils_it():
    local, _, host = reply_address.for_reply(TO, KEYS, DOMAIN).partition("@")
    for at in range(2, len(local) - 1):
        other = "a" if local[at] != "a" else "b"
        with pytest.raises(BadToken):
            reply_address.read(f"{local[:at]}{other}{local[at + 1 :]}@{host}", KEYS, DOMAIN)


def test_an_address_to_unsubscribe_with_cannot_be_made_into_one_to_comment_with():
    address = reply_address.for_unsubscribe(STOP, KEYS, DOMAIN)
    with pytest.raises(BadToken):
        reply_address.read(f"r{address[1:]}", KEYS, DOMAIN)


@pytest.mark.parametrize(
    "address", ["", "ann@example.org", f"ann@{DOMAIN}", f"x+abc@{DOMAIN}", "r+abc@elsewhere.example.org"]
)
def test_other_addresses_are_none_of_ours(address):
    assert reply_address.read(address, KEYS, DOMAIN) is None


@pytest.mark.parametrize("local", ["r+", "r+a", "r+!!!!", "u+" + "a" * 42, "r+é", "r+" + "a" * 500])
def test_what_only_looks_like_one_is_refused(local):
    with pytest.raises(BadToken):
        reply_address.read(f"{local}@{DOMAIN}", KEYS, DOMAIN)
