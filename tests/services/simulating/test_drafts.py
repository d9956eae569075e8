"""A draft changes what it changes, and nothing else; nothing of it is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain import rule_content
from app.domain.pacing import Pace
from app.domain.preferences import ALERTS
from app.domain.simulating import Subject
from app.models import AlertRule, Notice, Verdict
from app.services.issues import ignoring, resolving
from app.services.owners import owner_checks
from app.services.owners.owning import OwnersInForce
from app.services.simulating import replaying, situations
from app.services.simulating.drafts import Drafts, RuleDraft
from app.services.simulating.replaying import Budget
from app.services.simulating.situations import Made
from tests.support.living import Life

TO_CY = {"id": "mail", "target": "member"}


@pytest.fixture
def life(session, shop, now):
    return Life(session, shop, now)


@pytest.fixture
def replay(session, life):
    def replayed(drafts=None, *, days=7, budget=None):
        return replaying.replay(
            session,
            life.project,
            days=days,
            drafts=drafts or Drafts(),
            instance=life.instance,
            now=life.now,
            budget=budget or Budget(seconds=600),
        )

    return replayed


@pytest.fixture
def rule(session, shop):
    return session.scalars(select(AlertRule).where(AlertRule.project_id == shop.id)).one()


def people(*users):
    return [Subject("user", user.id) for user in users]


@pytest.fixture
def issues(life):
    """Three new ones, an hour apart."""
    found = []
    for title in ("A: a", "B: b", "C: c"):
        found.append(life.event(title))
        life.pass_by(timedelta(hours=1))
    return found


def test_a_rule_that_tells_somebody_else_tells_them(cast, rule, issues, replay):
    content = replace(rule_content.of(rule), actions=[{**TO_CY, "targetId": cast.cy.id}])
    found = replay(Drafts(rule=RuleDraft(content, rule)))
    alice, cy = people(cast.alice, cast.cy)
    assert (found.counts[alice].before, found.counts[alice].after) == (3, 0)
    assert found.counts[cy].change == 0


def test_without_the_rule_nobody_is_told(rule, issues, replay):
    found = replay(Drafts(rule=RuleDraft(None, rule)))
    assert all(each.after == 0 for each in found.counts.values())


def test_a_further_rule_rings_for_what_it_would_have_rung(cast, life, rule, issues, replay):
    life.event("A: a", level="fatal")
    content = replace(
        rule_content.of(rule),
        name="Fatal",
        conditions=[{"id": "every_event"}],
        filters=[{"id": "level", "match": "gte", "level": "fatal"}],
        actions=[{**TO_CY, "targetId": cast.cy.id}],
    )
    found = replay(Drafts(rule=RuleDraft(content)))
    assert {each.change for each in found.counts.values()} == {0, 1}
    assert found.counts[people(cast.cy)[0]].change == 1
    assert [each.issue_id for each in found.moved] == [issues[0].id]


def test_a_rule_that_matches_nothing_is_dead(rule, issues, replay):
    content = replace(rule_content.of(rule), environment="nowhere")
    assert replay(Drafts(rule=RuleDraft(content))).fired.is_dead


def test_owners_that_name_nobody_leave_alerts_untold(session, shop, issues, replay):
    rules, _ = owner_checks.drafted(session, shop, "path:elsewhere/* bob@example.org")
    found = replay(Drafts(owners=OwnersInForce(rules, fallthrough=False)))
    assert (found.untold_before, found.untold_after) == (0, 3)


def test_owners_tell_whom_they_name(session, shop, cast, issues, replay):
    rules, _ = owner_checks.drafted(session, shop, "path:shop/* bob@example.org")
    found = replay(Drafts(owners=OwnersInForce(rules)))
    assert [found.counts[each].after for each in people(cast.alice, cast.bob, cast.cy)] == [0, 3, 0]


def test_a_longer_window_makes_fewer_messages(cast, life, replay):
    for number in range(6):
        life.event(f"E{number}: x")
        life.pass_by(timedelta(minutes=7))
    [bob] = people(cast.bob)
    found = replay(Drafts(pace=Pace(60, 60)))
    assert found.counts[bob].before == 6
    assert found.counts[bob].after == 2


def test_what_one_chooses_changes_nothing_for_others(cast, shop, issues, replay):
    mine = {(ALERTS, "", "project", shop.id): "off"}
    found = replay(Drafts(mine=mine, reader_id=cast.bob.id))
    assert {each: count.change for each, count in found.counts.items() if count.change} == {
        people(cast.bob)[0]: -3
    }


def test_a_default_concerns_those_who_chose_nothing(make, cast, life, replay):
    make.choice(cast.bob, "alerts", "on")
    life.event("A: a")
    life.pass_by(timedelta(hours=1))
    found = replay(Drafts(defaults={(ALERTS, ""): "off"}))
    assert [found.counts[each].after for each in people(cast.alice, cast.bob, cast.cy)] == [0, 1, 0]


def test_what_would_have_been_resolved_by_age_is_told(cast, life, issues, replay):
    life.pass_by(timedelta(days=3))
    found = replay(Drafts(resolve_hours=24))
    assert found.counts[people(cast.bob)[0]].change >= 1
    assert replay(Drafts(resolve_hours=24 * 30)).counts[people(cast.bob)[0]].change == 0


def test_the_budget_cuts_the_replay_and_says_so(issues, life, replay):
    for number in range(9):
        life.event(f"F{number}: x")
    found = replay(budget=Budget(seconds=600, notices=5))
    assert (found.covered, found.is_whole) == (5, False)
    assert found.total == 12


def test_nothing_is_written_and_nothing_is_flushed(session, rule, issues, replay, life):
    session.commit()
    before = session.scalars(select(Notice.id)).all(), session.scalars(select(Verdict.id)).all()
    content = replace(rule_content.of(rule), conditions=[{"id": "every_event"}], frequency_minutes=0)
    replay(Drafts(rule=RuleDraft(content), pace=Pace(30, 30), resolve_hours=24))
    situations.answer(
        session,
        life.project,
        situations.by_hand(Made(), now=life.now),
        drafts=Drafts(rule=RuleDraft(content)),
        instance=life.instance,
        now=life.now,
    )
    assert not session.new
    assert not session.dirty
    session.commit()
    assert (session.scalars(select(Notice.id)).all(), session.scalars(select(Verdict.id)).all()) == before


# One situation


@pytest.fixture
def ask(session, life):
    def asked(situation, **options):
        return situations.answer(
            session, life.project, situation, instance=life.instance, now=life.now, **options
        )

    return asked


def test_changed_lines_come_first(session, shop, cast, rule, now, ask):
    content = replace(rule_content.of(rule), actions=[{**TO_CY, "targetId": cast.cy.id}])
    found = ask(situations.by_hand(Made(), now=now), drafts=Drafts(rule=RuleDraft(content, rule)))
    assert [each.sign for each in found.lines] == ["−", "−", "="]
    assert found.lines[-1].subject == people(cast.cy)[0]


def test_a_moment_in_somebodys_quiet_hours_holds_it(session, make, cast, now, ask):
    make.quiet_now(cast.bob)
    session.commit()
    found = ask(situations.by_hand(Made(), now=now), at=datetime.now(UTC))
    codes = {each.subject.id: each.now.told.code for each in found.lines}
    assert codes == {cast.alice.id: "send", cast.bob.id: "quiet_hours", cast.cy.id: "send"}


def test_an_issue_that_came_back_is_told_of_as_such(session, cast, life, issues, ask):
    resolving.resolve(session, issues[0], by=cast.alice, now=life.now)
    session.commit()
    found = ask(situations.of_issue(session, issues[0], how="regressed"))
    assert {each.now.told.code for each in found.lines} == {"send"}


def test_no_rule_rings_for_the_second_event(now, ask):
    found = ask(situations.by_hand(Made(how="again", nth=2), now=now))
    assert found.lines == []
    assert found.is_unreachable


def test_no_rule_is_asked_about_an_issue_that_was_ignored(session, cast, life, issues, ask):
    ignoring.ignore(session, issues[0], by=cast.alice, now=life.now)
    life.pass_by(timedelta(minutes=1))
    life.event("A: a", level="fatal")
    found = ask(situations.of_issue(session, issues[0]))
    assert "ignored" in found.situation.silent
    assert found.lines == []


def test_owners_are_compared_with_those_saved_today(session, shop, cast, make, issues, replay):
    """That nobody owned anything when it happened is no part of the change."""
    raw = "path:shop/* bob@example.org"
    make.owners(shop, raw)
    rules, _ = owner_checks.drafted(session, shop, raw)
    found = replay(Drafts(owners=OwnersInForce(rules)))
    assert [found.counts[each].change for each in people(cast.alice, cast.bob, cast.cy)] == [0, 0, 0]
    assert found.moved == []
