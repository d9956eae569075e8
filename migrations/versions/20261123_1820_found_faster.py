"""Issues that came back, got worse, or whose latest notice reached nobody are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1820"
down_revision = "20261123_1810"
branch_labels = None
depends_on = None

STREAM = ["project_id", "status", "last_seen", "id"]
# Name → of which issues, on SQLite and on PostgreSQL.
PARTIAL = {
    "ix_issues_regressed": ("regressed_at IS NOT NULL", "regressed_at IS NOT NULL"),
    "ix_issues_escalated": ("escalated_at IS NOT NULL", "escalated_at IS NOT NULL"),
    "ix_issues_untold": ("told = 0", "NOT told"),
}
OF_DIGEST = sa.text("digest_id IS NOT NULL")
# A message of the latest notice that was planned, and not taken back, was accepted: by itself, or in a summary.
TOLD = """
UPDATE issues SET told = true WHERE EXISTS (
    SELECT 1 FROM verdicts
    LEFT JOIN deliveries AS own ON own.verdict_id = verdicts.id
    LEFT JOIN deliveries AS carried
        ON carried.digest_id = verdicts.digest_id AND verdicts.outcome = 'defer'
    WHERE verdicts.notice_id = (
        SELECT max(notices.id) FROM notices
        WHERE notices.issue_id = issues.id AND notices.planned_at IS NOT NULL
        AND (notices.gate_code IS NULL OR notices.gate_code <> 'undone')
    )
    AND verdicts.outcome IN ('send', 'defer') AND coalesce(own.state, carried.state) = 'accepted'
)
"""


def upgrade() -> None:
    op.add_column("issues", sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(TOLD)
    for name, (on_sqlite, on_postgresql) in PARTIAL.items():
        op.create_index(
            name,
            "issues",
            STREAM,
            unique=False,
            sqlite_where=sa.text(on_sqlite),
            postgresql_where=sa.text(on_postgresql),
        )
    op.create_index(
        "ix_deliveries_digest",
        "deliveries",
        ["digest_id"],
        unique=False,
        sqlite_where=OF_DIGEST,
        postgresql_where=OF_DIGEST,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_digest", table_name="deliveries")
    for name in PARTIAL:
        op.drop_index(name, table_name="issues")
    op.drop_column("issues", "told")
