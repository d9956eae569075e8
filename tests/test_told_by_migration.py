"""Whether the latest notice of an issue reached anybody is known of those from before that was noted, too."""

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, select

from app.db import db
from tests.test_counted_by_migration import HOUR, put
from tests.test_migrations import alembic, empty, pytestmark, scripts  # noqa: F401 - fixtures

BEFORE, AFTER = "20261123_1810", "20261123_1820"
PLANNED = {"planned_at": HOUR}
UNDONE = {**PLANNED, "gate_code": "undone"}
# The notices of an issue, oldest first, each with an outcome and what became of its message; and was it told.
HISTORIES = {
    "nothing was ever said": ([], False),
    "somebody was told": ([(PLANNED, "send", "accepted")], True),
    "it came with a summary": ([(PLANNED, "defer", "accepted")], True),
    "it is on its way": ([(PLANNED, "send", "queued")], False),
    "it failed": ([(PLANNED, "send", "failed")], False),
    "nobody wants to hear": ([(PLANNED, "skip", None)], False),
    "only the one before arrived": ([(PLANNED, "send", "accepted"), (PLANNED, "send", "failed")], False),
    "the last one was taken back": ([(PLANNED, "send", "accepted"), (UNDONE, "send", "failed")], True),
    "the last one is not planned": ([(PLANNED, "send", "accepted"), ({}, None, None)], True),
}


@pytest.mark.usefixtures("scripts")
def test_issues_from_before_know_whether_anybody_was_told(empty):  # noqa: F811
    command.upgrade(alembic(empty), BEFORE)
    with db.engine.begin() as connection:
        put(connection, "organizations", id=1, slug="acme")
        put(connection, "users", id=1)
        put(connection, "projects", id=1, organization_id=1, slug="shop")
        for number, (notices, _) in enumerate(HISTORIES.values(), start=1):
            put(connection, "issues", id=number, project_id=1, number=number)
            for place, notice in enumerate(notices):
                store(connection, 10 * number + place, number, *notice)
    command.upgrade(alembic(empty), AFTER)
    with db.engine.connect() as connection:
        table = Table("issues", MetaData(), autoload_with=connection)
        found = connection.scalars(select(table.c.told).order_by(table.c.id)).all()
    assert dict(zip(HISTORIES, map(bool, found), strict=True)) == {
        name: told for name, (_, told) in HISTORIES.items()
    }


def store(connection, id_, issue_id, columns, outcome, state):
    put(connection, "notices", id=id_, issue_id=issue_id, project_id=1, public_id=f"n{id_}", **columns)
    if outcome is None:
        return
    held = {"digest_id": id_} if outcome == "defer" else {}
    if held:
        put(connection, "digests", id=id_, user_id=1, key=f"k{id_}")
    put(connection, "verdicts", id=id_, notice_id=id_, subject_id=1, outcome=outcome, **held)
    if state:
        carrier = held or {"verdict_id": id_}
        put(connection, "deliveries", id=id_, public_id=f"d{id_}", state=state, **carrier)
