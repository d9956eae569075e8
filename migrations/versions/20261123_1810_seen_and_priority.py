"""Who has seen an issue, and a priority that somebody gave it."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1810"
down_revision = "20261123_1800"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("issues", sa.Column("importance", sa.String(6), nullable=True))
    op.create_table(
        "issue_sights",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        _foreign("issue_id", "issues"),
        _foreign("user_id", "users"),
        sa.PrimaryKeyConstraint("issue_id", "user_id", name="pk_issue_sights"),
    )
    op.create_index("ix_issue_sights_user_id", "issue_sights", ["user_id"], unique=False)


def _foreign(column: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_issue_sights_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("issue_sights")
    op.drop_column("issues", "importance")
