"""The subject under which all mail about an issue goes out, from its project's template."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import subjects
from app.models import Event, Issue
from app.services.events import event_body
from app.services.mails.mail_detail import LINK, detail_of


def of_thread(session: Session, issue: Issue, event_id: str | None) -> str:
    """The subject to freeze. `event_id` names the event that the first mail is about, if one is."""
    project = issue.project
    if detail_of(project) == LINK:
        return without_title(issue)
    named = subjects.Named(
        short_id=issue.short_id,
        title=issue.title,
        project=project.name,
        project_slug=project.slug,
        organization_slug=project.organization.slug,
        tags=_tags(session, issue, event_id) if subjects.tags_in(project.subject_template) else {},
    )
    return subjects.of_thread(project.subject_template, named, prefix=project.subject_prefix)


def without_title(issue: Issue) -> str:
    """What is left where mails may not say what went wrong."""
    return subjects.without_title(issue.short_id, prefix=issue.project.subject_prefix)


def _tags(session: Session, issue: Issue, event_id: str | None) -> dict[str, str]:
    """Of that event; else of the newest one."""
    of_issue = select(Event).where(Event.issue_id == issue.id).limit(1)
    event = session.scalar(of_issue.where(Event.event_id == event_id)) if event_id else None
    event = event or session.scalar(of_issue.order_by(Event.timestamp.desc(), Event.id.desc()))
    if event is None:
        return {}
    known = {"environment": event.environment, "release": event.release, "level": event.level}
    tags = dict(event_body.unpack(event.body).get("tags") or ())
    return {name: str(value) for name, value in {**known, **tags}.items() if value}
