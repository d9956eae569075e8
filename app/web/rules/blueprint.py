"""The blueprint of alert rules, and who may do what there."""

from typing import Any

from flask import Blueprint, current_app, url_for

from app.clock import now
from app.db import db
from app.domain.errors import NotFound
from app.models import AlertRule, Project
from app.services import access, preferring, ruling
from app.services.rule_reaching import Imagined
from app.web.identity import me

bp = Blueprint("rules", __name__)
ROOT = "/<org>/<slug>/settings/alerts"


def visible(org: str, slug: str) -> Project:
    """Members read: whoever is told may know why."""
    return access.visible_project(db.session, me(), org, slug)


def may_edit(project: Project) -> bool:
    return access.can(db.session, me(), project, "edit_project")


def mine_to_edit(org: str, slug: str) -> Project:
    project = visible(org, slug)
    if not may_edit(project):
        raise NotFound
    return project


def rule_to_see(org: str, slug: str, rule_id: int) -> AlertRule:
    return ruling.find(db.session, visible(org, slug), rule_id)


def rule_to_edit(org: str, slug: str, rule_id: int) -> AlertRule:
    return ruling.find(db.session, mine_to_edit(org, slug), rule_id)


def frame(project: Project) -> dict[str, Any]:
    return {
        "project": project,
        "org": project.organization,
        "active_tab": "alerts",
        "may_edit": may_edit(project),
    }


def imagined(project: Project) -> Imagined:
    settings = current_app.config["SETTINGS"]
    instance = preferring.defaults(db.session, workflow=settings.default_workflow_notifications)
    return Imagined(now(), me(), may_edit(project), instance)


def list_address(project: Project) -> str:
    return url_for("rules.index", org=project.organization.slug, slug=project.slug)


def address(rule: AlertRule) -> str:
    project = rule.project
    return url_for("rules.show", org=project.organization.slug, slug=project.slug, rule_id=rule.id)
