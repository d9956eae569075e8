"""The issue list, an issue's page, and a route for each thing that a person can change about an issue."""

from importlib import import_module

from app.web.issues.blueprint import bp

__all__ = ["bp"]

for _name in (
    "listing",
    "widening",
    "showing",
    "events",
    "users",
    "neighbours",
    "notices",
    "news",
    "status",
    "ignore",
    "mute",
    "assignee",
    "priority",
    "subscription",
    "bookmark",
    "comments",
    "foretold",
    "suspects",
    "gone",
    "bulk",
    "oneself",
    "searches",
    "undo",
):
    import_module(f"app.web.issues.{_name}")  # each hangs its routes on `bp`
