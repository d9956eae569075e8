"""A project's alert rules (`web-api.md` 6): the same services, checks, versions and audit as the pages."""

from typing import Annotated, Any

from flask import jsonify, request

from app import instance
from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import grants, may, me, needs
from app.api.describing import Page, Query, describes, one_of
from app.api.paging import whole_list
from app.api.places import visible_project
from app.api.reading import Json, body, flag, known_members, moment
from app.api.types.alerts import (
    FiredJson,
    HourJson,
    MuteJson,
    MuteWishJson,
    PreviewJson,
    RuleJson,
    RuleWish,
    SavedRuleJson,
)
from app.clock import now
from app.db import db
from app.domain import rule_content
from app.domain.rule_content import Content
from app.domain.rule_rows import BadRule
from app.models import AlertRule, Project, RuleMute
from app.services import access
from app.services.rules import rule_muting, rule_names, rule_preview, ruling
from app.services.rules.rule_muting import FOR_EVERYONE, FOR_ME, Silence
from app.services.rules.rule_preview import Fired, Hour
from app.services.rules.rule_reaching import Inquiry

VIA = "api"
ACTIVE = "active"
FOR = Query("for", "For whom it was muted.", Annotated[str, one_of((FOR_ME, FOR_EVERYONE))], FOR_ME)
# Shown and not written; taken, so that what was read can be sent back.
READ_ONLY = ("id", "version", "trouble", "muted", "sameAs", "sentence", "dateCreated", "createdBy")


@bp.errorhandler(BadRule)
def _bad_rule(error: BadRule) -> Answer:
    """Every place that is wrong, by row and field: `conditions.1.value`."""
    db.session.rollback()
    return jsonify({place or "detail": [words] for place, words in error.errors.items()}), 400


@bp.get("/projects/<org>/<proj>/rules/")
@needs("alerts:read")
@describes({200: Page[RuleJson]})
def rules(org: str, proj: str) -> Answer:
    """The alert rules of a project."""
    project = visible_project(org, proj)
    found = ruling.of_project(db.session, project)
    silences = rule_muting.silences(db.session, [rule.id for rule in found], user=me(), now=now())
    names = rule_names.of_project(db.session, project)
    return whole_list([_shape(rule, silences[rule.id], names) for rule in found])


@bp.post("/projects/<org>/<proj>/rules/")
@needs("alerts:write")
@describes({201: SavedRuleJson}, body=RuleWish)
def create_rule(org: str, proj: str) -> Answer:
    """Make an alert rule."""
    project, given = _editable(org, proj), body()
    content = _read(project, given)
    twins = ruling.twins(db.session, project, content)
    rule = ruling.create(db.session, project, content, by=me(), via=VIA, now=now())
    _switch(rule, given)
    db.session.commit()
    return jsonify({**_shown(rule), "sameAs": list(twins)}), 201


@bp.get("/projects/<org>/<proj>/rules/<int:rule>/")
@needs("alerts:read")
@describes({200: RuleJson})
def rule_of(org: str, proj: str, rule: int) -> Answer:
    """One alert rule."""
    return jsonify(_shown(ruling.find(db.session, visible_project(org, proj), rule)))


@bp.put("/projects/<org>/<proj>/rules/<int:rule>/")
@needs("alerts:write")
@describes({200: SavedRuleJson}, body=RuleWish)
def change_rule(org: str, proj: str, rule: int) -> Answer:
    """Change an alert rule.

    What is absent stays.
    """
    project, given = _editable(org, proj), body()
    row = ruling.find(db.session, project, rule)
    content = _read(project, given, row)
    twins = ruling.twins(db.session, project, content, but=row)
    ruling.change(db.session, row, content, by=me(), via=VIA, now=now())
    _switch(row, given)
    db.session.commit()
    return jsonify({**_shown(row), "sameAs": list(twins)})


@bp.delete("/projects/<org>/<proj>/rules/<int:rule>/")
@needs("alerts:write")
@describes({204: None})
def delete_rule(org: str, proj: str, rule: int) -> Answer:
    """Delete an alert rule."""
    row = ruling.find(db.session, _editable(org, proj), rule)
    ruling.remove(db.session, row, by=me(), via=VIA, now=now())
    db.session.commit()
    return "", 204


@bp.post("/projects/<org>/<proj>/rules/preview/")
@needs("alerts:read")
@describes({200: PreviewJson}, body=RuleWish)
def preview_rule(org: str, proj: str) -> Answer:
    """What a rule would have done in the last days.

    With the `id` of a stored one, as a change of that. For which issues is told to those who may read them.
    """
    project, given = visible_project(org, proj), body()
    saved = _named(project, given)
    content = _read(project, given, saved)
    done = rule_preview.preview(db.session, project, content, _inquiry(project), saved=saved)
    return jsonify(
        {
            "since": shapes.moment(done.since),
            "until": shapes.moment(done.until),
            "events": done.events,
            "eventsInAll": done.total,
            "isWhole": done.is_whole,
            "firings": done.firings,
            "firingsLastWeek": done.recent,
            "largestHour": _hour(done.largest_hour),
            "peopleTold": done.told,
            "integrationsTold": done.sent,
            "issueCount": done.issue_count,
            **({"issues": [_fired(each) for each in done.issues]} if grants("event:read") else {}),
            "notes": [{"place": each.path, "note": each.words} for each in done.notes],
        }
    )


@bp.post("/projects/<org>/<proj>/rules/<int:rule>/mute/")
@needs("alerts:write")
@describes({200: RuleJson}, body=MuteWishJson)
def mute_rule(org: str, proj: str, rule: int) -> Answer:
    """Mute an alert rule, for oneself or for everyone."""
    given = body()
    row = _muted(org, proj, rule, given)
    known_members(given, "for", "until")
    user = me() if given["for"] == FOR_ME else None
    rule_muting.mute(db.session, row, user=user, until=moment(given, "until"), by=me(), via=VIA, now=now())
    db.session.commit()
    return jsonify(_shown(row))


@bp.delete("/projects/<org>/<proj>/rules/<int:rule>/mute/")
@needs("alerts:write")
@describes({200: RuleJson}, query=[FOR])
def unmute_rule(org: str, proj: str, rule: int) -> Answer:
    """End a mute."""
    given = request.args.to_dict()
    row = _muted(org, proj, rule, given)
    user = me() if given["for"] == FOR_ME else None
    rule_muting.unmute(db.session, row, user=user, by=me(), via=VIA, now=now())
    db.session.commit()
    return jsonify(_shown(row))


def _muted(org: str, proj: str, rule: int, given: Json) -> AlertRule:
    """The rule. What concerns everyone is for those who may edit it."""
    project = visible_project(org, proj)
    row = ruling.find(db.session, project, rule)
    if given.get("for") not in (FOR_ME, FOR_EVERYONE):
        raise Invalid(f"Must be {FOR_ME} or {FOR_EVERYONE}.", "for")
    if given["for"] == FOR_EVERYONE:
        may(project, "edit_project")
    return row


def _named(project: Project, given: Json) -> AlertRule | None:
    number = str(given.get("id") or "")
    if not number:
        return None
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise Invalid("Must be the id of a rule of the project.", "id")
    return ruling.find(db.session, project, int(number))


def _inquiry(project: Project) -> Inquiry:
    may_edit = access.can(db.session, me(), project, "edit_project")
    return Inquiry(now(), me(), may_edit, instance.defaults(db.session))


def _hour(hour: Hour | None) -> HourJson | None:
    return {"start": shapes.moment(hour.start), "firings": hour.firings} if hour else None


def _fired(fired: Fired) -> FiredJson:
    return {
        "id": str(fired.issue.id),
        "shortId": fired.issue.short_id,
        "title": fired.issue.title,
        "firings": fired.times,
        "first": shapes.moment(fired.first),
        "last": shapes.moment(fired.last),
        "peopleTold": fired.told,
    }


def _editable(org: str, proj: str) -> Project:
    project = visible_project(org, proj)
    may(project, "edit_project")
    return project


def _read(project: Project, given: Json, row: AlertRule | None = None) -> Content:
    """The rule as it is to be, from what was sent and what it was."""
    before = rule_content.of(row).as_data() if row else {}
    wished = {name: value for name, value in given.items() if name not in (*READ_ONLY, ACTIVE)}
    return rule_content.read({**before, **wished}, rule_names.of_project(db.session, project))


def _switch(row: AlertRule, given: Json) -> None:
    if ACTIVE in given:
        ruling.switch(db.session, row, on=flag(given, ACTIVE), by=me(), via=VIA, now=now())


def _shown(row: AlertRule) -> Json:
    silence = rule_muting.silences(db.session, [row.id], user=me(), now=now())[row.id]
    return _shape(row, silence, rule_names.of_project(db.session, row.project))


def _shape(row: AlertRule, silence: Silence, names: Any) -> Json:
    content = rule_content.of(row)
    return {
        "id": str(row.id),
        **content.as_data(),
        ACTIVE: row.is_active,
        "version": row.version,
        "trouble": row.trouble,
        "sentence": rule_content.sentence(content, names),
        "muted": {FOR_ME: _mute(silence.mine), FOR_EVERYONE: _mute(silence.everyone)},
        "dateCreated": shapes.moment(row.created_at),
        "createdBy": shapes.person(row.created_by),
    }


def _mute(row: RuleMute | None) -> MuteJson | None:
    if row is None:
        return None
    return {
        "until": shapes.moment(row.until),
        "by": shapes.person(row.by),
        "since": shapes.moment(row.created_at),
    }
