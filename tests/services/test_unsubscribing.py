"""A link stops what it says for the person it was made for, and Undo puts exactly that back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.mail_tokens import BadToken, MailToken, sign
from app.domain.stopping import APART, SCOPES, choices, masked
from app.models import IssueMute, Membership, NotificationSetting, SettingAudit, Subscription, TeamMember
from app.services.preferences import muting, preferring, subscribing, unsubscribing
from app.services.preferences.preferring import Defaults

KEYS = ["first key", "older key"]
LINK = "mail link"


@pytest.fixture
def link(cast, issue):
    """A link of Bob's: `link("issue")`."""

    def make_link(scope, **changes):
        ids = {"issue": issue.id, "project_alerts": cast.shop.id, "project_workflow": cast.shop.id}
        ids["organization_deploys"] = cast.acme.id
        return MailToken(
            scope, cast.bob.id, changes.get("scope_id", ids.get(scope, 0)), cast.bob.mail_version
        )

    return make_link


@pytest.fixture
def stop(session, link, now):
    """By a link that offers it: most scopes are offered by the link of an issue."""

    def by_link(scope, own=None, via=LINK):
        token = link(own or (scope if scope in APART else "issue"))
        return unsubscribing.stop(session, token, scope=scope, via=via, now=now)

    return by_link


@pytest.fixture
def undo(session, link, now):
    return lambda memory, own="issue": unsubscribing.undo(session, link(own), memory, via=LINK, now=now)


@pytest.fixture
def state(session, cast, issue):
    """All that decides what Bob gets."""

    def look():
        settings = session.scalars(
            select(NotificationSetting).where(NotificationSetting.user_id == cast.bob.id)
        )
        rows = session.scalars(select(Subscription).where(Subscription.user_id == cast.bob.id))
        return (
            sorted((row.category, row.kind, row.scope, row.scope_id, row.value) for row in settings),
            sorted((row.issue_id, row.state, tuple(row.reasons), row.via) for row in rows),
            [mute.until for mute in session.scalars(select(IssueMute))],
        )

    return look


def in_force(session, cast):
    chosen = preferring.choices(session, [cast.bob.id], cast.shop.id, Defaults({}))[cast.bob.id]
    return chosen.alerts.value, chosen.workflow.value


STOPS = {
    "project_alerts": ("off", "always"),
    "project_workflow": ("on", "never"),
    "all_alerts": ("off", "always"),
    "all_workflow": ("on", "never"),
    "everything": ("off", "never"),
}


@pytest.mark.parametrize(("scope", "values"), STOPS.items())
def test_what_each_scope_stops(session, cast, stop, scope, values):
    assert stop(scope)
    assert in_force(session, cast) == values


def test_an_issue_link_unsubscribes_from_the_issue_and_nothing_else(session, cast, issue, stop):
    assert stop("issue")
    assert subscribing.of(session, issue, cast.bob).state == "unsubscribed"
    assert in_force(session, cast) == ("on", "always")


@pytest.mark.parametrize("scope", ["all_alerts", "all_workflow", "everything"])
def test_everywhere_includes_projects_with_a_choice_of_their_own(session, cast, stop, now, scope):
    preferring.choose(session, cast.bob, "alerts", "on", project=cast.shop, via="web", now=now)
    preferring.choose(session, cast.bob, "workflow", "participating", project=cast.shop, via="web", now=now)
    stop(scope)
    alerts, workflow = in_force(session, cast)
    assert alerts == ("on" if scope == "all_workflow" else "off")
    assert workflow == ("participating" if scope == "all_alerts" else "never")


@pytest.mark.parametrize("scope", SCOPES)
def test_stopping_twice_changes_nothing_more(session, stop, state, scope):
    stop(scope)
    once = state()
    assert stop(scope) is None
    assert state() == once


BEFORE = {
    "nothing chosen": lambda session, make, cast, issue, now: None,
    "subscribed for two reasons": lambda session, make, cast, issue, now: make.subscription(
        issue, cast.bob, "assigned", "commented"
    ),
    "choices of the account": lambda session, make, cast, issue, now: (
        preferring.choose(session, cast.bob, "alerts", "on", via="web", now=now),
        preferring.choose(session, cast.bob, "workflow", "participating", via="web", now=now),
    ),
    "choices for the project": lambda session, make, cast, issue, now: (
        preferring.choose(session, cast.bob, "alerts", "on", project=cast.shop, via="web", now=now),
        preferring.choose(session, cast.bob, "workflow", "always", project=cast.shop, via="web", now=now),
    ),
    "off for the account, on for the project": lambda session, make, cast, issue, now: (
        preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now),
        preferring.choose(session, cast.bob, "alerts", "on", project=cast.shop, via="web", now=now),
    ),
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("arrange", BEFORE.values(), ids=BEFORE)
def test_undo_restores_exactly_what_was(session, make, cast, issue, now, stop, undo, state, arrange, scope):
    arrange(session, make, cast, issue, now)
    before = state()
    memory = stop(scope)
    assert state() != before
    assert undo(memory)
    assert state() == before


@pytest.mark.parametrize("scope", SCOPES)
def test_undoing_twice_is_undoing_once(stop, undo, state, scope):
    memory = stop(scope)
    undo(memory)
    once = state()
    assert not undo(memory)
    assert state() == once


def test_undo_leaves_alone_what_was_chosen_since(session, cast, stop, undo, state, now):
    memory = stop("project_alerts")
    later = now.replace(hour=13)
    preferring.choose(session, cast.bob, "alerts", None, project=cast.shop, via="web", now=later)
    preferring.choose(session, cast.bob, "alerts", "off", project=cast.shop, via="web", now=later)
    chosen = state()
    assert not undo(memory)
    assert state() == chosen


def test_undo_does_not_subscribe_to_an_issue_that_was_left_again_since(session, cast, issue, stop, undo, now):
    memory = stop("issue")
    later = now.replace(hour=13)
    subscribing.restore(session, issue, user=cast.bob, now=later, via="web")
    subscribing.unsubscribe(session, issue, user=cast.bob, now=later, via="web")
    assert not undo(memory)
    assert subscribing.of(session, issue, cast.bob).state == "unsubscribed"


def test_the_memory_of_one_person_undoes_nothing_for_another(session, cast, stop, now):
    memory = stop("issue")
    hers = MailToken("everything", cast.alice.id, 0, cast.alice.mail_version)
    assert not unsubscribing.undo(session, hers, memory, via=LINK, now=now)


def test_mail_about_integrations_is_left_by_its_own_link_alone(session, link, stop):
    assert [each.name for each in unsubscribing.describe(session, link("all_health")).scopes] == [
        "all_health",
        "everything",
    ]
    with pytest.raises(Refused):
        stop("all_health", own="issue")


def test_every_change_through_a_link_is_in_the_log(session, cast, stop):
    stop("everything", via="one-click")
    audits = session.scalars(select(SettingAudit).where(SettingAudit.user_id == cast.bob.id)).all()
    assert {(audit.category, audit.old, audit.new, audit.via) for audit in audits} == {
        ("alerts", None, "off", "one-click"),
        ("workflow", None, "never", "one-click"),
        ("health", None, "off", "one-click"),
        ("deploys", None, "never", "one-click"),
    }


OFFERS = {
    "issue": (
        "issue",
        "issue_week",
        "project_alerts",
        "project_workflow",
        "all_alerts",
        "all_workflow",
        "everything",
    ),
    "project_alerts": ("project_alerts", "project_workflow", "all_alerts", "all_workflow", "everything"),
    "project_workflow": ("project_workflow", "project_alerts", "all_alerts", "all_workflow", "everything"),
    "all_alerts": ("all_alerts", "all_workflow", "everything"),
    "everything": ("everything", "all_alerts", "all_workflow"),
    "rule_changes": ("rule_changes", "everything"),
}


@pytest.mark.parametrize(("own", "offered"), OFFERS.items())
def test_a_link_offers_itself_first_then_what_is_wider(own, offered):
    assert choices(own) == offered


def test_a_link_of_the_account_cannot_name_an_issue(stop):
    with pytest.raises(Refused):
        stop("issue", own="all_alerts")


MASKED = {
    "priya@example.com": "pr•••@example.com",
    "jo@example.com": "j•••@example.com",
    "x@example.com": "x•••@example.com",
}


@pytest.mark.parametrize(("address", "shown"), MASKED.items())
def test_an_address_is_masked(address, shown):
    assert masked(address) == shown


def test_a_link_reveals_names_and_a_masked_address_only(session, link):
    offer = unsubscribing.describe(session, link("issue"))
    assert (offer.address, offer.issue, offer.project) == ("bo•••@example.org", "SHOP-1", "Shop")


def leave_team(session, cast):
    session.delete(session.get(TeamMember, (cast.team.id, cast.bob.id)))


def leave_organization(session, cast):
    leave_team(session, cast)
    session.delete(session.scalars(select(Membership).filter_by(user_id=cast.bob.id)).one())


GONE = {"the team": leave_team, "the organization": leave_organization}


@pytest.mark.parametrize("leave", GONE.values(), ids=GONE)
@pytest.mark.parametrize("scope", ["issue", "project_alerts"])
def test_nothing_is_left_to_stop_after_leaving(session, cast, link, stop, state, leave, scope):
    leave(session, cast)
    session.flush()
    assert unsubscribing.describe(session, link(scope)) is None
    assert stop(scope, own=scope) is None
    assert state() == ([], [], [])


def test_nothing_is_left_to_stop_when_the_issue_is_gone(session, issue, link, make):
    found = link("issue", scope_id=issue.id + 1)
    assert unsubscribing.describe(session, found) is None


def test_a_link_works_after_its_key_was_rotated(session, link):
    text = sign(link("issue"), [KEYS[1]])
    assert unsubscribing.owner(session, text, KEYS)[0] == link("issue")


def test_links_are_worth_nothing_once_their_owner_revoked_them(session, cast, link):
    text = sign(link("issue"), KEYS)
    cast.bob.mail_version += 1
    session.flush()
    with pytest.raises(BadToken):
        unsubscribing.owner(session, text, KEYS)


def test_a_link_of_somebody_deleted_is_worth_nothing(session, cast, link):
    text = sign(MailToken("everything", 999_999, 0, 1), KEYS)
    with pytest.raises(BadToken):
        unsubscribing.owner(session, text, KEYS)


@pytest.mark.both_databases
def test_a_stop_and_its_undo_on_both_databases(session, cast, stop, undo, state):
    before = state()
    memory = stop("everything")
    session.commit()
    assert undo(memory)
    session.commit()
    assert state() == before


@pytest.mark.both_databases
def test_a_week_of_silence_ends_by_itself_and_can_be_undone(session, cast, issue, stop, undo, now):
    memory = stop("issue_week", own="issue")
    assert set(muting.muted(session, issue.id, [cast.bob.id], now)) == {cast.bob.id}
    assert not muting.muted(session, issue.id, [cast.bob.id], now + timedelta(days=7))
    assert undo(memory)
    assert not muting.muted(session, issue.id, [cast.bob.id], now)


def test_the_undo_of_a_week_puts_back_the_mute_that_was_there(session, cast, issue, stop, undo, now):
    until = now + timedelta(days=1)
    muting.mute(session, issue, user=cast.bob, until=until, now=now)
    assert undo(stop("issue_week", own="issue"))
    assert muting.muted(session, issue.id, [cast.bob.id], now) == {cast.bob.id: until}


def test_what_a_link_stopped_is_shown_to_its_owner_at_the_next_visit(session, cast, stop):
    stop("project_alerts")
    stop("project_alerts")  # nothing left to stop: nothing to show
    assert cast.bob.unseen_stops == 1


def test_everything_includes_mail_about_deploys(session, cast, stop, undo, state, now):
    preferring.choose(session, cast.bob, "deploys", "always", organization=cast.acme, via="web", now=now)
    before = state()
    memory = stop("everything")
    rows = session.scalars(
        select(NotificationSetting).where(
            NotificationSetting.user_id == cast.bob.id, NotificationSetting.category == "deploys"
        )
    )
    assert [(row.scope, row.value) for row in rows] == [("account", "never")]
    assert undo(memory)
    assert state() == before


def test_the_undo_of_everything_puts_back_how_and_when_it_was_chosen(session, cast, stop, undo, now):
    then = now - timedelta(days=20)
    preferring.choose(session, cast.bob, "workflow", "participating", via="web", now=then)
    preferring.choose(session, cast.bob, "alerts", "on", project=cast.shop, via="api", now=then)
    assert undo(stop("everything"))
    account = preferring.setting_of(session, cast.bob, "workflow")
    project = preferring.setting_of(session, cast.bob, "alerts", project_id=cast.shop.id)
    assert (account.via, account.updated_at) == ("web", then)
    assert (project.via, project.updated_at) == ("api", then)
    last = session.scalars(select(SettingAudit).order_by(SettingAudit.id.desc())).first()
    assert last.via == LINK


def test_undoing_twice_puts_nothing_back_where_the_account_was_off_before(session, cast, stop, undo, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    preferring.choose(session, cast.bob, "alerts", "on", project=cast.shop, via="web", now=now)
    memory = stop("all_alerts")
    assert undo(memory)
    assert not undo(memory)


def test_a_week_is_not_offered_where_the_issue_was_left_for_good(session, link, stop, state):
    stop("issue")
    offer = unsubscribing.describe(session, link("issue"))
    assert "issue_week" not in [each.name for each in offer.scopes]
    once = state()
    with pytest.raises(Refused):
        stop("issue_week")
    assert state() == once


SO_ALREADY = {
    "issue": {"issue"},
    "issue_week": set(),
    "project_alerts": {"project_alerts"},
    "project_workflow": {"project_workflow"},
    "all_alerts": {"project_alerts", "all_alerts"},
    "all_workflow": {"project_workflow", "all_workflow"},
    "all_health": {"all_health"},
    "all_deploys": {"all_deploys"},
    "rule_changes": {"rule_changes"},
    "everything": {
        *("project_alerts", "project_workflow"),
        *("all_alerts", "all_workflow", "all_health", "all_deploys", "everything"),
    },
}


@pytest.mark.parametrize(("scope", "stopped"), SO_ALREADY.items())
def test_a_link_says_what_is_stopped_already(session, link, stop, scope, stopped):
    stop(scope)
    assert unsubscribing.describe(session, link("issue")).stopped == stopped


def test_a_mute_through_a_link_and_its_undo_are_in_the_log(session, cast, stop, undo):
    undo(stop("issue_week"))
    audits = session.scalars(select(SettingAudit).where(SettingAudit.user_id == cast.bob.id)).all()
    assert [(audit.category, audit.via) for audit in audits] == [("mute", LINK), ("mute", LINK)]
    assert audits[0].detail["old"] == audits[1].detail["new"] == muting.NOT_MUTED
