"""Who is quiet, where their mail goes, and what changing one's hours does to what is held."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain import quiet
from app.domain.errors import NotFound, Refused
from app.domain.quiet import Window
from app.models import Digest, EmailAddress, EmailRoute, OnCall
from app.services.calm import holding, quieting
from app.services.preferences import reaching

pytestmark = pytest.mark.both_databases

MIDNIGHT = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)  # on a Tuesday
EIGHT, NOON = MIDNIGHT + timedelta(hours=8), MIDNIGHT + timedelta(hours=12)
EVERY_DAY = frozenset(range(7))
NIGHTS = Window(EVERY_DAY, 19 * 60, 8 * 60)


@pytest.fixture
def keep(session):
    return lambda user, window=NIGHTS, now=NOON: quieting.save(session, user, window, now=now, via="web")


@pytest.fixture
def held(session, cast):
    """Bob's digest, to be sent at eight."""
    [digest_id] = holding.open_digests(session, quieting.HELD, {cast.bob.id: EIGHT}, now=MIDNIGHT).values()
    return session.get(Digest, digest_id)


def test_everybody_is_quiet_in_their_own_zone(session, cast, keep, count_statements):
    cast.cy.timezone = "America/New_York"
    for user in (cast.alice, cast.bob, cast.cy):
        keep(user)
    session.flush()
    with count_statements() as statements:
        found = quieting.quiet_until(session, [cast.alice.id, cast.bob.id, cast.cy.id], now=MIDNIGHT)
    new_york = MIDNIGHT + timedelta(hours=13)  # it is seven in the evening there
    assert found == {cast.alice.id: EIGHT, cast.bob.id: EIGHT, cast.cy.id: new_york}
    assert len(statements) == 1


def test_who_chose_nothing_and_who_is_on_call_is_not_quiet(session, cast, keep):
    keep(cast.bob)
    session.add(OnCall(user_id=cast.bob.id, since=MIDNIGHT, until=MIDNIGHT + timedelta(hours=1)))
    session.flush()
    everybody = [cast.alice.id, cast.bob.id]
    assert quieting.quiet_until(session, everybody, now=MIDNIGHT) == {}
    later = MIDNIGHT + timedelta(hours=1)
    assert quieting.quiet_until(session, everybody, now=later) == {cast.bob.id: EIGHT}


def test_hours_together_must_leave_something(session, cast, keep):
    row = keep(cast.bob)
    rest = Window(EVERY_DAY, 8 * 60, 19 * 60)
    with pytest.raises(Refused, match="no minute of the week"):
        keep(cast.bob, rest)
    quieting.save(session, cast.bob, rest, instead_of=row, now=NOON, via="web")
    assert [quieting.window(each) for each in quieting.hours(session, cast.bob)] == [rest]


def test_hours_of_others_are_not_found(session, cast, keep):
    with pytest.raises(NotFound):
        quieting.hours_of(session, cast.cy, keep(cast.bob).id)


LONGER = Window(EVERY_DAY, 19 * 60, 9 * 60)


def test_changing_ones_hours_moves_what_is_held(session, cast, keep, held):
    row = keep(cast.bob, now=MIDNIGHT)
    assert held.send_at == EIGHT
    quieting.save(session, cast.bob, LONGER, instead_of=row, now=MIDNIGHT, via="web")
    assert held.send_at == EIGHT + timedelta(hours=1)
    quieting.delete(session, cast.bob, row, now=MIDNIGHT, via="web")
    assert held.send_at == MIDNIGHT


def test_the_same_digest_takes_in_what_comes_later(session, cast, held):
    later = {cast.bob.id: EIGHT + timedelta(hours=1), cast.cy.id: EIGHT}
    found = holding.open_digests(session, quieting.HELD, later, now=MIDNIGHT)
    assert found[cast.bob.id] == held.id
    assert held.send_at == EIGHT
    held.closed_at = EIGHT
    session.flush()
    again = holding.open_digests(session, quieting.HELD, later, now=MIDNIGHT)
    assert again[cast.bob.id] != held.id
    assert again[cast.cy.id] == found[cast.cy.id]


def test_a_call_must_end(session, cast):
    for until in (NOON, NOON + timedelta(days=8)):
        with pytest.raises(Refused):
            quieting.on_call(session, cast.bob, until, now=NOON, via="web")
    assert session.scalar(select(OnCall)) is None


def test_digests_that_are_closed_are_due_no_more(session, held):
    assert holding.due(session, now=EIGHT - quiet.MINUTE, limit=9) == []
    assert holding.due(session, now=EIGHT, limit=9) == [held.id]
    held.closed_at = EIGHT
    session.flush()
    assert holding.due(session, now=EIGHT, limit=9) == []


# Where mail goes


@pytest.fixture
def address(session):
    """Another address of a person's: `address(bob, "bob@home.example")`."""

    def add(user, text, *, verified=True) -> EmailAddress:
        row = EmailAddress(user_id=user.id, address=text, verified_at=NOON if verified else None)
        session.add(row)
        session.flush()
        return row

    return add


@pytest.fixture
def route(session):
    def add(user, project, address) -> None:
        session.add(EmailRoute(user_id=user.id, project_id=project.id, address_id=address.id))
        session.flush()

    return add


def test_a_route_holds_for_its_project_alone(session, make, cast, address, route):
    other = make.project(cast.acme, "pay", teams=[cast.team])
    route(cast.bob, cast.shop, address(cast.bob, "bob@home.example"))
    both = [cast.bob.id, cast.cy.id]
    assert reaching.addresses_of(session, both, cast.shop.id) == {
        cast.bob.id: "bob@home.example",
        cast.cy.id: cast.cy.email,
    }
    assert reaching.addresses_of(session, both, other.id)[cast.bob.id] == cast.bob.email
    assert reaching.addresses_of(session, both)[cast.bob.id] == cast.bob.email


def test_a_route_to_what_is_not_verified_or_somebody_elses_is_none(session, cast, address, route):
    route(cast.bob, cast.shop, address(cast.bob, "bob@new.example", verified=False))
    route(cast.cy, cast.shop, address(cast.alice, "alice@home.example"))
    found = reaching.addresses_of(session, [cast.bob.id, cast.cy.id], cast.shop.id)
    assert found == {cast.bob.id: cast.bob.email, cast.cy.id: cast.cy.email}


def test_whose_only_verified_address_is_a_routed_one_hears_of_that_project(session, cast, address, route):
    route(cast.bob, cast.shop, address(cast.bob, "bob@home.example"))
    cast.bob.primary_address.verified_at = None
    session.flush()
    assert reaching.addresses_of(session, [cast.bob.id], cast.shop.id) == {cast.bob.id: "bob@home.example"}
    assert reaching.addresses_of(session, [cast.bob.id]) == {}


def test_one_message_about_several_projects_goes_where_all_of_them_do(session, make, cast, address, route):
    other = make.project(cast.acme, "pay", teams=[cast.team])
    home = address(cast.bob, "bob@home.example")
    both = [cast.shop.id, other.id]
    route(cast.bob, cast.shop, home)
    assert reaching.address_for(session, cast.bob.id, both) == cast.bob.email
    route(cast.bob, other, home)
    assert reaching.address_for(session, cast.bob.id, both) == home.address
    home.verified_at = None
    session.flush()
    assert reaching.address_for(session, cast.bob.id, both) == cast.bob.email
    cast.bob.primary_address.verified_at = None
    session.flush()
    assert reaching.address_for(session, cast.bob.id, both) is None
