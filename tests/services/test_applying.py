"""One choice for many projects, and its one Undo."""

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.models import NotificationSetting
from app.services.preferences import applying, preferring

pytestmark = pytest.mark.both_databases


@pytest.fixture
def projects(make, cast):
    return [cast.shop, *(make.project(cast.acme, slug, teams=[cast.team]) for slug in ("billing", "search"))]


@pytest.fixture
def apply(session, cast, projects, now):
    def apply_to_all(value, places=projects):
        return applying.apply(session, cast.bob, "alerts", value, places, via="web", now=now)

    return apply_to_all


@pytest.fixture
def chosen(session, cast):
    def look():
        rows = session.scalars(select(NotificationSetting).where(NotificationSetting.user_id == cast.bob.id))
        return {row.scope_id: row.value for row in rows}

    return look


def test_it_counts_what_it_changed(make, cast, projects, apply, chosen):
    make.choice(cast.bob, "alerts", "off", project=projects[0])
    assert apply("off") == 2
    assert chosen() == {project.id: "off" for project in projects}


def test_one_undo_puts_back_what_each_row_had_before(session, make, cast, projects, apply, chosen, now):
    make.choice(cast.bob, "alerts", "on", project=projects[1])
    before = chosen()
    apply("off")
    last = applying.last(session, cast.bob, "alerts", now=now)
    assert (last.value, last.count) == ("off", 3)
    assert applying.undo(session, cast.bob, "alerts", last.batch, via="web", now=now) == 3
    assert chosen() == before
    assert applying.last(session, cast.bob, "alerts", now=now) is None
    assert applying.undo(session, cast.bob, "alerts", last.batch, via="web", now=now) == 0


def test_what_was_changed_since_stays(session, cast, projects, apply, chosen, now):
    apply("off")
    batch = applying.last(session, cast.bob, "alerts", now=now).batch
    preferring.choose(session, cast.bob, "alerts", "on", project=projects[0], via="web", now=now)
    assert applying.last(session, cast.bob, "alerts", now=now) is None
    assert applying.undo(session, cast.bob, "alerts", batch, via="web", now=now) == 2
    assert chosen() == {projects[0].id: "on"}


def test_nobody_undoes_for_others(session, cast, apply, chosen, now):
    apply("off")
    batch = applying.last(session, cast.bob, "alerts", now=now).batch
    assert applying.undo(session, cast.alice, "alerts", batch, via="web", now=now) == 0
    assert len(chosen()) == 3


def test_a_value_that_does_not_exist_changes_nothing(apply, chosen):
    with pytest.raises(Refused):
        apply("never")
    assert chosen() == {}


def test_deploys_are_set_for_many_organizations(session, cast, now):
    count = applying.apply(session, cast.bob, "deploys", "never", [cast.acme], via="web", now=now)
    [row] = session.scalars(select(NotificationSetting))
    assert (count, row.scope, row.scope_id) == (1, "organization", cast.acme.id)
