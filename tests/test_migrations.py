"""The migrations make the tables that the models describe, on both databases, and can be taken back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from app.db import db
from app.models import Base
from app.settings import ROOT
from tests.support.databases import bare_app

pytestmark = pytest.mark.both_databases


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A copy of the migrations, to which a test can add its own."""
    return Path(shutil.copytree(ROOT / "migrations", tmp_path / "migrations"))


@pytest.fixture
def empty(
    database_kind: str, tmp_path: Path, scripts: Path, request: pytest.FixtureRequest
) -> Iterator[Flask]:
    """An application on a database without tables."""
    if database_kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        server = request.getfixturevalue("postgresql_server")
        server.execute("DROP DATABASE IF EXISTS empty")
        server.execute("CREATE DATABASE empty")
        url = server.url("empty")
    app = bare_app(url, migrations=scripts)
    with app.app_context():
        yield app
        db.engine.dispose()


def alembic(app: Flask) -> Config:
    config: Config = app.extensions["migrate"].migrate.get_config()
    return config


def tables() -> set[str]:
    """Without those that SQLite makes for its index of words."""
    found = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    return {name for name in found if not name.startswith("issue_words")}


def another_migration(scripts: Path, body: str) -> None:
    """One that comes after all there are."""
    newest = ScriptDirectory(str(scripts)).get_current_head()
    (scripts / "versions" / "20991231_2359_another.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f'revision, down_revision = "another", "{newest}"\n'
        f"def upgrade():\n{body}"
    )


def test_they_make_every_table_of_the_models(empty):
    command.upgrade(alembic(empty), "head")
    assert tables() == set(Base.metadata.tables)


def test_nothing_in_the_models_is_without_a_migration(empty):
    command.upgrade(alembic(empty), "head")
    command.check(alembic(empty))


def test_they_can_be_taken_back_and_made_again(empty):
    command.upgrade(alembic(empty), "head")
    command.downgrade(alembic(empty), "base")
    assert tables() == set()
    command.upgrade(alembic(empty), "head")
    assert tables() == set(Base.metadata.tables)


def test_one_that_fails_leaves_nothing_behind(empty, scripts):
    command.upgrade(alembic(empty), "head")
    another_migration(scripts, '    op.create_table("half", sa.Column("id", sa.Integer()))\n    1 / 0\n')
    with pytest.raises(ZeroDivisionError):
        command.upgrade(alembic(empty), "head")
    assert "half" not in tables()


def test_building_a_table_anew_keeps_the_rows_that_refer_to_it(empty, scripts):
    command.upgrade(alembic(empty), "head")
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO organizations (id, slug, name, enhanced_privacy, created_at) "
                "VALUES (1, 'acme', 'Acme', false, CURRENT_TIMESTAMP)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO teams (id, organization_id, slug, name, created_at) "
                "VALUES (1, 1, 'shop', 'Shop', CURRENT_TIMESTAMP)"
            )
        )
    another_migration(
        scripts,
        '    with op.batch_alter_table("organizations") as table:\n'
        '        table.alter_column("name", type_=sa.String(300))\n',
    )
    command.upgrade(alembic(empty), "head")
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM teams")) == 1
