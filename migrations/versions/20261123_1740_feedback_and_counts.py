"""What lists of feedback, and statistics of a project, are read by."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1740"
down_revision = "20261123_1730"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
# Feedback that came in before belongs to the issue of the event that it names.
BELONGS = """
    UPDATE feedback SET issue_id = (
        SELECT events.issue_id FROM events
        WHERE events.project_id = feedback.project_id AND events.event_id = feedback.event_id
    )
    WHERE event_id IS NOT NULL
"""


def upgrade() -> None:
    with op.batch_alter_table("feedback") as batch_op:
        batch_op.add_column(sa.Column("issue_id", KEY, nullable=True))
        batch_op.create_foreign_key(
            "fk_feedback_issue_id_issues", "issues", ["issue_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.drop_index("ix_feedback_project_id")
        batch_op.create_index("ix_feedback_project", ["project_id", "id"], unique=False)
        batch_op.create_index("ix_feedback_event", ["project_id", "event_id"], unique=False)
        batch_op.create_index("ix_feedback_issue", ["issue_id", "id"], unique=False)
        batch_op.create_index("ix_feedback_created", ["created_at"], unique=False)
    op.execute(BELONGS)
    op.create_table(
        "client_losses",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("hour", TIME, nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_client_losses_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "hour", "category", "reason", name="pk_client_losses"),
    )
    op.create_index("ix_client_losses_hour", "client_losses", ["hour"], unique=False)


def downgrade() -> None:
    op.drop_table("client_losses")
    with op.batch_alter_table("feedback") as batch_op:
        for name in ("created", "issue", "event", "project"):
            batch_op.drop_index(f"ix_feedback_{name}")
        batch_op.create_index("ix_feedback_project_id", ["project_id"], unique=False)
        batch_op.drop_constraint("fk_feedback_issue_id_issues", type_="foreignkey")
        batch_op.drop_column("issue_id")
