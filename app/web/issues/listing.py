"""The issue list: of a project, or of all that a person sees of an organization."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, request, url_for

from app.clock import now
from app.db import db
from app.domain import cursor, search, short_id
from app.domain.cursor import Cursor
from app.domain.errors import NotFound
from app.domain.search import BadSearch, Query
from app.models import Issue
from app.services import access, explaining, finding, issue_facts
from app.services.finding import Page, Scope
from app.web.hypermedia import fragments, is_htmx, page_or_fragment, see_other
from app.web.identity import login_required, me
from app.web.issues.blueprint import EVERYWHERE, bp, issue_url

TABS = (
    ("Unresolved", "is:unresolved"),
    ("For review", "is:for_review"),
    ("Assigned to me", "is:unresolved assigned:me"),
    ("Ignored", "is:ignored"),
    ("Resolved", "is:resolved"),
)
SORTS = (("date", "Last seen"), ("new", "First seen"), ("freq", "Events"), ("users", "Users"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. `text` stands in the search box as it was typed."""

    text: str
    sort: str
    cursor: Cursor | None

    @property
    def begins(self) -> bool:
        """Whether the list begins with what was seen last, so that news would come in at its top."""
        return self.sort == "date" and self.cursor is None

    @property
    def is_default(self) -> bool:
        return self.text == search.DEFAULT and self.cursor is None


@bp.get("/<org>/<slug>/")
@login_required
def stream(org: str, slug: str) -> Response:
    scope, asked = scope_at(org, slug), what_is_asked()
    issue = _named(scope, asked.text)
    return see_other(issue_url(issue)) if issue else listed(scope, asked)


def listed(scope: Scope, asked: Asked, *, status: int = 200, **more: Any) -> Response:
    """The list; `more` is what was typed below it, and what is wrong with that."""
    try:
        page = _page(scope, asked)
    except BadSearch as problem:
        return _answer(scope, asked, Page(()), problem=str(problem), status=422, **more)
    return _answer(scope, asked, page, status=status, **more)


@bp.get("/<org>/<slug>/counts")
@login_required
def counts(org: str, slug: str) -> Response:
    """The tabs with their numbers, which the page does not wait for."""
    scope, asked = scope_at(org, slug), what_is_asked()
    context = _place(scope, asked, counted=True)
    return fragments("issues/_tabs.html", otherwise=address_of(scope, asked), **context)


def _answer(
    scope: Scope, asked: Asked, page: Page, *, problem: str = "", status: int = 200, **more: Any
) -> Response:
    """With htmx the list alone, and beside it the tabs; else the whole page."""
    context = {
        **_place(scope, asked, counted=is_htmx()),
        "found": page,
        "problem": problem,
        "reach": explaining.reach_of(db.session, page.notices, reader=me(), now=now()),
        "version": page.version if asked.begins else None,
        "substatus": partial(issue_facts.substatus, now=now()),
        "last_resolved": _last_resolved(scope, asked, page),
        "errors": {},
        "values": {},
        **more,
    }
    return page_or_fragment("issues/stream.html", "issues/_found.html", status=status, **context)


def scope_at(org: str, slug: str) -> Scope:
    if slug == EVERYWHERE:
        return Scope(me(), access.visible_organization(db.session, me(), org))
    project = access.visible_project(db.session, me(), org, slug)
    return Scope(me(), project.organization, project)


def what_is_asked() -> Asked:
    """By the address of the list, or by the form below it."""
    given = request.values
    sort = given.get("sort", "date")
    return Asked(
        given.get("query", search.DEFAULT).strip(),
        sort if sort in finding.SORTS else "date",
        cursor.decode(given.get("cursor")),
    )


def _named(scope: Scope, text: str) -> Issue | None:
    """The issue whose short id is all that was typed."""
    if short_id.parse(text) is None:
        return None
    try:
        return access.visible_issue_by_short_id(db.session, scope.user, scope.organization, text)
    except NotFound:
        return None


def query_of(scope: Scope, asked: Asked) -> Query:
    """What is searched for; `BadSearch` names the term at fault."""
    return search.parse(asked.text, me=scope.user.id)


def _page(scope: Scope, asked: Asked) -> Page:
    query = query_of(scope, asked)
    return finding.find(db.session, scope, query, now=now(), sort=asked.sort, cursor=asked.cursor)


def _place(scope: Scope, asked: Asked, *, counted: bool) -> dict[str, Any]:
    """Where the list stands. Counting costs more than the list, so a whole page is sent without."""
    return {
        "org": scope.organization,
        "project": scope.project,
        "active_tab": "issues",
        "slug": scope.project.slug if scope.project else EVERYWHERE,
        "asked": asked,
        "sorts": SORTS,
        "counted": counted,
        "tabs_shown": _tabs(scope, counted=counted),
    }


def _tabs(scope: Scope, *, counted: bool) -> list[tuple[str, str, str, str | None]]:
    """Label, address, search, and how many that finds."""
    texts = [text for _, text in TABS]
    found = finding.counts(db.session, scope, texts, now=now()) if counted else {}
    slug = scope.project.slug if scope.project else EVERYWHERE
    address = partial(url_for, "issues.stream", org=scope.organization.slug, slug=slug)
    return [(label, address(query=text), text, _shown(found.get(text))) for label, text in TABS]


def _shown(count: int | None) -> str | None:
    if count is None:
        return None
    return f"{count - 1}+" if count == finding.COUNTED_UP_TO else str(count)


def address_of(scope: Scope, asked: Asked | None = None) -> str:
    slug = scope.project.slug if scope.project else EVERYWHERE
    more: dict[str, Any] = {"query": asked.text, "sort": asked.sort} if asked else {}
    if asked and asked.cursor:
        more["cursor"] = asked.cursor.encode()
    return url_for("issues.stream", org=scope.organization.slug, slug=slug, **more)


def _last_resolved(scope: Scope, asked: Asked, page: Page) -> Issue | None:
    clean = asked.is_default and not page.rows
    return finding.last_resolved(db.session, scope) if clean else None
