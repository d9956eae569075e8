"""Organizations, teams, projects and keys."""

import re

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import AlertRule, Membership, TeamMember
from app.services import access
from app.services.people import workspaces

pytestmark = pytest.mark.both_databases


def test_a_new_project_has_a_key_and_the_default_rule(session, make, cast):
    [key] = workspaces.keys(session, cast.shop)
    assert re.fullmatch("[0-9a-f]{32}", key.public)
    rule = session.scalars(select(AlertRule).where(AlertRule.project_id == cast.shop.id)).one()
    assert rule.name == "Tell issue owners about new issues"
    assert rule.conditions == [{"id": "first_seen"}]
    assert rule.actions == [{"id": "mail", "target": "owners", "fallback": "project"}]
    assert (rule.frequency_minutes, rule.is_active, rule.version) == (30, True, 1)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://tocsin.example.org", "https://{key}@tocsin.example.org/{id}"),
        ("http://127.0.0.1:8000", "http://{key}@127.0.0.1:8000/{id}"),
        ("https://example.org/tocsin", "https://{key}@example.org/tocsin/{id}"),
    ],
)
def test_a_dsn_names_key_host_and_project(make, shop, url, expected):
    key = make.key(shop)
    assert workspaces.dsn(url, key, shop) == expected.format(key=key.public, id=shop.id)


@pytest.mark.parametrize("verb", ["organization", "team", "project"])
def test_a_slug_is_taken_once(session, cast, now, verb):
    again = {
        "organization": lambda: workspaces.create_organization(session, slug="ACME", now=now),
        "team": lambda: workspaces.create_team(session, cast.acme, slug="shop-team", now=now),
        "project": lambda: workspaces.create_project(session, cast.acme, slug="shop", now=now),
    }
    with pytest.raises(Refused, match="already"):
        again[verb]()


def test_another_organization_may_use_the_same_slug(session, cast, now):
    assert workspaces.create_project(session, cast.rivals, slug="shop", now=now).slug == "shop"


def test_whoever_joins_a_team_joins_its_organization(session, make, cast, now):
    eve = make.user("Eve")
    workspaces.add_to_team(session, cast.team, eve, now=now)
    workspaces.add_to_team(session, cast.team, eve, now=now)
    assert workspaces.membership(session, cast.acme, eve).role == "member"
    assert eve.id in access.project_member_ids(session, cast.shop.id)


def test_joining_again_keeps_the_role(session, cast, now):
    workspaces.add_member(session, cast.acme, cast.alice, role="member", now=now)
    assert workspaces.membership(session, cast.acme, cast.alice).role == "owner"


def test_giving_a_project_to_a_team_twice_gives_it_once(session, make, cast):
    other = make.team(cast.acme)
    for _ in range(2):
        workspaces.give_to_team(session, cast.shop, other)
    assert set(cast.shop.teams) == {cast.team, other}


def test_who_leaves_the_organization_leaves_its_teams_and_no_others(session, make, cast, now):
    workspaces.add_to_team(session, cast.rivals_team, cast.bob, now=now)
    workspaces.remove_member(session, workspaces.membership(session, cast.acme, cast.bob))
    left = session.scalars(select(TeamMember.team_id).where(TeamMember.user_id == cast.bob.id)).all()
    assert left == [cast.rivals_team.id]
    assert workspaces.membership(session, cast.acme, cast.bob) is None


def test_the_last_owner_can_neither_leave_nor_step_down(session, make, cast):
    alice = workspaces.membership(session, cast.acme, cast.alice)
    with pytest.raises(Refused, match="at least one owner"):
        workspaces.remove_member(session, alice)
    with pytest.raises(Refused, match="at least one owner"):
        workspaces.change_role(session, alice, "member")
    make.member(cast.acme, make.user("Eve"), role="owner")
    workspaces.change_role(session, alice, "member")
    assert alice.role == "member"


def test_teams_of_a_member_are_replaced_within_the_organization(session, make, cast, now):
    other = make.team(cast.acme)
    workspaces.add_to_team(session, cast.rivals_team, cast.bob, now=now)
    workspaces.set_teams(session, workspaces.membership(session, cast.acme, cast.bob), [other, cast.team])
    [row] = [row for row in workspaces.people(session, cast.acme) if row.member.user_id == cast.bob.id]
    assert set(row.teams) == {other, cast.team}
    workspaces.set_teams(session, workspaces.membership(session, cast.acme, cast.bob), [])
    assert cast.bob.id not in access.project_member_ids(session, cast.shop.id)
    assert cast.bob.id in access.project_member_ids(session, cast.other_shop.id)


@pytest.mark.parametrize(("count", "window"), [(0, 60), (5, 0), (5, None), (5, 90_000), (2_000_000, 60)])
def test_a_senseless_limit_is_refused(make, shop, count, window):
    with pytest.raises(Refused, match="A limit has"):
        workspaces.limit_key(make.key(shop), count=count, window=window)


def test_a_limit_can_be_lifted(make, shop):
    key = make.key(shop)
    workspaces.limit_key(key, count=100, window=60)
    workspaces.limit_key(key, count=None, window=60)
    assert (key.rate_limit_count, key.rate_limit_window) == (None, None)


def test_snippets_show_the_oldest_key_that_works(session, shop, now):
    [first] = workspaces.keys(session, shop)
    second = workspaces.create_key(session, shop, label="Web  servers", now=now)
    assert (workspaces.default_key(session, shop), second.label) == (first, "Web servers")
    first.is_active = False
    assert workspaces.default_key(session, shop) == second


def test_an_owner_is_a_member_from_the_start(session, make, now):
    ana = make.user()
    organization = workspaces.create_organization(session, slug="ana", owner=ana, now=now)
    roles = session.scalars(
        select(Membership.role).where(Membership.organization_id == organization.id)
    ).all()
    assert roles == ["owner"]
