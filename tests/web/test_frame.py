"""What every request goes through, whichever page it is for."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import text
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.clock import now as real_now
from app.db import transaction
from app.models import Notice


@pytest.mark.parametrize(
    ("path", "status"),
    [("/notices/n_%00/", 404), ("/acme/sh%00op/", 404), ("/acme/shop/?query=%00", 400), ("/u/%00", 404)],
)
def test_a_nul_character_reaches_no_query(as_user, alice, shop, path, status):
    assert as_user(alice).get(path).status_code == status


def test_a_nul_character_in_a_form_is_refused(as_user, alice, issue):
    answer = as_user(alice).post(f"/issues/{issue.id}/comments", data={"text": "a\x00b"})
    assert answer.status_code == 400


@pytest.mark.both_databases
def test_administrators_see_on_every_page_that_notifications_are_late(as_user, make, alice, bob, issue, app):
    alice.is_superuser = True
    make.notice(issue, occurred_at=real_now() - timedelta(minutes=1))
    assert "Notifications are delayed" not in as_user(alice).get("/").text
    make.notice(issue, occurred_at=real_now() - timedelta(minutes=5))
    app.extensions.pop("tocsin_delay")
    make.session.query(Notice).order_by(Notice.id).first().planned_at = real_now()
    assert "the oldest has waited 5 minutes" in as_user(alice).get("/").text
    assert "Notifications are delayed" not in as_user(bob).get("/").text


def test_every_answer_says_what_browsers_may_do_with_it(client):
    headers = client.get("/auth/login/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/acme/shop/issues/{}/", "/issues/{}/news", "/dev/mail/{}/"])
def test_a_number_too_large_for_a_database_is_not_found(as_user, alice, shop, path):
    assert as_user(alice).get(path.format("9" * 30)).status_code == 404


def test_a_body_that_comes_slowly_holds_no_lock(app, shop):
    """The lock is taken when the body is there: until then others write."""
    order = []

    class Slowly(io.BytesIO):
        def readinto(self, buffer):
            order.append(_writable(app))
            return super().readinto(buffer)

        def read(self, *args):
            order.append(_writable(app))
            return super().read(*args)

    body = b"email=alice%40example.org"
    environ = EnvironBuilder(
        "/auth/login/",
        method="POST",
        content_type="application/x-www-form-urlencoded",
        input_stream=Slowly(body),
        content_length=len(body),
    ).get_environ()
    run_wsgi_app(app, environ)
    assert order
    assert all(order)


def _writable(app) -> bool:
    with app.app_context(), transaction() as session:
        session.execute(text("SELECT 1"))
    return True


def test_two_banners_at_once_are_told_apart(as_user, alice, app):
    alice.unseen_stops = 1
    page = as_user(alice).page("/")
    names = [each["aria-label"] for each in page.select("section.banner")]
    assert "Stopped mail" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("/acme/", 303, "/acme/issues/"),
        ("/robots.txt/", 404, None),
        ("/help/", 404, None),
    ],
)
def test_the_address_of_an_organization_leads_to_its_issues(client, cast, path, status, place):
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (status, place)


def test_the_pages_of_an_organization_are_the_same_wherever_they_are_listed(as_user, alice, cast):
    def listed(path, selector):
        links = as_user(alice).page(path).select(selector)
        return [link["href"] for link in links if link["href"].startswith("/acme/settings/")]

    known = listed("/acme/settings/members/", ".sidenav a")
    assert {f"/acme/settings/{name}/" for name in ("members", "teams", "repositories", "tokens")} < {*known}
    assert listed("/acme/shop/settings/", ".sidenav a") == known
    assert listed("/acme/shop/", ".crumb-org a") == known
    assert listed("/acme/shop/", ".crumb-more a") == known


def test_every_page_leads_to_all_issues_and_releases_of_the_organization(as_user, alice, cast):
    menu = as_user(alice).page("/acme/shop/").select_one(".crumb-org")
    assert [link["href"] for link in menu.select("a")][:2] == ["/acme/issues/", "/acme/releases/"]


def test_every_page_leads_to_what_is_ones_own(as_user, alice):
    links = {link["href"] for link in as_user(alice).page("/").select(".bar-end a")}
    assert {f"/settings/account/{name}" for name in ("", "notifications/", "tokens/")} <= links
