"""Deploys of releases (`web-api.md` 3): they neither make a release nor finish it."""

from flask import jsonify

from app.api import release_shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import actor, needs, viewer
from app.api.describing import Page, describes
from app.api.paging import page_of
from app.api.places import visible_organization, visible_project
from app.api.reading import body, text
from app.api.releases import RELEASES, moment, projects_named, reachable, reachable_in_project
from app.api.types.releases import DeployJson, NewDeployJson
from app.clock import now
from app.db import db
from app.models import Organization, Project, Release
from app.services import access
from app.services.releases import deploying, releasing


@bp.get("/organizations/<org>/releases/<version>/deploys/")
@needs("project:read", RELEASES)
@describes({200: Page[DeployJson]})
def deploys(org: str, version: str) -> Answer:
    """The deploys of a release, newest first."""
    return _list(reachable(visible_organization(org), version))


@bp.get("/projects/<org>/<proj>/releases/<version>/deploys/")
@needs("project:read", RELEASES)
@describes({200: Page[DeployJson]})
def deploys_of_project(org: str, proj: str, version: str) -> Answer:
    """The deploys of a release of a project, newest first."""
    return _list(reachable_in_project(org, proj, version))


def _list(release: Release) -> Answer:
    found = deploying.of_release(release, viewer())

    return page_of(found, lambda rows: [release_shapes.deploy(row) for row in rows])


@bp.post("/organizations/<org>/releases/<version>/deploys/")
@needs(RELEASES)
@describes({201: DeployJson}, body=NewDeployJson)
def create_deploy(org: str, version: str) -> Answer:
    """Say that a release was deployed.

    Who has commits in it hears of that. The release must be there, and is not finalized by it.
    """
    organization = visible_organization(org)
    return _create(organization, reachable(organization, version))


@bp.post("/projects/<org>/<proj>/releases/<version>/deploys/")
@needs(RELEASES)
@describes({201: DeployJson}, body=NewDeployJson)
def create_deploy_of_project(org: str, proj: str, version: str) -> Answer:
    """Say that a release of a project was deployed."""
    project = visible_project(org, proj)
    return _create(project.organization, reachable_in_project(org, proj, version), project)


def _create(organization: Organization, release: Release, project: Project | None = None) -> Answer:
    given = body()
    wishes = deploying.Wishes(
        environment=text(given, "environment"),
        name=text(given, "name"),
        url=text(given, "url"),
        date_started=moment(given, "dateStarted"),
        date_finished=moment(given, "dateFinished"),
    )
    projects = [project] if project else projects_named(given, organization)
    ours = set(releasing.project_ids(db.session, release))
    if any(each.id not in ours for each in projects):
        raise Invalid("The release is not one of all these projects.", "projects")
    if not projects:
        seen = access.visible_projects(db.session, viewer())
        projects = [each for each in seen if each.id in ours]
    row = deploying.deploy(db.session, release, wishes, projects, by=actor(), now=now())
    db.session.commit()
    return jsonify(release_shapes.deploy(row)), 201
