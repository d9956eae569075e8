"""Reading whom alerts are for takes as many statements for many alerts and people as for few."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.models import AlertRule, Notice, RuleMute, RuleVersion
from app.services.notices import considering, gating
from app.services.people import workspaces
from app.services.preferences import preferring
from app.services.rules import required_rules, rule_silence, targeting

INSTANCE = preferring.configured(workflow="always")


@pytest.fixture
def rung(make, shop):
    """So many planned-to-be alerts of events of their own."""

    def alerts(count):
        made = []
        for number in range(count):
            issue = make.issue(shop, title=f"Error{number}: cart", events=1)
            event = make.event(issue)
            made.append(make.notice(issue, event_id=event.event_id))
        return made

    return alerts


@pytest.mark.both_databases
def test_more_alerts_and_people_take_no_more_statements(session, make, cast, rung, count_statements, now):
    make.owners(cast.shop, f"path:shop/* {cast.bob.email} #{cast.team.slug}")

    def statements_for(count):
        ids = [notice.id for notice in rung(count)]
        session.commit()
        together = (joinedload(Notice.issue), joinedload(Notice.activity))
        notices = session.scalars(select(Notice).where(Notice.id.in_(ids)).options(*together)).all()
        with count_statements() as statements:
            found = gating.considered(session, notices, INSTANCE, now=now)
            considering.happenings(session, notices)
        assert all(each.people and each.notes["audience"] for each in found.values())
        return len(statements)

    few = statements_for(2)
    for _ in range(12):
        person = make.member(cast.acme)
        workspaces.add_to_team(session, cast.team, person, now=now)
    assert statements_for(20) == few


def test_who_was_told_by_a_version_is_asked_of_that_version(session, make, cast, rung, now):
    [notice] = rung(1)
    rule = session.get_one(AlertRule, notice.rule_id)
    member = {"id": "mail", "target": "member", "targetId": cast.cy.id}
    session.add(RuleVersion(rule_id=rule.id, version=7, content={"actions": [member]}, via="page", at=now))
    rule.version, notice.rule_version = 8, 7
    session.flush()
    assert list(targeting.of_notices(session, [notice])[notice].targets.people) == [cast.cy.id]
    notice.rule_version = 8
    assert len(targeting.of_notices(session, [notice])[notice].targets.people) == 3


def test_drafts_can_be_asked_about_without_being_stored(session, make, cast, issue):
    draft = AlertRule(name="Draft", actions=[{"id": "mail", "target": "team", "targetId": cast.team.id}])
    notice = Notice(kind="alert.new", project_id=cast.shop.id, rule=draft, data={})
    with session.no_autoflush:
        found = targeting.of_notices(session, [notice])[notice].targets
    assert list(found.people) == [cast.alice.id, cast.bob.id, cast.cy.id]


REQUIRED = {
    "owners": ({"target": "owners"}, True),
    "their team": ({"target": "team", "targetId": "team"}, True),
    "another team": ({"target": "team", "targetId": 0}, False),
    "them": ({"target": "member", "targetId": "bob"}, True),
    "somebody else": ({"target": "member", "targetId": 0}, False),
}


@pytest.mark.parametrize(("action", "concerns"), REQUIRED.values(), ids=REQUIRED)
def test_which_required_rules_concern_a_person(session, make, cast, action, concerns):
    ids = {"team": cast.team.id, "bob": cast.bob.id}
    row = {"id": "mail", **action, "targetId": ids.get(action.get("targetId"), 0)}
    rule = make.rule(cast.shop, "Payments down", actions=[row], required_reason="money")
    found = required_rules.of(session, cast.bob, [cast.shop.id])
    assert found == ({cast.shop.id: [rule]} if concerns else {})


def test_a_mute_that_is_over_silences_nothing(session, make, cast, rung, now):
    [notice] = rung(1)
    session.add(RuleMute(rule_id=notice.rule_id, user_id=cast.bob.id, created_at=now, until=now))
    session.flush()
    for at, muted in ((now - timedelta(seconds=1), True), (now, False)):
        found = rule_silence.among(session, [notice], [cast.bob.id], now=at, late=False)
        assert bool(found.of(notice, cast.bob.id)) == muted
