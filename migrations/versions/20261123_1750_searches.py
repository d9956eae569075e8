"""Searches that were kept, pinned or made lately, and what searching reads."""

import logging
import math
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "20261123_1750"
down_revision = "20261123_1740"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")
# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
CHUNK = 2000
KINDS = {"id": "user.id", "email": "user.email", "username": "user.username", "ip": "user.ip"}


def reference(name: str, target: str, *, table: str) -> sa.ForeignKeyConstraint:
    other = target.split(".")[0]
    return sa.ForeignKeyConstraint([name], [target], name=f"fk_{table}_{name}_{other}", ondelete="CASCADE")


def upgrade() -> None:
    _make_texts()
    _make_traits()
    _make_searches()
    with op.batch_alter_table("issues") as batch_op:
        batch_op.add_column(sa.Column("priority", sa.BigInteger(), nullable=False, server_default="0"))
    _fill()
    with op.batch_alter_table("issues") as batch_op:
        batch_op.alter_column("priority", existing_type=sa.BigInteger(), server_default=None)
        batch_op.create_index("ix_issues_priority", ["project_id", "status", "priority", "id"])
    with op.batch_alter_table("issue_tags") as batch_op:
        batch_op.drop_index("ix_issue_tags_value")
        batch_op.create_index("ix_issue_tags_value", ["key", "value", "issue_id"])


def _make_texts() -> None:
    op.create_table(
        "issue_texts",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        reference("issue_id", "issues.id", table="issue_texts"),
        sa.PrimaryKeyConstraint("issue_id", name="pk_issue_texts"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _index_words()
    else:
        _index_trigrams()


def _index_words() -> None:
    """All runs of three characters; triggers hold it to the table, whoever writes there."""
    op.execute(
        "CREATE VIRTUAL TABLE issue_words USING fts5("
        "text, content='issue_texts', content_rowid='issue_id', tokenize='trigram case_sensitive 1')"
    )
    op.execute(
        "CREATE TRIGGER issue_texts_made AFTER INSERT ON issue_texts BEGIN "
        "INSERT INTO issue_words(rowid, text) VALUES (new.issue_id, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER issue_texts_gone AFTER DELETE ON issue_texts BEGIN "
        "INSERT INTO issue_words(issue_words, rowid, text) VALUES ('delete', old.issue_id, old.text); END"
    )


def _index_trigrams() -> None:
    """Where the extension is not to be had the table is read as a whole: slower, and right all the same."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.execute(
                sa.text("CREATE INDEX ix_issue_texts_trigrams ON issue_texts USING gin (text gin_trgm_ops)")
            )
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        log.warning("no index of words, as pg_trgm is not to be had (%s): see docs/search.md", reason)


def _make_traits() -> None:
    op.create_table(
        "issue_traits",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("issue_id", KEY, nullable=False),
        reference("issue_id", "issues.id", table="issue_traits"),
        sa.PrimaryKeyConstraint("key", "value", "issue_id", name="pk_issue_traits"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_issue_traits_issue", "issue_traits", ["issue_id"])


def _make_searches() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(length=8), nullable=False),
        sa.Column("created_by_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        reference("organization_id", "organizations.id", table="saved_searches"),
        reference("user_id", "users.id", table="saved_searches"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name="fk_saved_searches_created_by_id_users",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_saved_searches"),
    )
    for name, columns, which in (
        ("uq_saved_searches_everybodys", ["organization_id", "name"], "user_id IS NULL"),
        ("uq_saved_searches_own", ["organization_id", "user_id", "name"], "user_id IS NOT NULL"),
    ):
        where = sa.text(which)
        op.create_index(
            name, "saved_searches", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
    op.create_index("ix_saved_searches_user", "saved_searches", ["user_id"])
    _make_own("pinned_searches", sa.Column("sort", sa.String(length=8), nullable=False))
    digest = sa.Column("digest", sa.String(length=64), nullable=False)
    _make_own("recent_searches", digest, sa.Column("used_at", TIME, nullable=False), key="digest")


def _make_own(table: str, *columns: sa.Column[Any], key: str | None = None) -> None:
    """One row a person and organization, or several that the key tells apart."""
    keys = ["organization_id", "user_id", *([key] if key else ())]
    op.create_table(
        table,
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        *columns,
        sa.Column("query", sa.Text(), nullable=False),
        reference("organization_id", "organizations.id", table=table),
        reference("user_id", "users.id", table=table),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def _fill() -> None:
    """From what issues say of themselves; what only events say is found from now on."""
    connection = op.get_bind()
    issues = sa.table(
        "issues",
        *(sa.column(name) for name in ("id", "title", "culprit", "message", "times_seen", "priority")),
        sa.column("last_seen", TIME),
    )
    texts = sa.table("issue_texts", sa.column("issue_id"), sa.column("text"))
    some = sa.select(issues).order_by(issues.c.id).limit(CHUNK)
    last = 0
    while rows := connection.execute(some.where(issues.c.id > last)).all():
        last = rows[-1].id
        connection.execute(texts.insert(), [{"issue_id": row.id, "text": _text(row)} for row in rows])
        connection.execute(
            issues.update()
            .where(issues.c.id == sa.bindparam("the_id"))
            .values(priority=sa.bindparam("its_priority")),
            [{"the_id": row.id, "its_priority": _priority(row)} for row in rows],
        )
    for kind, key in KINDS.items():
        connection.execute(
            sa.text(
                "INSERT INTO issue_traits (key, value, issue_id) "
                "SELECT DISTINCT :key, substr(ident, :start, 200), issue_id FROM issue_users "
                "WHERE ident LIKE :begins"
            ).bindparams(sa.bindparam("key", type_=sa.String)),
            {"key": key, "start": len(kind) + 2, "begins": f"{kind}:%"},
        )


def _text(row: Any) -> str:
    return "\n".join((row.title, row.culprit, row.message)).casefold()


def _priority(row: Any) -> int:
    at: datetime = row.last_seen if row.last_seen.tzinfo else row.last_seen.replace(tzinfo=UTC)
    return round((600 * math.log10(max(row.times_seen, 1)) + at.timestamp()) * 1000)


def downgrade() -> None:
    with op.batch_alter_table("issue_tags") as batch_op:
        batch_op.drop_index("ix_issue_tags_value")
        batch_op.create_index("ix_issue_tags_value", ["key", "value"])
    with op.batch_alter_table("issues") as batch_op:
        batch_op.drop_index("ix_issues_priority")
        batch_op.drop_column("priority")
    for name in ("recent_searches", "pinned_searches", "saved_searches", "issue_traits", "issue_texts"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE issue_words")
