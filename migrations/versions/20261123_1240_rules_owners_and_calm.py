"""Alert rules as people shape them, issue owners, maintenance windows, and what keeps alerts calm.

The version before cannot run on it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_1240"
down_revision = "20261123_0930"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
# New columns of rows that are there already get their value from the database, rows to come from the model.
DEFAULTED = {
    "alert_rules": ("filter_match", "filters", "repeats"),
    "issues": ("auto_assign_off",),
    "projects": ("digest_minimum", "digest_maximum"),
}


def upgrade() -> None:
    op.create_table(
        "rule_templates",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_rule_templates_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_templates"),
    )
    op.create_index("ix_rule_templates_organization_id", "rule_templates", ["organization_id"], unique=False)

    op.create_table(
        "alert_paces",
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_alert_paces_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_alert_paces_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "project_id", name="pk_alert_paces"),
    )
    op.create_index("ix_alert_paces_project_id", "alert_paces", ["project_id"], unique=False)

    op.create_table(
        "codeowners",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("stack_root", sa.String(length=200), nullable=False),
        sa.Column("source_root", sa.String(length=200), nullable=False),
        sa.Column("updated_by_id", KEY, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_codeowners_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name="fk_codeowners_updated_by_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk_codeowners"),
    )
    op.create_table(
        "ownership_versions",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("by_id", KEY, nullable=True),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name="fk_ownership_versions_by_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name="fk_ownership_versions_project_id_projects",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ownership_versions"),
        sa.UniqueConstraint("project_id", "version", name="uq_ownership_versions_project_id_version"),
    )
    op.create_table(
        "ownerships",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("fallthrough", sa.Boolean(), nullable=False),
        sa.Column("auto_assign", sa.Boolean(), nullable=False),
        sa.Column("only_assignee", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by_id", KEY, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_ownerships_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name="fk_ownerships_updated_by_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk_ownerships"),
    )
    op.create_table(
        "pauses",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=True),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("weekly", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_by_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("summed_up_at", TIME, nullable=True),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name="fk_pauses_created_by_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_pauses_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pauses"),
    )
    op.create_index("ix_pauses_project_id", "pauses", ["project_id"], unique=False)

    op.create_table(
        "rule_mutes",
        sa.Column("rule_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=True),
        sa.Column("until", TIME, nullable=True),
        sa.Column("by_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name="fk_rule_mutes_by_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alert_rules.id"], name="fk_rule_mutes_rule_id_alert_rules", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_rule_mutes_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_mutes"),
        sa.UniqueConstraint("rule_id", "user_id", name="uq_rule_mutes_rule_id_user_id"),
    )
    op.create_index("ix_rule_mutes_user_id", "rule_mutes", ["user_id"], unique=False)
    op.create_index(
        "uq_rule_mutes_everyone",
        "rule_mutes",
        ["rule_id"],
        unique=True,
        sqlite_where=sa.text("user_id IS NULL"),
        postgresql_where=sa.text("user_id IS NULL"),
    )

    op.create_table(
        "rule_versions",
        sa.Column("rule_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("by_id", KEY, nullable=True),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name="fk_rule_versions_by_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alert_rules.id"], name="fk_rule_versions_rule_id_alert_rules", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_versions"),
        sa.UniqueConstraint("rule_id", "version", name="uq_rule_versions_rule_id_version"),
    )
    op.create_table(
        "storms",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("notice_id", KEY, nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("latest_at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name="fk_storms_notice_id_notices", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_storms_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_storms"),
    )
    op.create_index("ix_storms_notice_id", "storms", ["notice_id"], unique=False)
    op.create_index(
        "uq_storms_open",
        "storms",
        ["project_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    with op.batch_alter_table("alert_rules") as batch_op:
        batch_op.add_column(
            sa.Column("filter_match", sa.String(length=4), nullable=False, server_default="all")
        )
        batch_op.add_column(sa.Column("filters", JSON, nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("repeats", sa.String(length=16), nullable=False, server_default="interval")
        )
        batch_op.add_column(sa.Column("required_reason", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("interrupt_reason", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("trouble", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("trouble_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("created_by_id", KEY, nullable=True))
        batch_op.create_foreign_key(
            "fk_alert_rules_created_by_id_users", "users", ["created_by_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("issues") as batch_op:
        batch_op.add_column(sa.Column("last_resolved_at", TIME, nullable=True))
        batch_op.add_column(
            sa.Column("auto_assign_off", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("flapping_until", TIME, nullable=True))

    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.add_column(sa.Column("put_off_until", TIME, nullable=True))
    op.create_index("ix_deliveries_lately", "deliveries", ["user_id", "created_at"])

    with op.batch_alter_table("notices") as batch_op:
        batch_op.add_column(sa.Column("owners_version", sa.Integer(), nullable=True))

    with op.batch_alter_table("projects") as batch_op:
        batch_op.add_column(sa.Column("digest_minimum", sa.Integer(), nullable=False, server_default="5"))
        batch_op.add_column(sa.Column("digest_maximum", sa.Integer(), nullable=False, server_default="5"))

    for table, columns in DEFAULTED.items():
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)
    op.execute("UPDATE issues SET last_resolved_at = resolved_at")
    _make_counts()
    _count_what_is_there()


def _make_counts() -> None:
    """What the windows of alert rules are counted with."""
    op.create_table(
        "issue_counts",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_issue_counts_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "minutes", "start", "environment", name="pk_issue_counts"),
    )
    op.create_index("ix_issue_counts_start", "issue_counts", ["start"], unique=False)
    op.create_table(
        "issue_environment_users",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("ident", sa.String(length=300), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("seen_before", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_issue_environment_users_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "ident", "environment", name="pk_issue_environment_users"),
    )
    op.create_table(
        "release_environments",
        sa.Column("release_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name="fk_release_environments_project_id_projects",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["releases.id"],
            name="fk_release_environments_release_id_releases",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("release_id", "project_id", "environment", name="pk_release_environments"),
    )
    op.create_index(
        "ix_release_environments_project_id", "release_environments", ["project_id"], unique=False
    )
    op.create_index(
        "ix_events_window", "events", ["issue_id", "received_at", "environment", "user_ident"], unique=False
    )
    op.create_index("ix_events_project", "events", ["project_id", "received_at"], unique=False)
    with op.batch_alter_table("issue_users") as batch_op:
        batch_op.add_column(sa.Column("last_seen", TIME, nullable=True))
        batch_op.add_column(sa.Column("seen_before", TIME, nullable=True))


def _count_what_is_there() -> None:
    for minutes, start in _starts().items():
        op.execute(
            "INSERT INTO issue_counts (issue_id, minutes, start, environment, count) "
            f"SELECT issue_id, {minutes}, {start}, environment, count(*) FROM events "
            f"GROUP BY issue_id, {start}, environment"
        )
    op.execute(
        "INSERT INTO issue_environment_users (issue_id, ident, environment, last_seen) "
        "SELECT issue_id, user_ident, environment, max(received_at) FROM events "
        "WHERE user_ident IS NOT NULL GROUP BY issue_id, user_ident, environment"
    )
    op.execute(
        "UPDATE issue_users SET last_seen = coalesce((SELECT max(here.last_seen) "
        "FROM issue_environment_users AS here "
        "WHERE here.issue_id = issue_users.issue_id AND here.ident = issue_users.ident), first_seen)"
    )
    op.execute(
        "INSERT INTO release_environments (release_id, project_id, environment) "
        "SELECT DISTINCT releases.id, events.project_id, events.environment FROM events "
        "JOIN projects ON projects.id = events.project_id "
        "JOIN releases ON releases.organization_id = projects.organization_id "
        "AND releases.version = events.release WHERE events.environment <> ''"
    )
    with op.batch_alter_table("issue_users") as batch_op:
        batch_op.alter_column("last_seen", existing_type=TIME, nullable=False)
    op.create_index("ix_issue_users_last_seen", "issue_users", ["issue_id", "last_seen"], unique=False)
    op.create_index(
        "ix_issue_environment_users_last_seen",
        "issue_environment_users",
        ["issue_id", "environment", "last_seen"],
        unique=False,
    )


def _starts() -> dict[int, str]:
    """Minutes → the expression for the minute, or the hour, in which an event came in."""
    if op.get_bind().dialect.name == "sqlite":
        return {
            1: "substr(received_at, 1, 16) || '\\:00.000000'",
            60: "substr(received_at, 1, 13) || '\\:00\\:00.000000'",
        }
    return {1: "date_trunc('minute', received_at, 'UTC')", 60: "date_trunc('hour', received_at, 'UTC')"}


def downgrade() -> None:
    op.drop_index("ix_issue_users_last_seen", "issue_users")
    with op.batch_alter_table("issue_users") as batch_op:
        batch_op.drop_column("seen_before")
        batch_op.drop_column("last_seen")
    op.drop_index("ix_events_project", "events")
    op.drop_index("ix_events_window", "events")
    for table in ("release_environments", "issue_environment_users", "issue_counts"):
        op.drop_table(table)

    with op.batch_alter_table("projects") as batch_op:
        batch_op.drop_column("digest_maximum")
        batch_op.drop_column("digest_minimum")

    op.drop_index("ix_deliveries_lately", "deliveries")
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_column("put_off_until")

    with op.batch_alter_table("notices") as batch_op:
        batch_op.drop_column("owners_version")

    with op.batch_alter_table("issues") as batch_op:
        batch_op.drop_column("flapping_until")
        batch_op.drop_column("auto_assign_off")
        batch_op.drop_column("last_resolved_at")

    with op.batch_alter_table("alert_rules") as batch_op:
        batch_op.drop_constraint("fk_alert_rules_created_by_id_users", type_="foreignkey")
        batch_op.drop_column("created_by_id")
        batch_op.drop_column("trouble_at")
        batch_op.drop_column("trouble")
        batch_op.drop_column("interrupt_reason")
        batch_op.drop_column("required_reason")
        batch_op.drop_column("repeats")
        batch_op.drop_column("filters")
        batch_op.drop_column("filter_match")

    op.drop_table("storms")
    op.drop_table("rule_versions")
    op.drop_table("rule_mutes")
    op.drop_table("pauses")
    op.drop_table("ownerships")
    op.drop_table("ownership_versions")
    op.drop_table("codeowners")
    op.drop_table("alert_paces")
    op.drop_table("rule_templates")
