"""How often a program may ask."""

import time_machine

from app.api import blueprint


def ask_until_refused(program, path="/"):
    most = int(blueprint.RATE.split()[0])
    for _ in range(most):
        assert program.get(path).status_code == 200
    return program.get(path)


def test_too_many_requests_are_told_when_to_come_again(api, program, cast):
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False):
        answer = ask_until_refused(api)
        assert (answer.status_code, answer.mimetype) == (429, "application/json")
        assert answer.json == {"detail": "Too many requests: at most 100 per 1 second are answered."}
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert api.put("/issues/1/", {}).status_code == 429, "all calls count together"
        assert program(cast.bob).get("/").status_code == 200, "another token has its own count"
        assert program(None).get("/").status_code == 200, "so have those without one"


def test_after_a_while_a_program_may_ask_again(api):
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        answer = ask_until_refused(api)
        clock.shift(int(answer.headers["Retry-After"]))
        assert api.get("/").status_code == 200
