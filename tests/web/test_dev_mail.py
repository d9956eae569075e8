"""Captured mail: shown exactly, to superusers, and harmless."""

import pytest

from tests.conftest import browser

RAW = b"""From: "Tocsin" <tocsin@example.org>
To: "Ana" <ana@example.org>
Subject: SHOP-1 - KeyError: <b>cart</b>
Date: Fri, 20 Nov 2026 12:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="x"
List-Unsubscribe: <https://tocsin.example.org/u/token>

--x
Content-Type: text/plain; charset="utf-8"

KeyError: cart in shop
--x
Content-Type: text/html; charset="utf-8"

<html><head><style>p { color: red }</style></head><p>KeyError</p><script>alert(1)</script>
<a href="https://tocsin.example.org/acme/shop/issues/1/">Open</a>
--x--
"""


@pytest.fixture
def capturing(app, app_with, data_dir):
    folder = data_dir / "mail"
    folder.mkdir(exist_ok=True)
    for earlier in folder.iterdir():  # of other tests: the folder outlives them
        earlier.unlink()
    (folder / "0000000007.eml").write_bytes(RAW)
    yield app_with(MAIL_SERVER="")
    (folder / "0000000007.eml").unlink()


@pytest.fixture
def root(capturing, session, make):
    return browser(capturing, session).sign_in(make.user("Root", is_superuser=True))


def test_the_list_names_receiver_and_subject(root):
    page = root.page("/dev/mail/")
    row = page.select_one("tbody tr")
    assert "ana@example.org" in row.text
    assert row.a.text == "SHOP-1 - KeyError: <b>cart</b>"
    assert row.a["href"] == "/dev/mail/7/"


def test_the_html_is_shown_in_a_frame_that_runs_nothing(root):
    frame = root.page("/dev/mail/7/").find("iframe")
    assert frame["src"] == "/dev/mail/7/body"
    assert "allow-scripts" not in frame["sandbox"]
    body = root.get(frame["src"])
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert '<head><base target="_top">' in body.text
    assert '<a href="https://tocsin.example.org/acme/shop/issues/1/">' in body.text


def test_text_headers_and_source_are_shown_as_text(root):
    assert "KeyError: cart in shop" in root.page("/dev/mail/7/text/").find("pre").text
    assert "List-Unsubscribe" in root.page("/dev/mail/7/headers/").find("dl").text
    source = root.page("/dev/mail/7/raw/")
    assert source.find("pre").text.strip() == RAW.decode().strip()
    assert source.find("main").find("script") is None


@pytest.mark.parametrize(
    "path", ["/dev/mail/8/", "/dev/mail/8/body", "/dev/mail/7/other/", "/dev/mail/../7/"]
)
def test_what_is_not_there_is_not_found(root, path):
    assert root.get(path).status_code == 404


def test_only_superusers_see_it(capturing, session, make):
    somebody = browser(capturing, session).sign_in(make.user())
    nobody = browser(capturing, session)
    for path in ("/dev/mail/", "/dev/mail/7/", "/dev/mail/7/body"):
        assert somebody.get(path).status_code == 404
        assert nobody.get(path).location.startswith("/auth/login/")


def test_with_a_mail_server_there_is_no_such_page(as_user, make):
    assert as_user(make.user(is_superuser=True)).get("/dev/mail/").status_code == 404
