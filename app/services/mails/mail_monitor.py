"""Mails about the failure of a monitor lead to the monitor as well as to the issue."""

from app.domain.lifecycle import MOVES
from app.domain.links import Links
from app.services.events import event_body
from app.services.mails.mail_detail import FULL
from app.services.mails.mail_news import Scene
from app.services.monitors.monitor_failures import LOGGER, TAG


def link(scene: Scene, links: Links) -> tuple[str, str] | None:
    """Its name and address, where mails may say so."""
    slug = _slug(scene) if scene.detail == FULL else ""
    project = scene.project
    return (
        ("Open the monitor", links.monitor(project.organization.slug, project.slug, slug)) if slug else None
    )


def _slug(scene: Scene) -> str:
    """Of the monitor that recovered, or whose failure the event is."""
    activity = scene.notice.activity
    if activity and activity.type == MOVES["recover"].activity:
        return str(activity.data.get("slug") or "")
    if scene.event is None or scene.issue.logger != LOGGER:
        return ""
    tags = dict(event_body.unpack(scene.event.body).get("tags") or ())
    return str(tags.get(TAG) or "")
