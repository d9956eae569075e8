"""JSON, for programs: `/api/0/`."""

from flask import Flask

from app.extensions import csrf, describe_api


def init_app(app: Flask) -> None:
    """Register the API. Its requests carry a token and no cookie, so there is nothing for CSRF to protect."""
    from app.api.openapi import Document
    from app.api.routes import bp  # the routes import models and services, which need the extensions first

    csrf.exempt(bp)
    app.register_blueprint(bp)
    describe_api(app, Document(app))
