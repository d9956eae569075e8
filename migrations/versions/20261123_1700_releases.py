"""What releases are made of: heads, changed files, deploys, and the pushes of providers of repositories."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_1700"
down_revision = "20261123_1600"
branch_labels = None
depends_on = None

# SQLite only autoincrements INTEGER keys.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
NEW_COLUMNS = (("url", sa.String(length=500), ""), ("ref", sa.String(length=200), ""))
STATUS = sa.String(length=8)


def upgrade() -> None:
    with op.batch_alter_table("releases") as batch_op:
        for name, type_, default in NEW_COLUMNS:
            batch_op.add_column(sa.Column(name, type_, nullable=False, server_default=default))
        batch_op.add_column(sa.Column("status", STATUS, nullable=False, server_default="open"))
    with op.batch_alter_table("releases") as batch_op:
        for name, type_, _ in NEW_COLUMNS:
            batch_op.alter_column(name, existing_type=type_, existing_nullable=False, server_default=None)
        batch_op.alter_column("status", existing_type=STATUS, existing_nullable=False, server_default=None)
    with op.batch_alter_table("release_projects") as batch_op:
        batch_op.add_column(sa.Column("is_guest", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("release_projects") as batch_op:
        batch_op.alter_column(
            "is_guest", existing_type=sa.Boolean(), existing_nullable=False, server_default=None
        )
    with op.batch_alter_table("repositories") as batch_op:
        batch_op.add_column(sa.Column("created_at", TIME, nullable=True))
    op.create_index("ix_issues_first_release", "issues", ["project_id", "first_release"], unique=False)
    _make_parts_of_releases()
    _make_deploys()
    _make_pushes()


def _make_parts_of_releases() -> None:
    op.create_table(
        "commit_files",
        sa.Column("commit_id", KEY, nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("change", sa.String(length=1), nullable=False),
        _foreign("commit_files", "commit_id", "commits"),
        sa.PrimaryKeyConstraint("commit_id", "path", name="pk_commit_files"),
    )
    op.create_table(
        "release_heads",
        sa.Column("release_id", KEY, nullable=False),
        sa.Column("repository_id", KEY, nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("commit_id", KEY, nullable=True),
        _foreign("release_heads", "release_id", "releases"),
        _foreign("release_heads", "repository_id", "repositories"),
        _foreign("release_heads", "commit_id", "commits", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("release_id", "repository_id", name="pk_release_heads"),
    )
    op.create_index("ix_release_heads_sha", "release_heads", ["sha"], unique=False)
    op.create_index("ix_release_heads_commit_id", "release_heads", ["commit_id"], unique=False)


def _make_deploys() -> None:
    op.create_table(
        "deploys",
        sa.Column("release_id", KEY, nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("date_started", TIME, nullable=True),
        sa.Column("date_finished", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("id", KEY, nullable=False),
        _foreign("deploys", "release_id", "releases"),
        _foreign("deploys", "actor_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deploys"),
    )
    op.create_index("ix_deploys_release", "deploys", ["release_id", "id"], unique=False)
    op.create_table(
        "deploy_projects",
        sa.Column("deploy_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        _foreign("deploy_projects", "deploy_id", "deploys"),
        _foreign("deploy_projects", "project_id", "projects"),
        sa.PrimaryKeyConstraint("deploy_id", "project_id", name="pk_deploy_projects"),
    )
    op.create_index("ix_deploy_projects_project_id", "deploy_projects", ["project_id"], unique=False)


def _make_pushes() -> None:
    op.create_table(
        "push_hooks",
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by_id", KEY, nullable=True),
        sa.Column("called_at", TIME, nullable=True),
        sa.Column("trouble", sa.String(length=255), nullable=False),
        sa.Column("id", KEY, nullable=False),
        _foreign("push_hooks", "organization_id", "organizations"),
        _foreign("push_hooks", "created_by_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_push_hooks"),
        sa.UniqueConstraint("key", name="uq_push_hooks_key"),
    )
    op.create_index("ix_push_hooks_organization_id", "push_hooks", ["organization_id"], unique=False)
    op.create_table(
        "pushes",
        sa.Column("hook_id", KEY, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("id", KEY, nullable=False),
        _foreign("pushes", "hook_id", "push_hooks"),
        sa.PrimaryKeyConstraint("id", name="pk_pushes"),
        sa.UniqueConstraint("hook_id", "key", name="uq_pushes_hook_id_key"),
    )
    op.create_index("ix_pushes_received", "pushes", ["received_at"], unique=False)
    op.create_index(
        "ix_pushes_waiting",
        "pushes",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )


def _foreign(table: str, column: str, to: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete=ondelete)


def downgrade() -> None:
    for table in ("pushes", "push_hooks", "deploy_projects", "deploys", "release_heads", "commit_files"):
        op.drop_table(table)
    op.drop_index("ix_issues_first_release", table_name="issues")
    with op.batch_alter_table("repositories") as batch_op:
        batch_op.drop_column("created_at")
    with op.batch_alter_table("releases") as batch_op:
        for name in ("status", "ref", "url"):
            batch_op.drop_column(name)
