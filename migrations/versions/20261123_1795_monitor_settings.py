"""When a failing monitor last made an event: while it goes on failing, one in an hour says so."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1795"
down_revision = "20261123_1780"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("monitor_environments", sa.Column("event_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("monitor_environments", "event_at")
