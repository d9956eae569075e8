"""The page of each channel says what its code does, and its examples work."""

import json
import re
import time
from datetime import UTC, datetime

import pytest

from app.channels import CHANNELS
from app.channels.base import settings_of
from app.channels.webhook import Webhook
from app.domain.kinds import KINDS
from app.settings import ROOT
from tests.channels.test_webhook import OTHER, SECRET, message

DOCS = ROOT / "docs" / "channels"


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_has_a_page_that_names_its_settings_and_an_icon(name):
    page = (DOCS / f"{name}.md").read_text()
    for each in settings_of(CHANNELS[name]):
        if not each.hidden:
            assert f"| {each.label} | `{each.key}` |" in page
    assert (ROOT / "static" / "img" / "channels" / f"{name}.svg").exists()


def test_there_is_no_page_without_a_channel():
    assert {path.stem for path in DOCS.glob("*.md")} == set(CHANNELS)


def test_the_webhook_page_names_every_type():
    named = set(re.findall(r"^\| `([a-z.]+)` \|", (DOCS / "webhook.md").read_text(), re.MULTILINE))
    assert named == {kind.webhook for kind in KINDS.values() if kind.webhook}


def test_the_example_of_a_webhook_is_what_is_sent():
    [shown] = re.findall(r"```json\n(.*?)```", (DOCS / "webhook.md").read_text(), re.DOTALL)
    sent = message()
    [frame] = set(sent.event.frames)
    body = Webhook("https://x", SECRET).payload(sent)
    body["data"]["event"]["top_frames"] = body["data"]["event"]["top_frames"][:1]
    assert json.loads(shown) == json.loads(json.dumps(body))
    assert frame.file == "shop/cart.py"


def test_the_example_of_a_check_takes_ours_and_nothing_else(http, receiver):
    [code] = re.findall(r"```python\n(.*?)```", (DOCS / "webhook.md").read_text(), re.DOTALL)
    names: dict = {}
    exec(code, names)
    is_ours = names["is_ours"]
    Webhook(receiver.url, SECRET).send(message(), http=http, now=datetime.now(UTC))
    [request] = receiver.taken
    assert is_ours(SECRET, request.headers, request.body)
    assert not is_ours(OTHER, request.headers, request.body)
    assert not is_ours(SECRET, request.headers, request.body + b" ")
    old = {**request.headers, "webhook-timestamp": str(int(time.time()) - 301)}
    assert not is_ours(SECRET, old, request.body)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_picture_that_a_page_shows_is_there(name):
    for shown in re.findall(r"!\[[^]]+\]\(([^)]+)\)", (DOCS / f"{name}.md").read_text()):
        assert (DOCS / shown).resolve().exists()


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_is_named_where_one_reads_on(name):
    assert f"docs/channels/{name}.md" in (ROOT / "README.md").read_text()
