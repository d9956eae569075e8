"""What the tests of pages share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from app.models import Verdict


@pytest.fixture
def decided(session):
    """Makes a verdict: `decided(notice, bob, "alerts_off", scope="account")`."""

    def make_verdict(notice, user, code, *, outcome="skip", reasons=(), **params):
        verdict = Verdict(
            notice_id=notice.id,
            subject="user",
            subject_id=user.id,
            channel="email",
            outcome=outcome,
            code=code,
            params=params,
            reasons=list(reasons),
        )
        session.add(verdict)
        session.flush()
        return verdict

    return make_verdict


@pytest.fixture
def queries() -> Callable[[], Iterator[list[str]]]:
    """`with queries() as sent:` collects the statements of every engine but the PRAGMAs."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if statement.startswith(("SELECT", "WITH")):
                sent.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return counting
