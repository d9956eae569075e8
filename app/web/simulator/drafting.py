"""From what was typed to drafts and a situation; whatever makes no sense is said where it stands."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort

from app.db import db
from app.domain import pacing, quiet, rule_content, tolerant_json
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.domain.ownership_lines import OwnershipErrors
from app.domain.pacing import Pace
from app.domain.preferences import ALERTS, BATCHING, WORKFLOW
from app.domain.rule_rows import BadRule
from app.models import AlertRule, Issue, Project
from app.services import access
from app.services.owners import entrusting, owner_checks
from app.services.owners.owning import OwnersInForce
from app.services.preferences import preferring
from app.services.rules import rule_names, ruling
from app.services.simulating import situations
from app.services.simulating.drafts import Drafts, RuleDraft
from app.services.simulating.situations import Made, Situation
from app.web.identity import me
from app.web.simulator.typed import ISSUE, Typed

OFF, FURTHER = "off:", "new"
LEVELS = ("fatal", "error", "warning", "info", "debug")
MOST_TAGS, LONGEST_WORD = 20, 400
LONGEST_RULE, MOST_PROBLEMS = 50_000, 200
NO_JSON = "This is not a rule as the API writes it: the rule editor can write it for you."


class Wrong(Exception):
    """What cannot be tried: by the field it stands in, one sentence or several."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(next(iter(errors.values()))[0])
        self.errors = errors


def drafts(project: Project, typed: Typed, *, may_edit: bool) -> Drafts:
    """Everybody may try what they choose for themselves; the rest is for those who may change it."""
    errors: dict[str, list[str]] = {}
    of_project = any((typed.rule_id, typed.owners, typed.resolve, *typed.pace))
    of_instance = any((typed.default_alerts, typed.default_workflow, typed.default_batching))
    if (of_project and not may_edit) or (of_instance and not me().is_superuser):
        abort(404)
    found = Drafts(
        rule=_noting(errors, "rule", lambda: _rule(project, typed)),
        owners=_noting(errors, "raw", lambda: _owners(project, typed)),
        resolve_hours=_noting(errors, "resolve", lambda: _hours(typed.resolve)),
        pace=_noting(errors, "minimum", lambda: _pace(typed)),
        defaults=_noting(errors, "default_alerts", lambda: _defaults(typed)) or {},
        mine=_noting(errors, "mine_alerts", lambda: _mine(project, typed)) or {},
        reader_id=me().id,
    )
    if errors:
        raise Wrong(errors)
    return found


def _noting(errors: dict[str, list[str]], field: str, read: Any) -> Any:
    try:
        return read()
    except BadRule as bad:
        errors[field] = [f"{ruling.place_words(path)}{words}" for path, words in bad.errors.items()]
    except OwnershipErrors as wrong:
        errors[field] = [wording(str(problem)) for problem in wrong.problems[:MOST_PROBLEMS]]
    except Refused as refused:
        errors[refused.field or field] = [refused.message]
    return None


def wording(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"


def _rule(project: Project, typed: Typed) -> RuleDraft | None:
    if not typed.rule_id:
        return None
    if typed.rule_id.startswith(OFF):
        return RuleDraft(None, _stored(project, typed.rule_id.removeprefix(OFF)))
    instead = None if typed.rule_id == FURTHER else _stored(project, typed.rule_id)
    if not typed.rule.strip():
        if instead is None:
            raise Refused("Write the rule, as the API is sent it.", field="rule")
        return RuleDraft(rule_content.of(instead), instead)
    data = {"name": "New rule", **parsed(typed.rule)}
    return RuleDraft(rule_content.read(data, rule_names.of_project(db.session, project)), instead)


def _stored(project: Project, number: str) -> AlertRule:
    id_ = parse_id(number)
    if id_ is None:
        raise NotFound
    return ruling.find(db.session, project, id_)


def parsed(text: str) -> dict[str, Any]:
    """A rule as the API is sent it, or `Refused`."""
    if len(text) > LONGEST_RULE:
        raise Refused(f"At most {LONGEST_RULE} characters.", field="rule")
    try:
        data = tolerant_json.mend(json.loads(text))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(f"{NO_JSON} What cannot be read begins at {where}.", field="rule") from None
    except ValueError:
        raise Refused("A number in it is too long.", field="rule") from None
    except RecursionError:
        raise Refused("That is nested too deeply.", field="rule") from None
    if not isinstance(data, dict):
        raise Refused("A rule is a JSON object.", field="rule")
    return data


def _owners(project: Project, typed: Typed) -> OwnersInForce | None:
    if not typed.owners:
        return None
    entrusting.check(db.session, project, typed.raw)
    rules, _ = owner_checks.drafted(db.session, project, typed.raw)
    return OwnersInForce(
        rules, typed.fallthrough != "nobody", bool(typed.auto_assign), bool(typed.only_assignee)
    )


def _hours(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii() or int(text) > 24 * 365:
        raise Refused("Choose one of the times.", field="resolve")
    return int(text)


def _pace(typed: Typed) -> Pace | None:
    least, most = typed.pace
    if not (least or most):
        return None
    return pacing.checked(_number(least), _number(most), fields=("minimum", "maximum"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else None


def _defaults(typed: Typed) -> Mapping[tuple[str, str], str]:
    given = {ALERTS: typed.default_alerts, WORKFLOW: typed.default_workflow, BATCHING: typed.default_batching}
    return {(category, ""): value for category, value in _chosen(given)}


def _mine(project: Project, typed: Typed) -> Mapping[tuple[str, str, str, int], str]:
    here = {ALERTS: typed.mine_alerts, WORKFLOW: typed.mine_workflow}
    found = {(category, "", preferring.PROJECT, project.id): value for category, value in _chosen(here)}
    for category, value in _chosen({BATCHING: typed.mine_batching}):
        found[category, "", preferring.ACCOUNT, 0] = value
    return found


def _chosen(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for category, value in given.items():
        if value:
            preferring.check(category, "", value)
            yield category, value


# The situation


def situation(project: Project, typed: Typed, *, now: datetime) -> Situation:
    """What is asked about; `Wrong` where there is no such issue, or nothing kept of it."""
    if typed.mode != ISSUE:
        return situations.by_hand(_made(typed), now=now)
    issue = _issue(project, typed.issue)
    found = situations.of_issue(db.session, issue, how=typed.how) if issue else None
    if found is None:
        raise Wrong({"issue": ["There is no such issue here, or none of its events is kept."]})
    return found


def _issue(project: Project, name: str) -> Issue | None:
    id_ = parse_id(name)
    try:
        issue = (
            access.visible_issue_by_short_id(db.session, me(), project.organization, name.strip())
            if id_ is None
            else access.visible_issue(db.session, me(), id_)
        )
    except NotFound:
        return None
    return issue if issue.project_id == project.id else None


def _made(typed: Typed) -> Made:
    errors = {}
    nth = _number(typed.nth) or 0
    if typed.level not in LEVELS:
        errors["level"] = ["Choose a level."]
    if typed.made_how not in situations.HOW:
        errors["made_how"] = ["Choose what it is."]
    if typed.made_how == situations.AGAIN and nth < 2:
        errors["nth"] = ["A whole number, 2 or more."]
    if lost := _no_tags(typed.tags):
        errors["tags"] = [f"“{lost[0]}” is no tag: write key=value, with commas between tags."]
    if errors:
        raise Wrong(errors)
    return Made(
        level=typed.level,
        environment=typed.environment.strip()[:64],
        release=typed.release.strip()[:200],
        path=typed.path.strip()[:LONGEST_WORD],
        url=typed.url.strip()[:LONGEST_WORD],
        tags=_tags(typed.tags),
        how=typed.made_how,
        nth=nth or 1,
    )


def _tags(text: str) -> list[tuple[str, str]]:
    """ "browser=Firefox 128, plan=pro" """
    pairs = (part.partition("=") for part in _tags_typed(text))
    return [(key.strip(), value.strip()) for key, _, value in pairs][:MOST_TAGS]


def _tags_typed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def _no_tags(text: str) -> list[str]:
    """What would be lost, since it says no key or no value."""
    return [part for part in _tags_typed(text) if not all(map(str.strip, part.partition("=")))]


def moment(typed: Typed, *, now: datetime, zone: str) -> datetime | None:
    """The next time that it is this day and hour on the reader's clock; None: right now."""
    if not typed.day and not typed.time:
        return None
    minute = quiet.minute_of(typed.time or "12:00")
    day = quiet.DAY_NAMES.index(typed.day) if typed.day in quiet.DAY_NAMES else None
    if minute is None:
        raise Wrong({"time": ["A time such as 03:00."]})
    here = now.astimezone(ZoneInfo(zone))
    ahead = 0 if day is None else (day - here.weekday()) % 7
    wanted = datetime.combine(here.date() + timedelta(days=ahead), time(*divmod(minute, 60)), here.tzinfo)
    if wanted <= now:
        wanted += timedelta(days=1 if day is None else 7)
    return wanted.astimezone(UTC)
