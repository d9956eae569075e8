"""What is asked while somebody types waits for nobody who writes, and writes nothing itself."""

import pytest

OWNERS, RULES = "/acme/shop/settings/issue-owners", "/acme/shop/settings/alerts"
QUESTIONS = {
    "owners": (f"{OWNERS}/check", {"raw": "src/* alice@example.org"}),
    "an event tried": (f"{OWNERS}/trial", {"raw": "src/* alice@example.org", "path": "src/a.py"}),
    "a rule": (f"{RULES}/check", {"name": "Rule", "conditions-0-id": "every_event"}),
    "a rule of all projects": ("/acme/settings/alerts/check", {"name": "Rule"}),
}


@pytest.mark.parametrize(("path", "typed"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_is_answered_while_somebody_else_writes(as_user, cast, session, engine, path, typed):
    client = as_user(cast.alice)
    session.commit()
    with engine.execution_options(writes=True).begin():
        assert client.post(path, data=typed, headers={"HX-Request": "true"}).status_code == 200
