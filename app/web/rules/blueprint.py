"""The blueprint of alert rules, and who may do what there."""

from typing import Any

from flask import Blueprint, url_for

from app import instance
from app.clock import now
from app.db import db
from app.models import AlertRule, Project
from app.services.rules import ruling
from app.services.rules.rule_reaching import Inquiry
from app.web import project_pages
from app.web.identity import me

bp = Blueprint("rules", __name__)
ROOT = "/<org>/<slug>/settings/alerts"


def frame(project: Project) -> dict[str, Any]:
    """What the layout of every such page needs."""
    return project_pages.frame(project, tab="alerts")


def rule_to_see(org: str, slug: str, rule_id: int) -> AlertRule:
    return ruling.find(db.session, project_pages.visible(org, slug), rule_id)


def rule_to_edit(org: str, slug: str, rule_id: int) -> AlertRule:
    return ruling.find(db.session, project_pages.to_edit(org, slug), rule_id)


def inquiry(project: Project) -> Inquiry:
    return Inquiry(now(), me(), project_pages.may_edit(project), instance.defaults(db.session))


def list_address(project: Project) -> str:
    return url_for("rules.index", org=project.organization.slug, slug=project.slug)


def address(rule: AlertRule) -> str:
    project = rule.project
    return url_for("rules.show", org=project.organization.slug, slug=project.slug, rule_id=rule.id)
