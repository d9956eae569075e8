"""What was stored before releases kept their times is told by the migration that adds them."""

from datetime import timedelta

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import db
from app.models import Activity, ReleaseProject
from tests.test_counted_by_migration import HOUR, put
from tests.test_migrations import alembic, empty, scripts  # noqa: F401 - fixtures

pytestmark = pytest.mark.both_databases

BEFORE, AFTER, IN_ORDER = "20261123_1770", "20261123_1780", "20261123_1830"
CAME_BACK = {
    1: ({"version": "shop@2", "than": "shop@1", "pending": False}, "shop@1"),
    2: ({"version": "shop@2", "than": "shop@1", "pending": True}, None),
    3: ({"version": "shop@2"}, None),
}


def test_times_and_what_came_back_are_known_of_before(empty: Flask) -> None:  # noqa: F811
    command.upgrade(alembic(empty), BEFORE)
    with db.engine.begin() as connection:
        put(connection, "organizations", id=1, slug="acme")
        put(connection, "projects", id=1, organization_id=1, slug="shop")
        put(connection, "issues", id=1, project_id=1, number=1)
        for number, version in enumerate(("shop@1", "shop@2", "shop@3"), start=1):
            dated = {"date_released": HOUR + timedelta(days=1)} if number == 2 else {}
            put(connection, "releases", id=number, organization_id=1, version=version, **dated)
            put(connection, "release_projects", release_id=number, project_id=1)
        for number in (1, 2):
            at = HOUR + timedelta(minutes=number)
            values = {"project_id": 1, "issue_id": 1, "event_id": str(number), "release": "shop@1"}
            put(connection, "events", id=number, timestamp=at, **values)
        put(connection, "issue_tags", issue_id=1, key="release", value="shop@2", last_seen=HOUR)
        for number, (data, _) in CAME_BACK.items():
            values = {"project_id": 1, "issue_id": 1, "type": "set_regression", "data": data}
            put(connection, "activities", id=number, **values)
    command.upgrade(alembic(empty), AFTER)
    with Session(db.engine) as session:
        times = select(ReleaseProject.first_event_at, ReleaseProject.last_event_at)
        assert session.execute(times.order_by(ReleaseProject.release_id)).all() == [
            (HOUR + timedelta(minutes=1), HOUR + timedelta(minutes=2)),
            (None, HOUR),
            (None, None),
        ]
        found = session.execute(select(Activity.id, Activity.returned_from))
        assert {row.id: row.returned_from for row in found} == {
            number: said for number, (_, said) in CAME_BACK.items()
        }
    command.upgrade(alembic(empty), IN_ORDER)
    with Session(db.engine) as session:
        newest = select(ReleaseProject.ordered_at).order_by(ReleaseProject.release_id)
        assert session.scalars(newest).all() == [HOUR, HOUR + timedelta(days=1), HOUR]
