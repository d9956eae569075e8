"""The editor's desk: what is being edited and where it is saved, for a project's rules and for templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, make_response, render_template

from app.clock import now
from app.db import db
from app.domain import rule_content, rule_parts
from app.domain.errors import Refused
from app.domain.rule_content import Content
from app.domain.rule_rows import BadRule, Names
from app.models import AlertRule, Notice, Project
from app.services.rules import rule_history, rule_preview, rule_reaching, ruling
from app.services.rules.rule_preview import Preview
from app.services.rules.rule_reaching import Reached
from app.services.simulating import situations
from app.web.hypermedia import is_htmx, varying
from app.web.rules import rows
from app.web.rules.blueprint import inquiry
from app.web.rules.typed import LISTS, Draft

EDITOR, PAGE = "rules/_editor.html", "rules/editor.html"
VERBS = {"conditions": "When", "filters": "If", "actions": "Then"}
REASONS = {"required": "requiredReason", "mayInterrupt": "interruptReason"}


@dataclass(frozen=True, slots=True)
class Desk:
    """`frame` is what the page around it needs; without a project it is a template, which reaches nobody."""

    frame: Mapping[str, Any]
    names: Names
    title: str
    url: str
    check_url: str
    row_url: str
    back: str
    project: Project | None = None
    rule: AlertRule | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of a draft while it is being written; `missing` says what it lacks to be a rule."""

    sentence: str = ""
    missing: Sequence[str] = ()
    reached: Reached | None = None
    twins: tuple[str, ...] = ()
    fired: int | None = None  # by the saved rule, within seven days


@dataclass(frozen=True, slots=True)
class Shown:
    """The form, with what is wrong in it by path; a test that was sent; what it would have done of late."""

    draft: Draft
    errors: Mapping[str, str] = field(default_factory=dict)
    tested: Notice | None = None
    past: Preview | None = None
    newest: int = 0  # the version that somebody else saved meanwhile


def read(desk: Desk, draft: Draft) -> Content:
    """The rule that was typed, or `BadRule`."""
    return rule_content.read(draft.data, desk.names)


def live(desk: Desk, draft: Draft) -> Live:
    fired = None
    if desk.rule:
        counts = rule_history.fired_lately(db.session, [desk.rule.id], now=now())
        fired = counts.get(desk.rule.id, 0)
    try:
        content = rule_content.read({"name": "New rule", **draft.data}, desk.names)
    except BadRule as bad:
        return Live(missing=_placed(bad.errors), fired=fired)
    sentence = rule_content.sentence(content, desk.names)
    if desk.project is None:
        return Live(sentence)
    reached = rule_reaching.of_draft(db.session, desk.project, content, inquiry(desk.project))
    twins = ruling.twins(db.session, desk.project, content, but=desk.rule)
    return Live(sentence, (), reached, tuple(twins), fired)


def _placed(errors: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{ruling.place_words(path)}{words}" for path, words in errors.items())


def past(desk: Desk, draft: Draft) -> Preview | None:
    """What the draft would have done of late; None where it is no rule, or no project's."""
    if desk.project is None:
        return None
    try:
        content = rule_content.read({"name": "New rule", **draft.data}, desk.names)
    except BadRule:
        return None
    return rule_preview.preview(db.session, desk.project, content, inquiry(desk.project), saved=desk.rule)


def page(desk: Desk, shown: Shown, *, status: int = 200) -> Response:
    """The whole page, or with htmx the form alone."""
    text = render_template(EDITOR if is_htmx() else PAGE, **_context(desk, shown))
    return varying(make_response(text, status))


def _context(desk: Desk, shown: Shown) -> dict[str, Any]:
    draft, errors = shown.draft, shown.errors
    return {
        **desk.frame,
        "desk": desk,
        "draft": draft,
        "errors": {path: errors[path] for path in errors if path.partition(".")[0] not in LISTS},
        "list_errors": {name: errors[name] for name in LISTS if name in errors},
        "summary": {draft.place(path): f"{ruling.place_words(path)}{errors[path]}" for path in errors},
        "rows": rows.drawn(draft, desk.names, errors),
        "choices": {name: rows.choices(name, desk.names) for name in LISTS},
        "verbs": VERBS,
        "reasons": REASONS,
        "matches": list(rule_parts.MATCHES.items()),
        "frequencies": rows.frequencies(draft.texts["frequency"]),
        "environments": rows.environments(desk.names, draft.texts["environment"]),
        "attributes": [*rule_parts.ATTRIBUTES, *rule_parts.OPEN_ATTRIBUTES],
        "live": live(desk, draft),
        "tested": shown.tested,
        "past": shown.past,
        "newest": shown.newest,
        "recent": situations.recent(db.session, desk.project) if desk.project else (),
    }


def errors_of(error: Refused) -> Mapping[str, str]:
    return error.errors if isinstance(error, BadRule) else {error.field or "": error.message}
