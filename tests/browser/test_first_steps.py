"""From an empty database to the proof that it rings, as somebody new would go, with script and without."""

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.support.processes import eventually


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_from_the_link_on_the_console_to_the_first_mail(empty_tocsin, open_page, script):
    page = open_page(script=script)
    page.goto(empty_tocsin.first_account_link)
    page.get_by_label("Email").fill("ann@example.org")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Make the account").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("How loud should it be?")
    page.get_by_role("button", name="Continue").click()

    page.get_by_label("Organization").fill("Acme & Söhne")
    page.get_by_label("Project").fill("Shop")
    page.get_by_role("button", name="Make the project").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Shop")
    expect(page.get_by_text("Waiting for the first event…")).to_be_visible()
    run_as_shown(page.get_by_text("python -c").first.inner_text())

    expect(page.get_by_role("heading", level=1)).to_have_text("It rang", timeout=20_000)
    expect(page.get_by_text("Mail to ann@example.org kept here")).to_be_visible(timeout=20_000)
    [mail] = empty_tocsin.mails()
    assert mail.subject == "SHOP-1 - ZeroDivisionError: division by zero"

    page.goto(f"{empty_tocsin.url}/dev/mail/")
    page.get_by_role("link", name="SHOP-1 - ZeroDivisionError: division by zero").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(mail.subject)

    page.goto(f"{empty_tocsin.url}/")
    page.get_by_role("link", name="Shop", exact=True).first.click()
    page.get_by_role("link", name="ZeroDivisionError").first.click()
    expect(page.get_by_text("Told 1").first).to_be_visible()


def run_as_shown(line: str) -> None:
    """What the page says to type, with the real SDK of this environment."""
    assert line.startswith('python -c "')
    subprocess.run([sys.executable, *line.removeprefix("python ").split(" ", 1)[:1], line[11:-1]], timeout=30)


def test_a_sample_event_goes_the_whole_way(empty_tocsin, open_page):
    page = open_page()
    page.goto(empty_tocsin.first_account_link)
    for label, text in {"Email": "ann@example.org", "Your name": "Ann Lee"}.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("button", name="Skip").click()
    page.get_by_label("Organization").fill("Acme")
    page.get_by_label("Project").fill("Shop")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("button", name="Send a sample event").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It rang", timeout=20_000)
    expect(page.get_by_text("This is the sample event")).to_be_visible()
    eventually(empty_tocsin.mails)


def test_the_link_on_the_console_works_once(empty_tocsin, open_page):
    page = open_page()
    link = empty_tocsin.first_account_link
    page.goto(link)
    page.get_by_label("Email").fill("ann@example.org")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Make the account").click()
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How loud should it be?")
    other = open_page()
    other.goto(link)
    expect(other.get_by_role("button", name="Make the account")).to_have_count(0)
