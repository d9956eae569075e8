"""Programs that ask the JSON API, each with a token of its own."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.db import db
from app.domain.scopes import SCOPES
from app.extensions import limiter
from app.models import Organization
from tests.api import held


class Program:
    """Knows no cookies and follows no redirects. What the test arranged is committed before it asks."""

    def __init__(self, app, session, token: str | None) -> None:
        self.app = app
        self.session = session
        self.client = FlaskClient(app, use_cookies=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, sent: Any = None, **kwargs: Any) -> TestResponse:
        """`sent` goes as JSON, or as it is when it is bytes."""
        self.session.commit()
        if sent is not None:
            kwargs["data"] = sent if isinstance(sent, bytes) else json.dumps(sent)
            kwargs.setdefault("content_type", "application/json")
        kwargs["headers"] = self.headers | kwargs.pop("headers", {})
        answer = self.client.open(f"/api/0{path}", method=method, **kwargs)
        held.to_its_description(self.app, answer, kwargs.get("data"))
        self.session.expire_all()
        return answer

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self("GET", path, **kwargs)

    def put(self, path: str, sent: Any = None, **kwargs: Any) -> TestResponse:
        return self("PUT", path, sent, **kwargs)

    def post(self, path: str, sent: Any = None, **kwargs: Any) -> TestResponse:
        return self("POST", path, sent, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self("DELETE", path, **kwargs)

    def read(self, path: str, **kwargs: Any) -> Any:
        """What a GET answers; anything but 200 fails the test."""
        answer = self.get(path, **kwargs)
        assert answer.status_code == 200, f"{path}: {answer.status} {answer.text}"
        return answer.json


@pytest.fixture
def program(app, session, make) -> Callable[..., Program]:
    """`program(alice)` has every scope, `program(alice, ["event:read"])` one, `program(None)` no token.

    `program(acme)` has a token of the organization's own.
    """

    def made(whose, scopes: Sequence[str] = SCOPES) -> Program:
        if isinstance(whose, Organization):
            return Program(app, session, make.organization_token(whose))
        return Program(app, session, make.token(whose, scopes) if whose else None)

    return made


@pytest.fixture
def api(program, alice) -> Program:
    """Alice's, with every scope. She owns acme."""
    return program(alice)


@pytest.fixture
def unlimited(app) -> Callable[[], None]:
    """Call it between requests where a test asks more often than a program may."""

    def forget() -> None:
        with app.app_context():
            limiter.reset()

    return forget


@pytest.fixture
def queries(app) -> Callable[..., int]:
    """`queries(api.get, "/organizations/")`: how many statements the call takes."""

    def count(call: Callable[..., Any], *args: Any) -> int:
        call(*args)  # notes the token's use, which is done once in a while
        statements: list[str] = []

        def note(_connection, _cursor, statement, *_more):
            if statement != "BEGIN":
                statements.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            answer = call(*args)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert answer.status_code == 200, answer.text
        return len(statements)

    return count
