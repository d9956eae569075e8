"""The blueprint of the integrations' pages, and what all of them load."""

from flask import Blueprint

from app import outgoing
from app.db import db
from app.domain.errors import NotFound
from app.models import Destination, Project
from app.services import access, destinations
from app.services.connecting import Vault
from app.web.identity import me

bp = Blueprint("integrations", __name__, url_prefix="/<org>/<slug>/settings/integrations")


def project_to_edit(org: str, slug: str) -> Project:
    """Integrations are a matter of those who look after the project."""
    project = access.visible_project(db.session, me(), org, slug)
    if not access.can(db.session, me(), project, "edit_project"):
        raise NotFound
    return project


def integration_to_edit(org: str, slug: str, destination_id: int) -> Destination:
    return destinations.find(db.session, project_to_edit(org, slug), destination_id)


def vault() -> Vault:
    return Vault(outgoing.seal(), outgoing.allowed())


def frame(project: Project) -> dict[str, object]:
    """What the layout of every such page needs."""
    return {
        "project": project,
        "org": project.organization,
        "active_tab": "settings",
        "active_nav": "integrations",
        "may_edit": True,
    }
