"""Files that were uploaded one by one stand under a name that is no SHA-1, so that no archive can be of it."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1800"
down_revision = "20261123_1795"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bundles = sa.table(
        "artifact_bundles", sa.column("checksum", sa.String()), sa.column("is_archive", sa.Boolean())
    )
    name = sa.literal("files:", sa.String()) + sa.func.substr(bundles.c.checksum, 1, 34)
    op.execute(bundles.update().where(bundles.c.is_archive.is_(False)).values(checksum=name))


def downgrade() -> None:
    """They are found by their release, and stay where they are."""
