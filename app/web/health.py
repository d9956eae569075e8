"""Is it alive, is it ready, are notifications on time: for load balancers and whoever is on call."""

from typing import Any

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app import doctor, queue
from app.clock import now
from app.db import db
from app.services.notices import punctuality

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """This process serves; nothing else is touched."""
    return jsonify(ok=True)


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    report = doctor.report(doctor.readiness(current_app))
    return jsonify(report), 200 if report["ok"] else 503


@bp.get("/healthz/notify")
def punctual() -> ResponseReturnValue:
    """Whether everybody hears in time: how long the oldest has waited, what failed, who is there to send."""
    try:
        report = _punctuality()
    except (SQLAlchemyError, RedisError) as error:
        return jsonify(ok=False, detail=doctor.first_line(error)), 503
    return jsonify(report), 200 if report["ok"] else 503


def _punctuality() -> dict[str, Any]:
    waits = punctuality.waits(db.session, now=now())
    workers = queue.alive(current_app.extensions["tocsin_redis"], "jobs")
    return {
        "ok": not waits.is_late and workers > 0,
        "oldest_notice_seconds": waits.notice_seconds,
        "oldest_delivery_seconds": waits.delivery_seconds,
        "failed_last_hour": waits.failed_last_hour,
        "workers": workers,
    }
