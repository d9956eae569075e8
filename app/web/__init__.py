"""Pages, for people. `init_app` hangs every blueprint and what all pages share on the application."""

from importlib import import_module

from flask import Flask

BLUEPRINTS = (
    "auth",
    "welcome",
    "home",
    "organization",
    "repositories",
    "tokens",
    "members",
    "project_settings",
    "releases",
    "monitors",
    "feedback",
    "discarded",
    "uploads",
    "integrations",
    "issue_owners",
    "alert_delivery",
    "pauses",
    "rules",
    "simulator",
    "account",
    "manage",
    "why",
    "notices",
    "unsubscribe",
    "callbacks",
    "pushes",
    "inbound",
    "help",
    "manual",
    "dev_mail",
    "health",
    "issues",
)


def init_app(app: Flask) -> None:
    """Register the blueprints; each lives in a module (or package) of its own name and is called `bp`."""
    from app.web import errors, filters, frame, identity  # they import the blueprints' neighbours

    for part in (identity, filters, frame, errors):
        part.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"app.web.{name}").bp)
