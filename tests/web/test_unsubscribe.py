"""The link in a mail: works for everybody, signs nobody in, changes nothing before a button is pressed."""

import re

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, text

from app.domain.mail_tokens import MailToken, sign
from app.models import NotificationSetting, SettingAudit
from app.services.preferences import preferring, subscribing
from app.services.preferences.preferring import Defaults


@pytest.fixture
def link(app, cast, issue):
    """The path of a link of Bob's: `link("issue")`."""

    def make_link(scope="issue", user=cast.bob, **changes):
        ids = {"issue": issue.id, "project_alerts": cast.shop.id, "project_workflow": cast.shop.id}
        token = MailToken(scope, user.id, changes.get("scope_id", ids.get(scope, 0)), user.mail_version)
        return f"/u/{sign(token, app.config['SETTINGS'].mail_token_keys)}"

    return make_link


@pytest.fixture
def scanner(client):
    """Sends no cookies, no referrer and no CSRF token."""
    return lambda method, path, **more: client.open(
        path, method=method, csrf=False, headers={"Referer": ""}, **more
    )


@pytest.fixture
def alerts_of(session):
    def look(user, project):
        session.expire_all()
        return preferring.choices(session, [user.id], project.id, Defaults({}))[user.id].alerts.value

    return look


def everything_in(session):
    session.rollback()
    tables = [table.name for table in NotificationSetting.metadata.sorted_tables]
    return {name: session.execute(text(f"SELECT * FROM {name}")).fetchall() for name in tables}


def state_of(session, issue, user):
    session.expire_all()
    row = subscribing.of(session, issue, user)
    return row.state if row else None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("scope", ["issue", "project_alerts", "everything"])
def test_looking_changes_nothing(session, scanner, link, method, scope):
    session.commit()
    before = everything_in(session)
    assert scanner(method, link(scope)).status_code == 200
    assert everything_in(session) == before


def test_pressing_the_button_unsubscribes_and_offers_undo(session, client, scanner, cast, issue, link):
    answer = scanner("POST", link(), data={"scope": "issue"})
    assert answer.status_code == 200
    assert state_of(session, issue, cast.bob) == "unsubscribed"
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.h1.text == "Done. No more email about SHOP-1."
    memory = page.find("input", attrs={"name": "undo"})["value"]
    undone = scanner("POST", link(), data={"undo": memory})
    assert undone.status_code == 200
    assert state_of(session, issue, cast.bob) is None
    assert scanner("POST", link(), data={"undo": memory}).status_code == 200


def test_a_link_used_by_somebody_else_acts_for_its_owner(session, as_user, cast, issue, link):
    browser = as_user(cast.alice)
    page = browser.page(link())
    assert "bo•••@example.org" in page.text
    assert "You are signed in as alice@example.org" in page.text
    assert "bob@example.org" not in page.text
    browser.post(link(), data={"scope": "issue"})
    assert state_of(session, issue, cast.bob) == "unsubscribed"
    assert state_of(session, issue, cast.alice) is None
    assert browser.get("/settings/account/").status_code == 200
    assert "alice@example.org" in browser.get("/settings/account/").text


ENCODINGS = {
    "a form": {"data": {"List-Unsubscribe": "One-Click"}},
    "multipart": {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
    "no type at all": {"data": b"List-Unsubscribe=One-Click"},
}


@pytest.mark.parametrize("sent", ENCODINGS.values(), ids=ENCODINGS)
def test_one_click_turns_the_projects_alerts_off_and_may_be_repeated(scanner, cast, link, alerts_of, sent):
    for _ in range(2):
        answer = scanner("POST", link("project_alerts"), **sent)
        assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
        assert answer.mimetype == "text/plain"
        assert "Set-Cookie" not in answer.headers
        assert alerts_of(cast.bob, cast.shop) == "off"


def test_one_click_is_never_counted_as_too_much(scanner, link):
    statuses = {
        scanner("POST", link(), data={"List-Unsubscribe": "One-Click"}).status_code for _ in range(30)
    }
    assert statuses == {200}


def test_one_click_stands_in_the_log(session, scanner, cast, link):
    scanner("POST", link("project_alerts"), data={"List-Unsubscribe": "One-Click"})
    [audit] = session.scalars(select(SettingAudit).where(SettingAudit.user_id == cast.bob.id))
    assert (audit.category, audit.new, audit.via) == ("alerts", "off", "one-click")


@pytest.mark.parametrize("position", [0, 1, 5, 20, 42])
def test_one_changed_character_is_400_and_no_change(session, scanner, link, position):
    path = link("everything")
    at = len("/u/") + position
    altered = path[:at] + ("A" if path[at] != "A" else "B") + path[at + 1 :]
    session.commit()
    before = everything_in(session)
    for answer in (
        scanner("GET", altered),
        scanner("POST", altered, data={"scope": "everything"}),
        scanner("POST", altered, data={"List-Unsubscribe": "One-Click"}),
    ):
        assert answer.status_code == 400
        assert "This link is not valid" in answer.text
        assert 'href="/auth/login/"' in answer.text
    assert everything_in(session) == before


HOSTILE = [
    "x",
    "a" * 43,
    "a" * 5000,
    "%00",
    "..%2f..%2fetc",
    "💥",
    "<script>alert(1)</script>",
    "=" * 43,
    "A" * 42 + "=",
]


@pytest.mark.parametrize("token", HOSTILE)
def test_nonsense_is_a_page_with_a_way_on(scanner, token):
    answer = scanner("GET", f"/u/{token}")
    assert answer.status_code in {400, 404}
    assert "<script>alert" not in answer.text


def test_a_revoked_link_is_as_good_as_forged(session, scanner, cast, link):
    path = link("everything")
    cast.bob.mail_version += 1
    assert scanner("POST", path, data={"List-Unsubscribe": "One-Click"}).status_code == 400


def test_a_year_old_link_works(session, scanner, cast, issue, link):
    # A token holds no time: only the rows around it grow old.
    issue.first_seen = issue.last_seen = issue.first_seen.replace(year=2020)
    assert scanner("POST", link(), data={"scope": "issue"}).status_code == 200
    assert state_of(session, issue, cast.bob) == "unsubscribed"


def test_a_slash_at_the_end_is_no_redirect(scanner, link):
    assert scanner("GET", f"{link()}/").status_code == 200
    assert scanner("POST", f"{link()}/", data={"List-Unsubscribe": "One-Click"}).text == "Unsubscribed."


@pytest.mark.parametrize("scope", ["issue", "project_workflow", "everything"])
def test_the_page_is_small_without_script_and_not_kept(scanner, link, scope):
    for answer in (scanner("GET", link(scope)), scanner("POST", link(scope), data={"scope": scope})):
        assert len(answer.data) < 8 * 1024
        assert "<script" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in answer.headers


def test_the_page_asks_for_exactly_what_the_link_is_about(client, link):
    page = client.page(link("project_workflow"))
    assert page.h1.text == "Stop workflow email from Shop?"
    [chosen] = page.select("input[name=scope][checked]")
    assert chosen["value"] == "project_workflow"


def test_a_scope_that_the_link_does_not_offer_is_refused(session, scanner, link):
    answer = scanner("POST", link("all_alerts"), data={"scope": "issue"})
    assert answer.status_code == 422
    assert session.scalar(select(SettingAudit)) is None


def test_a_forged_undo_is_refused(session, scanner, link):
    answer = scanner("POST", link(), data={"undo": "eyJ1c2VyIjoxfQ.AAAA"})
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text


def test_nothing_left_is_said_with_200(scanner, link):
    gone = link("issue", scope_id=999_999)
    assert "Nothing left to unsubscribe from" in scanner("GET", gone).text
    assert scanner("POST", gone, data={"List-Unsubscribe": "One-Click"}).text == "Unsubscribed."
    assert scanner("POST", gone, data={"scope": "issue"}).status_code == 200


def test_unsubscribing_twice_says_the_same(scanner, link):
    first, second = (scanner("POST", link(), data={"scope": "issue"}) for _ in range(2))
    assert re.findall("<h1.*?</h1>", first.text) == re.findall("<h1.*?</h1>", second.text)


def test_a_bad_link_offers_a_way_in_by_mail(client, cast, run_jobs, mailbox):
    page = BeautifulSoup(client.get("/u/nonsense").text, "html.parser")
    form = page.find("form", attrs={"action": "/auth/sign-in/"})
    known = client.post(form["action"], data={"email": cast.bob.email})
    unknown = client.post(form["action"], data={"email": "nobody@example.org"})
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    run_jobs()
    assert [mail.to for mail in mailbox()] == [cast.bob.email]


def test_the_link_in_a_real_mail_works_signed_out(
    session, scanner, cast, report, run_jobs, mailbox, alerts_of
):
    report()
    run_jobs()
    [mail] = mailbox(cast.bob)
    path = mail.message["List-Unsubscribe"].strip("<>").removeprefix("https://tocsin.example.org")
    assert scanner("POST", path, data={"List-Unsubscribe": "One-Click"}).text == "Unsubscribed."
    assert alerts_of(cast.bob, cast.shop) == "off"


def test_what_is_stopped_already_is_said_and_the_rest_offered(client, scanner, link):
    scanner("POST", link(), data={"scope": "issue"})
    page = client.page(link())
    assert "That mail is stopped already. No more email about SHOP-1." in page.text
    assert not page.select("input[value=issue_week]")
    [chosen] = page.select("input[name=scope][checked]")
    assert chosen["value"] == "project_alerts"
    assert scanner("POST", link(), data={"scope": "issue_week"}).status_code == 422


def test_where_everything_is_stopped_no_button_promises_more(client, scanner, link):
    scanner("POST", link("everything"), data={"scope": "everything"})
    page = client.page(link("everything"))
    assert not page.find("form")
    assert "Everything that this link can stop is stopped." in page.text


def test_the_answer_promises_no_mail_that_was_stopped_before(scanner, link):
    scanner("POST", link(), data={"scope": "project_workflow"})
    answer = scanner("POST", link(), data={"scope": "project_alerts"})
    assert "still comes" not in answer.text
    assert "Stopped before, and still: All workflow email from Shop." in answer.text
