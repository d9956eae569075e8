"""What a change of an alert rule comes to, worked out once when it is told: its lines, and its reach."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from app.domain import rule_content, rule_lines
from app.domain.kinds import RULE_CHANGED
from app.domain.rule_lines import ACTIVE
from app.domain.rule_news import State
from app.domain.rule_rows import Names
from app.models import Notice, Project
from app.services.owners import owner_versions
from app.services.preferences.preferring import Defaults
from app.services.rules import rule_names, rule_reaching

MOST_CHANGES = 40


def notes(
    session: Session, notices: Iterable[Notice], instance: Defaults, *, now: datetime
) -> dict[Notice, Mapping[str, Any]]:
    """Of those of these notices that are about rules, what they are to remember."""
    return {
        notice: _notes(session, notice, session.get_one(Project, notice.project_id), instance, now)
        for notice in notices
        if notice.kind == RULE_CHANGED
    }


def _notes(
    session: Session, notice: Notice, project: Project, instance: Defaults, now: datetime
) -> Mapping[str, Any]:
    was, then = notice.data["was"], notice.data["now"]
    found = list(_changes(was, then, rule_names.of_project(session, project)))
    reach = [_reach(session, project, state, instance, now) for state in (was, then)]
    return {
        "changes": list(islice(found, MOST_CHANGES)),
        "more": max(len(found) - MOST_CHANGES, 0),
        "reach": reach,
    }


def _changes(was: State, then: State | None, names: Names) -> Iterable[tuple[str, str]]:
    """Of a rule that is gone, all that it said."""
    before, after = ("\n".join(rule_lines.lines(each, names)) if each else "" for each in (was, then))
    return ((each.sign, each.text) for each in owner_versions.lines(before, after))


def _reach(
    session: Session, project: Project, state: State | None, instance: Defaults, now: datetime
) -> tuple[int, int]:
    """How many people and integrations it would tell of an error now; none when it is off or gone."""
    if state is None or state[ACTIVE] is False:
        return 0, 0
    return rule_reaching.numbers(session, project, rule_content.of_data(state), instance, now=now)
