"""Flask's extensions, made once and bound to the application by `create_app`."""

from collections.abc import Mapping
from typing import Any, Protocol

from flask import Flask
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from app import visitors

login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(visitors.address)
mail = Mail()
migrate = Migrate()


class ApiDescription(Protocol):
    """Of the web API, as OpenAPI: `api` makes it, `/help/api/` prints it."""

    @property
    def content(self) -> Mapping[str, Any]: ...

    @property
    def encoded(self) -> bytes: ...


def describe_api(app: Flask, description: ApiDescription) -> None:
    app.extensions["tocsin_api"] = description


def api_description(app: Flask) -> ApiDescription:
    found: ApiDescription = app.extensions["tocsin_api"]
    return found
