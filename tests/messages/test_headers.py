"""The headers of every kind of mail: threads, lists, the way out, and what people filter on."""

import pytest

from app.domain import reply_address, reply_text
from app.domain.kinds import ALERTS, KINDS
from app.domain.reply_address import ReplyTo
from app.services.mails.mail_sample_list import SAMPLES
from tests.messages.samples import IN_THREAD, LETTERS, SITE, composed

NOTICES = [name for name in SAMPLES if name not in LETTERS]
LISTED = [name for name in NOTICES if name not in ("test", "integration-off")]


@pytest.mark.parametrize("name", SAMPLES)
def test_no_robot_answers(name):
    headers = composed(name).headers
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_header_stands_once(name):
    names = [header.lower() for header, _ in composed(name).message.items()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_names_its_reason(name):
    assert composed(name).headers["X-Tocsin-Reason"]


@pytest.mark.parametrize("name", LISTED)
def test_every_notice_can_be_left_with_one_click(name):
    headers = composed(name).headers
    assert headers["List-Unsubscribe"].startswith("<https://tocsin.example.com/u/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Precedence"] == "list"
    assert headers["List-Help"] == "<https://tocsin.example.com/help/notifications/>"
    assert headers["Feedback-ID"].endswith(":tocsin")


@pytest.mark.parametrize("name", [*LETTERS, "test"])
def test_what_nobody_subscribed_to_cannot_be_left(name):
    assert {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"} & set(composed(name).headers) == set()


@pytest.mark.parametrize("name", IN_THREAD)
def test_a_mail_about_an_issue_is_in_its_thread(name):
    made = composed(name)
    root = "<issue.143.1@tocsin.example.com>"
    assert (made.headers["In-Reply-To"], made.headers["References"]) == (root, root)
    assert made.headers["List-Archive"] == "<https://tocsin.example.com/acme/checkout/issues/143/>"
    assert made.mail.subject == composed("alert-new").mail.subject
    assert made.headers["X-Tocsin-Issue"] == "CHECKOUT-4F"


@pytest.mark.parametrize("name", IN_THREAD)
def test_a_list_is_a_category_of_a_project(name):
    headers = composed(name).headers
    category = "alerts" if KINDS[headers["X-Tocsin-Kind"]].category == ALERTS else "workflow"
    assert headers["List-Id"] == f"checkout {category} <{category}.checkout.acme.tocsin.example.com>"


def test_a_digest_of_quiet_hours_is_a_list_of_its_own_and_a_thread_a_day():
    headers = composed("digest-quiet").headers
    assert headers["List-Id"] == "digests <digests.tocsin.example.com>"
    assert headers["References"] == "<digest.1.quiet.2026-11-23@tocsin.example.com>"
    assert headers["X-Tocsin-Reason"] == "assigned"


def test_a_person_who_acted_is_named_in_the_sender():
    assert composed("comment").mail.sender_name == "Ana Lima via Tocsin"
    assert composed("regression").mail.sender_name == "Tocsin · checkout"
    assert composed("resolved-age").mail.sender_name == "Tocsin · checkout"


def test_what_people_call_themselves_adds_no_header():
    message = composed("comment", "hostile").message
    assert message["Bcc"] is None
    assert message["To"].addresses[0].addr_spec == "priya@example.com"


def test_the_events_level_and_environment_can_be_filtered_on():
    headers = composed("alert-new").headers
    assert (headers["X-Tocsin-Level"], headers["X-Tocsin-Environment"]) == ("error", "production")
    assert headers["X-Tocsin-Event"] == "8f21c0de9a4b4d6e8f21c0de9a4b4d6e"


def test_without_inbound_mail_nothing_invites_to_reply():
    made = composed("comment")
    assert "Reply-To" not in made.headers
    assert "mailto:" not in made.headers["List-Unsubscribe"]
    assert "replies are not read" in made.mail.text


def test_with_inbound_mail_a_reply_finds_its_person_and_issue():
    made = composed("comment", reply_domain="reply.example.com")
    to = made.headers["Reply-To"]
    assert to.startswith('"Reply to CHECKOUT-4F" <r+')
    address = to.partition("<")[2].rstrip(">")
    assert len(address.partition("@")[0]) <= 64
    assert reply_address.read(address, SITE.token_keys, "reply.example.com") == ReplyTo(1, 143, 1)
    assert made.mail.text.startswith(reply_text.DELIMITER)
    assert reply_text.DELIMITER in made.page.find("td", class_="card-body").text


def test_with_inbound_mail_an_empty_message_unsubscribes():
    header = composed("alert-new", reply_domain="reply.example.com").headers["List-Unsubscribe"]
    https, mailto = header.split(", ")
    assert https.startswith("<https://")
    address = mailto.removeprefix("<mailto:").partition("?")[0]
    token = reply_address.read(address, SITE.token_keys, "reply.example.com")
    assert (token.scope, token.scope_id) == ("project_alerts", 1)
