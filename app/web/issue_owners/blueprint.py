"""The blueprint of issue owners, and who may do what there."""

from flask import Blueprint, url_for

from app.models import Project

bp = Blueprint("issue_owners", __name__, url_prefix="/<org>/<slug>/settings/issue-owners")


def address(project: Project) -> str:
    return url_for("issue_owners.show", org=project.organization.slug, slug=project.slug)
