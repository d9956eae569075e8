"""How often one may ask: counted in Redis for all processes together; by each alone while it is away."""

import math
import time
from typing import Any

from flask import Flask, Response
from redis import Redis

from app.extensions import limiter

# Saving, testing and sending again, by one person on pages and by programs together: each starts something.
INTEGRATIONS, INTEGRATIONS_SCOPE = "20 per minute", "integrations"
# Asked at every pause in the typing.
QUESTIONS, QUESTIONS_SCOPE = "60 per minute", "questions"


def init_app(app: Flask) -> None:
    limiter.init_app(app)
    app.after_request(_when_to_come_again)


def configuration(connection: Redis) -> dict[str, Any]:
    """The application's own connections are used, wherever they lead."""
    return {
        "RATELIMIT_STORAGE_URI": "redis://",
        "RATELIMIT_STORAGE_OPTIONS": {
            "connection_pool": connection.connection_pool,
            "key_prefix": "tocsin:limit",
        },
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
    }


def _when_to_come_again(response: Response) -> Response:
    """On refusals alone: SDKs and scripts take Retry-After at its word, whatever the status."""
    limit = limiter.current_limit
    if response.status_code == 429 and limit:
        response.headers["Retry-After"] = str(max(1, math.ceil(limit.reset_at - time.time())))
    return response
