"""Which issues a query string names: where they are, and what must hold for them (`web-api.md` 4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import request
from sqlalchemy import ColumnElement, and_, exists

from app.api.blueprint import Invalid
from app.api.credentials import me
from app.api.places import visible_organization, visible_project, visible_projects
from app.domain import search
from app.domain.ids import parse_id
from app.domain.issue_update import STATUSES
from app.domain.search import Query, SeenWithin
from app.models import Issue, IssueTag
from app.services import access
from app.services.finding import Scope

_PERIOD = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EVERY_PROJECT = "-1"


@dataclass(frozen=True)
class Narrowed(Scope):
    """A scope of which only some projects and environments are asked for; none given means all."""

    project_ids: Sequence[int] = ()
    environments: Sequence[str] = ()

    @property
    def holds(self) -> ColumnElement[bool]:
        conditions = [super().holds]
        if self.project_ids:
            conditions.append(Issue.project_id.in_(self.project_ids))
        if self.environments:
            conditions.append(
                exists().where(
                    IssueTag.issue_id == Issue.id,
                    IssueTag.key == "environment",
                    IssueTag.value.in_(self.environments),
                )
            )
        return and_(*conditions)


def scope_of_project(org: str, proj: str) -> Scope:
    project = visible_project(org, proj)
    return Narrowed(me(), project.organization, project, environments=_environments())


def scope_of_organization(org: str) -> Scope:
    """All projects that the person sees there, or those that `project=` names."""
    wanted = [name for name in request.args.getlist("project") if name not in ("", EVERY_PROJECT)]
    ids = [row.id for row in visible_projects(wanted, org)] if wanted else []
    return Narrowed(me(), visible_organization(org), project_ids=ids, environments=_environments())


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
