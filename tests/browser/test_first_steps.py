"""From an empty database to the proof that it rings, as somebody new would go, with script and without."""

import shlex
import subprocess
import sys

from playwright.sync_api import Page, expect

from tests.support.processes import eventually


def fill_in(page: Page, **values: str) -> None:
    for label, text in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def heading(page: Page):
    return page.get_by_role("heading", level=1)


def test_from_the_link_on_the_console_to_a_real_error_and_its_mail(empty_tocsin, open_page):
    page = open_page()
    page.goto(empty_tocsin.first_account_link)
    fill_in(page, Email="ann@example.org", Your_name="Ann Lee", Password="correct horse battery")
    page.get_by_role("button", name="Make the account").click()
    expect(heading(page)).to_have_text("How loud should it be?")
    page.get_by_role("button", name="Continue").click()
    fill_in(page, Organization="Acme & Söhne", Project="Shop")
    page.get_by_role("button", name="Make the project").click()

    expect(heading(page)).to_have_text("Connect Shop")
    expect(page.get_by_text("Waiting for the first event…")).to_be_visible()
    run_as_shown(page.get_by_text("python -c").first.inner_text())

    # The page moves on by itself.
    expect(heading(page)).to_have_text("It rang", timeout=20_000)
    expect(page.get_by_text("Kept here")).to_be_visible(timeout=20_000)
    [mail] = empty_tocsin.mails(to="ann@example.org")
    assert mail.subject == "SHOP-1 - ZeroDivisionError: division by zero"

    page.goto(f"{empty_tocsin.url}/dev/mail/")
    page.get_by_role("link", name=mail.subject).click()
    expect(heading(page)).to_have_text(mail.subject)

    page.goto(f"{empty_tocsin.url}/")
    page.get_by_role("link", name="Shop", exact=True).first.click()
    page.get_by_role("link", name="ZeroDivisionError").first.click()
    expect(page.get_by_text("Told 1").first).to_be_visible()


def run_as_shown(line: str) -> None:
    """What the page says to type, with the real SDK of this environment."""
    python, *arguments = shlex.split(line)
    assert python == "python"
    subprocess.run([sys.executable, *arguments], timeout=30, stderr=subprocess.DEVNULL)


def test_without_script_too_and_with_a_sample_event(empty_tocsin, open_page):
    link = empty_tocsin.first_account_link
    page = open_page(script=False)
    page.goto(link)
    fill_in(page, Email="ann@example.org", Your_name="Ann Lee", Password="12345678")
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("link", name="Skip", exact=True).click()
    fill_in(page, Organization="Acme", Project="Shop")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("button", name="Send a sample event").click()
    expect(heading(page)).to_have_text("It rang", timeout=20_000)
    expect(page.get_by_text("This is the sample event")).to_be_visible()
    eventually(empty_tocsin.mails)

    # What the console said has been used up.
    stranger = open_page()
    stranger.goto(link)
    expect(stranger.get_by_role("button", name="Make the account")).to_have_count(0)
