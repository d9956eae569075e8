"""Monitors of a project: the list, a page for each, the form that sets one up."""

from app.web.monitors import editing, showing
from app.web.monitors.blueprint import bp

__all__ = ["bp", "editing", "showing"]
