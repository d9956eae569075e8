"""How to make the Slack app that an integration needs: its manifest, with this instance's address."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from app.channels.slack_manifest import manifest
from app.domain.errors import NotFound
from app.services.integrations import messages
from app.web.identity import login_required
from app.web.integrations.blueprint import bp, frame, integration_to_edit, project_to_edit

PAGE = "integrations/slack_manifest.html"


@bp.get("/slack-app/")
@login_required
def slack_app(org: str, slug: str) -> ResponseReturnValue:
    """For a first app, before there is an integration that Slack could call."""
    is_socket = "socket" in request.args
    text = manifest(_base(), {}, is_socket=is_socket)
    context = frame(project_to_edit(org, slug))
    return render_template(PAGE, manifest=text, destination=None, is_socket=is_socket, **context)


@bp.get("/<int:destination_id>/slack-app/")
@login_required
def slack_app_of(org: str, slug: str, destination_id: int) -> ResponseReturnValue:
    """With the addresses of this integration."""
    row = integration_to_edit(org, slug, destination_id)
    if row.channel != "slack":
        raise NotFound
    text = manifest(_base(), messages.callbacks(row, _base()))
    return render_template(PAGE, manifest=text, destination=row, is_socket=False, **frame(row.project))


def _base() -> str:
    url: str = current_app.config["SETTINGS"].tocsin_url
    return url.rstrip("/")
