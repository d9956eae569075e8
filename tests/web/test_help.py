"""Help is made from the tables that decide, and is there for whoever follows a mail's List-Help."""

import pytest

from app.domain import wording
from app.domain.kinds import KINDS
from app.domain.routing import GATES, Outcome, Reason
from app.web.help import HEADERS

pytestmark = pytest.mark.any_database

PATH = "/help/notifications/"


@pytest.fixture
def page(client):
    return client.page(PATH)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_there(client, reason):
    row = client.page(PATH).find(id=f"reason-{reason}")
    assert "{" not in row.text


@pytest.mark.parametrize("code", wording.CODES)
def test_every_code_is_there(client, code):
    row = client.page(PATH).find(id=f"code-{code}")
    assert "{" not in row.text
    assert (wording.THEIR_OWN in row.text) == wording.CODES[code].private


def test_every_gate_leads_to_its_code(page):
    targets = [link["href"].removeprefix("#") for link in page.select('a[href^="#code-"]')]
    assert targets == [*(f"code-{gate.code}" for gate in GATES), "code-send"]
    assert all(page.find(id=target) for target in targets)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_there(client, outcome):
    assert client.page(PATH).find(id=f"outcome-{outcome}")


def test_every_gate_and_what_stops_a_notice_has_words():
    stops = {"issue_ignored", "no_longer_open", "undone", "batched"}
    assert {gate.code for gate in GATES} | stops <= wording.CODES.keys()


def test_every_kind_is_there(page):
    assert {cell.text for cell in page.select('td[data-label="Kind"]')} == set(KINDS)


def test_help_changes_nothing_by_being_signed_in(as_user, client, cast):
    mine, anybodys = (each.page(PATH).find("main").text for each in (as_user(cast.bob), client))
    assert mine == anybodys


def test_every_header_of_a_mail_is_explained(client, cast, report, run_jobs, mailbox):
    report()
    run_jobs()
    [mail] = mailbox(cast.bob)
    ours = {name for name in mail.message if name.startswith(("X-", "List-", "Feedback", "Precedence"))}
    explained = {name for name, _, _ in HEADERS}
    assert ours - explained == set()
    assert ours >= {"X-Tocsin-Kind", "X-Tocsin-Reason", "List-Unsubscribe"}
    text = client.page("/help/email-headers/").text
    assert all(name in text for name in ours)
