"""The issue list, an issue's page, and a route for each thing that a person can change about an issue."""

from app.web.issues import (
    assignee,
    bulk,
    comments,
    listing,
    news,
    showing,
    status,
    subscription,
)
from app.web.issues.blueprint import bp

__all__ = ["assignee", "bp", "bulk", "comments", "listing", "news", "showing", "status", "subscription"]
