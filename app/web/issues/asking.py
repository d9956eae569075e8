"""What the address of a list asks for: where, in which part of it, for what, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import request, url_for

from app.db import db
from app.domain import cursor, search
from app.domain.cursor import Cursor
from app.domain.ids import parse_id
from app.domain.resolutions import LATEST
from app.domain.search import Attribute, InLatest, Pattern, Query, SeenWithin, Term
from app.models import Organization, Project
from app.services import access
from app.services.issues import finding
from app.services.issues.finding import Scope
from app.services.issues.keeping_searches import Pin
from app.web.frame import places
from app.web.identity import me
from app.web.issues.blueprint import EVERYWHERE

# How long ago the last event may have been: the choices of the page, and what each means.
PERIODS: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "14d": ("Last 14 days", timedelta(days=14)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}


DEFAULT_SORT = "date"


@dataclass(frozen=True, slots=True)
class Asked:
    """`text` stands in the search box as it was typed; `project` narrows a list of several projects."""

    text: str
    sort: str
    cursor: Cursor | None
    environment: str = ""
    project: str = ""
    period: str = ""
    release: str = ""

    @property
    def begins(self) -> bool:
        """Whether the list begins with what was seen last, so that news would come in at its top."""
        return self.sort == DEFAULT_SORT and self.cursor is None

    @property
    def is_default(self) -> bool:
        return self.text == search.DEFAULT and self.cursor is None and not self.narrowing

    @property
    def narrowing(self) -> dict[str, str]:
        """What was selected beside the search."""
        chosen = {
            "environment": self.environment,
            "release": self.release,
            "project": self.project,
            "statsPeriod": self.period,
        }
        return {name: value for name, value in chosen.items() if value}

    @property
    def arguments(self) -> dict[str, str]:
        """All of it but the page and what goes without saying, for links and hidden fields."""
        order = {} if self.sort == DEFAULT_SORT else {"sort": self.sort}
        return {"query": self.text, **order, **self.narrowing}


def what_is_asked(pin: Pin | None = None) -> Asked:
    """By the address of the list, or by the form below it; without a search what the person has pinned."""
    given = request.values
    default = pin if pin and "query" not in given else Pin(search.DEFAULT, DEFAULT_SORT)
    sort = given.get("sort", default.sort)
    period = given.get("statsPeriod", "")
    return Asked(
        given.get("query", default.query).strip(),
        known_order(sort),
        cursor.decode(given.get("cursor")),
        environment=given.get("environment", ""),
        project=given.get("project", ""),
        period=period if period in PERIODS else "",
        release=given.get("release", ""),
    )


def known_order(sort: str) -> str:
    """The order of this name, else the one that every list has."""
    return sort if sort in finding.SORTS else DEFAULT_SORT


def scope_at(org: str, slug: str) -> Scope:
    """A project, or an organization and the project of it that is selected, if any is."""
    if slug != EVERYWHERE:
        project = access.visible_project(db.session, me(), org, slug)
        return Scope(me(), project.organization, project)
    organization = access.visible_organization(db.session, me(), org)
    return Scope(me(), organization, project_ids=_selected(organization))


def _selected(organization: Organization) -> Sequence[int]:
    """The project that is named by its slug or id; one that is not there has the number of none."""
    name = request.values.get("project", "")
    return [row.id for row in projects_of(organization) if _is(row, name)] or (0,) if name else ()


def projects_of(organization: Organization) -> Sequence[Project]:
    """Those that the person sees there."""
    return next((projects for org, projects in places() if org.id == organization.id), ())


def _is(project: Project, name: str) -> bool:
    return project.slug == name or project.id == parse_id(name)


def query_of(scope: Scope, asked: Asked) -> Query:
    """What is searched for; `BadSearch` names the term at fault."""
    return Query((*search.parse(asked.text, me=scope.user.id).terms, *narrowing(asked).terms))


def narrowing(asked: Asked) -> Query:
    """What is selected beside the search, as terms of it."""
    terms: list[Term] = []
    if asked.environment:
        terms.append(Attribute("environment", Pattern((asked.environment,))))
    if asked.release == LATEST:
        terms.append(InLatest(first=False))
    elif asked.release:
        terms.append(Attribute("release", Pattern((asked.release,))))
    if asked.period:
        terms.append(SeenWithin("last_seen", ((">=", PERIODS[asked.period][1]),)))
    return Query(tuple(terms))


def slug_of(scope: Scope) -> str:
    return scope.project.slug if scope.project else EVERYWHERE


def address_of(scope: Scope, asked: Asked | None = None, **instead: str) -> str:
    """The list as it is asked for, or with something else instead."""
    more: dict[str, Any] = {**(asked.arguments if asked else {}), **instead}
    if asked and asked.cursor and not instead:
        more["cursor"] = asked.cursor.encode()
    return url_for("issues.stream", org=scope.organization.slug, slug=slug_of(scope), **more)
