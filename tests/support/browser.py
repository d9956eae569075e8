"""A browser without JavaScript, as far as HTTP goes: Flask's test client with CSRF tokens and a referrer."""

from typing import Any

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.clock import now
from app.models import User

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


class Browser(FlaskClient):
    """What the test arranged is committed before each request, and read anew after it."""

    arranged: Session | None = None

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        if self.arranged is not None:
            self.arranged.commit()
        url = self.application.config["TOCSIN_URL"]
        kwargs.setdefault("base_url", url)
        kwargs.setdefault("buffered", True)  # as servers do: an answer that was sent is closed
        headers = {"Referer": f"{url}/", **dict(kwargs.pop("headers", None) or {})}
        if csrf and kwargs.get("method", "GET") not in {"GET", "HEAD", "OPTIONS"}:
            headers["X-CSRFToken"] = self.csrf_token()
        return super().open(*args, headers=headers, **kwargs)

    def csrf_token(self) -> str:
        """As the last page would have had it in its form."""
        with self.session_transaction(base_url=self.application.config["TOCSIN_URL"]) as session:
            raw = session.setdefault("csrf_token", "0" * 40)
        signer = URLSafeTimedSerializer(str(self.application.secret_key), salt="wtf-csrf-token")
        return str(signer.dumps(raw))

    def sign_in(self, user: User) -> "Browser":
        """Without the form: that has tests of its own."""
        with self.session_transaction(base_url=self.application.config["TOCSIN_URL"]) as session:
            session["_user_id"] = user.get_id()
            session["_fresh"] = True
            session["proven_at"] = int(now().timestamp())
        return self

    def sign_out(self) -> "Browser":
        with self.session_transaction(base_url=self.application.config["TOCSIN_URL"]) as session:
            session.clear()
        return self

    def page(self, path: str, **kwargs: Any) -> BeautifulSoup:
        """The page at this path, parsed; anything but 200 fails the test."""
        answer = self.get(path, **kwargs)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        return BeautifulSoup(answer.text, "html.parser")
