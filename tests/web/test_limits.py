"""Who is counted when requests are limited, and where."""

import re
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from app import visitors
from app.db import transaction

pytestmark = pytest.mark.any_database

WRONG = {"email": "nobody@example.org", "password": "wrong"}


def guess(client, number=0, **more):
    form = WRONG | {"email": f"nobody{number}@example.org"}
    return client.post("/auth/login/", data=form, **more).status_code


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_is_counted_as_far_as_one_customer_has_it(app, peer, counted):
    with app.test_request_context(environ_base={"REMOTE_ADDR": peer}):
        assert visitors.address() == counted


def test_a_network_of_ones_own_gives_no_more_tries(client):
    tries = [guess(client, n, environ_base={"REMOTE_ADDR": f"2001:db8::{n}"}) for n in range(11)]
    assert tries == [422] * 10 + [429]
    assert guess(client, 12, environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}) == 422


def test_what_is_typed_makes_no_long_key(client, redis_server):
    client.post("/auth/login/", data=WRONG | {"email": "x" * 450_000})
    client.post("/auth/sign-in/", data={"email": "x" * 450_000})
    keys = list(redis_server.client.scan_iter("tocsin:limit:*"))
    assert len(keys) >= 4
    assert max(len(key) for key in keys) < 160


def test_processes_count_together(app, app_with, client, session):
    """What one application counted, another one knows, too: it stands in Redis."""
    from tests.conftest import browser

    for number in range(10):
        guess(client, number)
    assert guess(browser(app_with(), session), 11) == 429


def test_without_redis_people_come_in_and_guessing_is_slowed_down_all_the_same(client, make, redis_server):
    make.user("Ana", password="correct horse")
    redis_server.stop()
    try:
        answer = client.post("/auth/login/", data={"email": "ana@example.org", "password": "correct horse"})
        assert answer.status_code == 303
        assert [guess(client, number) for number in range(10)] == [422] * 9 + [429]
    finally:
        redis_server.start()


def test_one_person_changes_no_more_in_a_minute_than_a_mailbox_can_take(as_user, cast, make, redis_server):
    issue = make.issue(cast.shop)
    bobs, again, cys = as_user(cast.bob), as_user(cast.bob), as_user(cast.cy)
    paths = (
        (f"/issues/{issue.id}/comments", {"text": "hey"}),
        (f"/issues/{issue.id}/assignee", {"assignee": "me"}),
        ("/acme/shop/bulk", {"do": "resolve", "issue": issue.id}),
        (f"/issues/{issue.id}/mute", {"minutes": "60"}),
    )
    for number in range(30):
        path, form = paths[number % len(paths)]
        assert bobs.post(path, data={**form, "text": f"hey {number}"}).status_code == 303
    for path, form in paths:
        refused = again.post(path, data=form)
        assert refused.status_code == 429
        assert "Nothing was done this time" in refused.text
        assert re.search(r"Try again in \d+ seconds", refused.text)
    assert cys.post(paths[0][0], data={"text": "hey"}).status_code == 303


def test_asking_who_will_hear_has_an_end(as_user, cast, make, redis_server):
    issue = make.issue(cast.shop)
    bobs = as_user(cast.bob)
    answers = [bobs.post(f"/issues/{issue.id}/reach", data={"text": "@cy"}).status_code for _ in range(61)]
    assert answers[-1] == 429
    assert 429 not in answers[:60]


def test_handles_are_not_there_to_be_tried_out(as_user, cast, redis_server):
    bobs = as_user(cast.bob)
    form = {"name": "Bob", "timezone": "UTC", "theme": "auto"}

    def save(handle):
        return bobs.post("/settings/account/", data={**form, "handle": handle}).status_code

    assert [save("@Bob") for _ in range(8)] == [303] * 8
    assert [save("alice") for _ in range(6)] == [422] * 5 + [429]
    assert save("bob") == 303


@pytest.mark.parametrize(("path", "status"), [("/u/nonsense", 400), ("/inbound/raw", 401)])
def test_whoever_has_no_key_waits_for_no_writer_and_holds_none_up(app, client, monkeypatch, path, status):
    settings = replace(app.config["SETTINGS"], inbound_secret="shared with the provider")
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    with app.app_context(), transaction() as other:
        other.execute(text("SELECT 1"))  # from here on SQLite lets nobody else write
        began = time.monotonic()
        assert client.post(path, data=b"x", csrf=False).status_code == status
        assert time.monotonic() - began < 5
