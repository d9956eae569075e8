"""The front door for SDKs: WSGI middleware that answers the ingest endpoints without waking Flask."""

import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Flask
from redis import Redis, RedisError

from app import queue, refusals
from app.clock import now
from app.db import db
from app.domain.rejections import Rejected
from app.ingest import answers, endpoints
from app.ingest.answers import Answer
from app.ingest.endpoints import Endpoint, Intake
from app.ingest.keys import Keys, KeysUnavailable
from app.ingest.request import Environ, Request
from app.ingest.stream import Stream, StreamUnavailable
from app.settings import Settings

StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

log = logging.getLogger(__name__)

# What a wrong DSN or a broken client is answered; being limited or overloaded is another matter.
NOTED = frozenset({400, 401, 403, 413})

# Project 0 does not exist: /api/0/ is the web API.
_ROUTE = re.compile(
    r"/api/(?:([^/]+)/(envelope|store|security|csp-report|minidump|unreal|cron)(?:/(.*))?|[1-9][0-9]*(?:/.*)?)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Way:
    """The methods of an endpoint, and how many parts may follow its name in the path."""

    methods: dict[str, Endpoint]
    parts: int = 0

    @property
    def allowed(self) -> str:
        return ", ".join([*self.methods, "OPTIONS"])


WAYS = {
    "envelope": Way({"POST": endpoints.take_envelope}),
    "store": Way({"POST": endpoints.take_store, "GET": endpoints.take_query}),
    "security": Way({"POST": endpoints.take_security_report}),
    "csp-report": Way({"POST": endpoints.take_security_report}),
    "minidump": Way({"POST": endpoints.not_taken}),
    "unreal": Way({"POST": endpoints.not_taken}, parts=1),
    "cron": Way({"POST": endpoints.take_check_in, "GET": endpoints.take_check_in}, parts=2),
}


def wrap(app: Flask) -> Wsgi:
    """The application with ingest in front of it."""
    settings: Settings = app.config["SETTINGS"]
    with app.app_context():
        keys = Keys(db.engine)
    redis = queue.connect(settings)
    intake = Intake(keys, Stream(redis.connection_pool), settings.trusted_proxies)

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        route = _ROUTE.fullmatch(environ.get("PATH_INFO") or "")
        if route is None:
            return app(environ, start_response)
        answer = _answer(intake, environ, route)
        if answer.status in NOTED:
            _note(redis, route[1], answer)
        start_response(answer.status_line, answer.all_headers())
        return [answer.body]

    app.extensions["tocsin_ingest"] = serve
    return serve


def _answer(intake: Intake, environ: Environ, route: re.Match[str]) -> Answer:
    """Whatever happens within, an SDK gets an answer that it understands."""
    project, name, rest = route.groups()
    parts = [part for part in (rest or "").split("/") if part]
    way = WAYS.get(name)
    if way is None or len(parts) > way.parts:
        return answers.refusal(404, "there is no such endpoint")
    try:
        return _dispatch(intake, way, Request(environ, project, parts))
    except Rejected as error:
        return answers.rejected(error)
    except StreamUnavailable as error:
        log.warning("an event was refused: Redis is away (%s)", error)
        return answers.refusal(503, "the event cannot be kept: Redis is away")
    except KeysUnavailable:
        log.warning("an event was refused: the database is away and its key is not known")
        return answers.refusal(503, "the key cannot be checked: the database is away")
    except Exception:
        log.exception("an event was refused for an unforeseen reason")
        return answers.refusal(503, "the event cannot be kept: the server failed")


def _note(redis: Redis, project: str, answer: Answer) -> None:
    """Tell whoever is connecting an application why nothing arrives."""
    if project.isascii() and project.isdigit() and len(project) < 10:
        with suppress(RedisError):
            refusals.note(redis, int(project), status=answer.status, detail=answers.said(answer), now=now())


def _dispatch(intake: Intake, way: Way, request: Request) -> Answer:
    if request.method == "OPTIONS":
        return answers.preflight(way.allowed)
    endpoint = way.methods.get(request.method)
    return endpoint(intake, request) if endpoint else answers.wrong_method(way.allowed)
