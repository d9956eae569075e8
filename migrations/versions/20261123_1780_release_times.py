"""When a release was last seen, what came back after it was resolved in one, and when a key was last used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261123_1780"
down_revision = "20261123_1770"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ACTIVITIES = sa.table(
    "activities",
    sa.column("type", sa.String),
    sa.column("data", sa.JSON().with_variant(JSONB(), "postgresql")),
    sa.column("returned_from", sa.String),
)
FROM = sa.text("returned_from IS NOT NULL")
TIMES = ("first_event_at", "last_event_at")


def upgrade() -> None:
    for name in TIMES:
        op.add_column("release_projects", sa.Column(name, TIME, nullable=True))
    op.add_column("project_keys", sa.Column("last_used_at", TIME, nullable=True))
    op.add_column("activities", sa.Column("returned_from", sa.String(200), nullable=True))
    _note_times()
    _note_what_came_back()
    op.create_index(
        "ix_activities_undone",
        "activities",
        ["project_id", "returned_from", "issue_id"],
        unique=False,
        sqlite_where=FROM,
        postgresql_where=FROM,
    )


def _note_what_came_back() -> None:
    """What waited for a release had been resolved in none."""
    than = ACTIVITIES.c.data["than"].as_string()
    is_settled = sa.func.coalesce(ACTIVITIES.c.data["pending"].as_boolean(), sa.false()) == sa.false()
    returns = (ACTIVITIES.c.type == "set_regression") & (than != "") & is_settled
    op.execute(ACTIVITIES.update().where(returns).values(returned_from=than))


def _note_times() -> None:
    """Of the events that are kept; what is known of the last of older ones stands with the tags of issues."""
    op.execute(
        "UPDATE release_projects SET first_event_at = seen.first, last_event_at = seen.last FROM "
        "(SELECT events.project_id, releases.id AS release_id, "
        "MIN(events.timestamp) AS first, MAX(events.timestamp) AS last "
        "FROM events JOIN projects ON projects.id = events.project_id "
        "JOIN releases ON releases.organization_id = projects.organization_id "
        "AND releases.version = events.release GROUP BY events.project_id, releases.id) AS seen "
        "WHERE seen.project_id = release_projects.project_id "
        "AND seen.release_id = release_projects.release_id"
    )
    op.execute(
        "UPDATE release_projects SET last_event_at = seen.last FROM "
        "(SELECT issues.project_id, releases.id AS release_id, MAX(issue_tags.last_seen) AS last "
        "FROM issue_tags JOIN issues ON issues.id = issue_tags.issue_id "
        "JOIN projects ON projects.id = issues.project_id "
        "JOIN releases ON releases.organization_id = projects.organization_id "
        "AND releases.version = issue_tags.value "
        "WHERE issue_tags.key = 'release' GROUP BY issues.project_id, releases.id) AS seen "
        "WHERE seen.project_id = release_projects.project_id "
        "AND seen.release_id = release_projects.release_id AND release_projects.last_event_at IS NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_activities_undone", table_name="activities")
    op.drop_column("activities", "returned_from")
    op.drop_column("project_keys", "last_used_at")
    for name in TIMES:
        op.drop_column("release_projects", name)
