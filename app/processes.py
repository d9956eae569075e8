"""The processes of Tocsin: the web server and each role of `worker.py`, with its sign of life."""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial

from flask import Flask, url_for
from redis import Redis, RedisError

from app import queue
from app.clock import now
from app.db import db, transaction
from app.ingest import middleware
from app.jobs import digest, scheduler, worker
from app.serve import serve
from app.services.people import accounts
from app.settings import Settings
from app.supervisor import Child

log = logging.getLogger(__name__)

BEAT_EVERY = 20.0

JOBS = "jobs"
ROLES: dict[str, Callable[[Flask], object]] = {
    "digest": digest.main,
    JOBS: worker.main,
    "scheduler": scheduler.main,
}


def play(app: Flask, role: str, part: Callable[[Flask], object] | None = None) -> None:
    """Be a worker of this role until SIGTERM; `part` is what it does of it, if not all."""
    connection = queue.connect(app.config["SETTINGS"])
    # A thread, not the role's own loop: a job may rightly take minutes, and the process lives all the while.
    threading.Thread(target=_keep_beating, args=(connection, role), daemon=True).start()
    (part or ROLES[role])(app)


def _keep_beating(connection: Redis, role: str) -> None:
    pause = threading.Event()
    while True:
        try:
            queue.beat(connection, role)
        except RedisError as error:
            log.warning("no sign of life given: %s", error)
        pause.wait(BEAT_EVERY)


def web(app: Flask, settings: Settings) -> Child:
    return Child("web", lambda: serve(settings, middleware.wrap(app)))


def children(app: Flask, settings: Settings, roles: Iterable[str]) -> list[Child]:
    """A process for each role, and as many for jobs as the settings say.

    The last of several does not work for integrations: their servers may be slow, and mail must not wait.
    """
    found = [Child(role, partial(play, app, role)) for role in roles if role != JOBS]
    if JOBS not in roles:
        return found
    parts = [ROLES[JOBS]] * settings.workers
    if len(parts) > 1:
        parts[-1] = worker.prompt
    return found + [
        Child(f"{JOBS}-{number}", partial(play, app, JOBS, part)) for number, part in enumerate(parts, 1)
    ]


def first_run_link(app: Flask) -> str | None:
    """Where to make the first account; None once there is one."""
    with app.app_context():
        with transaction() as session:
            token = accounts.setup_link_token(session, now())
        db.engine.dispose()  # The processes that are forked next must not share a connection.
    if token is None:
        return None
    with app.test_request_context(base_url=app.config["TOCSIN_URL"]):
        return url_for("auth.set_up", secret=token, _external=True)
