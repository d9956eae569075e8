"""Rows written in bulk, whether they exist already or not: the one place that knows both dialects.

Rows go in sorted by key, so that two writers on PostgreSQL never wait for each other in a circle.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import Base

Rows = Sequence[Mapping[str, Any]]


def insert_into(session: Session, model: type[Base]) -> Any:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(model.__table__)


def insert_all(session: Session, model: type[Base], rows: Rows) -> None:
    if rows:
        session.connection().execute(model.__table__.insert(), rows)  # type: ignore[attr-defined]


def insert_missing(session: Session, model: type[Base], rows: Rows, *keys: str) -> None:
    """Rows whose unique key exists already are left as they are."""
    if rows:
        statement = insert_into(session, model).on_conflict_do_nothing(index_elements=keys)
        session.connection().execute(statement, _sorted(rows, keys))


def insert_missing_returning(
    session: Session, model: type[Base], rows: Rows, *keys: str
) -> Sequence[RowMapping]:
    """The keys of those rows that were not there yet."""
    if not rows:
        return ()
    table = model.__table__
    statement = insert_into(session, model).on_conflict_do_nothing(index_elements=keys)
    result = session.connection().execute(
        statement.returning(*(table.c[key] for key in keys)), _sorted(rows, keys)
    )
    return result.mappings().all()


def keep_latest(
    session: Session, model: type[Base], rows: Rows, *keys: str, latest: str, before: str
) -> Sequence[RowMapping]:
    """The column named by `latest` becomes the later of both times, `before` what it was; keys and that."""
    if not rows:
        return ()
    statement, table = insert_into(session, model), model.__table__
    was, now = table.c[latest], statement.excluded[latest]
    statement = statement.on_conflict_do_update(
        index_elements=keys, set_={latest: case((was > now, was), else_=now), before: was}
    )
    statement = statement.returning(*(table.c[name] for name in (*keys, before)))
    return session.connection().execute(statement, _sorted(rows, keys)).mappings().all()


def add_counts(session: Session, model: type[Base], rows: Rows, *keys: str, latest: str = "") -> None:
    """Add `count` to the row of each key; the column named by `latest` becomes the later of both times."""
    if not rows:
        return
    statement, table = insert_into(session, model), model.__table__
    changes: dict[str, ColumnElement[Any]] = {"count": table.c["count"] + statement.excluded["count"]}
    if latest:
        was, now = table.c[latest], statement.excluded[latest]
        changes[latest] = case((was > now, was), else_=now)
    connection: Connection = session.connection()
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changes), _sorted(rows, keys)
    )


def _sorted(rows: Rows, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))
