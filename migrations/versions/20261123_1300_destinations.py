"""Integrations: destinations, how issues stand with them, and deliveries that go there.

The version before cannot run on it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_1300"
down_revision = "20261123_1240"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "instance_names",
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_instance_names"),
    )
    op.create_table(
        "destinations",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("disabled_reason", sa.String(length=255), nullable=False),
        sa.Column("failing_since", TIME, nullable=True),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("held_until", TIME, nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("created_by_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_destinations_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name="fk_destinations_created_by_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_destinations"),
    )
    op.create_index("ix_destinations_project_id", "destinations", ["project_id"], unique=False)
    op.create_table(
        "destination_issues",
        sa.Column("destination_id", KEY, nullable=False),
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_dropped", sa.Boolean(), nullable=False),
        sa.Column("references", JSON, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destinations.id"],
            name="fk_destination_issues_destination_id_destinations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_destination_issues"),
        sa.UniqueConstraint("destination_id", "lane", name="uq_destination_issues_destination_id_lane"),
    )
    op.create_index("ix_destination_issues_lane", "destination_issues", ["lane"], unique=False)

    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.add_column(sa.Column("destination_id", KEY, nullable=True))
        batch_op.add_column(sa.Column("lane", sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(
            "fk_deliveries_destination_id_destinations",
            "destinations",
            ["destination_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_index("ix_deliveries_destination", ["destination_id", "id"], unique=False)
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.add_column(sa.Column("request", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.alter_column("request", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.drop_column("request")
    op.execute("DELETE FROM deliveries WHERE destination_id IS NOT NULL")
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_index("ix_deliveries_destination")
        batch_op.drop_constraint("fk_deliveries_destination_id_destinations", type_="foreignkey")
        batch_op.drop_column("lane")
        batch_op.drop_column("destination_id")
    op.drop_table("destination_issues")
    op.drop_table("destinations")
    op.drop_table("instance_names")
