"""Databases with the tables of the real migrations, emptied before each test that asks for one."""

import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from app.db import db
from app.extensions import migrate
from app.models import Base
from app.settings import ROOT
from tests.support.postgresql import Server

KINDS = ("sqlite", "postgresql")


class Database(Protocol):
    url: str
    engine: Engine  # kept, for what it has learnt about the queries

    def empty(self) -> None:
        """Forget every row. Connections that are open stay fit for use."""

    def remember(self) -> None:
        """Keep a copy of all that is committed, for `recall`."""

    def recall(self) -> bool:
        """Put what was remembered into the empty database; False when nothing was."""

    def close(self) -> None: ...


def contents(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table; but not when a person was last seen, nor what they saw: looking notes it."""
    session.commit()
    found = {}
    for name, table in Base.metadata.tables.items():
        if name == "issue_sights":
            continue
        columns = [
            column for column in table.columns if column.name not in {"last_active_at", "last_used_at"}
        ]
        found[name] = sorted((tuple(row) for row in session.execute(select(*columns))), key=repr)
    session.commit()
    return found


def bare_app(url: str, *, migrations: Path = ROOT / "migrations") -> Flask:
    """An application that has a database and nothing else."""
    app = Flask("bare")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    migrate.init_app(app, db, directory=str(migrations), render_as_batch=True)
    return app


def migrated(url: str) -> None:
    with bare_app(url).app_context():
        upgrade()
        db.engine.dispose()


class Sqlite:
    """Emptied by copying an empty database over it, page by page and in one transaction."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "tocsin.db"
        self.url = f"sqlite:///{self.file}"
        migrated(self.url)
        self.engine = create_engine(self.url)
        self.template = sqlite3.connect(":memory:", check_same_thread=False)
        with sqlite3.connect(self.file) as made:
            made.backup(self.template)
        made.close()
        self.memory: sqlite3.Connection | None = None

    def empty(self) -> None:
        self._overwrite(self.template)

    def remember(self) -> None:
        self.memory = sqlite3.connect(":memory:", check_same_thread=False)
        source = sqlite3.connect(self.file, timeout=10)
        source.backup(self.memory)
        source.close()

    def recall(self) -> bool:
        if self.memory:
            self._overwrite(self.memory)
        return self.memory is not None

    def close(self) -> None:
        self.engine.dispose()
        for connection in (self.template, self.memory):
            if connection:
                connection.close()

    def _overwrite(self, source: sqlite3.Connection) -> None:
        target = sqlite3.connect(self.file, timeout=10)
        source.backup(target)
        target.close()


class Postgresql:
    """Emptied by deleting all rows: much faster than a new database, or than TRUNCATE, for small tables."""

    def __init__(self, server: Server) -> None:
        self.name = f"tocsin_{os.getpid()}"
        server.execute(f"CREATE DATABASE {self.name}")
        self.url = server.url(self.name)
        migrated(self.url)
        self.engine = create_engine(self.url)
        self.connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        self.connection.execute("SET lock_timeout = '5s'")
        self.connection.execute("SET session_replication_role = replica")  # no order among foreign keys
        self.tables = self._names("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        self.tables.remove("alembic_version")
        self.sequences = self._names("SELECT sequencename FROM pg_sequences")
        # Each table counts from a number of its own: an id that is taken for another table's shows.
        restarts = [
            f"PERFORM setval('{name}', {1000 * n}, false)" for n, name in enumerate(self.sequences, 1)
        ]
        self.emptying = _block([*(f"DELETE FROM {name}" for name in self.tables), *restarts])
        self.recalling: str | None = None

    def empty(self) -> None:
        self.connection.execute(self.emptying)

    def remember(self) -> None:
        run = self.connection.execute
        run("DROP SCHEMA IF EXISTS memory CASCADE")
        run("CREATE SCHEMA memory")
        steps = []
        for name in self.tables:
            if run(f"SELECT 1 FROM {name} LIMIT 1").fetchone():
                run(f"CREATE TABLE memory.{name} AS TABLE {name}")
                steps.append(f"INSERT INTO {name} SELECT * FROM memory.{name}")
        for name, last in run("SELECT sequencename, last_value FROM pg_sequences").fetchall():
            if last:
                steps.append(f"PERFORM setval('{name}', {last})")
        self.recalling = _block(steps)

    def recall(self) -> bool:
        if self.recalling:
            self.connection.execute(self.recalling)
        return self.recalling is not None

    def close(self) -> None:
        self.engine.dispose()
        self.connection.close()

    def _names(self, query: str) -> list[str]:
        return sorted(name for (name,) in self.connection.execute(query).fetchall())


def _block(steps: list[str]) -> str:
    return f"DO $$ BEGIN {'; '.join(steps)}; END $$"
