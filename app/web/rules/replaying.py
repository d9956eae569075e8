"""Beneath the editor: what the rule that is being written would have done in the last days."""

from flask import Response, request

from app.db import db
from app.domain.ids import parse_id
from app.services.rules import ruling
from app.web import project_pages
from app.web.hypermedia import fragments
from app.web.identity import login_required
from app.web.rules import desk as desks
from app.web.rules import typed
from app.web.rules.blueprint import ROOT, bp
from app.web.rules.editing import desk

PAST = "rules/_past.html"


@bp.post(f"{ROOT}/past")
@login_required
def replay(org: str, slug: str) -> Response:
    """It takes a while and writes nothing, so nobody is held up by it."""
    project = project_pages.to_edit(org, slug)
    number = parse_id(request.args.get("rule", ""))
    about = desk(project, ruling.find(db.session, project, number) if number else None)
    past = desks.past(about, typed.of_form(request.form))
    return fragments(PAST, otherwise=about.url, desk=about, past=past, is_pending=False, **about.frame)
