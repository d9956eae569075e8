"""A project's integrations (`web-api.md` 6): the same services and checks as the pages.

Secrets are written, never read: they come back as their last four characters, and writing that back keeps
them. The one exception is a signing secret that was made here: it is in the answer to what made it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import jsonify

from app import outgoing
from app.api import shapes
from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import may, me, needs, person
from app.api.describing import Page, describes
from app.api.paging import page, whole_list
from app.api.places import visible_project
from app.api.reading import Json, body, flag, known_members, lines, member_object, text
from app.api.types.notifications import IntegrationJson, IntegrationWish, SentJson, TestedJson
from app.clock import now
from app.db import begin_writing, db
from app.extensions import limiter
from app.limits import INTEGRATIONS, INTEGRATIONS_SCOPE
from app.models import Destination, Project
from app.services.integrations import channel_settings, connecting, delivery_log, destinations
from app.services.integrations.connecting import Vault, Wishes
from app.services.integrations.delivery_log import Sent

# What is shown and cannot be written is taken, so that what was read can be sent back.
MEMBERS = ("channel", "name", "settings", "kinds", "enabled", "id", "health", "dateCreated")
# Beside the limit of all calls.
writing = limiter.shared_limit(
    INTEGRATIONS, scope=INTEGRATIONS_SCOPE, key_func=person, override_defaults=False
)


@bp.get("/projects/<org>/<proj>/integrations/")
@needs("project:read")
@describes({200: Page[IntegrationJson]})
def integrations(org: str, proj: str) -> Answer:
    """The integrations of a project."""
    project = _editable(org, proj)
    return whole_list([_shape(row) for row in destinations.of_project(db.session, project.id)])


@bp.post("/projects/<org>/<proj>/integrations/")
@writing
@needs("project:write")
@describes({201: IntegrationJson}, body=IntegrationWish)
def create_integration(org: str, proj: str) -> Answer:
    """Make an integration.

    A signing secret that is made for it is in this answer and no other.
    """
    _editable(org, proj)
    given = body()
    channel = text(given, "channel")
    wishes = connecting.looked_into(_wishes(given), channel, _vault())
    begin_writing()
    project = _editable(org, proj)
    row, made = connecting.add(db.session, project, channel, wishes, _vault(), by=me(), now=now())
    if "enabled" in given and not flag(given, "enabled"):
        connecting.switch_off(db.session, row, now=now())
    db.session.commit()
    return jsonify(_shape(row, made)), 201


@bp.get("/projects/<org>/<proj>/integrations/<int:integration>/")
@needs("project:read")
@describes({200: IntegrationJson})
def integration_of(org: str, proj: str, integration: int) -> Answer:
    """One integration."""
    return jsonify(_shape(_find(org, proj, integration)))


@bp.put("/projects/<org>/<proj>/integrations/<int:integration>/")
@writing
@needs("project:write")
@describes({200: IntegrationJson}, body=IntegrationWish)
def change_integration(org: str, proj: str, integration: int) -> Answer:
    """Change an integration.

    What is absent stays.
    """
    row, given = _find(org, proj, integration), body()
    if "channel" in given and given["channel"] != row.channel:
        raise Invalid("An integration keeps its channel: make another one.", "channel")
    wishes = connecting.looked_into(_wishes(given), row.channel, _vault(), row=row)
    begin_writing()
    row = _find(org, proj, integration)
    made = connecting.change(db.session, row, wishes, _vault())
    if "enabled" in given and flag(given, "enabled") != row.enabled:
        if row.enabled:
            connecting.switch_off(db.session, row, now=now())
        else:
            connecting.switch_on(db.session, row, now=now())
    db.session.commit()
    return jsonify(_shape(row, made))


@bp.delete("/projects/<org>/<proj>/integrations/<int:integration>/")
@needs("project:admin")
@describes({204: None})
def delete_integration(org: str, proj: str, integration: int) -> Answer:
    """Delete an integration."""
    connecting.remove(db.session, _find(org, proj, integration), now=now())
    db.session.commit()
    return "", 204


@bp.post("/projects/<org>/<proj>/integrations/<int:integration>/test/")
@writing
@needs("project:write")
@describes({202: TestedJson})
def test_integration(org: str, proj: str, integration: int) -> Answer:
    """Send a test message.

    On the way of all messages; what became of it stands with the notice.
    """
    row = _find(org, proj, integration)
    notice = connecting.test(db.session, row, by=me(), now=now())
    db.session.commit()
    return jsonify({"notice": notice.public_id}), 202


@bp.get("/projects/<org>/<proj>/integrations/<int:integration>/deliveries/")
@needs("project:read")
@describes({200: Page[SentJson]})
def deliveries_of(org: str, proj: str, integration: int) -> Answer:
    """What an integration was sent, newest first.

    Each try with what was sent and answered.
    """
    row = _find(org, proj, integration)

    def fetch(start: int, count: int) -> Sequence[Sent]:
        return delivery_log.sent(db.session, row, start=start, count=count)

    return page(fetch, lambda found: [_sent(each) for each in found])


def _editable(org: str, proj: str) -> Project:
    project = visible_project(org, proj)
    may(project, "edit_project")
    return project


def _find(org: str, proj: str, integration: int) -> Destination:
    return destinations.find(db.session, _editable(org, proj), integration)


def _vault() -> Vault:
    return Vault(outgoing.seal(), outgoing.allowed())


def _wishes(given: Json) -> Wishes:
    known_members(given, *MEMBERS)
    return Wishes(
        name=text(given, "name") if "name" in given else None,
        kinds=lines(given, "kinds").split("\n") if given.get("kinds") else _no_kinds(given),
        settings=member_object(given, "settings"),
    )


def _no_kinds(given: Json) -> list[str] | None:
    """An empty list is a wish too."""
    return [] if given.get("kinds") == [] else None


def _shape(row: Destination, made: Mapping[str, Any] | None = None) -> IntegrationJson:
    return {
        "id": str(row.id),
        "channel": row.channel,
        "name": row.name,
        "settings": {**channel_settings.shown(row, outgoing.seal()), **(made or {})},
        "kinds": row.kinds,
        "enabled": row.enabled,
        "health": {
            "state": row.state,
            "since": shapes.moment(row.since),
            "detail": row.disabled_reason or row.detail or None,
        },
        "dateCreated": shapes.moment(row.created_at),
    }


def _sent(each: Sent) -> SentJson:
    return {
        "id": each.delivery.public_id,
        "notice": each.notice.public_id,
        "kind": each.delivery.kind,
        "issue": each.notice.issue_short_id,
        "state": each.delivery.state,
        "dateCreated": shapes.moment(each.delivery.created_at),
        "nextTry": shapes.moment(each.delivery.send_at) if each.state.is_waiting else None,
        "attempts": [
            {
                "at": shapes.moment(attempt.at),
                "outcome": attempt.outcome,
                "code": attempt.code,
                "request": attempt.request,
                "response": attempt.response,
                "ms": attempt.milliseconds,
            }
            for attempt in each.attempts
        ],
    }
