"""A project's settings: what it is called, who works on it, what its mails say, and its keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app import instance
from app.clock import now
from app.db import db
from app.domain import short_id, subjects
from app.domain.errors import NotFound, Refused
from app.models import Project, ProjectKey
from app.services import access
from app.services.events import traffic
from app.services.issues import auto_resolving
from app.services.issues.auto_resolving import Effect
from app.services.people import configuring, workspaces
from app.web import project_pages
from app.web import traffic as pictures
from app.web.filters import span_of_hours
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required

WINDOWS = {60: "a minute", 3600: "an hour", 86_400: "a day"}

bp = Blueprint("project_settings", __name__, url_prefix="/<org>/<slug>/settings")


@bp.get("/")
@login_required
def general(org: str, slug: str) -> ResponseReturnValue:
    project = project_pages.visible(org, slug)
    return render_template(
        "project_settings/general.html", errors={}, values=_stored(project), **_general(project)
    )


@bp.post("/")
@login_required
def save(org: str, slug: str) -> ResponseReturnValue:
    """With `preview` nothing is saved: the page shows what the form would do."""
    project = project_pages.to_edit(org, slug)
    if "preview" in request.form:
        context = {"errors": {}, "values": request.form, **_general(project, request.form)}
        return render_template("project_settings/general.html", **context)
    try:
        configuring.configure(db.session, project, _wishes(request.form))
    except Refused as error:
        db.session.rollback()
        return form_again("project_settings/general.html", error, **_general(project, request.form))
    db.session.commit()
    flash("Saved.")
    return see_other(url_for("project_settings.general", org=org, slug=slug))


def _wishes(form: MultiDict[str, str]) -> configuring.Wishes:
    return configuring.Wishes(
        name=form.get("name", ""),
        platform=form.get("platform", ""),
        subject_prefix=form.get("subject_prefix", ""),
        subject_template=form.get("subject_template", ""),
        mail_detail=form.get("mail_detail", ""),
        resolve_age_hours=_hours(form),
        last_resort=form.get("last_resort", ""),
        scrub_data="scrub_data" in form,
        store_ips="store_ips" in form,
        sensitive_fields=form.get("sensitive_fields", ""),
        safe_fields=form.get("safe_fields", ""),
        allowed_origins=form.get("allowed_origins", ""),
        team_slugs=frozenset(form.getlist("team")),
    )


@bp.get("/effect")
@login_required
def effect(org: str, slug: str) -> ResponseReturnValue:
    """What `resolve_age_hours` would do, before it is saved."""
    project = project_pages.to_edit(org, slug)
    return render_template("project_settings/_effect.html", effect=_effect(project, _hours(request.args)))


@bp.get("/subject")
@login_required
def subject(org: str, slug: str) -> ResponseReturnValue:
    """The subject that a template makes, before it is saved."""
    project = project_pages.to_edit(org, slug)
    return render_template("project_settings/_subject.html", example=_example(project, request.args))


@bp.get("/keys/")
@login_required
def keys(org: str, slug: str) -> ResponseReturnValue:
    project = project_pages.to_edit(org, slug)
    return render_template("project_settings/keys.html", errors={}, values={}, **_keys(project))


@bp.post("/keys/")
@login_required
def create_key(org: str, slug: str) -> ResponseReturnValue:
    project = project_pages.to_edit(org, slug)
    try:
        workspaces.create_key(db.session, project, label=request.form.get("label", ""), now=now())
    except Refused as error:
        return form_again("project_settings/keys.html", error, **_keys(project))
    db.session.commit()
    flash("The key works from now on.")
    return see_other(url_for("project_settings.keys", org=org, slug=slug))


@bp.post("/keys/<int:key_id>/limit")
@login_required
def limit_key(org: str, slug: str, key_id: int) -> ResponseReturnValue:
    key = _key(project_pages.to_edit(org, slug), key_id)
    workspaces.limit_key(key, count=_number("rate_limit_count"), window=_number("rate_limit_window"))
    db.session.commit()
    flash(f"“{key.label}”: limit saved. It takes effect within seconds.")
    return see_other(url_for("project_settings.keys", org=org, slug=slug))


@bp.post("/keys/<int:key_id>/activity")
@login_required
def switch_key(org: str, slug: str, key_id: int) -> ResponseReturnValue:
    key = _key(project_pages.to_edit(org, slug), key_id)
    key.is_active = request.form.get("active") == "yes"
    db.session.commit()
    flash(f"“{key.label}” is switched {'on' if key.is_active else 'off, within seconds'}.")
    return see_other(url_for("project_settings.keys", org=org, slug=slug))


def _key(project: Project, key_id: int) -> ProjectKey:
    key = db.session.get(ProjectKey, key_id)
    if key is None or key.project_id != project.id:
        raise NotFound
    return key


def _hours(form: Mapping[str, str]) -> int:
    text = form.get("resolve_age_hours", "") or "0"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


@dataclass(frozen=True, slots=True)
class Previewed:
    """An age and its effect; `effect` is None for an age that cannot be chosen."""

    hours: int
    effect: Effect | None


def _effect(project: Project, hours: int) -> Previewed:
    if not 0 <= hours <= configuring.OLDEST_HOURS:
        return Previewed(hours, None)
    usual = instance.defaults(db.session)
    return Previewed(hours, auto_resolving.effect(db.session, project, hours, now=now(), instance=usual))


def _example(project: Project, form: Mapping[str, str]) -> str:
    named = subjects.Named(
        short_id=short_id.encode(project.slug, 42),
        title="KeyError: cart",
        project=project.name,
        project_slug=project.slug,
        organization_slug=project.organization.slug,
        tags={"environment": "production", "level": "error"},
    )
    template, prefix = form.get("subject_template", ""), form.get("subject_prefix", "")
    return subjects.of_thread(template, named, prefix=prefix)


def _number(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("A limit is a whole number.", field=name)
    return int(text)


def _general(project: Project, form: Mapping[str, str] | None = None) -> dict[str, object]:
    shown = _stored(project) if form is None else form
    given = set(request.form.getlist("team")) if request.form else {team.slug for team in project.teams}
    teams = workspaces.teams(db.session, project.organization)
    return {
        **project_pages.frame(project),
        "platforms": configuring.platforms(project),
        "teams": [(team, team.slug in given) for team in teams],
        "mail_details": [(value, *words) for value, words in configuring.MAIL_DETAILS.items()],
        "ages": _ages(project),
        "effect": _effect(project, _hours(shown)),
        "example": _example(project, shown),
        "last_resorts": _last_resorts(project),
    }


def _ages(project: Project) -> list[tuple[int, str]]:
    """Those to choose from, and the one that the API has set otherwise."""
    hours = sorted({*configuring.AGES, project.resolve_age_hours})
    return [(each, span_of_hours(each) if each else "Off") for each in hours]


def _last_resorts(project: Project) -> list[tuple[str, str]]:
    users, teams = access.assignable(db.session, project)
    known = {"": "All members of the project"}
    known |= {f"team:{team.id}": f"#{team.slug}" for team in teams}
    known |= {f"user:{user.id}": user.name for user in users}
    chosen = configuring.last_resort_of(project)
    return list(({chosen: "Somebody who has no access any more"} | known).items())


def _stored(project: Project) -> dict[str, str]:
    """The project as its form would be filled in; a box that is not ticked is not there."""
    boxes = {name: "1" for name in ("scrub_data", "store_ips") if getattr(project, name)}
    names = ("name", "platform", "subject_prefix", "subject_template", "mail_detail")
    lists = {name: "\n".join(getattr(project, name)) for name in configuring.LISTS}
    others = {
        "resolve_age_hours": str(project.resolve_age_hours),
        "last_resort": configuring.last_resort_of(project),
    }
    return {name: getattr(project, name) for name in names} | boxes | lists | others


def _keys(project: Project) -> dict[str, object]:
    url = current_app.config["TOCSIN_URL"]
    found = workspaces.keys(db.session, project)
    return {
        **project_pages.frame(project),
        "keys": [(key, workspaces.dsn(url, key, project), _windows(key)) for key in found],
        "picture": pictures.picture(traffic.of_project(db.session, project, now=now())),
    }


def _windows(key: ProjectKey) -> list[tuple[int, str]]:
    """The usual ones, and what the API has set otherwise."""
    set_already = {key.rate_limit_window: f"{key.rate_limit_window} seconds"} if key.rate_limit_window else {}
    return sorted((set_already | WINDOWS).items())
