"""The page on which a project says how often alerts come, and the row on which a person does."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import now
from app.models import AlertPace, Digest, Project

PAGE = "/acme/shop/settings/alerts/delivery/"


def window(session):
    found = select(Project.digest_minimum, Project.digest_maximum).where(Project.slug == "shop")
    return session.execute(found).one()


def test_it_says_what_holds(as_user, bob):
    page = as_user(bob).get(PAGE)
    assert page.status_code == 200
    assert "The first alert goes at once, the rest come together every 5 minutes." in page.text
    assert "At most 30 mails an hour go to one person." in page.text


def test_one_number_sets_both(as_user, alice, session):
    answer = as_user(alice).post(PAGE, data={"every": "10"})
    assert (answer.status_code, window(session)) == (303, (10, 10))
    assert "together every 10 minutes" in as_user(alice).get(PAGE).text


def test_those_who_want_set_two(as_user, alice, session):
    as_user(alice).post(PAGE, data={"minimum": "5", "maximum": "30"})
    assert window(session) == (5, 30)
    assert "puts them off by 30 seconds, up to 30 minutes" in as_user(alice).get(PAGE).text


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"every": "61"}, "every"),
        ({"every": ""}, "every"),
        ({"every": "five"}, "every"),
        ({"every": "-1"}, "every"),
        ({"every": "²"}, "every"),
        ({"minimum": "0", "maximum": "5"}, "minimum"),
        ({"minimum": "6", "maximum": "5"}, "maximum"),
        ({"minimum": "5", "maximum": "61"}, "maximum"),
        ({"minimum": "5"}, "maximum"),
        ({}, "minimum"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_at_its_field(as_user, alice, session, sent, field):
    answer = as_user(alice).post(PAGE, data=sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert window(session) == (5, 5)


def test_what_it_would_mean_can_be_read_before_it_is_saved(as_user, alice, session):
    shown = as_user(alice).get(f"{PAGE}meaning?every=0", headers={"HX-Request": "true"})
    assert "Every alert goes at once" in shown.text
    assert "<html" not in shown.text
    shown = as_user(alice).post(PAGE, data={"minimum": "2", "maximum": "4", "preview": "1"})
    assert "up to 4 minutes" in shown.text
    assert window(session) == (5, 5)


@pytest.mark.parametrize("way", ["post", "get"])
def test_members_read_and_admins_change(as_user, bob, session, way):
    browser = as_user(bob)
    asked = {"post": (PAGE, {"every": "10"}), "get": (f"{PAGE}meaning?every=1", None)}[way]
    answer = browser.open(asked[0], method=way.upper(), data=asked[1])
    assert (answer.status_code, window(session)) == (404, (5, 5))


@pytest.mark.parametrize("who", ["dee", "charlie"])
def test_nobody_else_knows_of_it(as_user, cast, who):
    answer = as_user(getattr(cast, who)).get(PAGE)
    assert answer.status_code == 404


def test_windows_that_are_open_end_with_the_new_numbers(as_user, alice, bob, shop, session):
    at = now()
    session.add(AlertPace(user_id=bob.id, project_id=shop.id, sent_at=at))
    digest = Digest(
        public_id="g_1",
        kind="alerts",
        key=f"alerts:{shop.id}",
        user_id=bob.id,
        opened_at=at,
        send_at=at + timedelta(minutes=5),
    )
    session.add(digest)
    session.commit()
    as_user(alice).post(PAGE, data={"every": "2"})
    session.commit()
    assert session.get_one(Digest, digest.id).send_at == at + timedelta(minutes=2)


def test_a_person_chooses_a_longer_window_and_takes_it_back(as_user, bob, session):
    browser = as_user(bob)
    page = browser.get("/settings/account/notifications/").text
    assert 'id="row-batching-0"' in page
    assert "As the project says" in page
    sent = {"category": "batching", "value": "30", "version": "0"}
    answer = browser.post("/settings/account/notifications/choice", data=sent, headers={"HX-Request": "true"})
    assert "Every 30 minutes" in answer.text
    assert "Undo" in answer.text
    answer = browser.post(
        "/settings/account/notifications/choice",
        data={"category": "batching", "value": "", "version": "1"},
        headers={"HX-Request": "true"},
    )
    assert '<span class="in-force">As the project says</span>' in answer.text


def test_nobody_can_choose_any_number(as_user, bob):
    sent = {"category": "batching", "value": "5", "version": "0"}
    assert as_user(bob).post("/settings/account/notifications/choice", data=sent).status_code == 422


def test_the_preview_says_when(as_user, bob, shop, session):
    what_if = f"/settings/account/notifications/what-if?kind=alert.new&project={shop.id}"
    assert "email at once" in as_user(bob).get(what_if).text
    session.add(AlertPace(user_id=bob.id, project_id=shop.id, sent_at=now() - timedelta(minutes=2)))
    assert "email within 3 minutes, together with other alerts" in as_user(bob).get(what_if).text
    shop.digest_minimum = shop.digest_maximum = 0
    assert "email at once" in as_user(bob).get(what_if).text
