"""The numbers of releases are counted in indexes alone; nobody's issues are in no index of who has them."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1770"
down_revision = "20261123_1760"
branch_labels = None
depends_on = None

ACTIVITIES = sa.table(
    "activities", sa.column("type"), sa.column("data", sa.JSON()), sa.column("returned_in", sa.String(200))
)
ASSIGNED = sa.text("assignee_user_id IS NOT NULL")
REGRESSED = sa.text("type = 'set_regression'")
RETURNED = sa.text("returned_in IS NOT NULL")
ASSIGNEE = ["assignee_user_id", "status", "last_seen", "id"]


def upgrade() -> None:
    op.add_column("activities", sa.Column("returned_in", sa.String(200), nullable=True))
    version = ACTIVITIES.c.data["version"].as_string()
    came_back = (ACTIVITIES.c.type == "set_regression") & version.is_not(None)
    op.execute(ACTIVITIES.update().where(came_back).values(returned_in=version))
    op.drop_index("ix_activities_regressions", table_name="activities")
    _index("ix_activities_returns", "activities", ["project_id", "returned_in", "issue_id"], where=RETURNED)
    op.drop_index("ix_issues_first_release", table_name="issues")
    _index("ix_issues_first_release", "issues", ["project_id", "first_release", "status"])
    op.drop_index("ix_issues_assignee", table_name="issues")
    _index("ix_issues_assignee", "issues", ASSIGNEE, where=ASSIGNED)


def downgrade() -> None:
    op.drop_index("ix_issues_assignee", table_name="issues")
    _index("ix_issues_assignee", "issues", ASSIGNEE)
    op.drop_index("ix_issues_first_release", table_name="issues")
    _index("ix_issues_first_release", "issues", ["project_id", "first_release"])
    op.drop_index("ix_activities_returns", table_name="activities")
    _index("ix_activities_regressions", "activities", ["project_id"], where=REGRESSED)
    op.drop_column("activities", "returned_in")


def _index(name: str, table: str, columns: list[str], *, where: sa.TextClause | None = None) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
