"""Runs migrations in the context of the application, on its engine. `flask db …` and `make run` come here."""

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import JSON, Connection

from app.db import db
from app.models import Base
from app.models.base import UtcDateTime


def render_item(kind: str, item: Any, autogenerating: Any) -> str | Literal[False]:
    """A migration names no code of the application: that moves on, a migration does not."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerating.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Not the indexes of words, which each database keeps in its own way."""
    return not (name or "").startswith(("issue_words", "ix_issue_texts_trigrams"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        render_item=render_item,
        # A migration that fails leaves nothing behind, on either database.
        transactional_ddl=True,
        compare_server_default=True,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_sqlite(connection: Connection) -> None:
    """SQLite changes a table by building it anew: with keys enforced, what refers to it would go."""
    held = connection.connection.cursor()
    held.execute("PRAGMA foreign_keys=OFF")
    try:
        run(connection)
        if broken := held.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"The migration left rows that refer to nothing: {broken[:5]}")
    finally:
        held.execute("PRAGMA foreign_keys=ON")


with db.engine.execution_options(writes=True).connect() as connection:
    if connection.dialect.name == "sqlite":
        run_on_sqlite(connection)
    else:
        run(connection)
