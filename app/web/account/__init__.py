"""A person's own settings: account, notifications, what was sent to them, what was changed."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/settings/account")

from app.web.account import notifications, profile, records  # noqa: E402, F401 (they hang their routes on bp)
