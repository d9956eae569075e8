"""Releases, ignore conditions, digests, quiet hours, mail routes: what issue states and preferences need.

The version before cannot run on it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_0930"
down_revision = "20261123_0700"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("send_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_digests_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.UniqueConstraint("public_id", name="uq_digests_public_id"),
    )
    op.create_index(
        "ix_digests_due",
        "digests",
        ["send_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_digests_open",
        "digests",
        ["user_id", "key"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )

    op.create_table(
        "notification_defaults",
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_by_id", KEY, nullable=True),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["users.id"], name="fk_notification_defaults_set_by_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("category", "kind", name="pk_notification_defaults"),
    )
    op.create_table(
        "on_call",
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_on_call_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_on_call"),
    )
    op.create_table(
        "quiet_hours",
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("days", JSON, nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_quiet_hours_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quiet_hours"),
    )
    op.create_index("ix_quiet_hours_user_id", "quiet_hours", ["user_id"], unique=False)

    op.create_table(
        "repositories",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_repositories_organization_id_organizations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_repositories"),
        sa.UniqueConstraint("organization_id", "name", name="uq_repositories_organization_id_name"),
    )
    op.create_table(
        "commits",
        sa.Column("repository_id", KEY, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("author_email", sa.String(length=254), nullable=False),
        sa.Column("date_added", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_commits_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_commits"),
        sa.UniqueConstraint("repository_id", "key", name="uq_commits_repository_id_key"),
    )
    op.create_index("ix_commits_author", "commits", ["author_email"], unique=False)

    op.create_table(
        "email_routes",
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("address_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"],
            ["email_addresses.id"],
            name="fk_email_routes_address_id_email_addresses",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_email_routes_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_email_routes_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "project_id", name="pk_email_routes"),
    )
    op.create_index("ix_email_routes_address_id", "email_routes", ["address_id"], unique=False)
    op.create_index("ix_email_routes_project_id", "email_routes", ["project_id"], unique=False)

    op.create_table(
        "release_commits",
        sa.Column("release_id", KEY, nullable=False),
        sa.Column("commit_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["commits.id"], name="fk_release_commits_commit_id_commits", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_release_commits_release_id_releases", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("release_id", "commit_id", name="pk_release_commits"),
    )
    op.create_index("ix_release_commits_commit_id", "release_commits", ["commit_id"], unique=False)

    op.create_table(
        "tombstones",
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("short_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("culprit", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name="fk_tombstones_actor_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_tombstones_project_id_projects", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_project_id", "tombstones", ["project_id"], unique=False)

    op.create_table(
        "bookmarks",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_bookmarks_issue_id_issues", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_bookmarks_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "user_id", name="pk_bookmarks"),
    )
    op.create_index("ix_bookmarks_user_id", "bookmarks", ["user_id"], unique=False)

    op.create_table(
        "ignore_conditions",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("event_count", sa.Integer(), nullable=True),
        sa.Column("event_window", sa.Integer(), nullable=True),
        sa.Column("user_count", sa.Integer(), nullable=True),
        sa.Column("user_window", sa.Integer(), nullable=True),
        sa.Column("worse_than", sa.Integer(), nullable=True),
        sa.Column("events_before", sa.Integer(), nullable=False),
        sa.Column("users_before", sa.Integer(), nullable=False),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name="fk_ignore_conditions_actor_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_ignore_conditions_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", name="pk_ignore_conditions"),
    )
    op.create_index("ix_ignore_conditions_until", "ignore_conditions", ["until"], unique=False)

    op.create_table(
        "issue_commits",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("commit_id", KEY, nullable=False),
        sa.Column("tie", sa.String(length=12), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["commits.id"], name="fk_issue_commits_commit_id_commits", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_issue_commits_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "commit_id", name="pk_issue_commits"),
    )
    op.create_index("ix_issue_commits_commit_id", "issue_commits", ["commit_id"], unique=False)

    op.create_table(
        "issue_mutes",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("event_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_issue_mutes_issue_id_issues", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_issue_mutes_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "user_id", name="pk_issue_mutes"),
    )
    op.create_index("ix_issue_mutes_user_id", "issue_mutes", ["user_id"], unique=False)

    op.create_table(
        "issue_redirects",
        sa.Column("from_id", KEY, autoincrement=False, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("short_id", sa.String(length=64), nullable=False),
        sa.Column("to_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_issue_redirects_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["issues.id"], name="fk_issue_redirects_to_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("from_id", name="pk_issue_redirects"),
    )
    op.create_index("ix_issue_redirects_project_id", "issue_redirects", ["project_id"], unique=False)
    op.create_index("ix_issue_redirects_short_id", "issue_redirects", ["short_id"], unique=False)
    op.create_index("ix_issue_redirects_to_id", "issue_redirects", ["to_id"], unique=False)

    op.create_table(
        "resolutions",
        sa.Column("issue_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("release_id", KEY, nullable=True),
        sa.Column("commit_id", KEY, nullable=True),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name="fk_resolutions_actor_id_users", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["commits.id"], name="fk_resolutions_commit_id_commits", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_resolutions_issue_id_issues", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_resolutions_release_id_releases", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("issue_id", name="pk_resolutions"),
    )
    op.create_index("ix_resolutions_commit_id", "resolutions", ["commit_id"], unique=False)
    op.create_index("ix_resolutions_release_id", "resolutions", ["release_id"], unique=False)

    op.create_table(
        "inbound_messages",
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("user_id", KEY, nullable=True),
        sa.Column("issue_id", KEY, nullable=True),
        sa.Column("activity_id", KEY, nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activities.id"],
            name="fk_inbound_messages_activity_id_activities",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_inbound_messages_issue_id_issues", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_inbound_messages_user_id_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_messages"),
        sa.UniqueConstraint("message_id", name="uq_inbound_messages_message_id"),
    )
    op.create_index("ix_inbound_messages_received", "inbound_messages", ["received_at"], unique=False)

    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.add_column(sa.Column("digest_id", KEY, nullable=True))
        batch_op.create_unique_constraint("uq_deliveries_digest_id", ["digest_id"])
        batch_op.create_foreign_key(
            "fk_deliveries_digest_id_digests", "digests", ["digest_id"], ["id"], ondelete="CASCADE"
        )

    with op.batch_alter_table("email_addresses") as batch_op:
        batch_op.drop_constraint("uq_email_addresses_address", type_="unique")
        batch_op.create_unique_constraint("uq_email_addresses_address_user_id", ["address", "user_id"])
        batch_op.create_index(
            "uq_email_addresses_held",
            ["address"],
            unique=True,
            sqlite_where=sa.text("is_primary OR verified_at IS NOT NULL"),
            postgresql_where=sa.text("is_primary OR verified_at IS NOT NULL"),
        )

    with op.batch_alter_table("issue_hashes") as batch_op:
        batch_op.add_column(sa.Column("tombstone_id", KEY, nullable=True))
        batch_op.alter_column("issue_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index("ix_issue_hashes_tombstone_id", ["tombstone_id"], unique=False)
        batch_op.create_foreign_key(
            "fk_issue_hashes_tombstone_id_tombstones",
            "tombstones",
            ["tombstone_id"],
            ["id"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("issues") as batch_op:
        batch_op.add_column(sa.Column("escalated_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("reappears", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(
            "ix_issues_leaving",
            ["id"],
            unique=False,
            sqlite_where=sa.text("status IN ('merging', 'deleting')"),
            postgresql_where=sa.text("status IN ('merging', 'deleting')"),
        )

    with op.batch_alter_table("notices") as batch_op:
        batch_op.add_column(sa.Column("batch", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("plan_after", TIME, nullable=True))
        batch_op.create_index(
            "ix_notices_batch",
            ["batch"],
            unique=False,
            sqlite_where=sa.text("planned_at IS NULL"),
            postgresql_where=sa.text("planned_at IS NULL"),
        )

    with op.batch_alter_table("one_time_links") as batch_op:
        batch_op.add_column(sa.Column("address_id", KEY, nullable=True))
        batch_op.create_foreign_key(
            "fk_one_time_links_address_id_email_addresses",
            "email_addresses",
            ["address_id"],
            ["id"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("organizations") as batch_op:
        batch_op.add_column(
            sa.Column("enhanced_privacy", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    with op.batch_alter_table("projects") as batch_op:
        batch_op.add_column(
            sa.Column("subject_template", sa.String(length=200), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("resolve_age_hours", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("last_resort_user_id", KEY, nullable=True))
        batch_op.add_column(sa.Column("last_resort_team_id", KEY, nullable=True))
        batch_op.create_foreign_key(
            "fk_projects_last_resort_user_id_users",
            "users",
            ["last_resort_user_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch_op.create_foreign_key(
            "fk_projects_last_resort_team_id_teams",
            "teams",
            ["last_resort_team_id"],
            ["id"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("unseen_stops", sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table("releases") as batch_op:
        batch_op.add_column(sa.Column("date_released", TIME, nullable=True))

    with op.batch_alter_table("verdicts") as batch_op:
        batch_op.add_column(sa.Column("digest_id", KEY, nullable=True))
        batch_op.create_index("ix_verdicts_digest_id", ["digest_id"], unique=False)
        batch_op.create_foreign_key(
            "fk_verdicts_digest_id_digests", "digests", ["digest_id"], ["id"], ondelete="SET NULL"
        )

    # What stands in the rows there are; what is written from now on says it itself.
    for table, column in (
        ("issues", "reappears"),
        ("organizations", "enhanced_privacy"),
        ("projects", "subject_template"),
        ("projects", "resolve_age_hours"),
        ("users", "unseen_stops"),
    ):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(column, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("verdicts") as batch_op:
        batch_op.drop_constraint("fk_verdicts_digest_id_digests", type_="foreignkey")
        batch_op.drop_index("ix_verdicts_digest_id")
        batch_op.drop_column("digest_id")

    with op.batch_alter_table("releases") as batch_op:
        batch_op.drop_column("date_released")

    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_column("unseen_stops")

    with op.batch_alter_table("projects") as batch_op:
        batch_op.drop_constraint("fk_projects_last_resort_team_id_teams", type_="foreignkey")
        batch_op.drop_constraint("fk_projects_last_resort_user_id_users", type_="foreignkey")
        batch_op.drop_column("last_resort_team_id")
        batch_op.drop_column("last_resort_user_id")
        batch_op.drop_column("resolve_age_hours")
        batch_op.drop_column("subject_template")

    with op.batch_alter_table("organizations") as batch_op:
        batch_op.drop_column("enhanced_privacy")

    with op.batch_alter_table("one_time_links") as batch_op:
        batch_op.drop_constraint("fk_one_time_links_address_id_email_addresses", type_="foreignkey")
        batch_op.drop_column("address_id")

    with op.batch_alter_table("notices") as batch_op:
        batch_op.drop_index(
            "ix_notices_batch",
            sqlite_where=sa.text("planned_at IS NULL"),
            postgresql_where=sa.text("planned_at IS NULL"),
        )
        batch_op.drop_column("plan_after")
        batch_op.drop_column("batch")

    # The version before knows no issue that is on its way out: what is left of these is finished here.
    op.execute(
        "UPDATE events SET issue_id = (SELECT to_id FROM issue_redirects WHERE from_id = events.issue_id)"
        " WHERE issue_id IN (SELECT from_id FROM issue_redirects)"
    )
    op.execute("DELETE FROM issues WHERE status IN ('merging', 'deleting')")
    with op.batch_alter_table("issues") as batch_op:
        batch_op.drop_index(
            "ix_issues_leaving",
            sqlite_where=sa.text("status IN ('merging', 'deleting')"),
            postgresql_where=sa.text("status IN ('merging', 'deleting')"),
        )
        batch_op.drop_column("reappears")
        batch_op.drop_column("escalated_at")

    op.execute("DELETE FROM issue_hashes WHERE issue_id IS NULL")
    with op.batch_alter_table("issue_hashes") as batch_op:
        batch_op.drop_constraint("fk_issue_hashes_tombstone_id_tombstones", type_="foreignkey")
        batch_op.drop_index("ix_issue_hashes_tombstone_id")
        batch_op.alter_column("issue_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("tombstone_id")

    op.execute("DELETE FROM email_addresses WHERE NOT is_primary AND verified_at IS NULL")
    with op.batch_alter_table("email_addresses") as batch_op:
        batch_op.drop_index(
            "uq_email_addresses_held",
            sqlite_where=sa.text("is_primary OR verified_at IS NOT NULL"),
            postgresql_where=sa.text("is_primary OR verified_at IS NOT NULL"),
        )
        batch_op.drop_constraint("uq_email_addresses_address_user_id", type_="unique")
        batch_op.create_unique_constraint("uq_email_addresses_address", ["address"])

    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_constraint("fk_deliveries_digest_id_digests", type_="foreignkey")
        batch_op.drop_constraint("uq_deliveries_digest_id", type_="unique")
        batch_op.drop_column("digest_id")

    op.drop_table("inbound_messages")
    op.drop_table("resolutions")
    op.drop_table("issue_redirects")
    op.drop_table("issue_mutes")
    op.drop_table("issue_commits")
    op.drop_table("ignore_conditions")
    op.drop_table("bookmarks")
    op.drop_table("tombstones")
    op.drop_table("release_commits")
    op.drop_table("email_routes")
    op.drop_table("commits")
    op.drop_table("repositories")
    op.drop_table("quiet_hours")
    op.drop_table("on_call")
    op.drop_table("notification_defaults")
    op.drop_table("digests")
