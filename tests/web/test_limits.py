"""Who is counted when requests are limited, and where."""

import pytest

from app import visitors

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
