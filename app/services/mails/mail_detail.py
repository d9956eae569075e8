"""How much messages about a project may say."""

from app.models import Project

FULL, COUNTS, LINK = "full", "counts", "link"


def detail_of(project: Project | None) -> str:
    """Full, counts or link: an organization that guards its data overrules its projects."""
    if project is None:
        return FULL
    return LINK if project.organization.enhanced_privacy else project.mail_detail
