"""An issue that is deleted while somebody has it open: what they do says so, what the page asks does not."""

import re

from flask import Response, make_response, request, url_for

from app.db import db
from app.domain.errors import NotFound
from app.services.notices import asking
from app.services.notices.asking import About
from app.web import errors
from app.web.hypermedia import is_htmx, varying
from app.web.identity import me_or_none
from app.web.issues.blueprint import bp

# Asked by an open page of itself, without anybody having pressed anything.
BACKGROUND = ("issue_news", "participants", "reach", "reach_of_comment", "names")
# The page's own word for its issue: its row may be gone for good.
NAME = "Tocsin-Issue"
_SHORT_ID = re.compile(r"[\w.-]{1,64}")


@bp.errorhandler(NotFound)
def gone(_error: NotFound) -> Response:
    issue_id = (request.view_args or {}).get("issue_id")
    if issue_id is None or me_or_none() is None:
        return errors.say(404, *errors.WORDS[404])
    if is_htmx() and (request.endpoint or "").removeprefix(f"{bp.name}.") in BACKGROUND:
        return varying(make_response("", 404, {"HX-Reswap": "none"}))
    about = _deleted(issue_id)
    if about:
        project = about.project
        stream = url_for("issues.stream", org=project.organization.slug, slug=project.slug)
        way_on = (f"Issues of {project.name}", stream)
        return errors.say(404, f"{about.short_id} was deleted", "", way_on=way_on)
    name = _named()
    if name is None:
        return errors.say(404, *errors.WORDS[404])
    words = "It was deleted, or you may not see it any more."
    return errors.say(404, f"{name} is gone", words, way_on=("Your projects", url_for("home.projects")))


def _named() -> str | None:
    name = request.headers.get(NAME, "")
    return name if _SHORT_ID.fullmatch(name) else None


def _deleted(issue_id: int) -> About | None:
    """Only what this person saw: else they would learn of it by its name or number."""
    reader, name = me_or_none(), _named()
    if reader is None:
        return None
    about = asking.deleted(db.session, reader, issue_id)
    return about or (asking.deleted(db.session, reader, name) if name else None)
