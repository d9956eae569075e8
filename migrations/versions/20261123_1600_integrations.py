"""Calls of the other side of integrations: the addresses they come to, and what is to be done about them."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_1600"
down_revision = "20261123_1300"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
SENT_TO = "fk_deliveries_destination_id_destinations"


def upgrade() -> None:
    with op.batch_alter_table("destinations") as batch_op:
        batch_op.add_column(sa.Column("callback_key", sa.String(length=32), nullable=True))
    _give_keys()
    # Verdicts and rules name a destination by its id: SQLite shall not give that of a removed one anew.
    with op.batch_alter_table("destinations", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("callback_key", existing_type=sa.String(length=32), nullable=False)
        batch_op.create_unique_constraint("uq_destinations_callback_key", ["callback_key"])
    _when_removed("SET NULL")
    op.create_table(
        "callbacks",
        sa.Column("destination_id", KEY, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("act", JSON, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=255), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destinations.id"],
            name="fk_callbacks_destination_id_destinations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.UniqueConstraint("destination_id", "key", name="uq_callbacks_destination_id_key"),
    )
    op.create_index("ix_callbacks_received", "callbacks", ["received_at"], unique=False)
    op.create_index(
        "ix_callbacks_waiting",
        "callbacks",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "channel_accounts",
        sa.Column("user_id", KEY, nullable=True),
        sa.Column("destination_id", KEY, nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("realm", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("linked_at", TIME, nullable=True),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_channel_accounts_user_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destinations.id"],
            name="fk_channel_accounts_destination_id_destinations",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_channel_accounts"),
        sa.UniqueConstraint("realm", "team", "account", name="uq_channel_accounts_realm_team_account"),
        sa.UniqueConstraint("secret_hash", name="uq_channel_accounts_secret_hash"),
    )
    for column in ("user_id", "destination_id"):
        op.create_index(f"ix_channel_accounts_{column}", "channel_accounts", [column], unique=False)


def _when_removed(ondelete: str) -> None:
    """What becomes of the deliveries of a destination that is removed."""
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_constraint(SENT_TO, type_="foreignkey")
        batch_op.create_foreign_key(SENT_TO, "destinations", ["destination_id"], ["id"], ondelete=ondelete)


def _give_keys() -> None:
    """Every integration that is there already gets addresses of its own."""
    rows = sa.table("destinations", sa.column("id"), sa.column("callback_key"))
    for (row_id,) in op.get_bind().execute(sa.select(rows.c.id)).all():
        op.execute(sa.update(rows).where(rows.c.id == row_id).values(callback_key=secrets.token_hex(16)))


def downgrade() -> None:
    op.drop_table("channel_accounts")
    op.drop_table("callbacks")
    _when_removed("CASCADE")
    with op.batch_alter_table("destinations") as batch_op:
        batch_op.drop_constraint("uq_destinations_callback_key", type_="unique")
        batch_op.drop_column("callback_key")
