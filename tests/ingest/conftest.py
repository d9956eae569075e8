"""An instance without its pages: the middleware, a real Redis, a real database, a digester."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import Client, TestResponse

from app.clock import now
from app.db import db
from app.ingest import middleware
from app.jobs import doorbell
from app.jobs.digest import Digester
from app.models import Project, ProjectKey
from app.services.events.stream_entry import STREAM
from app.settings import Settings, load
from tests.make import Make, envelope, payload
from tests.support.databases import bare_app
from tests.support.redis import Server


def door_app(settings: Settings) -> Flask:
    """As much of the application as ingest needs."""
    app = bare_app(settings.database_url)
    app.config["SETTINGS"] = settings
    doorbell.init_app(app)
    return app


@dataclass
class Instance:
    """`post` sends as an SDK does; `digest` runs a digester until nothing is left."""

    app: Flask
    redis: Redis
    project: Project
    key: ProjectKey

    def __post_init__(self) -> None:
        self.open_door()

    def open_door(self) -> None:
        """As a web process that has just started."""
        self.client = Client(middleware.wrap(self.app))

    def post(self, body: bytes = b"", *, endpoint: str = "envelope", **options: Any) -> TestResponse:
        headers = {"X-Sentry-Auth": self.auth, **options.pop("headers", {})}
        path = f"/api/{self.project.id}/{endpoint}/"
        return self.client.open(path, **{"method": "POST", "data": body, "headers": headers, **options})

    @property
    def auth(self) -> str:
        return f"Sentry sentry_version=7, sentry_key={self.key.public}, sentry_client=raven/1"

    def send(self, *events: dict[str, Any]) -> None:
        for event in events:
            answer = self.post(envelope(event))
            assert answer.status_code == 200, answer.text

    def report(self, title: str = "KeyError: cart", **members: Any) -> str:
        """Send an event; its id."""
        event = payload(title, **members)
        self.send(event)
        return event["event_id"]

    def digest(self) -> None:
        digester = Digester(self.redis)
        while digester.turn():
            pass

    def waiting(self) -> int:
        return int(self.redis.xlen(STREAM))

    def rows(self, query: Any) -> Sequence[Any]:
        with Session(db.engine) as session:
            return session.execute(query).all()

    def scalars(self, query: Any) -> Sequence[Any]:
        with Session(db.engine) as session:
            return session.scalars(query).all()

    def change(self, act: Callable[[Session], Any]) -> None:
        with Session(db.engine) as session, session.begin():
            act(session)


@pytest.fixture
def instance_settings(data_dir: Path, database_url: str, redis_server: Server) -> Settings:
    return load(
        {
            "TOCSIN_DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url,
            "TRUSTED_PROXIES": "10.0.0.0/8",
        }
    )


@pytest.fixture
def instance(instance_settings: Settings, redis_server: Server) -> Iterator[Instance]:
    app = door_app(instance_settings)
    with app.app_context():
        with Session(db.engine, expire_on_commit=False) as session, session.begin():
            make = Make(session, now())
            project = make.project(slug="shop")
            key = make.key(project)
        yield Instance(app, redis_server.client, project, key)
        db.engine.dispose()
        doorbell.redis().connection_pool.disconnect()
