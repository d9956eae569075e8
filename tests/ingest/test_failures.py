"""When a part of the server is away, SDKs are answered, and what was taken stays taken."""

import logging

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.db import db
from app.ingest import keys
from app.ingest.keys import Keys
from app.models import Event
from tests.make import envelope, payload

EVENT = envelope(payload())


@pytest.fixture
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, logger="app.ingest.middleware")


def test_without_redis_the_answer_is_503_and_says_so(instance, redis_server, quiet):
    redis_server.stop()
    try:
        answer = instance.post(EVENT)
        assert (answer.status_code, answer.json) == (
            503,
            {"detail": "the event cannot be kept: Redis is away"},
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    finally:
        redis_server.start()


def test_a_redis_that_was_killed_has_lost_nothing_and_is_found_again(instance, redis_server):
    first = instance.report()
    redis_server.stop()
    redis_server.start()
    second = instance.report()
    instance.digest()
    assert set(instance.scalars(select(Event.event_id))) == {first, second}


class Away:
    """An engine whose database is away from a certain moment on."""

    def __init__(self) -> None:
        self.away = False

    def connect(self):
        if self.away:
            raise OperationalError("SELECT", {}, Exception("no database"))
        return db.engine.connect()


def test_a_known_key_works_on_while_the_database_is_away_but_not_for_ever(instance):
    engine, time = Away(), [0.0]
    known = Keys(engine, clock=lambda: time[0])
    check = lambda: known.check(instance.key.public, instance.project.id, None).id  # noqa: E731
    assert check() == instance.key.id
    engine.away, time[0] = True, keys.FRESH_SECONDS + 1
    assert check() == instance.key.id
    time[0] = keys.STALE_SECONDS + 1
    with pytest.raises(keys.KeysUnavailable):
        check()


def test_an_unknown_key_cannot_be_checked_while_the_database_is_away(instance, monkeypatch, quiet):
    def away(*_):
        raise keys.KeysUnavailable

    monkeypatch.setattr(Keys, "_find", away)
    answer = instance.post(EVENT)
    assert answer.status_code == 503
    assert "database" in answer.json["detail"]


def test_keys_that_do_not_exist_are_remembered_only_up_to_a_number(instance, monkeypatch):
    monkeypatch.setattr(keys, "MAX_KNOWN", 3)
    known = Keys(db.engine)
    for n in range(10):
        assert known._find(f"{n:032}") is None
    assert len(known._known) <= 3


def test_no_fault_of_ours_is_answered_500(instance, monkeypatch, quiet):
    def broken(*_args, **_kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr("app.ingest.endpoints.parse", broken)
    answer = instance.post(EVENT)
    assert (answer.status_code, answer.json["detail"]) == (503, "the event cannot be kept: the server failed")
