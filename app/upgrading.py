"""Brings the database to this version's tables, one process at a time, and says plainly when it cannot."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.cannot_start import CannotStart
from app.db import db
from app.settings import Settings
from app.settings_kinds import without_password

log = logging.getLogger(__name__)

# Any number will do as long as nothing else in the same database uses it.
ADVISORY_LOCK = 0x746F6373696E


def upgrade(app: Flask, settings: Settings) -> None:
    """As `flask db upgrade`, for any number of processes that start together. Leaves no connection open."""
    try:
        with _alone(settings), app.app_context():
            before = _version()
            command.upgrade(app.extensions["migrate"].migrate.get_config(), "head")
            if (after := _version()) != before:
                log.info("database upgraded", extra={"to": ", ".join(after)})
            db.engine.dispose()
    except SQLAlchemyError as error:
        raise CannotStart(_line(settings, error)) from error
    except CommandError as error:
        raise CannotStart(
            f"The database was made by another version of Tocsin ({error}): run that version."
        ) from error


def check(app: Flask, settings: Settings) -> None:
    """Refuse to work on tables of another version. Leaves no connection open."""
    try:
        with app.app_context():
            scripts = ScriptDirectory.from_config(app.extensions["migrate"].migrate.get_config())
            current = _version() == set(scripts.get_heads())
            db.engine.dispose()
    except SQLAlchemyError as error:
        raise CannotStart(_line(settings, error)) from error
    if not current:
        raise CannotStart(
            "The database's tables are of another version: run .venv/bin/flask db upgrade, then start again."
        )


def _version() -> set[str]:
    with db.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    if settings.database_url.startswith("sqlite"):
        with file_lock(settings.tocsin_data_dir / "upgrade.lock"):
            yield
    else:
        with _reachable(settings).connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            yield


def _reachable(settings: Settings) -> Engine:
    """An engine of its own, which gives up on a silent host after seconds, not minutes."""
    return create_engine(settings.database_url, poolclass=NullPool, connect_args={"connect_timeout": 5})


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _line(settings: Settings, error: SQLAlchemyError) -> str:
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return (
        f"The database at {without_password(settings.database_url)} cannot be used "
        f"({said[0] if said else type(error).__name__}): start it, or correct DATABASE_URL."
    )
