"""Draws the pictures of docs/channels anew: `.venv/bin/python -m scripts.channel_pictures`. Needs Chromium.

Each is what the form of an integration shows beside its fields, of the same made-up message.
"""

from datetime import UTC, datetime
from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader
from playwright.sync_api import sync_playwright

from app.channels import CHANNELS
from app.services.integrations import channel_settings, messages
from app.settings import ROOT
from scripts.find_tools import chromium

AT = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)
PLACES = ROOT / "docs" / "images" / "channels"
SHOP = SimpleNamespace(slug="shop", name="Shop", organization=SimpleNamespace(slug="acme"))
PAGE = """<!doctype html><html lang="en"><style>{css}
body {{ padding: 16px; width: 600px }}</style>{picture}</html>"""


def draw() -> None:
    css = (ROOT / "static" / "css" / "tocsin.css").read_text()
    templates = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True)
    macro = templates.get_template("integrations/_picture.html").module.picture
    PLACES.mkdir(parents=True, exist_ok=True)
    sample = messages.sample(SHOP, kind="new", at=AT, url="https://tocsin.example.org")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(device_scale_factor=2)
        for name in CHANNELS:
            shown = channel_settings.pictured(name, {}).picture(sample)
            if shown.look != "code":  # what is text anyway stands in the page itself
                page.set_content(PAGE.format(css=css, picture=macro(shown)))
                page.locator("figure").screenshot(path=PLACES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    draw()
