"""Explain in the browser: a page and a panel, for those who see the project."""

import pytest
from bs4 import BeautifulSoup

from app.services import preferring, testing_mail
from tests.support.browser import HTMX


@pytest.fixture
def notice(make, issue, cast, now):
    notice = make.notice(issue, planned_at=now, event_id="8f21c0de" * 4)
    make.delivery(notice, cast.alice, state="accepted", finished_at=now)
    make.delivery(notice, cast.bob, state="failed", finished_at=now)
    return notice


def rows_of(text):
    rows = BeautifulSoup(text, "html.parser").select("table.explain tbody tr")
    return [" ".join(row.text.split()) for row in rows]


def test_the_page_says_who_was_told_and_why(as_user, cast, notice):
    page = as_user(cast.cy).page(f"/notices/{notice.public_id}/")
    assert page.h1.text == "KeyError: cart"
    assert page.h1.has_attr("hx-ignore")
    assert "fired for event 8f21c0de, the first of this issue" in page.text
    assert "Told 1 · 1 failed" in page.text
    bob, alice = rows_of(str(page))
    assert "failed" in bob
    assert "No owner rule matched" in alice


def test_the_panel_is_a_fragment(as_user, cast, notice):
    answer = as_user(cast.cy).get(f"/notices/{notice.public_id}/panel", headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert len(rows_of(answer.text)) == 2
    assert f'href="/notices/{notice.public_id}/"' in answer.text


def test_the_panel_without_script_is_the_page(as_user, cast, notice):
    answer = as_user(cast.cy).get(f"/notices/{notice.public_id}/panel")
    assert (answer.status_code, answer.location) == (303, f"/notices/{notice.public_id}/")


@pytest.mark.parametrize("path", ["", "panel"])
@pytest.mark.parametrize("name", ["dee", "charlie"])
def test_people_without_the_project_find_nothing(as_user, cast, notice, name, path):
    stranger = as_user(getattr(cast, name))
    assert stranger.get(f"/notices/{notice.public_id}/{path}").status_code == 404
    assert stranger.get(f"/notices/{notice.public_id}/{path}", headers=HTMX).status_code == 404


def test_whoever_is_signed_out_is_asked_to_sign_in(client, notice):
    path = f"/notices/{notice.public_id}/"
    assert client.get(path).location == f"/auth/login/?next={path}"
    assert client.get(f"{path}panel", headers=HTMX).headers["HX-Redirect"] == "/auth/login/"


@pytest.mark.parametrize("public_id", ["n_0", "x" * 300, "%00", "n_💥", "' OR 1=1 --"])
def test_a_notice_that_is_none_is_404(as_user, cast, public_id):
    assert as_user(cast.alice).get(f"/notices/{public_id}/").status_code == 404


def test_a_test_message_is_shown_to_nobody_else(session, as_user, cast, now):
    notice = testing_mail.send_test(session, cast.bob, now=now)
    path = f"/notices/{notice.public_id}/"
    assert as_user(cast.bob).get(path).status_code == 200
    assert as_user(cast.alice).get(path).status_code == 404


def test_a_private_choice_is_spelt_out_to_its_owner_only(session, as_user, cast, report, run_jobs, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    report()
    run_jobs()
    path = as_user(cast.alice).page("/settings/account/notifications/history/").select_one("tbody a")["href"]
    [mine] = [row for row in rows_of(as_user(cast.bob).get(path).text) if row.startswith("Bob")]
    [his] = [row for row in rows_of(as_user(cast.cy).get(path).text) if row.startswith("Bob")]
    assert "Alerts are off (from your account)" in mine
    assert "Their own settings" in his
    assert "Alerts are off" not in his


def test_hostile_titles_stay_text(session, as_user, cast, make, now):
    issue = make.issue(cast.shop, title="<script>alert(1)</script>: x")
    notice = make.notice(issue, planned_at=now)
    text = as_user(cast.cy).get(f"/notices/{notice.public_id}/").text
    assert "<script>alert" not in text


def test_what_is_under_way_asks_again_and_what_is_settled_does_not(as_user, cast, make, issue, notice, now):
    waiting = make.notice(issue, planned_at=None)
    reader = as_user(cast.cy)
    assert f'hx-get="/notices/{waiting.public_id}/"' in reader.get(f"/notices/{waiting.public_id}/").text
    assert "load delay" not in reader.get(f"/notices/{notice.public_id}/").text


def test_a_gate_answers_for_everyone(as_user, cast, make, issue, now):
    notice = make.notice(issue, planned_at=now, gate_code="issue_ignored")
    page = as_user(cast.cy).page(f"/notices/{notice.public_id}/")
    assert "The issue is ignored: alerts stay silent" in page.text
