"""A person's own settings: account, notifications, what was sent to them, what was changed."""

from importlib import import_module

from app.web.account.blueprint import bp

__all__ = ["bp"]

_NAMES = (
    "profile",
    "notifications",
    "fine_tuning",
    "addresses",
    "issues",
    "rules",
    "records",
    "stops",
    "quiet_hours",
    "connections",
    "tokens",
)
for _name in _NAMES:
    import_module(f"app.web.account.{_name}")  # each hangs its routes on `bp`
