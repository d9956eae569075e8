"""A person's mail addresses: only what is verified gets mail, and nobody takes what is somebody else's."""

import pytest
from sqlalchemy import select

from app.domain import search
from app.domain.errors import NotFound, Refused
from app.models import Delivery, EmailAddress, EmailRoute, Issue, OneTimeLink, Project, SettingAudit
from app.services.issues import commenting, matching, naming
from app.services.people import accounts, addressing, onboarding, verifying
from app.services.preferences import reaching

pytestmark = pytest.mark.both_databases
HOME = "bob@home.example"


@pytest.fixture
def letters(session):
    """The links that were mailed: address, secret; those of a kind."""

    def mailed(kind="verify"):
        found = select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id)
        return [(letter.address, letter.data.get("url", "")) for letter in session.scalars(found)]

    return mailed


@pytest.fixture
def add(session, now):
    def add_to(user, address=HOME):
        return verifying.add(session, user, address, link=lambda secret: secret, now=now)

    return add_to


@pytest.fixture
def verified(session, add, letters, now):
    """An address that went all the way."""

    def go_all_the_way(user, address=HOME):
        add(user, address)
        return verifying.verify(session, user, letters()[-1][1], now=now)

    return go_all_the_way


def test_an_added_address_gets_a_link_and_no_other_mail(session, cast, add, letters):
    added = add(cast.bob, " Bob@Home.Example ")
    assert (added.address, added.verified_at, added.is_primary) == (HOME, None, False)
    assert [address for address, _ in letters()] == [HOME]
    assert reaching.addresses_of(session, [cast.bob.id]) == {cast.bob.id: "bob@example.org"}
    with pytest.raises(Refused, match="verified"):
        addressing.choose_route(session, cast.bob, cast.shop, added.id, via="web", now=added.user.created_at)


def test_the_link_verifies_once(session, cast, add, letters, now):
    add(cast.bob)
    [(_, secret)] = letters()
    assert verifying.verify(session, cast.bob, secret, now=now).verified_at == now
    with pytest.raises(NotFound):
        verifying.verify(session, cast.bob, secret, now=now)


def test_a_link_to_one_address_leaves_that_to_another_working(session, cast, add, letters, now):
    add(cast.bob)
    add(cast.bob, "bob@work.example")
    verified = {
        address: verifying.verify(session, cast.bob, secret, now=now).address for address, secret in letters()
    }
    assert verified == {HOME: HOME, "bob@work.example": "bob@work.example"}
    own = select(EmailAddress.address).where(EmailAddress.verified_at == now)
    assert set(session.scalars(own)) >= set(verified)


def test_adding_again_mails_a_new_link_and_ends_the_old(session, cast, add, letters, now):
    add(cast.bob)
    add(cast.bob)
    (_, old), (_, new) = letters()
    with pytest.raises(NotFound):
        verifying.verify(session, cast.bob, old, now=now)
    verifying.verify(session, cast.bob, new, now=now)


def test_a_link_works_for_nobody_but_the_person_who_added_the_address(session, cast, add, letters, now):
    add(cast.bob)
    [(_, secret)] = letters()
    for other in (cast.alice, cast.charlie):
        with pytest.raises(NotFound):
            verifying.verify(session, other, secret, now=now)


def test_claiming_somebody_elses_address_is_answered_like_any_other_and_wins_nothing(
    session, cast, add, letters, now
):
    claimed = add(cast.charlie, cast.alice.email)
    session.flush()
    assert accounts.find_user(session, "alice@example.org") == cast.alice
    assert naming.bearers(session, [cast.alice, cast.charlie], {"alice@example.org"}) == [cast.alice]
    with pytest.raises(Refused, match="Another account"):
        verifying.verify(session, cast.charlie, letters()[0][1], now=now)
    session.refresh(claimed)
    assert claimed.verified_at is None


def test_of_two_who_claim_an_address_one_can_verify_it(session, cast, add, letters, now):
    add(cast.bob)
    add(cast.cy)
    (_, bobs), (_, cys) = letters()
    verifying.verify(session, cast.cy, cys, now=now)
    with pytest.raises(Refused):
        verifying.verify(session, cast.bob, bobs, now=now)
    assert accounts.find_user(session, HOME) == cast.cy


def test_a_claim_keeps_nobody_from_getting_an_account(session, cast, add, make, now):
    add(cast.charlie, "newcomer@example.org")
    newcomer = make.user("Newcomer")
    assert accounts.find_user(session, "newcomer@example.org") == newcomer


def test_only_the_primary_address_lets_anybody_in(session, cast, verified, letters, now):
    second = verified(cast.bob)
    accounts.set_password(cast.bob, "correct-horse-9")
    assert accounts.check_password(session, second.address, "correct-horse-9") is None
    assert accounts.check_password(session, "bob@example.org", "correct-horse-9") == cast.bob
    onboarding.mail_sign_in_link(session, second.address, address=lambda secret: secret, now=now)
    states = [letter.state for letter in session.scalars(select(Delivery).where(Delivery.kind == "sign_in"))]
    assert states == ["cancelled"]


def test_a_link_to_what_was_the_primary_address_lets_nobody_in(session, cast, verified, letters, now):
    second = verified(cast.bob)
    onboarding.mail_sign_in_link(session, cast.bob.email, address=lambda secret: secret, now=now)
    verifying.promote(session, cast.bob, second.id, now=now)
    with pytest.raises(NotFound):
        onboarding.sign_in_by_link(session, letters("sign_in")[-1][1], now=now)


def test_the_primary_address_hears_that_another_one_was_verified(session, cast, verified, letters):
    verified(cast.bob)
    assert [address for address, _ in letters("address_verified")] == ["bob@example.org"]


def test_to_verify_the_primary_address_is_no_news(session, make, letters, now):
    una = make.user("Una", verified=False)
    verifying.mail_link(session, una.primary_address, link=lambda secret: secret, now=now)
    verifying.verify(session, una, letters()[-1][1], now=now)
    assert letters("address_verified") == []


def test_other_addresses_than_the_primary_one_name_nobody(session, cast, verified, make, now):
    second = verified(cast.bob)
    issue = make.issue(cast.shop, assignee_user_id=cast.bob.id)
    assert naming.bearers(session, [cast.bob], {second.address}) == []
    assert accounts.find_by_primary(session, second.address) is None
    asked = search.parse(f"assigned:{second.address}")
    found = select(Issue.id).where(matching.condition(session, asked, select(Project.id), now=now))
    assert issue.id not in session.scalars(found).all()
    assert not commenting.named_in(session, issue, f"@{second.address} says").strangers


def test_making_primary_wants_a_verified_address(session, cast, add, now):
    added = add(cast.bob)
    with pytest.raises(Refused):
        verifying.promote(session, cast.bob, added.id, now=now)
    assert cast.bob.email == "bob@example.org"


def test_the_old_address_hears_that_it_is_no_longer_the_primary_one(session, cast, verified, letters, now):
    second = verified(cast.bob)
    verifying.promote(session, cast.bob, second.id, now=now)
    assert cast.bob.email == HOME
    assert [address for address, _ in letters("primary_changed")] == ["bob@example.org"]
    assert reaching.addresses_of(session, [cast.bob.id]) == {cast.bob.id: HOME}


def test_the_primary_address_cannot_be_removed(session, cast, verified, now):
    verified(cast.bob)
    with pytest.raises(Refused):
        verifying.remove(session, cast.bob, cast.bob.primary_address.id, now=now)


def test_removing_takes_routes_along_and_mail_falls_back_to_the_primary_address(
    session, cast, verified, make, now
):
    second = verified(cast.bob)
    addressing.choose_route(session, cast.bob, cast.shop, second.id, via="web", now=now)
    assert reaching.addresses_of(session, [cast.bob.id], cast.shop.id) == {cast.bob.id: HOME}
    waiting = make.delivery(make.notice(make.issue(cast.shop)), cast.bob, address=HOME)
    verifying.remove(session, cast.bob, second.id, now=now)
    session.expire_all()
    assert reaching.addresses_of(session, [cast.bob.id], cast.shop.id) == {cast.bob.id: "bob@example.org"}
    assert session.scalars(select(EmailRoute)).all() == []
    assert session.get(Delivery, waiting.id).address == "bob@example.org"


def test_a_link_to_a_removed_address_does_nothing(session, cast, add, letters, now):
    added = add(cast.bob)
    verifying.remove(session, cast.bob, added.id, now=now)
    session.commit()
    assert session.scalars(select(OneTimeLink)).all() == []
    with pytest.raises(NotFound):
        verifying.verify(session, cast.bob, letters()[0][1], now=now)


def test_nobody_touches_the_addresses_of_others(session, cast, verified, now):
    second = verified(cast.bob)
    for act in (verifying.promote, verifying.remove):
        with pytest.raises(NotFound):
            act(session, cast.alice, second.id, now=now)
    with pytest.raises(Refused):
        addressing.choose_route(session, cast.alice, cast.shop, second.id, via="web", now=now)


def test_there_is_an_end_to_adding(session, cast, add):
    for number in range(verifying.MOST - 1):
        add(cast.bob, f"bob{number}@home.example")
    with pytest.raises(Refused):
        add(cast.bob, "one.more@home.example")


@pytest.mark.parametrize(
    "text", ["", "bob", "bob@", "bob@home.example, eve@evil.example", "bob@exa mple.org"]
)
def test_what_is_no_address_is_not_added(session, cast, add, text):
    with pytest.raises(Refused):
        add(cast.bob, text)
    assert len(session.scalars(select(EmailAddress).where(EmailAddress.user_id == cast.bob.id)).all()) == 1


def test_all_of_it_is_in_the_log(session, cast, verified, now):
    second = verified(cast.bob)
    addressing.choose_route(session, cast.bob, cast.shop, second.id, via="web", now=now)
    verifying.promote(session, cast.bob, second.id, now=now)
    old = next(each for each in cast.bob.addresses if not each.is_primary)
    verifying.remove(session, cast.bob, old.id, now=now)
    logged = [
        (row.category, row.new) for row in session.scalars(select(SettingAudit).order_by(SettingAudit.id))
    ]
    assert logged == [
        ("address", "added"),
        ("address", "verified"),
        ("route", None),
        ("address", "primary"),
        ("address", "removed"),
    ]
