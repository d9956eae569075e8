"""Rules made, changed, switched, muted, copied and restored: what is kept of each, and what is refused."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import rule_content
from app.domain.errors import NotFound, Refused
from app.domain.rule_content import Content
from app.domain.rule_rows import BadRule
from app.models import AlertRule, Notice, RuleMute, RuleVersion, SettingAudit
from app.services.people import workspaces
from app.services.preferences import preferring
from app.services.rules import (
    rule_copying,
    rule_history,
    rule_listing,
    rule_muting,
    rule_names,
    rule_reaching,
    rule_templates,
    ruling,
)
from app.services.rules.rule_reaching import Inquiry

pytestmark = pytest.mark.both_databases

OWNERS = {"id": "mail", "target": "owners", "fallback": "project"}
NEW = Content("Fatal", ({"id": "first_seen"},), (OWNERS,))


def to_team(team):
    return {"id": "mail", "target": "team", "targetId": team.id}


def to_member(user):
    return {"id": "mail", "target": "member", "targetId": user.id}


@pytest.fixture
def rule(session, cast, now):
    return ruling.create(session, cast.shop, NEW, by=cast.alice, via="page", now=now)


@pytest.fixture
def versions(session):
    def look(rule):
        found = session.scalars(
            select(RuleVersion).where(RuleVersion.rule_id == rule.id).order_by(RuleVersion.version)
        )
        return [(each.version, each.by.name if each.by else None, each.via) for each in found]

    return look


@pytest.fixture
def inquiry(session, cast, now):
    return Inquiry(now, cast.alice, True, preferring.defaults(session, workflow="always"))


def changed(name="Fatal again", **columns):
    return Content(**{"name": name, "conditions": NEW.conditions, "actions": NEW.actions, **columns})


# Versions


def test_every_save_is_a_version_with_who_and_how(session, cast, rule, versions, now):
    ruling.change(session, rule, changed(), by=cast.bob, via="api", now=now)
    assert versions(rule) == [(1, "Alice", "page"), (2, "Bob", "api")]
    assert (rule.name, rule.version) == ("Fatal again", 2)


def test_a_save_that_changes_nothing_is_no_version(session, cast, rule, versions, now):
    assert ruling.change(session, rule, NEW, by=cast.bob, via="page", now=now) is None
    assert versions(rule) == [(1, "Alice", "page")]


def test_the_default_rule_has_its_first_version_too(session, cast, versions):
    [rule] = ruling.of_project(session, cast.shop)
    assert rule.name == "Tell issue owners about new issues"
    assert versions(rule) == [(1, None, "system")]


def test_what_a_rule_said_before_versions_were_kept_is_not_lost(session, cast, make, versions, now):
    old = make.rule(cast.shop, actions=[OWNERS], created_by_id=cast.cy.id)
    ruling.change(session, old, changed(), by=cast.bob, via="page", now=now)
    assert versions(old) == [(1, "Cy", "system"), (2, "Bob", "page")]
    assert ruling.find_version(session, old, 1).content["name"] == "Another rule"


def test_switching_is_kept_as_a_version_and_shown_as_a_change(session, cast, rule, now):
    ruling.switch(session, rule, on=False, by=cast.bob, via="page", now=now)
    assert ruling.switch(session, rule, on=False, by=cast.bob, via="page", now=now) is None
    newest, first = rule_history.versions(session, rule, rule_names.of_project(session, cast.shop))
    assert [(each.sign, each.text) for each in newest.changes] == [
        ("-", "Switched on"),
        ("+", "Switched off"),
    ]
    assert ("+", "Name: Fatal") in [(each.sign, each.text) for each in first.changes]


def test_a_version_is_restored_as_a_new_one(session, cast, rule, versions, now):
    ruling.change(
        session, rule, changed(environment=None, frequency_minutes=60), by=cast.bob, via="page", now=now
    )
    made = ruling.restore(session, rule, 1, by=cast.cy, via="page", now=now)
    assert (made.version, rule.name, rule.frequency_minutes) == (3, "Fatal", 30)
    assert versions(rule)[-1] == (3, "Cy", "page")


def test_a_version_that_names_somebody_without_access_is_not_restored(session, cast, rule, make, now):
    ruling.change(session, rule, changed(actions=(to_member(cast.dee),)), by=cast.bob, via="page", now=now)
    ruling.change(session, rule, NEW, by=cast.bob, via="page", now=now)
    with pytest.raises(BadRule, match="no member of the project"):
        ruling.restore(session, rule, 2, by=cast.bob, via="page", now=now)


def test_somebody_elses_save_is_not_overwritten(session, cast, rule, now):
    ruling.change(session, rule, changed(), by=cast.bob, via="page", now=now)
    with pytest.raises(Refused, match="Somebody else"):
        ruling.change(session, rule, NEW, by=cast.alice, via="page", now=now, seen=1)


def test_a_deleted_rule_leaves_its_notices_and_a_line_in_the_log(session, cast, rule, make, issue, now):
    notice = make.notice(issue, rule_id=rule.id)
    ruling.remove(session, rule, by=cast.bob, via="api", now=now)
    session.refresh(notice)
    assert notice.rule_id is None
    [audit] = session.scalars(select(SettingAudit))
    assert (audit.actor_id, audit.via, audit.detail["new"]) == (cast.bob.id, "api", "deleted")
    assert session.scalars(select(RuleVersion).where(RuleVersion.rule_id == rule.id)).all() == []


@pytest.mark.parametrize(
    "same",
    [
        {"name": "Other name"},
        {"condition_match": "any"},
        {"filter_match": "any"},
    ],
)
def test_two_rules_with_the_same_content_are_noticed(session, cast, rule, same):
    assert list(ruling.twins(session, cast.shop, changed(**same), but=None)) == [
        "Fatal",
        "Tell issue owners about new issues",
    ]


def test_a_rule_is_not_its_own_twin(session, cast, rule):
    assert "Fatal" not in ruling.twins(session, cast.shop, NEW, but=rule)
    assert ruling.twins(session, cast.shop, changed(environment="production")) == []


def test_a_rule_of_another_project_does_not_exist(session, cast, rule):
    with pytest.raises(NotFound):
        ruling.find(session, cast.other_shop, rule.id)


# Broken rules


def test_a_rule_whose_team_lost_the_project_is_marked_broken(session, cast, make, inquiry, now):
    team = make.team(cast.acme, "payments", members=[cast.dee])
    workspaces.give_to_team(session, cast.shop, team)
    rule = ruling.create(
        session, cast.shop, changed(actions=(to_team(team),)), by=cast.alice, via="page", now=now
    )
    row = row_of(session, cast.shop, rule, inquiry)
    assert (row.trouble, row.sends_to, row.reached.told) == ("", "#payments", ["Dee"])
    cast.shop.teams.remove(team)
    session.flush()
    row = row_of(session, cast.shop, rule, inquiry)
    assert row.trouble == "Action 1: That team has no access to the project."
    assert row.reached.candidates == 0


def row_of(session, shop, rule, inquiry):
    return next(each for each in rule_listing.listed(session, shop, inquiry) if each.rule is rule)


def test_a_broken_rule_is_not_switched_on(session, cast, make, now):
    rule = make.rule(cast.shop, actions=[to_member(cast.dee)], is_active=False)
    with pytest.raises(BadRule, match="no member"):
        ruling.switch(session, rule, on=True, by=cast.alice, via="page", now=now)
    assert not rule.is_active


def test_what_failed_while_evaluating_is_forgotten_once_the_rule_is_changed(
    session, cast, make, inquiry, now
):
    rule = make.rule(cast.shop, actions=[OWNERS], trouble="It makes no sense.", trouble_at=now)
    assert row_of(session, cast.shop, rule, inquiry).trouble == "It makes no sense."
    ruling.change(session, rule, changed(), by=cast.alice, via="page", now=now)
    assert row_of(session, cast.shop, rule, inquiry).trouble == ""


def test_a_rule_to_an_integration_that_is_off_is_marked(session, cast, make, hook, inquiry):
    rule = make.rule_to(hook)
    assert row_of(session, cast.shop, rule, inquiry).trouble == ""
    hook.enabled = False
    session.flush()
    row = row_of(session, cast.shop, rule, inquiry)
    assert row.trouble == "Ops hook is switched off."
    assert row.reached.broken == [("Ops hook", "The integration is switched off.")]


# Muting


@pytest.fixture
def silence(session, cast, now):
    def look(rule, user=None, at=now):
        found = rule_muting.silences(session, [rule.id], user=user or cast.bob, now=at)[rule.id]
        return found.mine is not None, found.everyone is not None

    return look


def test_muting_for_oneself_concerns_nobody_else(session, cast, rule, silence, now):
    until = now + timedelta(hours=1)
    rule_muting.mute(session, rule, user=cast.bob, until=until, by=cast.bob, via="page", now=now)
    assert silence(rule) == (True, False)
    assert silence(rule, cast.cy) == (False, False)
    assert silence(rule, at=until) == (False, False)


def test_muting_twice_gives_the_mute_a_new_end(session, cast, rule, now):
    for user in (cast.bob, None):
        for hours in (1, 8):
            until = now + timedelta(hours=hours)
            rule_muting.mute(session, rule, user=user, until=until, by=cast.bob, via="page", now=now)
    mutes = session.scalars(select(RuleMute).execution_options(populate_existing=True)).all()
    assert [each.until for each in mutes] == [now + timedelta(hours=8)] * 2


def test_a_mute_without_an_end_lasts_until_somebody_ends_it(session, cast, rule, silence, now):
    rule_muting.mute(session, rule, user=None, until=None, by=cast.alice, via="page", now=now)
    assert silence(rule, at=now + timedelta(days=4000)) == (False, True)
    assert rule_muting.unmute(session, rule, user=None, by=cast.bob, via="page", now=now)
    assert not rule_muting.unmute(session, rule, user=None, by=cast.bob, via="page", now=now)
    assert silence(rule) == (False, False)


def test_a_mute_ends_later_than_now(session, cast, rule, now):
    with pytest.raises(Refused, match="still to come"):
        rule_muting.mute(session, rule, user=cast.bob, until=now, by=cast.bob, via="page", now=now)


def test_a_required_rule_is_not_muted_by_one_person(session, cast, rule, silence, now):
    rule.required_reason = "payments stop"
    with pytest.raises(Refused, match="required"):
        rule_muting.mute(session, rule, user=cast.bob, until=None, by=cast.bob, via="page", now=now)
    rule_muting.mute(session, rule, user=None, until=None, by=cast.alice, via="page", now=now)
    assert silence(rule) == (False, True)


def test_who_muted_it_for_everyone_is_in_the_rules_log_and_nobody_elses_own_mute_is(session, cast, rule, now):
    rule_muting.mute(session, rule, user=cast.bob, until=None, by=cast.bob, via="mail link", now=now)
    rule_muting.mute(session, rule, user=None, until=None, by=cast.alice, via="page", now=now)
    assert [(name, audit.detail["new"]) for audit, name in rule_muting.log(session, rule)] == [
        ("Alice", "muted until somebody ends it for everyone")
    ]
    assert len(session.scalars(select(SettingAudit)).all()) == 2


# Copying


@pytest.fixture
def second(make, cast):
    return make.project(
        cast.acme, "billing", teams=[make.team(cast.acme, "billing-team", members=[cast.alice])]
    )


def copied(session, rule, to, cast, now):
    return rule_copying.copy(session, rule, to, by=cast.alice, via="page", now=now)


def test_a_copy_keeps_an_environment_that_the_project_has(session, cast, make, second, rule, now):
    for project in (cast.shop, second):
        make.issue(project, events=0)
        make.environment(project, "production")
    rule.environment = "production"
    made = copied(session, rule, second, cast, now)
    assert (made.rule.environment, made.notes, made.problem) == ("production", [], "")


def test_a_copy_to_a_project_without_the_environment_holds_for_all_and_says_so(
    session, cast, make, second, rule, now
):
    make.environment(cast.shop, "production")
    rule.environment = "production"
    made = copied(session, rule, second, cast, now)
    assert (made.rule.environment, made.rule.is_active, made.problem) == (None, True, "")
    assert made.notes == ["Billing has no environment production: there it holds for all environments."]


@pytest.mark.parametrize("kind", ["team", "member"])
def test_a_copy_that_names_somebody_without_access_there_waits_with_the_problem_named(
    session, cast, second, rule, now, kind
):
    action = to_team(cast.team) if kind == "team" else to_member(cast.bob)
    ruling.change(session, rule, changed(actions=(OWNERS, action)), by=cast.alice, via="page", now=now)
    made = copied(session, rule, second, cast, now)
    assert not made.rule.is_active
    assert made.problem == made.rule.trouble
    assert made.problem.startswith("Action 2: That ")


def test_a_copy_means_the_integration_of_the_same_name(
    session, cast, make, second, hook, receiver, settings, now
):
    theirs = make.webhook(second, receiver.url, settings, "Ops hook")
    made = copied(session, make.rule_to(hook), second, cast, now)
    assert [row["integration"] for row in made.rule.actions] == [theirs.id]
    assert made.rule.is_active


def test_a_copy_without_such_an_integration_is_off(session, cast, make, second, hook, now):
    made = copied(session, make.rule_to(hook), second, cast, now)
    assert made.problem == "Action 1: The project has no such integration."


def test_copies_are_independent(session, cast, second, rule, now):
    made = copied(session, rule, second, cast, now)
    ruling.change(session, rule, changed(), by=cast.alice, via="page", now=now)
    assert (made.rule.name, made.rule.version) == ("Fatal", 1)


def test_rules_are_copied_to_projects_whose_rules_one_may_edit(session, cast, make, second, rule):
    assert [each.slug for each in rule_copying.targets(session, rule, cast.alice)] == ["billing"]
    assert rule_copying.targets(session, rule, cast.bob) == []


# What new projects start with


def started(session, cast, slug, now, **named):
    made = workspaces.create_project(session, cast.acme, slug=slug, teams=[cast.team], now=now, **named)
    return {rule.name: rule for rule in ruling.of_project(session, made)}


def test_a_new_project_starts_with_what_its_organization_chose(session, cast, now):
    rule_templates.add(session, cast.acme, changed("First", environment="production"))
    rule_templates.add(session, cast.acme, changed("Second", actions=(to_team(cast.team),)))
    rules = started(session, cast, "fresh", now)
    assert list(rules) == ["First", "Second"]
    assert rules["First"].environment == "production"
    assert all(rule.is_active for rule in rules.values())


def test_a_template_that_names_somebody_without_access_waits_in_the_new_project(session, cast, now):
    rule_templates.add(session, cast.acme, changed("To Dee", actions=(to_member(cast.dee),)))
    rules = started(session, cast, "fresh", now)
    assert (rules["To Dee"].is_active, rules["To Dee"].trouble) == (
        False,
        "Action 1: That person is no member of the project.",
    )


def test_other_organizations_and_those_who_chose_nothing_start_with_the_usual_rule(session, cast, now):
    rule_templates.add(session, cast.rivals, changed("Theirs"))
    assert list(started(session, cast, "fresh", now)) == ["Tell issue owners about new issues"]


def test_whoever_makes_a_project_may_do_without_rules(session, cast, now):
    assert started(session, cast, "silent", now, with_rules=False) == {}


# Reach


def test_the_reach_of_a_draft_is_what_the_evaluator_says(session, cast, make, issue, inquiry):
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    found = rule_reaching.of_draft(session, cast.shop, NEW, inquiry)
    assert found.told == ["Alice", "Bob"]
    assert found.untold == [("Cy", "Alerts are off (your choice for this project).")]
    assert (found.words, found.is_short) == ("2 of 3 by email", True)


def test_looking_at_the_reach_of_a_draft_leaves_nothing_behind(session, cast, issue, inquiry):
    before = session.query(Notice).count(), session.query(AlertRule).count()
    rule_reaching.of_draft(session, cast.shop, NEW, inquiry)
    session.flush()
    assert (session.query(Notice).count(), session.query(AlertRule).count()) == before


def test_members_do_not_read_others_own_settings_in_the_reach(session, cast, make, issue, inquiry):
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    as_bob = Inquiry(inquiry.now, cast.bob, False, inquiry.instance)
    found = rule_reaching.of_draft(session, cast.shop, NEW, as_bob)
    assert found.untold == [("Cy", "Their own settings.")]


def test_a_content_that_was_stored_reads_as_it_was(rule):
    assert rule_content.of(rule).as_data() == NEW.as_data()
