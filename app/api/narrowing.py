"""Which issues a query string names: where they are, and what must hold for them (`web-api.md` 4)."""

import re
from datetime import timedelta
from typing import Annotated

from flask import request
from sqlalchemy import ColumnElement

from app.api.blueprint import Invalid
from app.api.credentials import me
from app.api.describing import Query as Asked
from app.api.describing import one_of
from app.api.places import visible_organization, visible_project, visible_projects
from app.domain import search
from app.domain.ids import parse_id
from app.domain.issue_update import STATUSES
from app.domain.search import Query, SeenWithin
from app.models import Issue
from app.services import access
from app.services.issues.finding import Scope

_PERIOD = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EVERY_PROJECT = "-1"

# What the query string may hold, for the description.
_ENVIRONMENT = Asked(
    "environment", "Seen in this environment; several: in any of them.", list[str], ["production"]
)
PROJECT = Asked("project", "Of this project, by id or slug; several: of any of them.", list[str], ["shop"])
_SEARCH = Asked(
    "query",
    "A search such as `is:unresolved level:error checkout`. Absent: `is:unresolved`; empty: everything.",
    example="is:unresolved level:error",
)
_PERIOD_ASKED = Asked(
    "statsPeriod", "Seen within so long: a number with s, m, h, d or w behind it.", example="14d"
)
_IDS = Asked("id", "These issues, by id or short id.", list[str], ["SHOP-1"])
_STATUS = Asked("status", "Those with this status.", Annotated[str, one_of(STATUSES)])
WHOSE = Asked("org", "The organization, where several have an issue of this short id.", example="acme")
OF_PROJECT = (_SEARCH, _ENVIRONMENT, _PERIOD_ASKED)
OF_ORGANIZATION = (*OF_PROJECT, PROJECT)
CHOSEN_OF_PROJECT = (_IDS, _STATUS, *OF_PROJECT)
CHOSEN_OF_ORGANIZATION = (_IDS, _STATUS, *OF_ORGANIZATION)


def scope_of_project(org: str, proj: str) -> Scope:
    project = visible_project(org, proj)
    return Scope(me(), project.organization, project, environments=_environments())


def named_projects() -> list[str]:
    """What `project=` names; none where clients name all."""
    return [name for name in request.args.getlist("project") if name not in ("", EVERY_PROJECT)]


def scope_of_organization(org: str) -> Scope:
    """All projects that the person sees there, or those that `project=` names."""
    wanted = named_projects()
    ids = [row.id for row in visible_projects(wanted, org)] if wanted else []
    return Scope(me(), visible_organization(org), project_ids=ids, environments=_environments())


def _environments() -> list[str]:
    return [name for name in request.args.getlist("environment") if name]


def query() -> Query:
    """The search and the period; an absent search is `is:unresolved`, an empty one finds everything."""
    try:
        asked = search.parse(request.args.get("query"), me=me().id)
    except search.BadSearch as error:
        raise Invalid(str(error)) from None
    return Query((*asked.terms, *_period()))


def _period() -> tuple[SeenWithin, ...]:
    text = request.args.get("statsPeriod")
    if not text:
        return ()
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise Invalid("statsPeriod must be a number with s, m, h, d or w behind it, such as 14d.")
    return (SeenWithin("last_seen", ((">=", timedelta(**{_UNITS[match[2]]: int(match[1])})),)),)


def ids() -> ColumnElement[bool] | None:
    """A condition for the issues that `id=` names, by number or short id."""
    names = request.args.getlist("id")
    if not names:
        return None
    numbers = [id_ for name in names if (id_ := parse_id(name)) is not None]
    return access.named(*numbers, *(name.strip().upper() for name in names))


def status() -> ColumnElement[bool] | None:
    """A condition for the status that `status=` names."""
    name = request.args.get("status")
    if not name:
        return None
    if name not in STATUSES:
        raise Invalid(f'"{name}" is not a valid choice.', "status")
    return Issue.status == STATUSES[name]
