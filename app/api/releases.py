"""Releases as sentry-cli and build servers make and read them (`web-api.md` 3 and 4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from flask import current_app, jsonify, request
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.api import release_shapes
from app.api.blueprint import Answer, Denied, Invalid, bp
from app.api.credentials import actor, needs, viewer
from app.api.describing import Page, Query, describes, one_of
from app.api.paging import page_of
from app.api.places import shelf, visible_organization, visible_project, visible_projects
from app.api.reading import Json, body, text
from app.api.types.issues import NothingJson
from app.api.types.releases import (
    CommitJson,
    NewReleaseJson,
    ReleaseChangeJson,
    ReleaseJson,
    RepositoryJson,
)
from app.clock import now
from app.db import db
from app.domain import commit_lists, timestamps
from app.domain.errors import NotFound
from app.models import Organization, Project, Release, Repository
from app.services.releases import committing, release_owners, releasing, repository_owners
from app.services.releases.release_owners import NotYours
from app.services.releases.releasing import Wishes

RELEASES = "project:releases"
BUSY = "Another list of commits is being taken for this release. Try again."
# What PostgreSQL says where a row is held and one does not want to wait.
_HELD = "55P03"
BEGINNING = Query("query", "Those whose version, whole or after its @, begins so.", example="shop@1.")
PROJECT = Query("project", "Of this project, by id or slug; several: of any of them.", list[str], ["shop"])
STATUS = Query(
    "status", "Those with this status; empty: all.", Annotated[str, one_of(("", *releasing.STATUSES))]
)


@bp.get("/organizations/<org>/repos/")
@needs("org:read", RELEASES)
@describes({200: Page[RepositoryJson]})
def repositories(org: str) -> Answer:
    """The repositories that commits were seen of.

    sentry-cli knows no provider by the name they have, and so sends commits.
    """
    organization = visible_organization(org)
    here = (Repository.organization_id == organization.id) & repository_owners.usable_by(viewer())
    found = select(Repository).where(here).order_by(Repository.name, Repository.id)

    since = organization.created_at
    return page_of(found, lambda rows: [release_shapes.repository(row, since=since) for row in rows])


@bp.get("/organizations/<org>/releases/")
@needs("project:read", RELEASES)
@describes({200: Page[ReleaseJson]}, query=[BEGINNING, STATUS, PROJECT])
def releases_of_organization(org: str) -> Answer:
    """The releases of an organization, newest first."""
    named = request.args.getlist("project")
    organization = visible_organization(org)
    ids = [row.id for row in visible_projects(named, org)] if named else None
    return _list(organization, ids)


@bp.get("/projects/<org>/<proj>/releases/")
@needs("project:read", RELEASES)
@describes({200: Page[ReleaseJson]}, query=[BEGINNING, STATUS])
def releases_of_project(org: str, proj: str) -> Answer:
    """The releases of a project, newest first."""
    project = visible_project(org, proj)
    return _list(project.organization, [project.id])


def _list(organization: Organization, project_ids: Sequence[int] | None) -> Answer:
    status = request.args.get("status") or ""
    if status not in ("", *releasing.STATUSES):
        raise Invalid(f"status is one of: {', '.join(releasing.STATUSES)}.")
    beginning = request.args.get("query") or ""
    found = releasing.listed(
        organization, viewer(), project_ids=project_ids, beginning=beginning, status=status
    )

    return page_of(found, _shown)


def _shown(rows: Sequence[Release]) -> list[ReleaseJson]:
    facts = releasing.facts(db.session, rows, viewer())
    return [release_shapes.release(row, facts[row.id]) for row in rows]


@bp.post("/organizations/<org>/releases/")
@needs(RELEASES)
@describes({201: ReleaseJson, 208: ReleaseJson}, body=NewReleaseJson)
def create_release(org: str) -> Answer:
    """Make a release.

    One that is there already gets what it lacks and keeps the rest. Messages of commits resolve issues:
    `Fixes SHOP-1`.
    """
    organization, given = visible_organization(org), body()
    return _create(organization, projects_named(given, organization), given)


@bp.post("/projects/<org>/<proj>/releases/")
@needs(RELEASES)
@describes({201: ReleaseJson, 208: ReleaseJson}, body=NewReleaseJson)
def create_release_of_project(org: str, proj: str) -> Answer:
    """Make a release of a project.

    One that is there already gets what it lacks and keeps the rest.
    """
    project, given = visible_project(org, proj), body()
    return _create(project.organization, [project, *projects_named(given, project.organization)], given)


def _create(organization: Organization, projects: Sequence[Project], given: Json) -> Answer:
    """201 for a new one, 208 for one that was there: it gets what it lacks and keeps the rest."""
    version = text(given, "version")
    if not version:
        raise Invalid("This field is required.", "version")
    wishes = _wishes(given)
    row, is_new = releasing.create(db.session, organization, version, projects, wishes, by=actor(), now=now())
    if not projects:
        reachable(organization, version)
    _take_commits(row, given)
    db.session.commit()
    [shown] = _shown([row])
    return jsonify(shown), 201 if is_new else 208


@bp.get("/organizations/<org>/releases/<version>/")
@needs("project:read", RELEASES)
@describes({200: ReleaseJson})
def release(org: str, version: str) -> Answer:
    """One release."""
    [shown] = _shown([reachable(visible_organization(org), version)])
    return jsonify(shown)


@bp.get("/projects/<org>/<proj>/releases/<version>/")
@needs("project:read", RELEASES)
@describes({200: ReleaseJson})
def release_of_project(org: str, proj: str, version: str) -> Answer:
    """One release of a project."""
    [shown] = _shown([reachable_in_project(org, proj, version)])
    return jsonify(shown)


@bp.put("/organizations/<org>/releases/<version>/")
@needs(RELEASES)
@describes({200: ReleaseJson}, body=ReleaseChangeJson)
def change_release(org: str, version: str) -> Answer:
    """Change a release: finalize it, give it commits.

    What is absent stays.
    """
    organization = visible_organization(org)
    return _change(reachable(organization, version), organization)


@bp.put("/projects/<org>/<proj>/releases/<version>/")
@needs(RELEASES)
@describes({200: ReleaseJson}, body=ReleaseChangeJson)
def change_release_of_project(org: str, proj: str, version: str) -> Answer:
    """Change a release of a project.

    What is absent stays.
    """
    row = reachable_in_project(org, proj, version)
    return _change(row, visible_organization(org))


def _change(row: Release, organization: Organization) -> Answer:
    given = body()
    release_owners.check(db.session, actor(), row)
    release_owners.add_projects(db.session, row, projects_named(given, organization), by=actor())
    releasing.change(db.session, row, _wishes(given), by=actor(), now=now())
    _take_commits(row, given)
    db.session.commit()
    [shown] = _shown([row])
    return jsonify(shown)


@bp.delete("/organizations/<org>/releases/<version>/")
@needs(RELEASES)
@describes({204: None})
def delete_release(org: str, version: str) -> Answer:
    """Delete a release."""
    return _delete(reachable(visible_organization(org), version))


@bp.delete("/projects/<org>/<proj>/releases/<version>/")
@needs(RELEASES)
@describes({204: None})
def delete_release_of_project(org: str, proj: str, version: str) -> Answer:
    """Delete a release of a project."""
    return _delete(reachable_in_project(org, proj, version))


def _delete(row: Release) -> Answer:
    releasing.delete(db.session, shelf(), row, by=actor())
    db.session.commit()
    return "", 204


@bp.get("/organizations/<org>/releases/<version>/previous-with-commits/")
@needs("project:read", RELEASES)
@describes({200: ReleaseJson | NothingJson})
def previous_release(org: str, version: str) -> Answer:
    """The newest release before that has commits.

    An empty object where there is none.
    """
    found = releasing.before_with_commits(db.session, reachable(visible_organization(org), version), viewer())
    return jsonify(_shown([found])[0] if found else {})


@bp.get("/organizations/<org>/releases/<version>/commits/")
@needs("project:read", RELEASES)
@describes({200: Page[CommitJson]})
def commits_of_release(org: str, version: str) -> Answer:
    """The commits of a release, newest first."""
    return _commits(own(visible_organization(org), version))


@bp.get("/projects/<org>/<proj>/releases/<version>/commits/")
@needs("project:read", RELEASES)
@describes({200: Page[CommitJson]})
def commits_of_release_of_project(org: str, proj: str, version: str) -> Answer:
    """The commits of a release of a project, newest first."""
    return _commits(own_in_project(org, proj, version))


def _commits(row: Release) -> Answer:
    found = releasing.commits_of(row)

    return page_of(found, lambda rows: [release_shapes.commit(each) for each in rows])


# What paths and bodies name


def reachable(organization: Organization, version: str) -> Release:
    return releasing.visible(db.session, viewer(), organization, version)


def reachable_in_project(org: str, proj: str, version: str) -> Release:
    project = visible_project(org, proj)
    row = reachable(project.organization, version)
    if project.id not in releasing.project_ids(db.session, row):
        raise NotFound
    return row


def own(organization: Organization, version: str) -> Release:
    """What is in a release is there for its owners only."""
    return _owned(reachable(organization, version))


def own_in_project(org: str, proj: str, version: str) -> Release:
    return _owned(reachable_in_project(org, proj, version))


def uploaded_for(row: Release) -> Sequence[Project]:
    """For whose events files of it are, as far as one sees them: owners; guests where none of those."""
    return release_owners.projects(db.session, row, viewer()) or release_owners.projects(
        db.session, row, viewer(), are_guests=True
    )


def _owned(row: Release) -> Release:
    if not release_owners.owns(db.session, actor(), row):
        raise NotFound
    return row


@bp.errorhandler(NotYours)
def _not_yours(error: NotYours) -> Answer:
    db.session.rollback()
    return jsonify({"detail": error.message}), 403


def projects_named(given: Json, organization: Organization) -> Sequence[Project]:
    """By slugs or ids; ids may be numbers."""
    named = given.get("projects")
    if named is None:
        return ()
    if not isinstance(named, list) or not all(isinstance(each, str | int) for each in named):
        raise Invalid("Must be a list of slugs or ids.", "projects")
    names = [str(each) for each in named]
    try:
        return visible_projects(names, organization.slug) if names else ()
    except NotFound:
        raise Invalid(f"There is no such project: {', '.join(names)}.", "projects") from None


def _wishes(given: Json) -> Wishes:
    return Wishes(
        url=text(given, "url") if given.get("url") is not None else None,
        ref=text(given, "ref") if given.get("ref") is not None else None,
        date_released=moment(given, "dateReleased"),
        status=text(given, "status") if given.get("status") is not None else None,
    )


def moment(given: Json, member: str) -> datetime | None:
    value = given.get(member)
    if value is None:
        return None
    found = timestamps.parse(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid("Must be a time, such as 2026-11-23T03:53:05Z.", member)
    return found


def _take_commits(row: Release, given: Json) -> None:
    """A list of commits, then where the release stands in repositories that the list says nothing of."""
    commits, refs = given.get("commits"), given.get("refs")
    if commits is None and refs is None:
        return
    release_owners.check(db.session, actor(), row, of_all=[] in (commits, refs))
    _hold(row)
    url = current_app.config["SETTINGS"].tocsin_url
    if commits is not None:
        read = commit_lists.read(commits)
        committing.set_commits(db.session, row, read, base_url=url, by=actor(), now=now())
    if refs is not None and (refs or not commits):
        committing.set_refs(db.session, row, commit_lists.refs(refs), by=actor(), now=now())


def _hold(row: Release) -> None:
    try:
        committing.hold(db.session, row, waits=False)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _HELD:
            raise
        raise Denied(409, BUSY) from None
