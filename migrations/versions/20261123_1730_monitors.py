"""Monitors: jobs that check in, their check-ins, and when the next one is due."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_1730"
down_revision = "20261123_1720"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "monitors",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("schedule_kind", sa.String(length=8), nullable=False),
        sa.Column("schedule_text", sa.String(length=100), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("margin", sa.Integer(), nullable=False),
        sa.Column("max_runtime", sa.Integer(), nullable=False),
        sa.Column("failure_threshold", sa.Integer(), nullable=False),
        sa.Column("recovery_threshold", sa.Integer(), nullable=False),
        sa.Column("is_sent", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("is_muted", sa.Boolean(), nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        _foreign("monitors", "project_id", "projects"),
        sa.PrimaryKeyConstraint("id", name="pk_monitors"),
        sa.UniqueConstraint("project_id", "slug", name="uq_monitors_project_id_slug"),
    )
    _make_environments()
    _make_check_ins()


def _make_environments() -> None:
    op.create_table(
        "monitor_environments",
        sa.Column("monitor_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("failing_since", TIME, nullable=True),
        sa.Column("last_check_in_at", TIME, nullable=True),
        sa.Column("expected_at", TIME, nullable=True),
        sa.Column("wake_at", TIME, nullable=True),
        sa.Column("id", KEY, nullable=False),
        _foreign("monitor_environments", "monitor_id", "monitors"),
        sa.PrimaryKeyConstraint("id", name="pk_monitor_environments"),
        sa.UniqueConstraint("monitor_id", "name", name="uq_monitor_environments_monitor_id_name"),
    )
    op.create_index("ix_monitor_environments_wake", "monitor_environments", ["wake_at"], unique=False)
    op.create_index("ix_monitor_environments_hash", "monitor_environments", ["hash"], unique=False)


def _make_check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("monitor_id", KEY, nullable=False),
        sa.Column("environment_id", KEY, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=11), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("expected_at", TIME, nullable=True),
        sa.Column("timeout_at", TIME, nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("release", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=True),
        sa.Column("id", KEY, nullable=False),
        _foreign("check_ins", "monitor_id", "monitors"),
        _foreign("check_ins", "environment_id", "monitor_environments"),
        sa.PrimaryKeyConstraint("id", name="pk_check_ins"),
        sa.UniqueConstraint("monitor_id", "key", name="uq_check_ins_monitor_id_key"),
    )
    op.create_index("ix_check_ins_newest", "check_ins", ["environment_id", "started_at", "id"], unique=False)
    op.create_index("ix_check_ins_started", "check_ins", ["started_at"], unique=False)
    op.create_index(
        "ix_check_ins_open",
        "check_ins",
        ["environment_id", "timeout_at"],
        unique=False,
        sqlite_where=sa.text("status = 'in_progress'"),
        postgresql_where=sa.text("status = 'in_progress'"),
    )


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in ("check_ins", "monitor_environments", "monitors"):
        op.drop_table(table)
