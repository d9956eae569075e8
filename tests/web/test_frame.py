"""What every request goes through, whichever page it is for."""

import pytest


@pytest.mark.parametrize(
    ("path", "status"),
    [("/notices/n_%00/", 404), ("/acme/sh%00op/", 404), ("/acme/shop/?query=%00", 400), ("/u/%00", 404)],
)
def test_a_nul_character_reaches_no_query(as_user, alice, shop, path, status):
    assert as_user(alice).get(path).status_code == status


def test_a_nul_character_in_a_form_is_refused(as_user, alice, issue):
    answer = as_user(alice).post(f"/issues/{issue.id}/comments", data={"text": "a\x00b"})
    assert answer.status_code == 400


def test_every_answer_says_what_browsers_may_do_with_it(client):
    headers = client.get("/auth/login/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
