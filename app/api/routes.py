"""All calls of the JSON API, imported so that they are registered."""

from app.api import (
    events,
    issue_changes,
    issue_removal,
    issues,
    keys,
    notices,
    organizations,
    preferences,
    projects,
)
from app.api.blueprint import bp

__all__ = [
    "bp",
    "events",
    "issue_changes",
    "issue_removal",
    "issues",
    "keys",
    "notices",
    "organizations",
    "preferences",
    "projects",
]
