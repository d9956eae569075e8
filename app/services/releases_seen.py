"""Releases and environments exist as soon as an event names them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Environment, Release, ReleaseProject
from app.services import taking_effect
from app.services.digest_issues import Seen
from app.services.upserting import insert_missing, insert_missing_returning


def remember(session: Session, seen: Sequence[Seen]) -> None:
    _remember_environments(session, seen)
    _remember_releases(session, seen)


def _remember_environments(session: Session, seen: Sequence[Seen]) -> None:
    first: dict[tuple[int, str], datetime] = {}
    for each in seen:
        if each.event.environment:
            first.setdefault((each.project.id, each.event.environment), each.event.timestamp)
    rows = [{"project_id": key[0], "name": key[1], "first_seen": at} for key, at in first.items()]
    insert_missing(session, Environment, rows, "project_id", "name")


def _remember_releases(session: Session, seen: Sequence[Seen]) -> None:
    first: dict[tuple[int, str], datetime] = {}
    projects: dict[tuple[int, str], set[int]] = {}
    for each in seen:
        if each.event.release:
            key = (each.project.organization_id, each.event.release)
            first.setdefault(key, each.event.timestamp)
            projects.setdefault(key, set()).add(each.project.id)
    if not first:
        return
    rows = [{"organization_id": key[0], "version": key[1], "date_added": at} for key, at in first.items()]
    insert_missing(session, Release, rows, "organization_id", "version")
    _link(session, projects)


def _link(session: Session, projects: dict[tuple[int, str], set[int]]) -> None:
    versions = {version for _, version in projects}
    query = select(Release.id, Release.organization_id, Release.version).where(Release.version.in_(versions))
    links: list[dict[str, Any]] = [
        {"release_id": row.id, "project_id": project_id}
        for row in session.execute(query)
        for project_id in projects.get((row.organization_id, row.version), ())
    ]
    add_to_projects(session, links)


def add_to_projects(session: Session, links: Sequence[Mapping[str, Any]]) -> None:
    """Links of a `release_id` and a `project_id`; what waits for a project's next release takes effect."""
    made = insert_missing_returning(session, ReleaseProject, links, "release_id", "project_id")
    taking_effect.take_effect(session, [(row["release_id"], row["project_id"]) for row in made])
