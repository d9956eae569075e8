"""An organization's own tokens: for build servers, with no person behind them."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1720"
down_revision = "20261123_1710"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ONE_OWNER = "ck_api_tokens_one_owner"
# Column, the table it refers to, and what becomes of it with that row.
NEW_COLUMNS = (
    ("organization_id", "organizations", "CASCADE"),
    ("created_by_id", "users", "SET NULL"),
    ("revoked_by_id", "users", "SET NULL"),
)


def upgrade() -> None:
    with op.batch_alter_table("api_tokens") as batch_op:
        batch_op.alter_column("user_id", existing_type=KEY, nullable=True)
        for name, table, ondelete in NEW_COLUMNS:
            batch_op.add_column(sa.Column(name, KEY, nullable=True))
            batch_op.create_foreign_key(
                f"fk_api_tokens_{name}_{table}", table, [name], ["id"], ondelete=ondelete
            )
        batch_op.create_index("ix_api_tokens_organization_id", ["organization_id"], unique=False)
        batch_op.create_check_constraint(ONE_OWNER, "(user_id IS NULL) <> (organization_id IS NULL)")


def downgrade() -> None:
    op.execute("DELETE FROM api_tokens WHERE user_id IS NULL")
    with op.batch_alter_table("api_tokens") as batch_op:
        batch_op.drop_constraint(ONE_OWNER, type_="check")
        batch_op.drop_index("ix_api_tokens_organization_id")
        for name, table, _ in NEW_COLUMNS:
            batch_op.drop_constraint(f"fk_api_tokens_{name}_{table}", type_="foreignkey")
            batch_op.drop_column(name)
        batch_op.alter_column("user_id", existing_type=KEY, nullable=False)
