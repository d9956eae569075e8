"""A project's settings: what it is called, who works on it, what its mails say, and its keys."""

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.models import Project, ProjectKey
from app.services import access, configuring, workspaces
from app.web.hypermedia import form_again, see_other
from app.web.identity import login_required, me

WINDOWS = {60: "a minute", 3600: "an hour", 86_400: "a day"}

bp = Blueprint("project_settings", __name__, url_prefix="/<org>/<slug>/settings")


@bp.get("/")
@login_required
def general(org: str, slug: str) -> ResponseReturnValue:
    project = access.visible_project(db.session, me(), org, slug)
    return render_template(
        "project_settings/general.html", errors={}, values=_stored(project), **_general(project)
    )


@bp.post("/")
@login_required
def save(org: str, slug: str) -> ResponseReturnValue:
    project, form = _mine_to_edit(org, slug), request.form
    try:
        configuring.configure(
            db.session,
            project,
            configuring.Wishes(
                name=form.get("name", ""),
                platform=form.get("platform", ""),
                subject_prefix=form.get("subject_prefix", ""),
                mail_detail=form.get("mail_detail", ""),
                scrub_data="scrub_data" in form,
                store_ips="store_ips" in form,
                sensitive_fields=form.get("sensitive_fields", ""),
                safe_fields=form.get("safe_fields", ""),
                allowed_origins=form.get("allowed_origins", ""),
                team_slugs=frozenset(form.getlist("team")),
            ),
        )
    except Refused as error:
        return form_again("project_settings/general.html", error, **_general(project))
    db.session.commit()
    flash("Saved.")
    return see_other(url_for("project_settings.general", org=org, slug=slug))


@bp.get("/keys/")
@login_required
def keys(org: str, slug: str) -> ResponseReturnValue:
    project = _mine_to_edit(org, slug)
    return render_template("project_settings/keys.html", errors={}, values={}, **_keys(project))


@bp.post("/keys/")
@login_required
def create_key(org: str, slug: str) -> ResponseReturnValue:
    project = _mine_to_edit(org, slug)
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
    key = _key(_mine_to_edit(org, slug), key_id)
    workspaces.limit_key(key, count=_number("rate_limit_count"), window=_number("rate_limit_window"))
    db.session.commit()
    flash(f"“{key.label}”: limit saved. It takes effect within seconds.")
    return see_other(url_for("project_settings.keys", org=org, slug=slug))


@bp.post("/keys/<int:key_id>/activity")
@login_required
def switch_key(org: str, slug: str, key_id: int) -> ResponseReturnValue:
    key = _key(_mine_to_edit(org, slug), key_id)
    key.is_active = request.form.get("active") == "yes"
    db.session.commit()
    flash(f"“{key.label}” is switched {'on' if key.is_active else 'off, within seconds'}.")
    return see_other(url_for("project_settings.keys", org=org, slug=slug))


def _mine_to_edit(org: str, slug: str) -> Project:
    project = access.visible_project(db.session, me(), org, slug)
    if not access.can(db.session, me(), project, "edit_project"):
        raise NotFound
    return project


def _key(project: Project, key_id: int) -> ProjectKey:
    key = db.session.get(ProjectKey, key_id)
    if key is None or key.project_id != project.id:
        raise NotFound
    return key


def _number(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Refused("A limit is a whole number.", field=name)
    return int(text)


def _frame(project: Project) -> dict[str, object]:
    return {
        "project": project,
        "org": project.organization,
        "active_tab": "settings",
        "may_edit": access.can(db.session, me(), project, "edit_project"),
    }


def _general(project: Project) -> dict[str, object]:
    given = set(request.form.getlist("team")) if request.form else {team.slug for team in project.teams}
    teams = workspaces.teams(db.session, project.organization)
    return {
        **_frame(project),
        "platforms": configuring.platforms(project),
        "teams": [(team, team.slug in given) for team in teams],
        "mail_details": [(value, *words) for value, words in configuring.MAIL_DETAILS.items()],
    }


def _stored(project: Project) -> dict[str, str]:
    """The project as its form would be filled in; a box that is not ticked is not there."""
    boxes = {name: "1" for name in ("scrub_data", "store_ips") if getattr(project, name)}
    names = ("name", "platform", "subject_prefix", "mail_detail")
    lists = {name: "\n".join(getattr(project, name)) for name in configuring.LISTS}
    return {name: getattr(project, name) for name in names} | boxes | lists


def _keys(project: Project) -> dict[str, object]:
    url = current_app.config["TOCSIN_URL"]
    found = workspaces.keys(db.session, project)
    return {
        **_frame(project),
        "keys": [(key, workspaces.dsn(url, key, project), _windows(key)) for key in found],
    }


def _windows(key: ProjectKey) -> list[tuple[int, str]]:
    """The usual ones, and what the API has set otherwise."""
    set_already = {key.rate_limit_window: f"{key.rate_limit_window} seconds"} if key.rate_limit_window else {}
    return sorted((set_already | WINDOWS).items())
