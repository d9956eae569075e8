"""What is asked while somebody types waits for nobody who writes, and writes nothing itself."""

import pytest

from app.channels import apprise

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


def test_apprise_is_asked_before_the_form_waits_for_its_turn_to_write(
    as_user, cast, session, engine, monkeypatch
):
    """A few seconds in which everybody else's writing goes on."""
    asked = []

    class Asked:
        wrong = "No such service."

        def __init__(self, url, *, allowed):
            with engine.execution_options(writes=True).begin():
                asked.append(url)

        def close(self):
            pass

    monkeypatch.setattr(apprise, "Process", Asked)
    form = as_user(cast.alice)
    typed = {"name": "Topic", "url": "ntfys://ntfy.example.org/topic"}
    answer = form.post("/acme/shop/settings/integrations/new/apprise/", data=typed)
    assert (asked, "No such service." in answer.text) == ([typed["url"]], True)
