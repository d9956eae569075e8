"""The list of integrations, and the page of one: its health, a test, what was sent and answered."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channels import CHANNELS
from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import Destination
from app.services.integrations import channel_settings, confirming, connecting, delivery_log, destinations
from app.web import limits
from app.web.filters import plural
from app.web.hypermedia import see_other, varying
from app.web.identity import login_required, me
from app.web.integrations.blueprint import bp, frame, integration_to_edit, page_of, project_to_edit, vault
from app.web.made import made_for

PAGE = 25
FILTERS = {"": "All", "arrived": "Arrived", "waiting": "Waiting", "failed": "Failed", "cancelled": "Not sent"}


@bp.get("/")
@login_required
def index(org: str, slug: str) -> ResponseReturnValue:
    project = project_to_edit(org, slug)
    return render_template(
        "integrations/list.html",
        **frame(project),
        rows=destinations.of_project(db.session, project.id),
        channels=CHANNELS,
        this_week=delivery_log.this_week(db.session, project.id, now=now()),
        next_try=delivery_log.next_try(db.session, project.id),
    )


@bp.get("/<int:destination_id>/")
@login_required
def show(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    """Secrets that were just made are shown this once."""
    row = integration_to_edit(org, slug, destination_id)
    state = request.args.get("state", "")
    start = parse_id(request.args.get("start", "")) or 0
    found = delivery_log.sent(db.session, row, state=state, start=start, count=PAGE + 1)
    tested = request.args.get("test", "")
    return render_template(
        "integrations/show.html",
        **frame(row.project),
        destination=row,
        about=CHANNELS[row.channel].about,
        made=made_for(page_of(row), now=now()),
        callbacks=_callbacks(row),
        to_confirm=confirming.to_confirm(row, vault().seal, now=now()),
        shown=_shown(row),
        kinds=[
            words for kind, words in CHANNELS[row.channel].about.words_of_kinds().items() if kind in row.kinds
        ],
        rules=destinations.rules_using(db.session, row),
        rotates=connecting.can_rotate(row),
        old_until=connecting.signs_with_old_until(row, vault().seal, now=now()),
        sent=found[:PAGE],
        has_failed=delivery_log.has_failed(db.session, row),
        state=state,
        filters=FILTERS,
        tried=delivery_log.of_notice(db.session, row, tested) if tested else None,
        previous=max(start - PAGE, 0) if start else None,
        following=start + PAGE if len(found) > PAGE else None,
    )


def _callbacks(row: Destination) -> list[tuple[str, str]]:
    """The addresses that the other side calls, to be copied there."""
    base = current_app.config["SETTINGS"].tocsin_url.rstrip("/")
    labels = CHANNELS[row.channel].about.callbacks
    return [(label, f"{base}/hooks/{row.callback_key}/{name}") for name, label in labels.items() if label]


def _shown(row: Destination) -> list[tuple[str, Any]]:
    """What it is set to, as people may see it."""
    values = channel_settings.shown(row, vault().seal)
    fields = channel_settings.fields_of(row.channel)
    named = ((each.label, _words(each.choices, values.get(each.key))) for each in fields)
    return [(label, value) for label, value in named if value]


def _words(choices: Mapping[str, str], value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return choices.get(str(value), str(value or ""))


@bp.post("/<int:destination_id>/test")
@login_required
@limits.integrations
def test(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    notice = connecting.test(db.session, row, by=me(), now=now())
    db.session.commit()
    address = url_for("integrations.show", org=org, slug=slug, destination_id=row.id, test=notice.public_id)
    return see_other(f"{address}#test")


@bp.get("/<int:destination_id>/tried/<public_id>/")
@login_required
def tried(org: str, slug: str, destination_id: int, public_id: str) -> ResponseReturnValue:
    """What became of a test so far, in place; once it is known, wherever the page shows it."""
    row = integration_to_edit(org, slug, destination_id)
    found = delivery_log.of_notice(db.session, row, public_id) if public_id.isprintable() else None
    if found is None:
        raise NotFound
    context = {**frame(row.project), "destination": row, "tried": found}
    return varying(make_response(render_template("integrations/_tested.html", **context)))


@bp.post("/<int:destination_id>/switch")
@login_required
def switch(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    if request.form.get("enabled") == "yes":
        connecting.switch_on(db.session, row, now=now())
        flash(f"“{row.name}” is on.")
    else:
        connecting.switch_off(db.session, row, now=now())
        flash(f"“{row.name}” is off. What waited for it is not sent.")
    db.session.commit()
    return see_other(url_for("integrations.show", org=org, slug=slug, destination_id=row.id))


@bp.post("/<int:destination_id>/redeliver")
@login_required
@limits.integrations
def redeliver(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    """One message by its id, all that failed, or what waits: now."""
    row = integration_to_edit(org, slug, destination_id)
    try:
        words = _again(row)
    except Refused as error:
        db.session.rollback()
        flash(error.message, "warning")
        return see_other(url_for("integrations.show", org=org, slug=slug, destination_id=destination_id))
    db.session.commit()
    flash(words)
    return see_other(url_for("integrations.show", org=org, slug=slug, destination_id=row.id))


def _again(row: Destination) -> str:
    which = request.form.get("which", "")
    if which == "failed":
        count = delivery_log.redeliver_failed(db.session, row, now=now())
        return f"Queued to be sent again: {plural(count, 'message')}." if count else "Nothing failed."
    if which == "waiting":
        delivery_log.retry_now(db.session, row, now=now())
        return "Queued to be tried now."
    delivery_log.redeliver(db.session, row, which, now=now())
    return "Queued to be sent again."
