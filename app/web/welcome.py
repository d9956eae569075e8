"""Four short pages from a new account to the proof that it rings; each can be left and taken up again."""

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import refusals
from app.clock import now
from app.db import db
from app.domain.errors import NotFound, Refused
from app.domain.ids import parse_id
from app.models import Event, Organization, Project
from app.services import access
from app.services.people import accounts, onboarding, workspaces
from app.settings import Settings
from app.web import sample, snippets
from app.web.hypermedia import form_again, hx_redirect, is_htmx, see_other, varying
from app.web.identity import login_required, me
from app.web.timezones import timezones

bp = Blueprint("welcome", __name__)

STEPS = ("Your bell", "Project", "Connect", "It rang")


@bp.app_context_processor
def _steps() -> dict[str, object]:
    return {"welcome_steps": STEPS}


# 1: Your bell


@bp.get("/welcome/")
@login_required
def bell() -> ResponseReturnValue:
    return render_template(
        "welcome/bell.html", errors={}, values={"timezone": me().timezone}, timezones=timezones()
    )


@bp.post("/welcome/")
@login_required
def set_bell() -> ResponseReturnValue:
    user = me()
    try:
        user.timezone = accounts.checked_timezone(request.form.get("timezone", "").strip() or "UTC")
        onboarding.choose_loudness(db.session, user, request.form.get("loudness", ""), now=now())
    except Refused as error:
        return form_again("welcome/bell.html", error, timezones=timezones())
    db.session.commit()
    return see_other(url_for("welcome.project"))


# 2: Project


@bp.get("/welcome/project/")
@login_required
def project() -> ResponseReturnValue:
    return _project_form(_organization_to_build_in(), {"platform": "python"})


@bp.post("/welcome/project/")
@login_required
def open_project() -> ResponseReturnValue:
    return _open_project(_organization_to_build_in())


@bp.get("/<org>/projects/new/")
@login_required
def another_project(org: str) -> ResponseReturnValue:
    return _project_form(_may_build_in(org), {"platform": "python"})


@bp.post("/<org>/projects/new/")
@login_required
def open_another_project(org: str) -> ResponseReturnValue:
    return _open_project(_may_build_in(org))


def _organization_to_build_in() -> Organization | None:
    """The first organization in which the person may make projects; None: they open one of their own."""
    return next(iter(access.organizations_where(db.session, me(), "create_project")), None)


def _may_build_in(slug: str) -> Organization:
    organization = access.visible_organization(db.session, me(), slug)
    if not access.can(db.session, me(), organization, "create_project"):
        raise NotFound
    return organization


def _project_form(organization: Organization | None, values: dict[str, str]) -> str:
    return render_template("welcome/project.html", errors={}, values=values, **_choices(organization))


def _choices(organization: Organization | None) -> dict[str, object]:
    teams = onboarding.teams_to_choose(db.session, organization, me()) if organization else []
    return {"org": organization, "teams": teams, "platforms": workspaces.PLATFORMS.items()}


def _open_project(organization: Organization | None) -> Response:
    form, session = request.form, db.session
    try:
        place = organization or onboarding.open_organization(
            session, me(), name=form.get("organization", ""), now=now()
        )
        team = onboarding.team_for_project(session, place, me(), name=form.get("team", ""), now=now())
        made = onboarding.open_project(
            session,
            team,
            name=form.get("project", ""),
            platform=form.get("platform", ""),
            with_rules="rules" in form or "asks_rules" not in form,
            now=now(),
        )
    except Refused as error:
        session.rollback()
        return form_again("welcome/project.html", error, **_choices(organization))
    session.commit()
    return see_other(url_for("welcome.connect", org=place.slug, slug=made.slug))


# 3: Connect


@bp.get("/welcome/<org>/<slug>/connect/")
@login_required
def connect(org: str, slug: str) -> ResponseReturnValue:
    """Without script the page reloads itself, and moves on once an event came since it was first opened."""
    project = access.visible_project(db.session, me(), org, slug)
    newest = onboarding.newest_event(db.session, project)
    seen = request.args.get("seen", type=int)
    if newest and seen is not None and newest.id != seen:
        return see_other(_rang(project, newest))
    return render_template("welcome/connect.html", **_connection(project, newest))


@bp.get("/welcome/<org>/<slug>/arrival/")
@login_required
def arrival(org: str, slug: str) -> ResponseReturnValue:
    """What the waiting page asks every two seconds: 204 while nothing changed."""
    project = access.visible_project(db.session, me(), org, slug)
    newest = onboarding.newest_event(db.session, project)
    if newest and newest.id != request.args.get("seen", type=int):
        return hx_redirect(_rang(project, newest))
    found = _connection(project, newest)
    if found["refused_at"] == request.args.get("refused", ""):
        return varying(Response(status=204))
    return render_template("welcome/_waiting.html", **found)


@bp.post("/welcome/<org>/<slug>/sample/")
@login_required
def send_sample(org: str, slug: str) -> ResponseReturnValue:
    session = db.session
    project = access.visible_project(session, me(), org, slug)
    key = workspaces.default_key(session, project)
    if key is None:
        raise Refused("Every key of the project is switched off: make one first.")
    newest = onboarding.newest_event(session, project)
    here = url_for("welcome.connect", org=org, slug=slug, seen=newest.id if newest else 0)
    sample.send(current_app.extensions.get("tocsin_ingest"), key, project, now=now())
    return see_other(here)


def _connection(project: Project, newest: Event | None) -> dict[str, object]:
    dsn = snippets.dsn_of(project)
    refused = refusals.last(current_app.extensions["tocsin_redis"], project.id, now=now())
    chosen = request.args.get("with", "")
    platform = snippets.for_platform(chosen or project.platform)
    return {
        "project": project,
        "org": project.organization,
        "dsn": dsn,
        "platform": platform,
        "snippets": snippets.SNIPPETS,
        "steps": snippets.SNIPPETS[platform].filled(dsn),
        "newest": newest,
        "refused": refused,
        "refused_at": refused.at if refused else "",
        "address_is_ours": _settings().tocsin_url.partition("://")[2] == request.host,
    }


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


# 4: It rang


@bp.get("/welcome/<org>/<slug>/rang/")
@login_required
def rang(org: str, slug: str) -> ResponseReturnValue:
    project = access.visible_project(db.session, me(), org, slug)
    event = _event_to_prove(project)
    if event is None:
        return see_other(url_for("welcome.connect", org=org, slug=slug))
    proof = onboarding.prove(db.session, event, me())
    context = {"project": project, "org": project.organization, "proof": proof}
    if not is_htmx():
        return varying(Response(render_template("welcome/rang.html", **context)))
    if request.args.get("seen") == proof.version:
        return varying(Response(status=204))
    return varying(Response(render_template("welcome/_proof.html", **context)))


def _event_to_prove(project: Project) -> Event | None:
    number = parse_id(request.args.get("event", ""))
    if number is None:
        return onboarding.newest_event(db.session, project)
    event = db.session.get(Event, number)
    return event if event and event.project_id == project.id else None


def _rang(project: Project, event: Event) -> str:
    return url_for("welcome.rang", org=project.organization.slug, slug=project.slug, event=event.id)
