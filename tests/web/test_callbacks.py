"""Calls of services: kept before they are answered, carried out once, and nothing for whoever is not them."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.channels import CHANNELS
from app.clock import now as clock_now
from app.domain.errors import Refused
from app.jobs import callbacks
from app.models import Callback, Destination
from app.services.integrations import acting, calling_back, connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support.pager import Pager
from tests.support.receiver import Received

KEY = "open-sesame-1234"


@pytest.fixture
def pager(cast, session, settings, receiver, monkeypatch, now) -> Destination:
    monkeypatch.setitem(CHANNELS, "pager", Pager)
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    wishes = Wishes("Pager", ["new"], {"url": receiver.url, "key": KEY})
    made, _ = connecting.add(session, cast.shop, "pager", wishes, vault, by=cast.alice, now=now)
    session.commit()
    return made


@pytest.fixture
def done(monkeypatch):
    """What was carried out, by a table of acts that has the tests' own."""
    seen: list = []

    def see(_session, asked):
        seen.append(asked.act["id"])
        if asked.act.get("wrong") == "refused":
            raise Refused("Not with these rights.")
        if asked.act.get("wrong") == "broken":
            raise RuntimeError("a fault")
        return lambda http: http.post(asked.act["reply_to"], b"done", {}) if "reply_to" in asked.act else None

    monkeypatch.setattr(acting, "ACTS", {"seen": see})
    return seen


@pytest.fixture
def call(client, pager):
    def make(said, *, key=KEY, name="seen", at=None):
        address = f"/hooks/{at or pager.callback_key}/{name}"
        return client.post(address, data=json.dumps(said), headers={"Authorization": key})

    return make


def rows(session):
    session.commit()
    return session.scalars(
        select(Callback).order_by(Callback.id).execution_options(populate_existing=True)
    ).all()


def test_a_call_is_kept_answered_and_carried_out_by_a_job(call, done, run_jobs, session, pager):
    answer = call({"id": "a", "by": "Bob"})
    assert (answer.status_code, answer.text) == (200, "Thanks.")
    assert done == []
    run_jobs()
    assert done == ["a"]
    [row] = rows(session)
    assert row.done_at is not None
    session.refresh(pager)
    assert pager.settings["nickname"] == "Bob"


def test_a_call_that_comes_twice_counts_once(call, done, run_jobs, app, session):
    for _ in range(2):
        assert call({"id": "a", "by": "Bob"}).status_code == 200
    run_jobs()
    [row] = rows(session)
    with app.app_context():
        callbacks.run(row.id)
    assert done == ["a"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"key": "guess"}, 403), ({"at": "0" * 32}, 404), ({"name": "other"}, 404)],
    ids=["not signed", "unknown address", "unknown name"],
)
def test_whoever_is_not_the_service_leaves_nothing(change, status, call, session):
    assert call({"id": "a", "by": "Eve"}, **change).status_code == status
    assert rows(session) == []


def test_an_integration_that_is_off_is_not_called(call, pager, session):
    pager.enabled = False
    session.commit()
    assert call({"id": "a", "by": "Bob"}).status_code == 404


def test_a_body_of_any_size_is_not_read(client, pager):
    address = f"/hooks/{pager.callback_key}/seen"
    assert client.post(address, data=b"x" * (256 * 1024 + 1)).status_code == 413


def test_what_somebody_may_not_do_is_done_with_and_written_down(call, done, run_jobs, session):
    call({"id": "a", "by": "Bob", "wrong": "refused"})
    run_jobs()
    [row] = rows(session)
    assert row.done_at is not None
    assert row.trouble == "Not with these rights."


def test_a_fault_of_ours_is_tried_again_and_given_up_in_the_end(call, done, app, session):
    call({"id": "a", "by": "Bob", "wrong": "broken"})
    [row] = rows(session)
    with app.app_context():
        for _ in range(calling_back.MOST_TRIES + 2):
            callbacks.run(row.id)
    [row] = rows(session)
    assert len(done) == calling_back.MOST_TRIES
    assert row.done_at is not None
    assert "RuntimeError" in row.trouble


def test_the_other_side_hears_of_it_once_the_change_is_committed(call, done, run_jobs, receiver):
    call({"id": "a", "by": "Bob", "reply_to": receiver.url})
    run_jobs()
    assert [request.body for request in receiver.taken if isinstance(request, Received)] == [b"done"]


def test_old_calls_are_forgotten_once_they_are_done(call, done, run_jobs, session):
    call({"id": "a", "by": "Bob"})
    assert calling_back.prune(session, before=clock_now() + timedelta(days=1)) == 0
    session.commit()
    run_jobs()
    assert calling_back.prune(session, before=clock_now() + timedelta(days=1)) == 1


def test_one_address_is_called_so_often_in_a_minute(call, done, pager):
    assert [call({"id": str(n), "by": ""}).status_code for n in range(120)] == [200] * 120
    refused = call({"id": "more", "by": ""})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert call({}, at="another").status_code == 404, "each address has a count of its own"
