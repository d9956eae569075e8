"""How often a project sends alerts: read, changed, and what is held already with it."""

from sqlalchemy.orm import Session

from app.domain.pacing import Pace
from app.models import Project
from app.services.calm import pacing


def choose(session: Session, project: Project, pace: Pace) -> None:
    """From now on; windows that are open end no later than they would with these numbers."""
    project.digest_minimum, project.digest_maximum = pace.minimum, pace.maximum
    session.flush()
    pacing.shorten_of_project(session, project)
    session.flush()
