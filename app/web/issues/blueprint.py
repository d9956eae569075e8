"""The blueprint on which the modules beside it hang their routes, and the address of an issue."""

from typing import Any

from flask import Blueprint, url_for

from app.models import Issue

# What stands in a project's place in an address for all projects of an organization.
EVERYWHERE = "issues"

bp = Blueprint("issues", __name__)


@bp.app_template_global()
def issue_url(issue: Issue, **arguments: Any) -> str:
    """The issue's page; `event="latest"` and the like choose what it shows."""
    project = issue.project
    place: dict[str, Any] = {"org": project.organization.slug, "slug": project.slug, "issue_id": issue.id}
    return url_for("issues.show", **place, **arguments)
