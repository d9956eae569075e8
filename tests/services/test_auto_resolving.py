"""Issues that were silent for long are resolved, and their people told once a run."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import Activity, Notice
from app.services.issues import auto_resolving
from app.services.issues.auto_resolving import Effect
from app.services.preferences import preferring, subscribing

pytestmark = pytest.mark.both_databases
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = 14 * 24


@pytest.fixture
def old(make, shop, session, now):
    """An issue that was last seen 14 days and an hour ago, in a project that resolves after 14 days."""
    shop.resolve_age_hours = HOURS
    return make.issue(shop, last_seen=now - 14 * DAY - HOUR)


@pytest.fixture
def sweep(session, shop, now):
    def run():
        batch = auto_resolving.begin(now=now)
        done = auto_resolving.resolve_old(session, shop.id, batch=batch, now=now)
        auto_resolving.end(session, batch)
        session.expire_all()
        return done

    return run


@pytest.fixture
def effect(session, shop, now):
    def run(hours=HOURS):
        instance = preferring.defaults(session, workflow="always")
        return auto_resolving.effect(session, shop, hours, now=now, instance=instance)

    return run


def test_what_is_too_old_is_resolved_by_tocsin(old, sweep, session, now):
    assert sweep() == 1
    assert (old.status, old.resolved_at) == ("resolved", now)
    activity = session.scalars(select(Activity)).one()
    assert (activity.type, activity.actor_id) == ("set_resolved_by_age", None)
    assert activity.data == {"was": "unresolved", "hours": HOURS}
    notice = session.scalars(select(Notice)).one()
    assert (notice.kind, notice.activity_id, notice.issue_id) == ("resolved", activity.id, old.id)


@pytest.mark.parametrize("status", ["ignored", "resolved"])
def test_only_what_is_unresolved_ages(old, sweep, session, status):
    old.status = status
    assert sweep() == 0


def test_younger_issues_and_other_projects_are_left_alone(old, sweep, make, shop, cast, now):
    younger = make.issue(shop, last_seen=now - 14 * DAY + HOUR)
    elsewhere = make.issue(cast.other_shop, last_seen=now - 99 * DAY)
    assert sweep() == 1
    assert (younger.status, elsewhere.status) == ("unresolved", "unresolved")


def test_nobody_is_given_the_issue(old, sweep, cast, make, session):
    make.choice(cast.bob, "claim", "on")
    sweep()
    assert (old.assignee_user_id, old.assignee_team_id) == (None, None)


def test_a_project_that_is_off_resolves_nothing(old, sweep, shop):
    shop.resolve_age_hours = 0
    assert sweep() == 0


def test_the_notices_of_a_run_share_one_batch(old, sweep, make, shop, session, now):
    make.issue(shop, last_seen=now - 20 * DAY)
    sweep()
    rows = session.execute(select(Notice.batch, Notice.plan_after)).all()
    assert len(rows) == 2
    assert len(set(rows)) == 1
    assert rows[0].plan_after is None


def test_when_it_takes_several_transactions_nobody_is_told_before_the_last(
    old, make, shop, session, now, monkeypatch
):
    make.issue(shop, last_seen=now - 20 * DAY)
    monkeypatch.setattr(auto_resolving, "CHUNK", 1)
    batch = auto_resolving.begin(now=now)
    done = [auto_resolving.resolve_old(session, shop.id, batch=batch, now=now) for _ in range(3)]
    assert done == [1, 1, 0]
    assert all(at > now for at in session.scalars(select(Notice.plan_after)))
    assert len(auto_resolving.end(session, batch)) == 2
    assert set(session.scalars(select(Notice.plan_after))) == {None}


def test_a_run_of_which_people_were_told_resolves_no_more(old, make, shop, session, now, monkeypatch):
    make.issue(shop, last_seen=now - 20 * DAY)
    monkeypatch.setattr(auto_resolving, "CHUNK", 1)
    batch = auto_resolving.begin(now=now)
    assert auto_resolving.resolve_old(session, shop.id, batch=batch, now=now) == 1
    session.scalars(select(Notice)).one().planned_at = now + HOUR
    assert auto_resolving.resolve_old(session, shop.id, batch=batch, now=now) == 0
    assert auto_resolving.resolve_old(session, shop.id, batch=auto_resolving.begin(now=now), now=now) == 1


def test_an_event_brings_it_back(old, sweep, make, session):
    make.event(old, at=old.last_seen)
    sweep()
    make.arrival(old.project, at=make.now + HOUR)
    assert old.status == "unresolved"
    kinds = list(session.scalars(select(Notice.kind).order_by(Notice.id)))
    assert kinds[:2] == ["resolved", "regression"]


def test_the_effect_says_how_many_issues_and_people(old, effect, make, shop, cast, now):
    make.issue(shop, last_seen=now - 20 * DAY)
    assert effect() == Effect(issues=2, people=3)
    assert effect(17 * 24) == Effect(issues=1, people=3)
    assert effect(90 * 24) == effect(0) == Effect(0, 0)


def test_the_effect_counts_only_those_who_would_be_told(old, effect, make, shop, cast, session, now):
    other = make.issue(shop, last_seen=now - 20 * DAY)
    subscribing.unsubscribe(session, old, user=cast.bob, now=now, via="web")
    make.choice(cast.cy, "workflow", "participating")
    assert effect() == Effect(issues=2, people=2)
    subscribing.unsubscribe(session, other, user=cast.bob, now=now, via="web")
    make.subscription(old, cast.cy, "commented")
    make.choice(cast.alice, "workflow", "never")
    assert effect() == Effect(issues=2, people=1)
