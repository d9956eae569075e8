"""The links in mails: looking changes nothing, one press stops exactly what it says, and nobody signs in."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from app.clock import now
from app.models import NotificationSetting, SettingAudit, Subscription
from tests.support.databases import contents

ENCODINGS = {"a form": None, "multipart": "multipart/form-data"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path_of(url: str) -> str:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://tocsin.example.org"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture
def alert(cast, report, run_jobs, mailbox):
    """The mail that told Bob of a new error."""
    report()
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    return mail


@pytest.fixture
def comment(issue, cast, acts, run_jobs, mailbox):
    """The mail that told Bob of a comment."""
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    return mail


@pytest.fixture
def every_mail(cast, acts, report, run_jobs, mailbox, session):
    """All that one issue can make people hear of."""
    from app.models import Issue

    report()
    run_jobs()
    issue = session.query(Issue).one()
    acts.assign(issue, to=cast.bob, by=cast.alice)
    acts.assign(issue, to=cast.team, by=cast.alice)
    acts.assign(issue, to=None, by=cast.alice)
    acts.comment(issue, "@cy what do you think?", by=cast.alice)
    acts.ignore(issue, by=cast.alice)
    acts.reopen(issue, by=cast.alice)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    report()
    run_jobs()
    return mailbox()


def alerts_of(session, user, project):
    row = session.query(NotificationSetting).filter_by(
        user_id=user.id, category="alerts", scope="project", scope_id=project.id
    )
    found = row.one_or_none()
    return found and found.value


def state_of(session, user):
    row = session.query(Subscription).filter_by(user_id=user.id).one_or_none()
    return row and row.state


@pytest.mark.parametrize("visitor", ["nobody", "bob", "alice", "charlie"])
def test_looking_at_every_link_of_every_mail_changes_nothing(visitor, every_mail, cast, client, session):
    kinds = {mail["X-Tocsin-Kind"] for mail in every_mail}
    assert kinds == {"alert.new", "assigned", "unassigned", "comment", "reopened", "resolved", "regression"}
    links = {path_of(link) for mail in every_mail for link in mail.links}
    before = contents(session)
    if visitor != "nobody":
        client.sign_in(getattr(cast, visitor))
    for link in sorted(links):
        for method in ("GET", "HEAD"):
            answer = client.open(link, method=method, follow_redirects=True)
            assert answer.status_code in (200, 404), f"{method} {link}: {answer.status}"
    assert contents(session) == before


def test_whoever_follows_a_link_of_theirs_arrives(every_mail, cast, client):
    client.sign_in(cast.bob)
    for link in {link for mail in every_mail if mail.to == cast.bob.email for link in mail.links}:
        assert client.get(path_of(link)).status_code == 200, link


def test_one_click_stops_the_alerts_of_the_project(alert, cast, client, session):
    for _ in range(2):
        answer = client.post(path_of(alert.unsubscribe_url), data=ONE_CLICK, csrf=False)
        assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
    assert alerts_of(session, cast.bob, cast.shop) == "off"


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
def test_one_click_is_understood_in_both_encodings(encoding, comment, cast, client, session):
    for _ in range(2):
        answer = client.post(
            path_of(comment.unsubscribe_url), data=ONE_CLICK, content_type=encoding, csrf=False
        )
        assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
    assert state_of(session, cast.bob) == "unsubscribed"
    assert session.query(SettingAudit).filter_by(user_id=cast.bob.id).count() == 1


def test_one_click_needs_no_cookie_and_no_referrer(comment, cast, sdk, session):
    answer = sdk.post(path_of(comment.unsubscribe_url), data=ONE_CLICK, base_url="https://tocsin.example.org")
    assert (answer.status_code, answer.text) == (200, "Unsubscribed.")
    session.commit()
    assert state_of(session, cast.bob) == "unsubscribed"


@pytest.mark.usefixtures("at_once")
def test_whoever_unsubscribed_gets_no_more(alert, cast, client, report, run_jobs, told):
    told()
    client.post(path_of(alert.unsubscribe_url), data=ONE_CLICK, csrf=False)
    report("ValueError: price")
    run_jobs()
    assert told() == ["alice", "cy"]


def test_the_page_asks_and_its_button_stops_this_issue_alone(comment, cast, client, session):
    path = path_of(comment.unsubscribe_url)
    page = client.page(path)
    assert page.h1.text == "Stop email about SHOP-1?"
    assert page.form["method"] == "post"
    answer = client.post(path, data={"scope": "issue"}, csrf=False)
    assert "No more email about SHOP-1." in answer.text
    assert state_of(session, cast.bob) == "unsubscribed"
    assert session.query(NotificationSetting).count() == 0


def test_undo_puts_everything_back(comment, cast, client, session):
    before = contents(session)
    path = path_of(comment.unsubscribe_url)
    from bs4 import BeautifulSoup

    done = BeautifulSoup(client.post(path, data={"scope": "everything"}, csrf=False).text, "html.parser")
    assert contents(session) != before
    undo = done.find("input", {"name": "undo"})["value"]
    assert client.post(path, data={"undo": undo}, csrf=False).status_code == 200
    after = contents(session)
    assert {name for name in before if before[name] != after[name]} == {"setting_audit"}


def test_the_link_acts_for_its_owner_whoever_is_signed_in(comment, cast, client, session):
    client.sign_in(cast.alice)
    path = path_of(comment.unsubscribe_url)
    page = client.page(path).text
    assert "bo•••@example.org" in page
    assert "You are signed in as alice@example.org" in page
    client.post(path, data={"scope": "issue"}, csrf=False)
    assert state_of(session, cast.bob) == "unsubscribed"
    assert session.query(Subscription).filter_by(user_id=cast.alice.id, state="unsubscribed").count() == 0
    assert "Alice" in client.page("/settings/account/").text


def test_an_altered_link_does_nothing_and_leads_on(comment, client, session):
    path = path_of(comment.unsubscribe_url)
    before = contents(session)
    for position in range(len("/u/"), len(path)):
        altered = path[:position] + ("A" if path[position] != "A" else "B") + path[position + 1 :]
        answer = client.post(altered, data=ONE_CLICK, csrf=False)
        assert answer.status_code == 400
    assert "/auth/login/" in answer.text
    assert "/settings/account/notifications/" in answer.text
    assert contents(session) == before


def test_a_year_old_link_works(comment, cast, client, session):
    with time_machine.travel(now() + timedelta(days=366)):
        answer = client.post(path_of(comment.unsubscribe_url), data=ONE_CLICK, csrf=False)
    assert answer.status_code == 200
    assert state_of(session, cast.bob) == "unsubscribed"


def test_a_link_dies_when_its_owner_revokes_it(comment, cast, client, session):
    cast.bob.mail_version += 1
    answer = client.post(path_of(comment.unsubscribe_url), data=ONE_CLICK, csrf=False)
    assert answer.status_code == 400
    assert state_of(session, cast.bob) is None


def test_a_link_about_a_deleted_issue_is_no_dead_end(issue, comment, client, session):
    session.delete(issue)
    answer = client.get(path_of(comment.unsubscribe_url))
    assert answer.status_code == 200
    assert "Nothing left to unsubscribe from" in answer.text


def test_the_address_of_a_link_is_kept_to_itself(comment, client):
    headers = client.get(path_of(comment.unsubscribe_url)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex"


def test_a_link_reveals_no_more_than_it_must(comment, cast, client):
    page = client.get(path_of(comment.unsubscribe_url)).text
    for secret in (cast.bob.email, cast.bob.name, "KeyError", cast.acme.name):
        assert secret not in page
