"""The issue list: of a project, or of all that a person sees of an organization."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from flask import Response, request, session
from sqlalchemy.exc import OperationalError

from app.clock import now
from app.db import db, in_passing
from app.domain import short_id
from app.domain.errors import NotFound
from app.domain.resolutions import LATEST
from app.domain.search import BadSearch
from app.models import Issue
from app.services import access
from app.services.issues import finding, issue_facts, keeping_searches
from app.services.issues.finding import Page, Scope
from app.services.issues.keeping_searches import Beside, Pin
from app.services.notices import explaining
from app.web.hypermedia import fragments, is_htmx, page_or_fragment, see_other
from app.web.identity import login_required, me
from app.web.issues import neighbours, widening
from app.web.issues.asking import (
    DEFAULT_SORT,
    PERIODS,
    Asked,
    address_of,
    narrowing,
    projects_of,
    query_of,
    scope_at,
    slug_of,
    what_is_asked,
)
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.widening import shown

TABS = (
    ("Unresolved", "is:unresolved"),
    ("For review", "is:for_review"),
    ("Assigned to me", "is:unresolved assigned:me"),
    ("Regressed", "is:regressed"),
    ("Ignored", "is:ignored"),
    ("Resolved", "is:resolved"),
)
SORTS = (
    ("date", "Last seen"),
    ("new", "First seen"),
    ("priority", "Often and lately"),
    ("freq", "Events"),
    ("users", "Users"),
)
PINNED = "Pinned"
# What is always a click away need not be remembered.
UNREMEMBERED = {text for _, text in TABS} | {""}
SEARCHED, SHORT = "searched", 100  # in the cookie, and how much of the text


@bp.get("/<org>/<slug>/")
@login_required
def stream(org: str, slug: str) -> Response:
    scope = scope_at(org, slug)
    beside = keeping_searches.beside(db.session, scope)
    asked = what_is_asked(beside.pin)
    issue = _named(scope, asked.text)
    if issue:
        return see_other(issue_url(issue))
    return listed(scope, asked, beside=beside)


def _remember(scope: Scope, asked: Asked) -> None:
    """The search as one made lately, unless it still is, or somebody else is writing just now."""
    if asked.text in UNREMEMBERED or session.get(SEARCHED) == asked.text[:SHORT]:
        return
    session[SEARCHED] = asked.text[:SHORT]
    organization_id, user_id = scope.organization.id, scope.user.id
    db.session.rollback()  # nothing was changed, and on SQLite a reader would be in the way
    with suppress(OperationalError), in_passing() as own:
        keeping_searches.note_use(own, organization_id, user_id, asked.text, now=now())


def listed(
    scope: Scope, asked: Asked, *, status: int = 200, beside: Beside | None = None, **more: Any
) -> Response:
    """The list; `more` is what was typed below it, and what is wrong with that."""
    beside = beside or keeping_searches.beside(db.session, scope)
    more |= {"pin": beside.pin, **_selectors(scope, asked, beside)}
    try:
        page = _page(scope, asked)
    except BadSearch as problem:
        rest = address_of(scope, asked, query=problem.rest)
        found: dict[str, Any] = {"problem": str(problem), "rest": problem.rest, "rest_address": rest}
        return _answer(scope, asked, Page(()), status=422, **{**found, **more})
    answer = _answer(scope, asked, page, status=status, **more)
    if page.rows and status == 200:
        neighbours.remember(scope, asked)
        if "query" in request.args and asked.cursor is None:
            _remember(scope, asked)
    return answer


@bp.get("/<org>/<slug>/counts")
@login_required
def counts(org: str, slug: str) -> Response:
    """The tabs with their numbers, which the page does not wait for."""
    scope, asked = scope_at(org, slug), what_is_asked()
    pin = keeping_searches.pinned(db.session, scope.organization, scope.user)
    context = _place(scope, asked, pin, counted=True)
    return fragments("issues/_tabs.html", otherwise=address_of(scope, asked), **context)


def _answer(
    scope: Scope, asked: Asked, page: Page, *, pin: Pin | None, status: int = 200, **more: Any
) -> Response:
    """With htmx the list alone, and beside it the tabs; else the whole page."""
    context = {
        **_place(scope, asked, pin, counted=is_htmx()),
        "found": page,
        "problem": "",
        "reach": explaining.reach_of(db.session, page.notices, reader=me(), now=now()),
        "version": page.version if asked.begins else None,
        "substatus": partial(issue_facts.substatus, now=now()),
        "last_resolved": _last_resolved(scope, asked, page),
        "widening": widening.uncounted(scope, asked) if not page.rows and "problem" not in more else None,
        "errors": {},
        "values": {},
        **more,
    }
    return page_or_fragment("issues/stream.html", "issues/_found.html", status=status, **context)


def _selectors(scope: Scope, asked: Asked, beside: Beside) -> dict[str, Any]:
    """What there is to choose from beside the search box; what is chosen stays there."""
    here = () if scope.project else projects_of(scope.organization)
    return {
        "environments": [(name, name) for name in _with(asked.environment, beside.environments)],
        "releases": _with(asked.release if asked.release != LATEST else "", beside.releases),
        "more_releases": beside.more_releases,
        "projects": [(project.slug, project.name) for project in here],
        "moved": is_htmx() and _project_before() != asked.project,
    }


def _with(chosen: str, names: Sequence[str]) -> Sequence[str]:
    return [*names, chosen] if chosen and chosen not in names else names


def _project_before() -> str:
    """The project that is selected on the page that asks: with another one, other releases are offered."""
    query = request.headers.get("HX-Current-URL", "").partition("?")[2]
    return parse_qs(query).get("project", [""])[-1]


def _named(scope: Scope, text: str) -> Issue | None:
    """The issue whose short id is all that was typed."""
    if short_id.parse(text) is None:
        return None
    try:
        return access.visible_issue_by_short_id(db.session, scope.user, scope.organization, text)
    except NotFound:
        return None


def _page(scope: Scope, asked: Asked) -> Page:
    query = query_of(scope, asked)
    return finding.find(db.session, scope, query, now=now(), sort=asked.sort, cursor=asked.cursor)


def _place(scope: Scope, asked: Asked, pin: Pin | None, *, counted: bool) -> dict[str, Any]:
    """Where the list stands. Counting costs more than the list, so a whole page is sent without."""
    return {
        "org": scope.organization,
        "project": scope.project,
        "active_tab": "issues",
        "slug": slug_of(scope),
        "asked": asked,
        "sorts": SORTS,
        "periods": [(name, words) for name, (words, _) in PERIODS.items()],
        "counted": counted,
        "tabs_shown": _tabs(scope, asked, pin, counted=counted),
    }


def _tabs(
    scope: Scope, asked: Asked, pin: Pin | None, *, counted: bool
) -> list[tuple[str, str, str, str | None]]:
    """Label, address, search, and how many that finds. What is pinned has a tab without a number."""
    texts = [text for _, text in TABS]
    found = finding.counts(db.session, scope, texts, now=now(), also=narrowing(asked)) if counted else {}
    tabs = [(label, Pin(text, DEFAULT_SORT)) for label, text in TABS]
    if pin and pin.query not in [text for _, text in TABS]:
        tabs.insert(0, (PINNED, pin))
    return [
        (label, _tab_address(scope, asked, tab), tab.query, shown(found.get(tab.query)))
        for label, tab in tabs
    ]


def _tab_address(scope: Scope, asked: Asked, tab: Pin) -> str:
    return address_of(scope, replace(asked, text=tab.query, sort=tab.sort, cursor=None))


def _last_resolved(scope: Scope, asked: Asked, page: Page) -> Issue | None:
    clean = asked.is_default and not page.rows
    return finding.last_resolved(db.session, scope) if clean else None
