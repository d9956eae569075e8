"""The newest releases of a project are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1830"
down_revision = "20261123_1820"
branch_labels = None
depends_on = None

LINKS = "release_projects"
NEWEST, BY_PROJECT = "ix_release_projects_newest", "ix_release_projects_project_id"
AT = """
UPDATE release_projects SET ordered_at = (
    SELECT coalesce(releases.date_released, releases.date_added) FROM releases
    WHERE releases.id = release_projects.release_id
)
"""


def upgrade() -> None:
    long_ago = sa.text("'1970-01-01 00:00:00'")
    column = sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False, server_default=long_ago)
    op.add_column(LINKS, column)
    op.execute(AT)
    op.create_index(NEWEST, LINKS, ["project_id", "ordered_at", "release_id"], unique=False)
    op.drop_index(BY_PROJECT, table_name=LINKS)


def downgrade() -> None:
    op.create_index(BY_PROJECT, LINKS, ["project_id"], unique=False)
    op.drop_index(NEWEST, table_name=LINKS)
    op.drop_column(LINKS, "ordered_at")
