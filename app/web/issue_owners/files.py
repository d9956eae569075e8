"""A CODEOWNERS file: taken over, its names mapped to teams and people, or taken away again."""

from collections.abc import Mapping

from flask import Response, flash, make_response, render_template, request, url_for

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.models import Project
from app.services.owners import entrusting, owning
from app.services.owners.entrusting import Wishes
from app.services.owners.owner_versions import File
from app.web import project_pages
from app.web.hypermedia import see_other, varying
from app.web.identity import login_required, me
from app.web.issue_owners.blueprint import bp

NAME = "name:"


@bp.get("/codeowners/")
@login_required
def show_file(org: str, slug: str) -> Response:
    project = project_pages.to_edit(org, slug)
    return _page(project, _stored(project), {})


@bp.post("/codeowners/")
@login_required
def save_file(org: str, slug: str) -> Response:
    """Names that nobody mapped yet are mapped to whoever is called so here."""
    project = project_pages.to_edit(org, slug)
    typed = _typed()
    names = entrusting.guesses(db.session, project, owning.imported(typed.raw, {}).names)
    file = File(
        raw=typed.raw,
        names={**names, **typed.names},
        stack_root=typed.stack_root,
        source_root=typed.source_root,
    )
    try:
        made = entrusting.save(db.session, project, Wishes(file=file), by=me(), via="page", now=now())
    except Refused as error:
        db.session.rollback()
        return _page(project, file, {error.field or "": error.message}, status=422)
    db.session.commit()
    flash("Saved. Its lines count from now on." if made else "Nothing changed: it was so already.")
    return see_other(url_for("issue_owners.show_file", org=org, slug=slug))


@bp.post("/codeowners/removal")
@login_required
def remove_file(org: str, slug: str) -> Response:
    project = project_pages.to_edit(org, slug)
    entrusting.save(db.session, project, Wishes(without_file=True), by=me(), via="page", now=now())
    db.session.commit()
    flash("CODEOWNERS is taken away. Earlier versions keep it.")
    return see_other(url_for("issue_owners.show_file", org=org, slug=slug))


def _typed() -> File:
    form = request.form
    return File(
        raw=form.get("file", ""),
        names={key.removeprefix(NAME): value.strip() for key, value in form.items() if key.startswith(NAME)},
        stack_root=form.get("stack_root", "").strip(),
        source_root=form.get("source_root", "").strip(),
    )


def _stored(project: Project) -> File | None:
    row = entrusting.file_of(db.session, project)
    if row is None:
        return None
    return File(raw=row.raw, names=row.names, stack_root=row.stack_root, source_root=row.source_root)


def _page(project: Project, file: File | None, errors: Mapping[str, str], *, status: int = 200) -> Response:
    imported = owning.imported(file.raw, file.names) if file else None
    text = render_template(
        "issue_owners/file.html",
        **project_pages.frame(project),
        file=file,
        imported=imported,
        names=[(name, file.names.get(name, "")) for name in imported.names] if file and imported else (),
        errors=errors,
    )
    return varying(make_response(text, status))
