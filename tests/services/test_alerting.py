"""Alert rules over batches of events: which notices they leave (`notifications.md` 3.5)."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import AlertRule, Issue, Notice, RuleFiring
from app.services.issues import resolving
from tests.make import payload
from tests.support.ringing import Digester, make_rule

pytestmark = pytest.mark.both_databases


@pytest.fixture
def shop(make):
    return make.project(slug="shop")


@pytest.fixture
def rule(session, shop, now):
    """Another rule of shop; the default one is switched off for it."""

    def make(*conditions, **columns) -> AlertRule:
        session.execute(AlertRule.__table__.update().values(is_active=False))
        return make_rule(session, shop, *conditions, now=now, **columns)

    return make


@pytest.fixture
def digest(session, shop, now):
    """Digest a batch of events so many minutes from now; the kinds of notices that were left."""
    return Digester(session, shop, now)


def the_rule(session) -> AlertRule:
    return session.scalars(select(AlertRule).where(AlertRule.is_active)).one()


def test_the_default_rule_rings_once_for_a_new_issue(session, digest, now):
    event = payload()
    assert digest(event, payload()) == ["alert.new"]
    assert digest(payload(), minutes=99) == []
    notice, issue, rule = (
        session.scalars(select(Notice)).one(),
        session.scalars(select(Issue)).one(),
        the_rule(session),
    )
    assert (notice.issue_id, notice.event_id, notice.rule_id) == (issue.id, event["event_id"], rule.id)
    assert (notice.rule_version, notice.issue_short_id, notice.planned_at) == (1, "SHOP-1", None)
    assert notice.occurred_at == now


def test_each_new_issue_of_a_batch_rings(digest):
    assert digest(payload("A: a"), payload("B: b"), payload("A: a")) == ["alert.new", "alert.new"]


def test_every_event_rings_once_an_interval(session, rule, digest):
    rule("every_event")
    assert [len(digest(payload(), minutes=minutes)) for minutes in (0, 10, 29, 31)] == [1, 0, 0, 1]
    assert session.scalars(select(RuleFiring)).one().last_fired


def test_the_interval_is_each_issues_own(rule, digest):
    rule("every_event")
    assert digest(payload("A: a")) == ["alert.new"]
    assert digest(payload("A: a"), payload("B: b"), minutes=5) == ["alert.new"]


def test_an_interval_of_nothing_rings_for_each_event(rule, digest):
    rule("every_event", frequency_minutes=0)
    assert digest(payload(), payload(), payload()) == ["alert.new", "alert.again", "alert.again"]


def test_two_rules_ring_twice_for_one_event(session, rule, digest):
    rule("every_event")
    session.execute(AlertRule.__table__.update().values(is_active=True))
    assert digest(payload()) == ["alert.new", "alert.new"]


def test_a_rule_that_is_switched_off_is_silent(session, digest):
    the_rule(session).is_active = False
    session.flush()
    assert digest(payload()) == []


def test_a_regression_rings_its_rule_beside_its_own_notice(session, rule, digest, make, now):
    rule("regression")
    digest(payload())
    resolving.resolve(session, session.scalars(select(Issue)).one(), by=make.user(), now=now)
    session.flush()
    assert digest(payload(), payload(), minutes=1) == ["regression", "alert.regression"]


@pytest.mark.parametrize("status", ["ignored", "resolved"])
def test_no_rule_is_asked_about_an_issue_that_is_not_unresolved(session, rule, digest, now, status):
    rule("every_event", frequency_minutes=0)
    digest(payload())
    issue = session.scalars(select(Issue)).one()
    issue.status, issue.resolved_at = status, now + timedelta(days=1)
    session.flush()
    assert digest(payload(), minutes=60) == []


def test_a_rule_of_an_environment_rings_for_the_first_event_there(rule, digest):
    rule("first_seen", environment="production", frequency_minutes=0)
    assert digest(payload(environment="staging")) == []
    assert digest(payload(environment="production"), payload(environment="production")) == ["alert.again"]
    assert digest(payload(environment="production"), payload(environment=None), minutes=1) == []


def test_a_rule_that_makes_no_sense_is_passed_over(session, rule, digest, caplog):
    caplog.set_level(logging.CRITICAL)
    rule("no_such_condition", condition_match="none")
    session.execute(AlertRule.__table__.update().values(is_active=True))
    assert digest(payload()) == ["alert.new"]


def test_a_firing_that_somebody_else_claimed_meanwhile_is_not_repeated(
    session, rule, digest, now, monkeypatch
):
    made = rule("every_event")
    digest(payload())
    # As if this digester had looked before the other one fired.
    monkeypatch.setattr("app.domain.alerting.rests", lambda *_, **__: False)
    assert digest(payload(), minutes=5) == []
    assert digest(payload(), minutes=31) == ["alert.again"]
    assert session.get(RuleFiring, (made.id, session.scalars(select(Issue.id)).one())).last_fired > now
