"""Pages of a project's issue owners: the editor, its history, an imported file, what they would assign."""

from app.web.issue_owners import assignments, editor, files
from app.web.issue_owners.blueprint import bp

__all__ = ["assignments", "bp", "editor", "files"]
