"""The blueprint of the pages of monitors, and how a job of the project reports to them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, current_app, url_for

from app.db import db
from app.domain.schedules import CRONTAB, INTERVAL
from app.models import Monitor, Project
from app.services.people import workspaces

bp = Blueprint("monitors", __name__, url_prefix="/<org>/<slug>/monitors")
CRONTAB_OF_EXAMPLE = "0 3 * * *"
EXAMPLE: Mapping[str, Any] = {
    "schedule": {"type": CRONTAB, "value": CRONTAB_OF_EXAMPLE},
    "timezone": "UTC",
}
_SET_UP = f'--schedule "{CRONTAB_OF_EXAMPLE}" --timezone UTC '
_PYTHON = """import sentry_sdk
from sentry_sdk.crons import monitor

sentry_sdk.init(dsn="{dsn}")


@monitor({arguments})
def job():
    ..."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """`id` keeps several on one page apart."""

    id: str
    heading: str
    text: str


def address(monitor: Monitor, endpoint: str = "monitors.show") -> str:
    project = monitor.project
    return url_for(endpoint, org=project.organization.slug, slug=project.slug, monitor=monitor.slug)


def snippets(project: Project, slug: str, monitor: Monitor | None = None) -> list[Snippet]:
    """Ways to check in, with the project's own key filled in; none while every key is switched off.

    Where nobody has said when the job runs, they say it: else nothing would be expected of it.
    """
    key = workspaces.default_key(db.session, project)
    if key is None:
        return []
    dsn = workspaces.dsn(current_app.config["SETTINGS"].tocsin_url, key, project)
    config = None if monitor and monitor.schedule_kind else EXAMPLE
    return [
        _with_curl(_address_for(slug, dsn), monitor, config),
        Snippet(
            "with-cli",
            "With sentry-cli, which also sends the beginning, the length and the exit status",
            f"export SENTRY_DSN={dsn}\nsentry-cli monitors run {_SET_UP if config else ''}{slug} -- ./job.sh",
        ),
        Snippet("with-python", "In Python", _PYTHON.format(dsn=dsn, arguments=_arguments(slug, config))),
    ]


def _address_for(slug: str, dsn: str) -> str:
    parts = urlsplit(dsn)
    prefix, _, number = parts.path.rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{prefix}/api/{number}/cron/{quote(slug)}/{parts.username}/"


def _with_curl(url: str, monitor: Monitor | None, config: Mapping[str, Any] | None) -> Snippet:
    """Behind its crontab, if that is how it runs."""
    body = f" -d '{json.dumps({'monitor_config': config}, separators=(',', ':'))}'" if config else ""
    line = f'./job.sh; curl -fsS{body} "{url}?status=$([ $? -eq 0 ] && echo ok || echo error)"'
    if monitor and monitor.schedule_kind == INTERVAL:
        return Snippet("with-curl", "With curl, after each run", line)
    crontab = CRONTAB_OF_EXAMPLE if config or not monitor else monitor.schedule_text
    return Snippet("with-curl", "In a crontab, with curl", f"{crontab} {line}")


def _arguments(slug: str, config: Mapping[str, Any] | None) -> str:
    if config is None:
        return f'monitor_slug="{slug}"'
    return f'\n    monitor_slug="{slug}",\n    monitor_config={json.dumps(config)},\n'
