"""What is done with the search of a list: choose another one, save it, delete it, pin it."""

from collections.abc import Mapping

from flask import Response, request, session

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.services.issues import keeping_searches
from app.services.issues.keeping_searches import Wish
from app.web import limits
from app.web.hypermedia import is_htmx, page_or_fragment, say, see_other
from app.web.identity import login_required, me
from app.web.issues.asking import address_of, scope_at, slug_of, what_is_asked
from app.web.issues.blueprint import bp
from app.web.issues.listing import SEARCHED

SAVE, CHOOSE = "save", "choose"


@bp.get("/<org>/<slug>/searches")
@login_required
def searches(org: str, slug: str) -> Response:
    """A page with both parts, or with htmx one of them for its menu."""
    asked_for = SAVE if request.args.get("part") == SAVE else CHOOSE
    return _page(org, slug, part=asked_for if is_htmx() else "")


@bp.post("/<org>/<slug>/searches")
@login_required
@limits.changes
def save_search(org: str, slug: str) -> Response:
    scope, asked = scope_at(org, slug), what_is_asked()
    for_everybody = request.form.get("visibility") == "organization"
    wish = Wish(request.form.get("name", ""), asked.text, asked.sort, for_everybody)
    try:
        made = keeping_searches.save(db.session, scope.organization, wish, by=me(), now=now())
    except Refused as error:
        return _again(org, slug, error)
    db.session.commit()
    say(f"Saved as “{made.name}”{', for everybody' if for_everybody else ''}.")
    return see_other(address_of(scope, asked))


@bp.post("/<org>/<slug>/searches/<int:search_id>/deletion")
@login_required
@limits.changes
def delete_search(org: str, slug: str, search_id: int) -> Response:
    scope, asked = scope_at(org, slug), what_is_asked()
    name = keeping_searches.remove(db.session, scope.organization, search_id, by=me())
    db.session.commit()
    say(f"“{name}” is deleted.")
    return see_other(address_of(scope, asked))


@bp.post("/<org>/<slug>/searches/pin")
@login_required
@limits.changes
def pin_search(org: str, slug: str) -> Response:
    """`unpin` takes the pin away, whatever is pinned."""
    scope, asked = scope_at(org, slug), what_is_asked()
    if "unpin" in request.form:
        keeping_searches.unpin(db.session, scope.organization, me())
        db.session.commit()
        say("Unpinned. What is unresolved comes first again.")
        return see_other(address_of(scope))
    try:
        keeping_searches.pin(db.session, scope.organization, me(), query=asked.text, sort=asked.sort)
    except Refused as error:
        return _again(org, slug, error)
    db.session.commit()
    say(f"Pinned. You see it first in every project of {scope.organization.name}.")
    return see_other(address_of(scope, asked))


@bp.post("/<org>/<slug>/searches/forgetting")
@login_required
@limits.changes
def forget_searches(org: str, slug: str) -> Response:
    """Those made lately; saved ones stay."""
    scope, asked = scope_at(org, slug), what_is_asked()
    keeping_searches.forget(db.session, scope.organization, me())
    db.session.commit()
    session.pop(SEARCHED, None)
    say("What you searched for lately is forgotten.")
    return see_other(address_of(scope, asked))


def _again(org: str, slug: str, error: Refused) -> Response:
    """What was typed, and what is wrong with it."""
    db.session.rollback()
    return _page(org, slug, status=422, errors=error.by_field, values=request.form)


def _page(
    org: str,
    slug: str,
    *,
    part: str = "",
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> Response:
    scope = scope_at(org, slug)
    return page_or_fragment(
        "issues/searches.html",
        "issues/_searches.html",
        status=status,
        org=scope.organization,
        project=scope.project,
        active_tab="issues",
        slug=slug_of(scope),
        asked=what_is_asked(),
        kept=keeping_searches.kept(db.session, scope.organization, me()),
        part=part,
        errors=errors or {},
        values=values or {},
    )
