"""The blueprint of the pages of monitors, and where each has its own."""

from flask import Blueprint, url_for

from app.models import Monitor

bp = Blueprint("monitors", __name__, url_prefix="/<org>/<slug>/monitors")


def address(monitor: Monitor, endpoint: str = "monitors.show") -> str:
    project = monitor.project
    return url_for(endpoint, org=project.organization.slug, slug=project.slug, monitor=monitor.slug)
