"""The manifest from which Slack makes an app of one's own, with this instance's address in it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.channels.slack_calls import EVENTS, INTERACTIONS

# To post; to post in public channels without an invitation; to show links; to find a channel by its name.
SCOPES = ("chat:write", "chat:write.public", "links:read", "links:write", "channels:read", "groups:read")


def manifest(instance_url: str, callbacks: Mapping[str, str], *, is_socket: bool = False) -> str:
    """As JSON. Without `callbacks` for a first app whose addresses are not known yet.

    With `is_socket` for an instance that Slack cannot reach: the same comes over a connection that it opens.
    """
    settings: dict[str, Any] = {
        "org_deploy_enabled": False,
        "socket_mode_enabled": is_socket,
        "token_rotation_enabled": False,
    }
    if is_socket or callbacks:
        settings |= _listening({} if is_socket else callbacks)
    app = {
        "display_information": {
            "name": "Tocsin",
            "description": "Errors, and what became of them",
            "background_color": "#0f6b5c",
        },
        "features": {
            "bot_user": {"display_name": "Tocsin", "always_online": True},
            "unfurl_domains": [urlsplit(instance_url).hostname or ""],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": settings,
    }
    return json.dumps(app, indent=2)


def _listening(callbacks: Mapping[str, str]) -> dict[str, Any]:
    interactivity: dict[str, Any] = {"is_enabled": True}
    events: dict[str, Any] = {"bot_events": ["link_shared"]}
    if callbacks:
        interactivity["request_url"], events["request_url"] = callbacks[INTERACTIONS], callbacks[EVENTS]
    return {"interactivity": interactivity, "event_subscriptions": events}
