"""The blueprint of the integrations' pages, and what all of them load."""

from typing import Any

from flask import Blueprint

from app import outgoing
from app.db import db
from app.models import Destination, Project
from app.services.integrations import destinations
from app.services.integrations.connecting import Vault
from app.web import project_pages

bp = Blueprint("integrations", __name__, url_prefix="/<org>/<slug>/settings/integrations")


def project_to_edit(org: str, slug: str) -> Project:
    """Integrations are a matter of those who look after the project."""
    return project_pages.to_edit(org, slug)


def integration_to_edit(org: str, slug: str, destination_id: int) -> Destination:
    return destinations.find(db.session, project_to_edit(org, slug), destination_id)


def vault() -> Vault:
    return Vault(outgoing.seal(), outgoing.allowed())


def page_of(row: Destination) -> str:
    """What its page asks for secrets by that were just made."""
    return f"integration {row.id}"


def frame(project: Project) -> dict[str, Any]:
    """What the layout of every such page needs."""
    return {**project_pages.frame(project), "active_nav": "integrations"}
