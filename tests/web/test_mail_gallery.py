"""The gallery of all mails: for administrators, harmless, and made by what makes the real ones."""

import pytest

from app.services.mails.mail_sample_list import SAMPLES
from app.services.mails.mail_sample_texts import TEXTS

pytestmark = pytest.mark.any_database


@pytest.fixture
def root(as_user, make):
    return as_user(make.user("Root", is_superuser=True))


@pytest.mark.parametrize("texts", TEXTS)
def test_every_mail_is_listed_with_subject_and_size(root, texts):
    page = root.page(f"/manage/mails/?texts={texts}")
    rows = page.main.find_all("tr")[1:]
    assert len(rows) == len(SAMPLES)
    assert all("KB" in row.text for row in rows)
    assert not page.main.find_all(["script", "img"])


@pytest.mark.parametrize("name", ["alert-new", "digest-quiet", "sign-in"])
def test_a_mail_shows_both_parts_headers_and_preview(root, name):
    page = root.page(f"/manage/mails/{name}/?texts=hostile&detail=counts&width=390")
    assert not page.iframe["sandbox"]
    assert page.iframe["width"] == "390"
    assert "Message-ID" in page.main.text
    assert page.find("pre", id="text").text


def test_the_frame_runs_nothing_and_fetches_nothing(root):
    answer = root.get("/manage/mails/alert-new/body?texts=hostile")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("sandbox")


@pytest.mark.parametrize(
    "path",
    ["/manage/mails/nothing/", "/manage/mails/alert-new/?texts=no", "/manage/mails/alert-new/?width=1"],
)
def test_what_is_not_there_is_not_found(root, path):
    assert root.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/manage/mails/", "/manage/mails/alert-new/", "/manage/mails/alert-new/body"]
)
def test_nobody_else_finds_it(as_user, alice, client, path):
    assert as_user(alice).get(path).status_code == 404
    assert client.get(path).status_code == 303


def test_it_holds_nothing_of_the_instance(root, session, cast, make):
    make.issue(cast.shop, title="SecretError: of ours")
    session.commit()
    assert "SecretError" not in root.get("/manage/mails/").text


def test_where_mail_is_captured_it_is_a_step_away(app_with, session, make):
    from tests.conftest import browser

    root = browser(app_with(MAIL_SERVER=""), session).sign_in(make.user("Root", is_superuser=True))
    assert root.get("/dev/mails/").headers["Location"].endswith("/manage/mails/")
