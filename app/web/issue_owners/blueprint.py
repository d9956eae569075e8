"""The blueprint of issue owners, and who may do what there."""

from typing import Any

from flask import Blueprint, current_app, url_for

from app.db import db
from app.domain.errors import NotFound
from app.models import Project
from app.services import access, preferring
from app.services.preferring import Defaults
from app.web.identity import me

bp = Blueprint("issue_owners", __name__, url_prefix="/<org>/<slug>/settings/issue-owners")


def visible(org: str, slug: str) -> Project:
    """Members read: whoever is told may know why."""
    return access.visible_project(db.session, me(), org, slug)


def may_edit(project: Project) -> bool:
    return access.can(db.session, me(), project, "edit_project")


def mine_to_edit(org: str, slug: str) -> Project:
    project = visible(org, slug)
    if not may_edit(project):
        raise NotFound
    return project


def frame(project: Project) -> dict[str, Any]:
    return {
        "project": project,
        "org": project.organization,
        "active_tab": "settings",
        "may_edit": may_edit(project),
    }


def address(project: Project) -> str:
    return url_for("issue_owners.show", org=project.organization.slug, slug=project.slug)


def instance() -> Defaults:
    settings = current_app.config["SETTINGS"]
    return preferring.defaults(db.session, workflow=settings.default_workflow_notifications)
