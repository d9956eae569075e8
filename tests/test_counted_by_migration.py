"""Events that were stored before rules counted are counted by the migration that makes the counts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import JSON, Connection, MetaData, Table, select
from sqlalchemy.orm import Session

from app.db import db
from app.models import IssueCount, IssueEnvironmentUser, IssueUser, ReleaseEnvironment
from tests.test_migrations import alembic, empty, scripts  # noqa: F401 - fixtures

pytestmark = pytest.mark.both_databases

BEFORE, COUNTED = "20261123_0930", "20261123_1240"
HOUR = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
# Minutes after the hour, environment, who met it.
CAME = [(0.5, "production", "id:1"), (0.9, "production", "id:1"), (59, "staging", "id:1"), (60, "", None)]


@pytest.fixture
def upgraded(empty: Flask) -> Iterator[Session]:  # noqa: F811
    command.upgrade(alembic(empty), BEFORE)
    with db.engine.begin() as connection:
        fill(connection)
    command.upgrade(alembic(empty), COUNTED)
    with Session(db.engine) as session:
        yield session


def fill(connection: Connection) -> None:
    put(connection, "organizations", id=1, slug="acme")
    put(connection, "projects", id=1, organization_id=1, slug="shop")
    put(connection, "issues", id=1, project_id=1, number=1, first_seen=HOUR)
    put(connection, "releases", id=1, organization_id=1, version="shop@1.0")
    put(connection, "issue_users", issue_id=1, ident="id:1", first_seen=HOUR)
    put(connection, "issue_users", issue_id=1, ident="id:2", first_seen=HOUR)  # whose events are forgotten
    for number, (minutes, environment, ident) in enumerate(CAME):
        put(
            connection,
            "events",
            id=number + 1,
            project_id=1,
            issue_id=1,
            event_id=str(number),
            received_at=HOUR + timedelta(minutes=minutes),
            environment=environment,
            user_ident=ident,
            release="shop@1.0",
        )


def put(connection: Connection, name: str, **values: Any) -> None:
    """A row of a table as it was then; what has to be there and is not named is empty."""
    table = Table(name, MetaData(), autoload_with=connection)
    missing = {
        column.name: empty_of(column.type)
        for column in table.columns
        if not column.nullable and column.server_default is None and column.name not in values
    }
    dated = {key: plain(table, key, value) for key, value in values.items()}
    connection.execute(table.insert().values(missing | dated))


def plain(table: Table, key: str, value: Any) -> Any:
    """SQLite keeps no zone."""
    aware = getattr(table.c[key].type, "timezone", True)
    return value.replace(tzinfo=None) if isinstance(value, datetime) and not aware else value


def empty_of(type_: Any) -> Any:
    made = list if isinstance(type_, JSON) else type_.python_type
    if made is datetime:
        return HOUR if type_.timezone else HOUR.replace(tzinfo=None)
    return made()


def test_minutes_hours_people_and_releases_are_counted(upgraded):
    counts = upgraded.execute(
        select(IssueCount.minutes, IssueCount.start, IssueCount.environment, IssueCount.count)
    )
    assert {tuple(row) for row in counts} == {
        (1, HOUR, "production", 2),
        (1, HOUR + timedelta(minutes=59), "staging", 1),
        (1, HOUR + timedelta(minutes=60), "", 1),
        (60, HOUR, "production", 2),
        (60, HOUR, "staging", 1),
        (60, HOUR + timedelta(minutes=60), "", 1),
    }
    people = upgraded.execute(select(IssueUser.ident, IssueUser.last_seen))
    assert {tuple(row) for row in people} == {("id:1", HOUR + timedelta(minutes=59)), ("id:2", HOUR)}
    here = upgraded.execute(select(IssueEnvironmentUser.environment, IssueEnvironmentUser.last_seen))
    assert {tuple(row) for row in here} == {
        ("production", HOUR + timedelta(minutes=0.9)),
        ("staging", HOUR + timedelta(minutes=59)),
    }
    assert set(upgraded.scalars(select(ReleaseEnvironment.environment))) == {"production", "staging"}
