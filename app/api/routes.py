"""All calls of the JSON API, imported so that they are registered."""

from app.api.blueprint import bp

__all__ = ["bp"]
