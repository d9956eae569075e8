"""Tocsin, a self-hosted error tracker: `create_app()` puts the parts together."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings


def create_app(settings: "Settings | None" = None, **overrides: Any) -> "Flask":
    """The Flask application for these settings; `overrides` are Flask's own configuration, for tests.

    Raises `SettingsError` when the environment holds a wrong value.
    """
    # Imported here, because every part of Tocsin imports this package: the supervisor and the rules of
    # `app.domain` must not load a web framework for it.
    from app import factory

    return factory.create_app(settings, **overrides)
