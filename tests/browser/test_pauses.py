"""Maintenance in a browser: paused on the project's settings, seen on its list, ended there."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from app.models import Pause, SettingAudit

WAYS = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.fixture
def settings(tocsin):
    """Their address; a test takes away the windows that it made."""
    yield f"{tocsin.url}/acme/shop/settings/"
    tocsin.session.rollback()
    tocsin.will_write()
    for table in (Pause, SettingAudit):
        tocsin.session.query(table).delete()
    tocsin.session.commit()


@WAYS
def test_everything_is_paused_seen_and_ended(tocsin, sign_in, settings, script):
    page = sign_in("alice", script=script)
    page.goto(settings)
    until = datetime.now() + timedelta(days=1)
    page.get_by_label("Until", exact=True).fill(until.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Why", exact=True).fill("We move")
    page.get_by_role("button", name="Pause all").click()
    page.goto(f"{tocsin.url}/acme/shop/")
    banner = page.get_by_role("region", name="Maintenance")
    expect(banner).to_contain_text("We move")
    expect(banner).to_contain_text("All notifications are held (Alice)")
    banner.get_by_role("button", name="End it now").click()
    expect(page.locator("#toasts").get_by_text("The maintenance is over.")).to_be_visible()
    expect(banner).to_have_count(0)


@WAYS
def test_what_is_wrong_stands_at_its_field(sign_in, settings, script):
    page = sign_in("alice", script=script)
    page.goto(f"{settings}alerts/pauses/")
    page.get_by_label("Why", exact=True).fill("Upgrade")
    page.get_by_label("From", exact=True).fill("2027-01-02T10:00")
    page.get_by_label("To", exact=True).fill("2027-01-02T09:00")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("To", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Why", exact=True)).to_have_value("Upgrade")
