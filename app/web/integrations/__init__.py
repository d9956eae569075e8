"""Pages of a project's integrations: the list, one's form, and what was sent to it."""

from app.web.integrations import confirming, editing, showing, slack
from app.web.integrations.blueprint import bp

__all__ = ["bp", "confirming", "editing", "showing", "slack"]
