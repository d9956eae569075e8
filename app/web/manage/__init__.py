"""The instance, for its administrators: what everybody starts out with."""

from importlib import import_module

from app.web.manage.blueprint import bp

__all__ = ["bp"]

for _name in ("defaults", "mails"):
    import_module(f"app.web.manage.{_name}")  # each hangs its routes on `bp`
