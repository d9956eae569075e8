"""The blueprint of the simulator, and how often it may be asked."""

from flask import Blueprint

from app.extensions import limiter
from app.web.limits import person

bp = Blueprint("simulator", __name__)
ROOT = "/<org>/<slug>/settings/simulate"
# A replay may take two seconds of a worker.
asking = limiter.shared_limit("30 per minute", scope="simulations", key_func=person)
