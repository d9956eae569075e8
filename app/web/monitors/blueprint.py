"""The blueprint of the pages of monitors, and how a job of the project reports to them."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from flask import Blueprint, current_app, url_for

from app.db import db
from app.models import Monitor, Project
from app.services.people import workspaces

bp = Blueprint("monitors", __name__, url_prefix="/<org>/<slug>/monitors")


@dataclass(frozen=True, slots=True)
class Snippet:
    """`id` keeps several on one page apart."""

    id: str
    heading: str
    text: str


def address(monitor: Monitor, endpoint: str = "monitors.show") -> str:
    project = monitor.project
    return url_for(endpoint, org=project.organization.slug, slug=project.slug, monitor=monitor.slug)


def snippets(project: Project, slug: str, crontab: str = "0 3 * * *") -> list[Snippet]:
    """Ways to check in, with the project's own key filled in; none while every key is switched off."""
    key = workspaces.default_key(db.session, project)
    if key is None:
        return []
    dsn = workspaces.dsn(current_app.config["SETTINGS"].tocsin_url, key, project)
    parts = urlsplit(dsn)
    prefix, _, number = parts.path.rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{host}{prefix}/api/{number}/cron/{quote(slug)}/{key.public}/"
    return [
        Snippet(
            "with-curl",
            "In a crontab, with curl",
            f'{crontab} ./job.sh; curl -fsS "{url}?status=$([ $? -eq 0 ] && echo ok || echo error)"',
        ),
        Snippet(
            "with-cli",
            "With sentry-cli, which also sends the beginning, the length and the exit status",
            f"export SENTRY_DSN={dsn}\nsentry-cli monitors run {slug} -- ./job.sh",
        ),
        Snippet(
            "with-python",
            "In Python",
            "import sentry_sdk\nfrom sentry_sdk.crons import monitor\n\n"
            f'sentry_sdk.init(dsn="{dsn}")\n\n\n'
            f'@monitor(monitor_slug="{slug}")\ndef job():\n    ...',
        ),
    ]
