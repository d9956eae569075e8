"""From one issue's page to the next: along the list that the reader looked at last.

The list stands in the links of the page, and from the first step on in its address: so it stays the same,
whatever is looked at in another tab. Elsewhere it is the one of the cookie, which was looked at last. Its
search is asked when a link is followed, not before.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request, session, url_for

from app.clock import now
from app.db import db
from app.domain.search import BadSearch
from app.domain.shapes import cut
from app.models import Issue
from app.services import access
from app.services.issues import finding, keeping_searches
from app.services.issues.finding import Scope
from app.web.hypermedia import say, see_other
from app.web.identity import login_required, me
from app.web.issues.asking import (
    DEFAULT_SORT,
    PERIODS,
    Asked,
    address_of,
    known_order,
    query_of,
    scope_at,
    slug_of,
    what_is_asked,
)
from app.web.issues.blueprint import EVERYWHERE, bp, issue_url

WALKED, ORG, PLACE = "walked", "org", "list"  # in the cookie
# A cookie has little room: a list that takes more of it is not remembered.
LONGEST, SAID = 800, 60


def remember(scope: Scope, asked: Asked) -> None:
    """The list as the one along which its issues are walked."""
    kept = {ORG: scope.organization.slug, **_called(scope, asked)}
    if len(json.dumps(kept)) > LONGEST:
        session.pop(WALKED, None)
    elif session.get(WALKED) != kept:
        session[WALKED] = kept


def _called(scope: Scope, asked: Asked) -> dict[str, str]:
    return {PLACE: slug_of(scope), **asked.arguments}


@bp.app_template_global()
def list_of(issue: Issue) -> tuple[str, str]:
    """Whose list it is along which one walks, and its address."""
    project = issue.project
    known = {**_known(project.organization.slug, project.slug)}
    place = known.pop(PLACE, project.slug)
    whose = project.organization if place == EVERYWHERE else project
    return whose.name, url_for("issues.stream", org=project.organization.slug, slug=place, **known)


@bp.app_template_global()
def neighbour_url(issue: Issue, which: str) -> str:
    """Leads to the `next` or `previous` issue: of the list that is known, else of the project's own.

    It says where the issue stood in the list when its page was made: what happens to it meanwhile moves it.
    """
    project = issue.project
    known = _known(project.organization.slug, project.slug)
    if known:
        place = finding.place_of(issue, known_order(known.get("sort", DEFAULT_SORT)))
        known = {**known, "cursor": place.encode()}
    here: dict[str, Any] = {"org": project.organization.slug, "slug": project.slug, "issue_id": issue.id}
    return url_for(f"issues.{which}_issue", **here, **known)


def _known(org: str, slug: str) -> Mapping[str, Any]:
    """Of an issue that may stand in it."""
    if request.args.get(PLACE) in (slug, EVERYWHERE):
        return {PLACE: request.args[PLACE], **what_is_asked().arguments}
    kept = session.get(WALKED, {})
    if kept.get(ORG) != org or kept.get(PLACE) not in (slug, EVERYWHERE):
        return {}
    return {name: value for name, value in kept.items() if name != ORG}


@bp.get("/<org>/<slug>/issues/<int:issue_id>/next/")
@login_required
def next_issue(org: str, slug: str, issue_id: int) -> Response:
    return _walk(issue_id, backward=False)


@bp.get("/<org>/<slug>/issues/<int:issue_id>/previous/")
@login_required
def previous_issue(org: str, slug: str, issue_id: int) -> Response:
    return _walk(issue_id, backward=True)


def _walk(issue_id: int, *, backward: bool) -> Response:
    """On to the neighbour, or back to the issue with the word that there is none."""
    issue = access.visible_issue(db.session, me(), issue_id)
    scope = _scope_of(issue)
    asked = what_is_asked(keeping_searches.pinned(db.session, scope.organization, me()))
    try:
        query = query_of(scope, asked)
    except BadSearch:
        return see_other(address_of(scope, replace(asked, cursor=None)))  # the list says what is wrong
    remember(scope, asked)
    place = replace(asked.cursor or finding.place_of(issue, asked.sort), backward=backward)
    found = finding.neighbour(db.session, scope, query, place, now=now(), sort=asked.sort)
    if found is None:
        say(_end(issue, scope, asked, backward=backward))
    return see_other(issue_url(found or issue, **_called(scope, asked)))


def _scope_of(issue: Issue) -> Scope:
    """Where the list is: the address names it, or it is that of the issue's project."""
    project = issue.project
    place = EVERYWHERE if request.args.get(PLACE) == EVERYWHERE else project.slug
    return scope_at(project.organization.slug, place)


def _end(issue: Issue, scope: Scope, asked: Asked, *, backward: bool) -> str:
    end, way = ("Start", "before") if backward else ("End", "after")
    searched = f"“{cut(asked.text, SAID)}”" if asked.text else "all issues"
    place = scope.project.name if scope.project else scope.organization.name
    chosen = {**asked.narrowing, "statsPeriod": PERIODS[asked.period][0].lower() if asked.period else ""}
    narrowed = ", ".join(filter(None, chosen.values()))
    where = f"{place} ({narrowed})" if narrowed else place
    return f"{end} of the list: no issue comes {way} {issue.short_id} in {searched} of {where}."
