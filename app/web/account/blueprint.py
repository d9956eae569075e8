"""The blueprint that a person's own settings share."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/settings/account")
