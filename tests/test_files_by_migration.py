"""Files that were uploaded one by one have a name that no archive has, also those that came before."""

from alembic import command
from sqlalchemy import MetaData, Table, select

from app.db import db
from tests.test_counted_by_migration import put
from tests.test_migrations import alembic, empty, pytestmark, scripts  # noqa: F401 - fixtures

BEFORE, AFTER = "20261123_1795", "20261123_1800"


def test_single_files_lose_their_checksum_and_archives_keep_theirs(empty):  # noqa: F811
    command.upgrade(alembic(empty), BEFORE)
    with db.engine.begin() as connection:
        put(connection, "organizations", id=1, slug="acme")
        for number, is_archive in enumerate((True, False), 1):
            checksum = str(number) * 40
            put(
                connection,
                "artifact_bundles",
                id=number,
                organization_id=1,
                checksum=checksum,
                is_archive=is_archive,
            )
    command.upgrade(alembic(empty), AFTER)
    with db.engine.connect() as connection:
        table = Table("artifact_bundles", MetaData(), autoload_with=connection)
        found = connection.scalars(select(table.c.checksum).order_by(table.c.id)).all()
    assert found == ["1" * 40, "files:" + "2" * 34]
