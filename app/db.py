"""The engine, the request's session, and `transaction()` for everything outside a request."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.models import Base


class Database(SQLAlchemy):
    if TYPE_CHECKING:
        # A `scoped_session` passes on all that a Session can do, but does not say so to the type checker.
        session: Session  # type: ignore[assignment]


# How long a write waits for another one, and one that is worth no wait; milliseconds.
PATIENCE, SHORT_PATIENCE = 15_000, 100
# What a database raises that is away or overloaded: the work waits and is tried again.
AWAY = (OperationalError, InterfaceError)

db = Database(metadata=Base.metadata, session_options={"expire_on_commit": False})


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    # The driver's own transaction handling starts writes too late; `_begin` starts them itself.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={PATIENCE}",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    """A transaction that will write takes SQLite's one write lock at its start.

    Upgrading a read transaction later fails at once, without waiting, when somebody else wrote meanwhile.
    """
    options = connection.get_execution_options()
    in_passing = options.get("in_passing", False)
    if connection.dialect.name != "sqlite":
        if in_passing:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {SHORT_PATIENCE}")
        return
    if in_passing:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={SHORT_PATIENCE}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")
    finally:
        if in_passing:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={PATIENCE}")


def begin_writing() -> None:
    """End what the request has read so far, and take SQLite's write lock before anything is read anew."""
    db.session.rollback()
    db.session.connection(execution_options={"writes": True})


@contextmanager
def transaction() -> Iterator[Session]:
    """A session of its own that commits at the end, or rolls back when anything is raised."""
    engine = db.engine.execution_options(writes=True)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def in_passing() -> Iterator[Session]:
    """A transaction for what is worth no wait: `OperationalError` where somebody else writes just now."""
    engine = db.engine.execution_options(writes=True, in_passing=True)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def writing() -> Iterator[Connection]:
    """A bare connection in a transaction of its own, for a statement or two that run very often."""
    with db.engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only looks: on SQLite it waits for no writer and holds none up."""
    with Session(db.engine, expire_on_commit=False) as session:
        yield session
