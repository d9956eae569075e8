"""The mails of two issues with one title, as they came over the wire, after all that can happen to them."""

import email.utils
from collections import Counter

import pytest
from bs4 import BeautifulSoup

from app.models import Issue


@pytest.fixture
def mails(cast, make, acts, report, run_jobs, mailbox, session):
    """By issue: those of shop's, and those of another project's with the same title."""
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    for project in (cast.shop, billing):
        report(project=project)
    run_jobs()
    for issue in session.query(Issue).order_by(Issue.id):
        acts.assign(issue, to=cast.bob, by=cast.alice)
        acts.comment(issue, "Zoë: ‘it began with <b>release 4</b>’ — @bob?", by=cast.cy)
        acts.resolve(issue, by=cast.alice)
    run_jobs()
    for project in (cast.shop, billing):
        report(project=project)
    run_jobs()
    return mailbox()


def test_every_line_fits_and_every_header_stands_once(mails):
    assert len(mails) == 24
    for mail in mails:
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
        assert len(mail.raw) < 80 * 1024
        twice = [name for name, times in Counter(map(str.lower, mail.message.keys())).items() if times > 1]
        assert twice == []


def test_every_mail_says_what_made_it_and_how_to_stop_it(mails):
    for mail in mails:
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"
        assert mail["Precedence"] == "list"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail.unsubscribe_url.startswith("https://tocsin.example.org/u/")
        assert mail["X-Tocsin-Reason"]
        assert mail["X-Tocsin-Notice"] in mail.links
        assert "You're getting this because" in mail.text


def test_every_message_has_a_name_of_its_own(mails):
    names = Counter(mail["Message-ID"] for mail in mails)
    assert set(names.values()) == {1}
    assert all(name.endswith("@example.org>") for name in names)


def test_one_issue_is_one_thread_and_two_with_the_same_title_are_two(mails):
    threads = {
        (mail["X-Tocsin-Issue"], mail["References"], mail["In-Reply-To"], mail.subject) for mail in mails
    }
    assert len(threads) == 2
    (one, other) = sorted(threads)
    assert one[1] == one[2]
    assert one[1] != other[1]
    assert (one[3], other[3]) == ("BILLING-1 - KeyError: cart", "SHOP-1 - KeyError: cart")


def test_a_project_and_a_category_are_a_list(mails):
    lists = {(mail["X-Tocsin-Kind"].partition(".")[0], mail["List-Id"].partition("<")[2]) for mail in mails}
    assert {
        ("alert", "alerts.shop.acme.example.org>"),
        ("comment", "workflow.shop.acme.example.org>"),
    } <= lists


def test_each_goes_to_one_person(mails):
    for mail in mails:
        assert [address for _, address in email.utils.getaddresses([mail["To"]])] == [mail.to]
        assert mail.message["Cc"] is None
        assert mail.message["Bcc"] is None


def test_the_sender_is_one_address_under_the_name_of_whoever_acted(mails):
    senders = {(mail["X-Tocsin-Kind"], *email.utils.parseaddr(mail["From"])) for mail in mails}
    assert {address for _, _, address in senders} == {"tocsin@example.org"}
    names = {kind: name for kind, name, _ in senders}
    assert names["comment"] == "Cy via Tocsin"
    assert names["resolved"] == "Alice via Tocsin"
    assert names["regression"].startswith("Tocsin · ")


def test_the_html_is_plain_to_read_without_pictures(mails):
    for mail in mails:
        page = BeautifulSoup(mail.html, "html.parser")
        assert len(page.find_all("h1")) == 1
        assert page.html["lang"] == "en"
        assert page.title.text == mail.subject
        assert not page.find_all(["img", "script", "link", "iframe", "form", "svg"])
        assert all(
            table.get("role") == "presentation" or table.find("th") for table in page.find_all("table")
        )
        assert not page.find_all("b", string="release 4")


def test_text_and_html_hold_the_same_links(mails):
    for mail in mails:
        page = BeautifulSoup(mail.html, "html.parser")
        for link in page.find_all("a"):
            assert link["href"] in mail.text
