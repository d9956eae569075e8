"""All calls of the JSON API, imported so that they are registered."""

from app.api import (
    comments,
    events,
    integrations,
    issue_changes,
    issue_removal,
    issues,
    keys,
    notices,
    organizations,
    ownership,
    preferences,
    projects,
    rules,
)
from app.api.blueprint import bp

__all__ = [
    "bp",
    "comments",
    "events",
    "integrations",
    "issue_changes",
    "issue_removal",
    "issues",
    "keys",
    "notices",
    "organizations",
    "ownership",
    "preferences",
    "projects",
    "rules",
]
