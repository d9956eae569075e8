"""The link at the foot of a mail, followed in a browser in which nobody is signed in."""

import re

import pytest
from playwright.sync_api import expect

from app.models import Subscription
from tests.support.databases import contents
from tests.support.processes import eventually


@pytest.fixture
def mail(tocsin, issue, sign_in):
    """What Bob got when Alice resolved."""
    page = sign_in("alice", script=False)
    page.goto(tocsin.address_of(issue))
    actions = page.get_by_role("region", name="Actions")
    actions.get_by_text("Resolve", exact=True).first.click()
    actions.get_by_role("button", name="Now").click()
    [mail] = eventually(lambda: tocsin.mails(to="bob@", about=f"{issue.short_id} "))
    return mail


def states(tocsin, issue):
    tocsin.session.commit()
    return [
        row.state
        for row in tocsin.session.query(Subscription).filter_by(issue_id=issue.id)
        if row.user.name == "Bob"
    ]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_one_press_stops_and_another_takes_it_back(tocsin, issue, mail, open_page, script):
    page = open_page(script=script)
    page.goto(mail.unsubscribe_url)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Stop email about {issue.short_id}?")
    assert states(tocsin, issue) == []
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile(f"No more email about {issue.short_id}")
    )
    assert states(tocsin, issue) == ["unsubscribed"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All as it was before")
    assert states(tocsin, issue) == []


def test_a_scanner_that_runs_script_changes_nothing(tocsin, mail, open_page):
    before = contents(tocsin.session)
    page = open_page()
    for link in mail.links:
        page.goto(link)
        page.wait_for_load_state("networkidle")
    assert contents(tocsin.session) == before


def test_an_altered_link_leads_on(tocsin, mail, open_page):
    page = open_page()
    page.goto(mail.unsubscribe_url[:-1] + ("A" if mail.unsubscribe_url[-1] != "A" else "E"))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is not valid")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
