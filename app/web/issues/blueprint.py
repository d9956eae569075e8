"""The blueprint on which the modules beside it hang their routes, and the addresses they all need."""

from typing import Any

from flask import Blueprint, request, url_for

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


def way_back(*, otherwise: str) -> str:
    """The list or page of ours that the form came from, if it says so."""
    wanted = request.form.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else otherwise
