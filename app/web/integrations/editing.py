"""The form of an integration, drawn from its channel's fields: adding, changing, rotating, taking away."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from flask import current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channels import CHANNELS
from app.channels.base import HEADERS, LIST, Picture, Setting
from app.clock import now
from app.db import begin_writing, db
from app.domain.errors import NotFound, Refused
from app.models import Destination, Project
from app.services.integrations import channel_settings, connecting, destinations, messages
from app.services.integrations.connecting import Wishes
from app.services.mails import mail_detail
from app.web import limits
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required, me
from app.web.integrations.blueprint import bp, frame, integration_to_edit, page_of, project_to_edit, vault
from app.web.made import show_once

KEEP = {0: "Not any more: it has leaked", 24: "For a day", 72: "For 3 days", 168: "For 7 days"}


@bp.get("/new/<channel>/")
@login_required
def new(org: str, slug: str, channel: str) -> ResponseReturnValue:
    context = _form(project_to_edit(org, slug), _known(channel))
    return render_template("integrations/form.html", errors={}, values=_usual(channel), **context)


@bp.post("/new/<channel>/")
@login_required
@limits.integrations
def create(org: str, slug: str, channel: str) -> ResponseReturnValue:
    """A secret that was made is shown on its page this once."""
    project_to_edit(org, slug)
    wishes = connecting.looked_into(_typed(_known(channel)), channel, vault())
    begin_writing()
    project = project_to_edit(org, slug)
    try:
        row, made = connecting.add(db.session, project, channel, wishes, vault(), by=me(), now=now())
    except Refused as error:
        return form_again("integrations/form.html", _with_lost(error, channel), **_form(project, channel))
    db.session.commit()
    show_once(page_of(row), made, now=now())
    return _back_to(org, slug, row.id)


@bp.get("/<int:destination_id>/edit/")
@login_required
def edit(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    context = _form(row.project, row.channel, row)
    return render_template("integrations/form.html", errors={}, values=_stored(row), **context)


@bp.post("/<int:destination_id>/edit/")
@login_required
@limits.integrations
def change(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    wishes = connecting.looked_into(_typed(row.channel), row.channel, vault(), row=row)
    begin_writing()
    row = integration_to_edit(org, slug, destination_id)
    project, channel = row.project, row.channel
    try:
        connecting.change(db.session, row, wishes, vault())
    except Refused as error:
        db.session.rollback()
        again = _with_lost(error, channel)
        return form_again("integrations/form.html", again, **_form(project, channel, row))
    db.session.commit()
    flash("Saved. A test shows whether it works.")
    return _back_to(org, slug, destination_id)


@bp.post("/<int:destination_id>/rotate")
@login_required
@limits.integrations
def rotate(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    hours = request.form.get("keep", "24")
    if hours not in map(str, KEEP):
        raise Refused("Choose how long the old secret signs too.")
    secret = connecting.rotate(db.session, row, vault().seal, keep=timedelta(hours=int(hours)), now=now())
    db.session.commit()
    show_once(page_of(row), {"secret": secret}, now=now())
    return _back_to(org, slug, destination_id)


@bp.get("/<int:destination_id>/removal/")
@login_required
def ask_removal(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    return render_template(
        "integrations/removal.html",
        **frame(row.project),
        destination=row,
        about=CHANNELS[row.channel].about,
        rules=destinations.rules_using(db.session, row),
    )


@bp.post("/<int:destination_id>/removal/")
@login_required
def remove(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    row = integration_to_edit(org, slug, destination_id)
    name, rules = row.name, destinations.rules_naming(db.session, row)
    connecting.remove(db.session, row, now=now())
    db.session.commit()
    named = ", ".join(f"“{rule.name}”" for rule in rules)
    still = f" {'Rules that still name' if len(rules) > 1 else 'A rule that still names'} it: {named}."
    flash(f"“{name}” is removed. What it was sent stays in the records.{still if rules else ''}")
    return see_other(url_for("integrations.index", org=org, slug=slug))


def _back_to(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    return see_other(url_for("integrations.show", org=org, slug=slug, destination_id=destination_id))


def _with_lost(error: Refused, channel: str) -> Refused:
    """The same, and of each secret that was typed that it has to be once more: no page repeats it."""
    lost = {
        each.key: f"Enter “{each.label}” again: secrets are not kept in the form."
        for each in channel_settings.fields_of(channel)
        if each.secret and each.kind not in (HEADERS, LIST) and request.form.get(each.key, "").strip()
    }
    return Refused(error.message, field=error.field, by_field={**error.by_field, **lost, **error.by_field})


def _known(channel: str) -> str:
    if channel not in CHANNELS:
        raise NotFound
    return channel


def _typed(channel: str) -> Wishes:
    """The whole form: what is not ticked is not wanted."""
    given = {
        each.key: _value(each, request.form[each.key])
        for each in channel_settings.fields_of(channel)
        if each.key in request.form
    }
    return Wishes(request.form.get("name", ""), request.form.getlist("kind"), given)


def _value(each: Setting, text: str) -> Any:
    """Lists and headers are typed a line each."""
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    if each.kind == LIST:
        return rows
    if each.kind == HEADERS:
        pairs = (row.partition(each.between) for row in rows)
        return {name.strip(): value.strip() for name, _, value in pairs}
    return text.strip()


def _usual(channel: str) -> dict[str, str]:
    return {each.key: _text(each, each.default) for each in channel_settings.fields_of(channel)}


def _stored(row: Destination) -> dict[str, str]:
    """As its form is filled in: a secret's field is empty and says what it ends with; headers are lines."""
    values = channel_settings.shown(row, vault().seal)
    known = {each.key: each for each in channel_settings.fields_of(row.channel)}
    texts = {
        key: "" if known[key].secret and isinstance(value, str) else _text(known[key], value)
        for key, value in values.items()
    }
    return {**texts, "name": row.name}


def _text(each: Setting, value: Any) -> str:
    if isinstance(value, Mapping):
        between = each.between if each.between == ":" else f" {each.between}"
        return "\n".join(f"{name}{between} {text}" for name, text in value.items())
    return value if isinstance(value, str) else "\n".join(map(str, value))


def _form(project: Project, channel: str, row: Destination | None = None) -> dict[str, object]:
    about = CHANNELS[channel].about
    kinds = row.kinds if row else about.usual_kinds
    chosen = request.form.getlist("kind") if request.method == "POST" else kinds
    shown = channel_settings.shown(row, vault().seal) if row else {}
    return {
        **frame(project),
        "about": about,
        "groups": [
            (legend, list(members))
            for legend, members in groupby(channel_settings.fields_of(channel), lambda each: each.group)
        ],
        "endings": {key: value for key, value in shown.items() if isinstance(value, str)},
        "kinds": [(kind, words, kind in chosen) for kind, words in about.words_of_kinds().items()],
        "destination": row,
        "picture": _picture(project, channel, row),
    }


def _picture(project: Project, channel: str, row: Destination | None) -> Picture:
    """A made-up message as it would be sent."""
    settings = current_app.config["SETTINGS"]
    values = channel_settings.stored(row, vault().seal) if row else {}
    detail = mail_detail.detail_of(project)
    sample = messages.sample(project, kind="new", at=now(), url=settings.tocsin_url, detail=detail)
    return channel_settings.pictured(channel, values).picture(sample)
