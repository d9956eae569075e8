"""Who watches a release, and which projects a repository is for."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1760"
down_revision = "20261123_1750"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
REGRESSED = sa.text("type = 'set_regression'")
HOOKS_PROJECT = "fk_push_hooks_project_id_projects"


def upgrade() -> None:
    op.create_table(
        "release_watches",
        sa.Column("release_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("until", TIME, nullable=False),
        _foreign("release_watches", "release_id", "releases"),
        _foreign("release_watches", "user_id", "users"),
        sa.PrimaryKeyConstraint("release_id", "user_id", name="pk_release_watches"),
    )
    op.create_index("ix_release_watches_user_id", "release_watches", ["user_id"], unique=False)
    op.create_index("ix_release_watches_until", "release_watches", ["until"], unique=False)
    op.create_index(
        "ix_activities_regressions",
        "activities",
        ["project_id"],
        unique=False,
        sqlite_where=REGRESSED,
        postgresql_where=REGRESSED,
    )
    _give_repositories_to_projects()
    with op.batch_alter_table("push_hooks") as batch_op:
        batch_op.add_column(sa.Column("project_id", KEY, nullable=True))
        batch_op.create_foreign_key(HOOKS_PROJECT, "projects", ["project_id"], ["id"], ondelete="CASCADE")


def _give_repositories_to_projects() -> None:
    """To those that own a release with commits of it; what pushes told of stays everybody's."""
    op.create_table(
        "repository_projects",
        sa.Column("repository_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        _foreign("repository_projects", "repository_id", "repositories"),
        _foreign("repository_projects", "project_id", "projects"),
        sa.PrimaryKeyConstraint("repository_id", "project_id", name="pk_repository_projects"),
    )
    op.create_index("ix_repository_projects_project_id", "repository_projects", ["project_id"], unique=False)
    with op.batch_alter_table("repositories") as batch_op:
        batch_op.add_column(sa.Column("is_shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("repositories") as batch_op:
        batch_op.alter_column(
            "is_shared", existing_type=sa.Boolean(), existing_nullable=False, server_default=None
        )
    op.execute("UPDATE repositories SET is_shared = (provider <> '')")
    op.execute(
        "INSERT INTO repository_projects (repository_id, project_id) "
        "SELECT commits.repository_id, release_projects.project_id FROM release_commits "
        "JOIN commits ON commits.id = release_commits.commit_id "
        "JOIN release_projects ON release_projects.release_id = release_commits.release_id "
        "WHERE NOT release_projects.is_guest "
        "UNION SELECT release_heads.repository_id, release_projects.project_id FROM release_heads "
        "JOIN release_projects ON release_projects.release_id = release_heads.release_id "
        "WHERE NOT release_projects.is_guest"
    )


def _foreign(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.execute("DELETE FROM push_hooks WHERE project_id IS NOT NULL")
    with op.batch_alter_table("push_hooks") as batch_op:
        batch_op.drop_constraint(HOOKS_PROJECT, type_="foreignkey")
        batch_op.drop_column("project_id")
    with op.batch_alter_table("repositories") as batch_op:
        batch_op.drop_column("is_shared")
    op.drop_table("repository_projects")
    op.drop_index("ix_activities_regressions", table_name="activities")
    op.drop_table("release_watches")
