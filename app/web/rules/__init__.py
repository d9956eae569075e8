"""Pages of alert rules: a project's list, the editor, one rule's page; what new projects start with."""

from app.web.rules import copying, editing, listing, muting, replaying, showing, starting  # noqa: F401 - they register
from app.web.rules.blueprint import bp

__all__ = ["bp"]
