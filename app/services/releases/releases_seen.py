"""What a batch of events names: its releases and environments exist from then on.

Also the one door through which a release gets a project, for whoever gives it one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from app.models import Environment, Release, ReleaseEnvironment, ReleaseProject
from app.services.events.digest_issues import Seen
from app.services.issues import taking_effect
from app.services.upserting import insert_missing, insert_missing_returning

Place = tuple[int, str]  # a project and an environment of it


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
    places: dict[tuple[int, str], set[Place]] = defaultdict(set)
    for each in seen:
        if each.event.release:
            key = (each.project.organization_id, each.event.release)
            first.setdefault(key, each.event.timestamp)
            places[key].add((each.project.id, each.event.environment))
    if not first:
        return
    rows = [{"organization_id": key[0], "version": key[1], "date_added": at} for key, at in first.items()]
    insert_missing(session, Release, rows, "organization_id", "version")
    _link(session, places)


def _link(session: Session, places: Mapping[tuple[int, str], Set[Place]]) -> None:
    versions = {version for _, version in places}
    query = select(Release.id, Release.organization_id, Release.version).where(Release.version.in_(versions))
    links: dict[tuple[int, int], dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for release_id, organization_id, version in session.execute(query):
        for project_id, environment in places.get((organization_id, version), ()):
            link = {"release_id": release_id, "project_id": project_id}
            links[release_id, project_id] = link
            rows += [{**link, "environment": environment}] if environment else []
    _give_to_first(session, add_to_projects(session, list(links.values()), are_guests=True))
    insert_missing(session, ReleaseEnvironment, rows, "release_id", "project_id", "environment")


def add_to_projects(
    session: Session, links: Sequence[Mapping[str, Any]], *, are_guests: bool = False
) -> set[int]:
    """Links of a `release_id` and a `project_id`; what waits for a project's next release takes effect.

    The releases that have a project more.
    """
    rows = [{**link, "is_guest": are_guests} for link in links]
    made = insert_missing_returning(session, ReleaseProject, rows, "release_id", "project_id")
    taking_effect.take_effect(session, [(row["release_id"], row["project_id"]) for row in made])
    return {row["release_id"] for row in made}


def _give_to_first(session: Session, release_ids: Set[int]) -> None:
    """Whoever names a release first owns it; those who name it later are guests."""
    if not release_ids:
        return
    link = aliased(ReleaseProject)
    is_owned = exists().where(link.release_id == ReleaseProject.release_id, link.is_guest.is_(False))
    session.execute(
        update(ReleaseProject)
        .where(ReleaseProject.release_id.in_(release_ids), ~is_owned)
        .values(is_guest=False)
        .execution_options(synchronize_session=False)
    )
