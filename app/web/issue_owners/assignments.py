"""Owners applied to the open issues that nobody has: first what it would do, then doing it."""

from flask import Response, flash, make_response, render_template, url_for

from app.clock import now
from app.db import db
from app.services.owners import reassigning
from app.web import project_pages
from app.web.hypermedia import see_other, varying
from app.web.identity import login_required, me
from app.web.issue_owners.blueprint import address, bp


@bp.get("/assignments/")
@login_required
def preview(org: str, slug: str) -> Response:
    project = project_pages.to_edit(org, slug)
    planned = reassigning.plan(db.session, project)
    text = render_template("issue_owners/assignments.html", **project_pages.frame(project), planned=planned)
    return varying(make_response(text))


@bp.post("/assignments/")
@login_required
def apply(org: str, slug: str) -> Response:
    project = project_pages.to_edit(org, slug)
    count = reassigning.apply(db.session, project, by=me(), now=now())
    db.session.commit()
    flash(f"{count} issues have an owner now." if count != 1 else "1 issue has an owner now.")
    return see_other(address(project) if count else url_for("issue_owners.preview", org=org, slug=slug))
