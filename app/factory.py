"""The application factory: settings, database, sign-in, mail, blueprints, commands."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter

from app import api, cli, limits, web
from app.db import db
from app.extensions import csrf, login_manager, mail, migrate
from app.jobs import doorbell
from app.proxies import BehindProxies
from app.services.mails.mail_templates import MailTemplates
from app.settings import ROOT, Settings, load


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """See `app.create_app`."""
    settings = settings or load()
    app = Flask("app", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.update(settings.as_flask_config())
    app.config.update(
        MAIL_SUPPRESS_SEND=False,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.database_url),
        SEND_FILE_MAX_AGE_DEFAULT=365 * 86400,
        WTF_CSRF_TIME_LIMIT=None,
    )
    doorbell.init_app(app)
    app.config.update(limits.configuration(app.extensions["tocsin_redis"]))
    app.config.update(overrides)
    app.url_map.converters["int"] = KeyConverter
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension(MailTemplates)
    if settings.trusted_proxies:
        app.wsgi_app = BehindProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    for extension in (db, csrf, limits, login_manager, mail):
        extension.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    for part in (web, api, cli):
        part.init_app(app)
    return app


def _engine_options(database_url: str) -> dict[str, Any]:
    """Errors name no values: they would put what people wrote into the log."""
    options: dict[str, Any] = {"hide_parameters": True}
    if not database_url.startswith("sqlite"):  # a server may have gone away, or be silent; a file is there
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return options


class KeyConverter(IntegerConverter):
    """`<int:…>` in addresses: a number that a database can hold; a longer one is no address of ours."""

    regex = r"\d{1,18}"
