"""What a batch of events names: its releases and environments exist from then on.

Also the one door through which a release gets a project, for whoever gives it one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import Session

from app.models import Environment, Release, ReleaseEnvironment, ReleaseProject
from app.services.events.digest_issues import Seen
from app.services.issues import taking_effect
from app.services.releases import release_order
from app.services.upserting import insert_missing, insert_missing_returning

Place = tuple[int, str]  # a project and an environment of it
Key = tuple[int, str, int]  # an organization, a version and a project


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
    times: dict[Key, list[datetime]] = defaultdict(list)
    for each in seen:
        if each.event.release:
            key = (each.project.organization_id, each.event.release)
            first.setdefault(key, each.event.timestamp)
            places[key].add((each.project.id, each.event.environment))
            times[*key, each.project.id].append(each.event.timestamp)
    if not first:
        return
    rows = [{"organization_id": key[0], "version": key[1], "date_added": at} for key, at in first.items()]
    insert_missing(session, Release, rows, "organization_id", "version")
    _link(session, places, times)


def _link(
    session: Session, places: Mapping[tuple[int, str], Set[Place]], times: Mapping[Key, Sequence[datetime]]
) -> None:
    versions = {version for _, version in places}
    query = select(Release.id, Release.organization_id, Release.version).where(Release.version.in_(versions))
    links: dict[tuple[int, int], dict[str, Any]] = {}
    met: dict[tuple[int, int], Sequence[datetime]] = {}
    rows: list[dict[str, Any]] = []
    for release_id, organization_id, version in session.execute(query):
        for project_id, environment in places.get((organization_id, version), ()):
            link = {"release_id": release_id, "project_id": project_id}
            links[release_id, project_id] = link
            met[release_id, project_id] = times[organization_id, version, project_id]
            rows += [{**link, "environment": environment}] if environment else []
    add_to_projects(session, list(links.values()), are_guests=True)
    insert_missing(session, ReleaseEnvironment, rows, "release_id", "project_id", "environment")
    _note_times(session, met)


def _note_times(session: Session, met: Mapping[tuple[int, int], Sequence[datetime]]) -> None:
    """Of the first and the last event of each release in each project: events may come late."""
    table: Any = ReleaseProject.__table__
    first, last = table.c.first_event_at, table.c.last_event_at
    earliest, latest = bindparam("earliest", type_=first.type), bindparam("latest", type_=last.type)
    statement = (
        update(table)
        .where(table.c.release_id == bindparam("the_release"), table.c.project_id == bindparam("the_project"))
        .values(
            first_event_at=case((first < earliest, first), else_=earliest),
            last_event_at=case((last > latest, last), else_=latest),
            ordered_at=release_order.of_link(),
        )
    )
    rows = [
        {"the_release": key[0], "the_project": key[1], "earliest": min(times), "latest": max(times)}
        for key, times in sorted(met.items())
    ]
    if rows:
        session.connection().execute(statement, rows)


def add_to_projects(
    session: Session, links: Sequence[Mapping[str, Any]], *, are_guests: bool = False
) -> None:
    """Links of a `release_id` and a `project_id`; what waits for a project's next release takes effect.

    Events make guests: anybody can send one that names a release.
    """
    rows = [{**link, "is_guest": are_guests} for link in links]
    made = insert_missing_returning(session, ReleaseProject, rows, "release_id", "project_id")
    release_order.keep(session, {row["release_id"] for row in made})
    taking_effect.take_effect(session, [(row["release_id"], row["project_id"]) for row in made])
