"""What build servers upload for source maps: chunks, bundles, their files, and what they are for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_1710"
down_revision = "20261123_1700"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _make_uploads()
    _make_purposes()
    _make_files()


def _make_uploads() -> None:
    op.create_table(
        "artifact_chunks",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("sha1", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False),
        _foreign("artifact_chunks", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("organization_id", "sha1", name="pk_artifact_chunks"),
    )
    op.create_index("ix_artifact_chunks_uploaded", "artifact_chunks", ["uploaded_at"], unique=False)
    op.create_table(
        "artifact_bundles",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("checksum", sa.String(length=40), nullable=False),
        sa.Column("is_archive", sa.Boolean(), nullable=False),
        sa.Column("chunks", JSON, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.Column("used_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        _foreign("artifact_bundles", "organization_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name="pk_artifact_bundles"),
        sa.UniqueConstraint(
            "organization_id", "checksum", name="uq_artifact_bundles_organization_id_checksum"
        ),
    )
    op.create_index("ix_artifact_bundles_state", "artifact_bundles", ["state", "uploaded_at"], unique=False)


def _make_purposes() -> None:
    op.create_table(
        "artifact_bundle_projects",
        sa.Column("bundle_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        _foreign("artifact_bundle_projects", "bundle_id", "artifact_bundles"),
        _foreign("artifact_bundle_projects", "project_id", "projects"),
        sa.PrimaryKeyConstraint("bundle_id", "project_id", name="pk_artifact_bundle_projects"),
    )
    op.create_index(
        "ix_artifact_bundle_projects_project_id", "artifact_bundle_projects", ["project_id"], unique=False
    )
    op.create_table(
        "artifact_bundle_releases",
        sa.Column("bundle_id", KEY, nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("dist", sa.String(length=64), nullable=False),
        _foreign("artifact_bundle_releases", "bundle_id", "artifact_bundles"),
        sa.PrimaryKeyConstraint("bundle_id", "version", "dist", name="pk_artifact_bundle_releases"),
    )
    op.create_index(
        "ix_artifact_bundle_releases_version", "artifact_bundle_releases", ["version"], unique=False
    )


def _make_files() -> None:
    op.create_table(
        "artifact_files",
        sa.Column("bundle_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("debug_id", sa.String(length=32), nullable=True),
        sa.Column("source_map", sa.String(length=500), nullable=False),
        sa.Column("member", sa.String(length=1000), nullable=True),
        sa.Column("sha1", sa.String(length=40), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        _foreign("artifact_files", "bundle_id", "artifact_bundles"),
        sa.PrimaryKeyConstraint("id", name="pk_artifact_files"),
    )
    op.create_index("ix_artifact_files_bundle_url", "artifact_files", ["bundle_id", "url"], unique=False)
    op.create_index("ix_artifact_files_debug", "artifact_files", ["debug_id"], unique=False)


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in (
        "artifact_files",
        "artifact_bundle_releases",
        "artifact_bundle_projects",
        "artifact_bundles",
        "artifact_chunks",
    ):
        op.drop_table(table)
