"""What all pages about a project's settings load, and what the layout of each of them needs."""

from typing import Any

from app.db import db
from app.domain.errors import NotFound
from app.models import Project
from app.services import access
from app.web.identity import me

EDIT = "edit_project"


def visible(org: str, slug: str) -> Project:
    """Members read: whoever is told may know why."""
    return access.visible_project(db.session, me(), org, slug)


def may_edit(project: Project) -> bool:
    return access.can(db.session, me(), project, EDIT)


def to_edit(org: str, slug: str, permission: str = EDIT) -> Project:
    """The project, for those who may change this of it; for all others it has no such page."""
    project = visible(org, slug)
    if not access.can(db.session, me(), project, permission):
        raise NotFound
    return project


def frame(project: Project, *, tab: str = "settings") -> dict[str, Any]:
    """What the layout needs."""
    return {
        "project": project,
        "org": project.organization,
        "active_tab": tab,
        "may_edit": may_edit(project),
    }
