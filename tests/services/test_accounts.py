"""Accounts: people, passwords, one-time links."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.errors import Refused
from app.models import EmailAddress, EndedSession, OneTimeLink, User
from app.services import pruning
from app.services.people import accounts

pytestmark = pytest.mark.both_databases


def test_a_new_person_has_a_lower_case_address_and_a_handle_made_from_it(session, now):
    user = accounts.create_user(session, email=" Priya.Nair@Example.com ", name="Priya Nair", now=now)
    assert (user.email, user.handle, user.is_superuser) == ("priya.nair@example.com", "priya.nair", False)


def test_a_taken_handle_gets_a_number(session, now):
    made = [
        accounts.create_user(session, email=f"ana@{domain}", now=now).handle
        for domain in ("a.example", "b.example", "c.example")
    ]
    assert made == ["ana", "ana2", "ana3"]


def test_without_a_name_the_local_part_is_the_name(session, now):
    assert accounts.create_user(session, email="ana@example.org", now=now).name == "ana"


def test_an_address_has_one_account(session, now):
    accounts.create_user(session, email="ana@example.org", now=now)
    with pytest.raises(Refused, match="There is an account for"):
        accounts.create_user(session, email="ANA@example.org", now=now)


@pytest.mark.parametrize(
    ("column", "value"),
    [("email", "nonsense"), ("password", "short"), ("timezone", "Mars/Olympus"), ("name", "x" * 201)],
)
def test_what_is_wrong_is_named_with_its_field(session, now, column, value):
    typed = {"email": "ana@example.org", column: value}
    with pytest.raises(Refused) as refused:
        accounts.create_user(session, **typed, now=now)
    assert refused.value.field == column


def test_the_right_password_finds_the_person(session, make):
    ana = make.user("Ana", password="correct horse")
    assert accounts.check_password(session, " ANA@example.org", "correct horse") == ana


@pytest.mark.parametrize("email", ["ana@example.org", "nobody@example.org", "linus@example.org", ""])
def test_a_wrong_password_or_address_finds_nobody(session, make, email):
    make.user("Ana", password="correct horse")
    make.user("Linus")  # has never chosen a password
    assert accounts.check_password(session, email, "wrong horse") is None


def test_somebody_switched_off_cannot_come_in(session, make):
    make.user("Ana", password="correct horse", is_active=False)
    assert accounts.check_password(session, "ana@example.org", "correct horse") is None


def test_a_new_password_signs_out_every_browser(make):
    ana = make.user("Ana", password="correct horse")
    before = ana.get_id()
    accounts.set_password(ana, "battery staple")
    assert ana.get_id() != before


def test_passwords_are_never_stored_as_typed(make):
    assert make.user("Ana", password="correct horse").password_hash.startswith("$argon2id$")


def test_a_set_up_link_replaces_the_one_before(session, now):
    first, second = (accounts.setup_link_token(session, now) for _ in range(2))
    assert accounts.find_link(session, "setup", first, now=now) is None
    assert accounts.find_link(session, "setup", second, now=now) is not None


def test_there_is_no_set_up_link_once_somebody_has_an_account(session, make, now):
    make.user()
    assert accounts.setup_link_token(session, now) is None


def test_a_link_works_once(session, make, now):
    secret = accounts.make_link(session, "password", user=make.user(), now=now)
    assert accounts.use_link(session, "password", secret, now=now) is not None
    assert accounts.use_link(session, "password", secret, now=now) is None


@pytest.mark.parametrize(
    ("purpose", "lifetime"), [("sign_in", timedelta(minutes=15)), ("password", timedelta(days=7))]
)
def test_a_link_ends(session, make, now, purpose, lifetime):
    secret = accounts.make_link(session, purpose, user=make.user(), now=now)
    moment = timedelta(seconds=1)
    assert accounts.find_link(session, purpose, secret, now=now + lifetime - moment) is not None
    assert accounts.find_link(session, purpose, secret, now=now + lifetime) is None


def test_a_link_serves_its_own_purpose_only(session, make, now):
    secret = accounts.make_link(session, "sign_in", user=make.user(), now=now)
    assert accounts.use_link(session, "password", secret, now=now) is None


def test_a_newer_link_of_the_same_person_replaces_the_older(session, make, now):
    ana, ben = make.user(), make.user()
    old = accounts.make_link(session, "sign_in", user=ana, now=now)
    other = accounts.make_link(session, "sign_in", user=ben, now=now)
    accounts.make_link(session, "sign_in", user=ana, now=now)
    assert accounts.find_link(session, "sign_in", old, now=now) is None
    assert accounts.find_link(session, "sign_in", other, now=now) is not None


def test_only_the_address_to_which_a_link_was_mailed_is_proven(session, make, now):
    ana = make.user("Ana", verified=False)
    ana.addresses.append(EmailAddress(address="ana@example.net"))
    accounts.verify_address(ana, "ana@example.net", now=now)
    assert [bool(each.verified_at) for each in ana.addresses] == [False, True]


def test_a_session_that_was_signed_out_of_lets_nobody_in(session, make, now):
    ana = make.user("Ana")
    for _ in range(2):
        accounts.end_session(session, "a" * 32, forget_at=now)
    assert accounts.signed_in(session, ana.id, "a" * 32) is None
    assert accounts.signed_in(session, ana.id, "b" * 32) == ana


def test_an_ended_session_is_forgotten_once_its_cookies_have_run_out(session, now):
    accounts.end_session(session, "a" * 32, forget_at=now)
    pruning.prune_sessions(session, now=now)
    assert session.scalars(select(EndedSession.session_id)).all() == ["a" * 32]
    pruning.prune_sessions(session, now=now + timedelta(seconds=1))
    assert session.scalars(select(EndedSession)).all() == []


def test_only_a_hash_of_a_link_is_kept(session, make, now):
    secret = accounts.make_link(session, "password", user=make.user(), now=now)
    assert secret not in session.scalars(select(OneTimeLink.secret_hash)).one()


def test_a_refused_account_leaves_nothing(session, now):
    with pytest.raises(Refused):
        accounts.create_user(session, email="ana@example.org", password="short", now=now)
    assert session.scalar(select(func.count(User.id))) == 0
