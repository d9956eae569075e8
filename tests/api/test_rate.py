"""How often a program may ask."""

import time
from itertools import count

import pytest

from app.api import blueprint

pytestmark = pytest.mark.any_database

MOST = int(blueprint.RATE.split()[0])


@pytest.fixture
def pass_time(redis_server):
    """`pass_time(0)` ends what is counted now, `pass_time(30)` has it go on for as many seconds."""

    def let(seconds):
        for key in redis_server.client.scan_iter("tocsin:limit:*"):
            redis_server.client.expire(key, seconds)

    return let


def ask_until_refused(ask, pass_time):
    assert ask().status_code != 429
    pass_time(30)  # a second may be over before a hundred requests are
    assert 429 not in [ask().status_code for _ in range(MOST - 1)]
    return ask()


def test_too_many_requests_are_told_when_to_come_again(api, program, cast, pass_time):
    answer = ask_until_refused(lambda: api.get("/"), pass_time)
    assert (answer.status_code, answer.mimetype) == (429, "application/json")
    assert answer.json == {"detail": "Too many requests: at most 100 per 1 second are answered."}
    assert 25 <= int(answer.headers["Retry-After"]) <= 31
    assert api.put("/issues/1/", {}).status_code == 429, "all calls count together"
    assert program(cast.bob).get("/").status_code == 200, "another token has its own count"
    assert program(None).get("/").status_code == 200, "so have those without one"


def test_after_a_while_a_program_may_ask_again(api, pass_time):
    ask_until_refused(lambda: api.get("/"), pass_time)
    pass_time(0)
    assert api.get("/").status_code == 200


def test_every_answer_says_how_often_one_may_still_ask(api):
    told = api.get("/").headers
    assert (told["X-Sentry-Rate-Limit-Limit"], told["X-Sentry-Rate-Limit-Remaining"]) == ("100", "99")
    assert abs(int(told["X-Sentry-Rate-Limit-Reset"]) - time.time()) < 5
    assert "Retry-After" not in told


def test_wrong_tokens_count_together_by_where_they_come_from(program, api, pass_time):
    guesses, numbers = program(None), count()

    def guess():
        return guesses.get("/projects/", headers={"Authorization": f"Bearer wrong{next(numbers)}"})

    assert ask_until_refused(guess, pass_time).status_code == 429
    assert api.get("/").status_code == 200, "a right one from the same place still works"
