"""Releases: a list for a project or an organization, and a page for each."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import instance
from app.clock import now
from app.db import db
from app.domain import commits, cursor, search
from app.domain.errors import NotFound
from app.models import Commit, Organization, Project, Release
from app.services import access
from app.services.notices import explaining
from app.services.preferences import preferring
from app.services.releases import release_lists, release_pages, releasing, uploads, watching
from app.services.releases.releasing import ARCHIVED, OPEN
from app.web import project_pages
from app.web.hypermedia import fragments, is_htmx, see_other
from app.web.identity import login_required, me

bp = Blueprint("releases", __name__)
WATCHED, STOPPED = "watched", "stopped"
SAID = {
    WATCHED: "Watched for 24 hours.",
    STOPPED: "Stopped: you follow nothing because of it any more.",
}


@bp.get("/<org>/releases/")
@login_required
def of_organization(org: str) -> str:
    organization = access.visible_organization(db.session, me(), org)
    return _list(organization, None)


@bp.get("/<org>/<slug>/releases/")
@login_required
def of_project(org: str, slug: str) -> str:
    project = project_pages.visible(org, slug)
    return _list(project.organization, project)


def _list(organization: Organization, project: Project | None) -> str:
    status = ARCHIVED if request.args.get("status") == ARCHIVED else OPEN
    beginning = request.args.get("q", "").strip().replace("\x00", "")
    found = release_lists.listed(
        db.session,
        organization,
        me(),
        project=project,
        beginning=beginning,
        status=status,
        cursor=cursor.decode(request.args.get("cursor")),
    )
    return render_template(
        "releases/list.html",
        org=organization,
        project=project,
        active_tab="releases",
        found=found,
        reach_of=explaining.reach_of(db.session, found.notices, reader=me(), now=now()),
        beginning=beginning,
        status=status,
    )


@bp.get("/<org>/<slug>/releases/<path:version>/")
@login_required
def show(org: str, slug: str, version: str) -> ResponseReturnValue:
    project = project_pages.visible(org, slug)
    if version == "latest":
        return _latest(project)
    release = _release(project, version)
    shown = release_pages.shown(db.session, release, project, me())
    told = [each.notice for each in shown.deploys if each.notice]
    return render_template(
        "releases/show.html",
        project=project,
        org=project.organization,
        active_tab="releases",
        release=release,
        shown=shown,
        began=search.exactly("first-release", release.version),
        seen=search.exactly("release", release.version),
        watch=_watch(release, project),
        upload_count=uploads.count_of(db.session, project, release),
        reach_of=explaining.reach_of(db.session, told, reader=me(), now=now()),
        commit_page=_commit_page,
        short=commits.short,
        first_line=commits.first_line,
    )


@bp.post("/<org>/<slug>/releases/<path:version>/watch")
@login_required
def watch(org: str, slug: str, version: str) -> ResponseReturnValue:
    """`state` is what is wanted: watched, or stopped."""
    project = project_pages.visible(org, slug)
    release = _release(project, version)
    wanted, session = request.form.get("state", ""), db.session
    if wanted not in SAID:
        raise BadRequest
    if wanted == WATCHED:
        watching.watch(session, release, user=me(), now=now())
        said = SAID[wanted]
    else:
        has_changed = watching.stop(session, release, user=me(), now=now())
        said = SAID[wanted] if has_changed else "Nothing changed: it was so already."
    session.commit()
    page = url_for("releases.show", org=org, slug=slug, version=version, _anchor="watch")
    if not is_htmx():
        flash(said)
    return fragments(
        "releases/_watch.html",
        otherwise=page,
        project=project,
        org=project.organization,
        release=release,
        watch=_watch(release, project),
        said=said,
    )


def _release(project: Project, version: str) -> Release:
    """One of the project, else `NotFound`."""
    release = releasing.visible(db.session, me(), project.organization, version)
    if project.id not in releasing.project_ids(db.session, release):
        raise NotFound
    return release


def _watch(release: Release, project: Project) -> watching.Watch:
    environment = preferring.configured(workflow=instance.workflow())
    return watching.of(db.session, release, project, user=me(), environment=environment, now=now())


def _latest(project: Project) -> ResponseReturnValue:
    found = release_lists.listed(db.session, project.organization, me(), project=project).rows
    if not found:
        raise NotFound
    version = found[0].release.version
    return see_other(
        url_for("releases.show", org=project.organization.slug, slug=project.slug, version=version)
    )


def _commit_page(row: Commit) -> str:
    return commits.page(row.repository.url, row.repository.provider, row.key)
