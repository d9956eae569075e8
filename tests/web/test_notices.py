"""Explain in the browser: a page and a panel, for those who see the project."""

import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.domain.reply_text import DELIMITER
from app.models import Delivery, SettingAudit
from app.services.notices import testing_mail
from app.services.preferences import preferring
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


# Narrowed, and as text


def test_the_table_can_be_narrowed(as_user, cast, notice):
    reader = as_user(cast.cy)
    path = f"/notices/{notice.public_id}/"
    [failed] = rows_of(reader.get(f"{path}?outcome=failed").text)
    assert failed.startswith("Bob")
    [alice] = rows_of(reader.get(f"{path}?person={cast.alice.id}", headers=HTMX).text)
    assert alice.startswith("Alice")
    assert "Nobody like that" in reader.get(f"{path}?outcome=collapsed").text
    assert reader.get(f"{path}?outcome=x").status_code == 400
    assert reader.get(f"{path}?person=x").status_code == 400


def test_a_hundred_people_are_enough_for_a_page(as_user, make, cast, notice):
    for _ in range(120):
        make.delivery(notice, make.user(), state="accepted")
    reader = as_user(cast.cy)
    path = f"/notices/{notice.public_id}/"
    page = reader.page(path)
    assert len(rows_of(str(page))) == 100
    assert len(rows_of(reader.get(page.find("a", string="Show all 22 more")["href"]).text)) == 122


def test_the_record_as_text_says_what_its_reader_may_see(session, as_user, cast, notice):
    text = as_user(cast.cy).page(f"/notices/{notice.public_id}/").find(id="as-text").text
    assert "NEW SHOP-1 KeyError: cart" in text
    assert "Alice (email): sent · no owner rule matched" in text
    assert "Told 1 · 1 failed" in text


def test_who_was_considered_and_why(as_user, cast, notice):
    words = as_user(cast.cy).page(f"/notices/{notice.public_id}/").select_one(".facts").text
    assert "2 members of Shop, because they are whom the rule tells" in words


# What was sent


@pytest.fixture
def told(session, report, run_jobs, cast):
    """Everybody was told of a new error by mail; the notice, and whose delivery is whose."""
    report()
    run_jobs()
    found = session.scalars(select(Delivery)).all()
    return found[0].verdict.notice.public_id, {each.user_id: each.public_id for each in found}


def sent(told, person):
    public_id, deliveries = told
    return f"/notices/{public_id}/sent/{deliveries[person.id]}/"


@pytest.mark.parametrize("part", ["", "?part=text", "body"])
def test_what_was_sent_is_composed_anew_without_its_keys(as_user, cast, told, part, mailbox):
    answer = as_user(cast.bob).get(f"{sent(told, cast.bob)}{part}")
    assert answer.status_code == 200
    if part != "body":
        assert "Composed anew just now" in answer.text
    if part:
        assert "KeyError" in answer.text
        assert "/u/…" in answer.text
    keys = re.findall(r"/u/([\w.-]{10,})", mailbox(cast.bob)[0].text)
    assert keys
    assert not any(key in answer.text for key in keys)


def test_what_was_sent_has_the_line_above_which_answers_stand(as_user, cast, told, app, monkeypatch):
    """It was in the mail, so it is in what is shown of it."""
    taking_replies = replace(app.config["SETTINGS"], reply_domain="reply.example.org")
    monkeypatch.setitem(app.config, "SETTINGS", taking_replies)
    assert DELIMITER in as_user(cast.bob).get(f"{sent(told, cast.bob)}?part=text").text


def test_the_frame_runs_and_fetches_nothing(as_user, cast, told):
    policy = as_user(cast.bob).get(f"{sent(told, cast.bob)}body").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")


@pytest.mark.parametrize("part", ["", "body"])
def test_every_way_to_read_the_mail_of_another_is_noted_once_an_hour(session, as_user, cast, told, part):
    for _ in range(2):
        assert as_user(cast.alice).get(f"{sent(told, cast.bob)}{part}").status_code == 200
    [line] = session.scalars(select(SettingAudit).where(SettingAudit.category == "explanation"))
    assert (line.user_id, line.actor_id, line.detail["issue"]) == (cast.bob.id, cast.alice.id, "SHOP-1")


@pytest.mark.parametrize("path", ["/notices/{notice}/", "/notices/{notice}/panel", "{issue}notifications/"])
def test_an_administrator_who_looks_for_one_person_is_noted(session, as_user, cast, issue, notice, path):
    path = path.format(notice=notice.public_id, issue=f"/acme/shop/issues/{issue.id}/")
    for person, reader in ((cast.bob, cast.alice), (cast.alice, cast.alice), (cast.alice, cast.cy)):
        answer = as_user(reader).get(f"{path}?person={person.id}", headers=HTMX)
        assert answer.status_code == 200
    [line] = session.scalars(select(SettingAudit))
    assert (line.user_id, line.actor_id) == (cast.bob.id, cast.alice.id)


def test_administrators_read_it_masked_and_noted(session, as_user, cast, told):
    answer = as_user(cast.alice).get(sent(told, cast.bob))
    assert answer.status_code == 200
    assert "bob@example.org" not in answer.text
    line = session.scalars(select(SettingAudit)).one()
    assert (line.user_id, line.actor_id, line.category) == (cast.bob.id, cast.alice.id, "explanation")


@pytest.mark.parametrize("name", ["cy", "dee", "charlie"])
def test_nobody_else_reads_it(as_user, cast, told, name):
    for part in ("", "body"):
        assert as_user(getattr(cast, name)).get(f"{sent(told, cast.bob)}{part}").status_code == 404


def test_a_delivery_of_another_notice_is_not_found(as_user, make, cast, told, now):
    other = make.notice(make.issue(cast.shop, title="ValueError: other"), planned_at=now)
    bobs = as_user(cast.bob)
    assert bobs.get(sent((other.public_id, told[1]), cast.bob)).status_code == 404
    assert bobs.get(f"{sent(told, cast.bob)}?part=x").status_code == 400
