"""What was uploaded for a project's minified code: bundles, their files, what is wrong with them."""

from flask import Blueprint, Response, current_app, render_template, request, url_for

from app.db import db
from app.models import ArtifactBundle, Project
from app.services.releases import artifacts, uploads
from app.services.releases.shelf import Shelf
from app.web import project_pages
from app.web.hypermedia import say, see_other
from app.web.identity import login_required, me

bp = Blueprint("uploads", __name__, url_prefix="/<org>/<slug>/settings/uploads")
MOST_PAGES = 10_000


@bp.get("/")
@login_required
def index(org: str, slug: str) -> str:
    """`release` narrows the list to one."""
    project = project_pages.visible(org, slug)
    version, page = request.args.get("release", "").replace("\x00", ""), _page()
    found = uploads.listed(db.session, project, version=version, page=page)
    return render_template(
        "uploads/list.html",
        **project_pages.frame(project),
        rows=found[: uploads.PER_PAGE],
        has_more=len(found) > uploads.PER_PAGE,
        page=page,
        version=version,
        url=current_app.config["SETTINGS"].tocsin_url,
    )


@bp.get("/<int:upload_id>/")
@login_required
def show(org: str, slug: str, upload_id: int) -> str:
    project, bundle = _upload(org, slug, upload_id)
    page = _page()
    files, count, builds = uploads.files(db.session, bundle, page=page)
    return render_template(
        "uploads/show.html",
        **project_pages.frame(project),
        bundle=bundle,
        files=files,
        count=count,
        builds=builds,
        others=uploads.others(db.session, bundle, project, me()),
        page=page,
        has_more=page * uploads.FILES_PER_PAGE < count,
    )


@bp.get("/<int:upload_id>/delete")
@login_required
def confirm(org: str, slug: str, upload_id: int) -> str:
    """What will be gone. Nothing happens on opening."""
    project, bundle = _upload(org, slug, upload_id, to_edit=True)
    _, count, builds = uploads.files(db.session, bundle)
    return render_template(
        "uploads/delete.html",
        **project_pages.frame(project),
        bundle=bundle,
        count=count,
        builds=builds,
        others=uploads.others(db.session, bundle, project, me()),
    )


@bp.post("/<int:upload_id>/delete")
@login_required
def delete(org: str, slug: str, upload_id: int) -> Response:
    project, bundle = _upload(org, slug, upload_id, to_edit=True)
    artifacts.remove(db.session, Shelf(current_app.config["SETTINGS"].tocsin_data_dir), bundle, project)
    db.session.commit()
    say(f"Deleted. Events of {project.name} that come from now on do without it.")
    return see_other(url_for("uploads.index", org=org, slug=slug))


def _upload(org: str, slug: str, upload_id: int, *, to_edit: bool = False) -> tuple[Project, ArtifactBundle]:
    project = project_pages.to_edit(org, slug) if to_edit else project_pages.visible(org, slug)
    return project, uploads.find(db.session, project, upload_id)


def _page() -> int:
    asked = request.args.get("page", "")
    return max(1, min(int(asked), MOST_PAGES)) if asked.isdecimal() and len(asked) < 6 else 1
