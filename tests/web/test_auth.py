"""The door: first account, sign-in by password and by mail, a first password, signing out."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app.clock import now as real_now
from app.models import Delivery, OneTimeLink, User
from app.services.people import accounts
from tests.conftest import browser

HOST = "tocsin.example.org"
PERSON = {"name": "Priya Nair", "password": "correct horse", "timezone": "Europe/Paris"}


@pytest.fixture
def ana(make):
    return make.user("Ana", password="correct horse")


@pytest.fixture
def pass_minute(redis_server):
    """Ends what is counted by the minute."""

    def end():
        for key in redis_server.client.scan_iter("tocsin:limit:*/minute"):
            redis_server.client.delete(key)

    return end


def sign_in(client, email="ana@example.org", password="correct horse", **more):
    return client.post("/auth/login/", data={"email": email, "password": password, **more})


def is_signed_in(client) -> bool:
    return client.get("/welcome/").status_code == 200


@pytest.fixture
def link_for(session):
    """A one-time link that works by the clock of the application."""

    def made(purpose, user=None):
        address = user.primary_address if user and purpose == "sign_in" else None  # the one it was mailed to
        secret = accounts.make_link(session, purpose, user=user, address=address, now=real_now())
        return f"/auth/{'sign-in' if purpose == 'sign_in' else purpose}/{secret}/"

    return made


def test_a_password_is_checked_while_somebody_else_writes(client, ana, session, engine):
    session.commit()
    with engine.execution_options(writes=True).begin():
        assert sign_in(client, password="wrong horse").status_code == 422


def test_a_hash_of_weaker_times_is_replaced_at_sign_in(client, ana, session):
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    ana.password_hash = weaker
    session.commit()
    assert sign_in(client).status_code == 303
    session.expire_all()
    assert ana.password_hash != weaker
    assert accounts.check_password(session, "ana@example.org", "correct horse") == ana


# The first account


def test_an_empty_instance_says_where_its_set_up_link_was_printed(client):
    page = client.get("/", follow_redirects=True)
    assert "printed on the console" in page.text
    assert "<form" not in page.text


def test_the_set_up_link_makes_one_superuser_who_is_signed_in(client, session, link_for):
    link = link_for("setup")
    assert client.page(link).find("input", {"name": "password"})
    answer = client.post(link, data=PERSON | {"email": "Priya@Example.org"})
    assert (answer.status_code, answer.location) == (303, "/welcome/")
    user = session.scalars(select(User)).one()
    assert (user.email, user.name, user.timezone) == ("priya@example.org", "Priya Nair", "Europe/Paris")
    assert user.is_superuser
    assert user.primary_address.verified_at
    assert is_signed_in(client)


def test_the_set_up_link_works_once(client, as_user, link_for, session):
    link = link_for("setup")
    client.post(link, data=PERSON | {"email": "priya@example.org"})
    client.sign_out()
    assert client.get(link).status_code == 410
    assert client.post(link, data=PERSON | {"email": "eve@example.org"}).status_code == 410
    assert len(session.scalars(select(User)).all()) == 1


def test_a_form_with_an_error_comes_back_as_it_was_typed_and_the_link_still_works(client, link_for):
    link = link_for("setup")
    answer = client.post(link, data=PERSON | {"email": "priya@example.org", "password": "short"})
    assert answer.status_code == 422
    assert 'value="Priya Nair"' in answer.text
    assert "at least 8 characters" in answer.text
    assert 'value="short"' not in answer.text
    assert client.post(link, data=PERSON | {"email": "priya@example.org"}).status_code == 303


def test_without_a_time_zone_it_is_utc(client, link_for, session):
    client.post(link_for("setup"), data=PERSON | {"email": "priya@example.org", "timezone": ""})
    assert session.scalars(select(User.timezone)).one() == "UTC"


def test_the_set_up_link_is_spent_once_somebody_has_an_account(client, make, link_for):
    link = link_for("setup")
    make.user("Ana")  # made on the command line, say
    assert client.get(link).status_code == 410
    assert client.post(link, data=PERSON | {"email": "eve@example.org"}).status_code == 410


# Sign-in


def test_the_right_password_signs_in(client, ana):
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(client, ana):
    answers = [sign_in(client, password="wrong"), sign_in(client, email="nobody@example.org")]
    assert [answer.status_code for answer in answers] == [422, 422]
    texts = {answer.text.replace("ana@", "x@").replace("nobody@", "x@") for answer in answers}
    assert len({text.partition("csrf_token")[0] for text in texts}) == 1
    assert "do not belong together" in answers[0].text
    assert 'value="ana@example.org"' in answers[0].text
    assert not is_signed_in(client)


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client, ana):
    asked = client.get("/welcome/?a=b&c=d")
    assert (asked.status_code, asked.location) == (303, "/auth/login/?next=/welcome/?a%3Db%26c%3Dd")
    wanted = client.page(asked.location).find("input", {"name": "next"})["value"]
    assert sign_in(client, next=wanted).location == "/welcome/?a=b&c=d"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "\\\\evil.example",
        "evil.example",
        "/\nevil",
        "/\t/evil.example",
        "//[x",
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(client, ana, elsewhere):
    assert sign_in(client, next=elsewhere).location == "/"


def test_a_session_from_before_signing_in_is_not_kept(client, ana):
    with client.session_transaction(base_url="https://tocsin.example.org") as session:
        session["planted"] = "by somebody else"
    sign_in(client)
    with client.session_transaction(base_url="https://tocsin.example.org") as session:
        assert "planted" not in session


def test_signing_out_takes_a_post(client, ana):
    sign_in(client)
    client.get("/auth/logout/")
    assert is_signed_in(client)
    client.post("/auth/logout/")
    assert not is_signed_in(client)


def test_a_form_without_its_token_is_refused_with_a_way_on(client, ana):
    answer = client.post("/auth/login/", data={"email": "ana@example.org"}, csrf=False)
    assert answer.status_code == 400
    assert "too old" in answer.text


def copied(client, app, session):
    """Another browser with a copy of this one's cookie."""
    thief = browser(app, session)
    thief.set_cookie("session", client.get_cookie("session", HOST).value, domain=HOST, secure=True)
    return thief


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(client, app, session, ana):
    other = browser(app, session)
    sign_in(other)
    sign_in(client)
    thief = copied(client, app, session)
    assert is_signed_in(thief)
    client.post("/auth/logout/")
    for path in ("/", "/healthz", "/static/img/favicon.svg"):
        with thief.get(path) as answer:
            assert all("Max-Age=0" in renewed for renewed in answer.headers.getlist("Set-Cookie"))
    assert not is_signed_in(thief)
    assert is_signed_in(other)


def test_a_cookie_that_lets_nobody_in_is_taken_away(client, session, ana):
    sign_in(client)
    ana.session_version += 1
    assert client.get("/").location.startswith("/auth/login/")
    assert client.get_cookie("session", HOST) is None


def test_guessing_is_slowed_down(client, ana):
    answers = [sign_in(client, password=f"guess {n}").status_code for n in range(12)]
    assert answers == [422] * 10 + [429] * 2
    last = sign_in(client)
    assert "Too much at once" in last.text
    assert 1 <= int(last.headers["Retry-After"]) <= 61


def test_whoever_was_switched_off_is_signed_out(client, session, ana):
    sign_in(client)
    ana.is_active = False
    assert not is_signed_in(client)


def test_a_new_password_signs_out_other_browsers(client, session, ana):
    sign_in(client)
    accounts.set_password(ana, "battery staple")
    assert not is_signed_in(client)


def test_when_somebody_was_last_here_is_noted_every_few_minutes(client, session, ana):
    sign_in(client)
    session.expire_all()
    first = ana.last_active_at
    assert real_now() - first < timedelta(minutes=1)
    client.get("/welcome/")
    session.expire_all()
    assert ana.last_active_at == first
    ana.last_active_at = first - timedelta(minutes=6)
    client.get("/welcome/")
    session.expire_all()
    assert ana.last_active_at > first


# Sign-in by mail


def test_a_sign_in_link_is_mailed_to_whom_the_address_belongs(client, session, ana):
    client.post("/auth/sign-in/", data={"email": "ANA@example.org"})
    delivery = session.scalars(select(Delivery)).one()
    assert (delivery.kind, delivery.address, delivery.state) == ("sign_in", "ana@example.org", "queued")
    assert delivery.data["url"].startswith("https://tocsin.example.org/auth/sign-in/")


def test_the_answer_is_the_same_for_every_address(client, session, ana):
    pages = [
        client.post("/auth/sign-in/", data={"email": email}, follow_redirects=True)
        for email in ("ana@example.org", "nobody@example.org", "nonsense", "")
    ]
    assert len({page.text for page in pages}) == 1
    assert session.scalars(select(Delivery.address).where(Delivery.state == "queued")).all() == [ana.email]


def test_for_an_unknown_address_as_much_is_written_and_nothing_sent(client, session, ana, mailbox, run_jobs):
    for email in ("nobody@example.org", "ana@example.org"):
        client.post("/auth/sign-in/", data={"email": email})
    run_jobs()
    assert [mail.to for mail in mailbox()] == ["ana@example.org"]
    written = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    assert [(each.address, each.state, each.data) for each in written] == [
        ("nobody@example.org", "cancelled", {}),
        ("ana@example.org", "accepted", {}),
    ]
    links = session.scalars(select(OneTimeLink.user_id).order_by(OneTimeLink.id)).all()
    assert links == [None, ana.id]


def test_at_most_five_links_an_hour_are_mailed_to_one_address(client, session, ana, pass_minute):
    answers = set()
    for number in range(7):
        pass_minute()
        answer = client.post("/auth/sign-in/", data={"email": f"{' ' * number}Ana@example.org"})
        answers.add((answer.status_code, answer.location, answer.headers.get("Retry-After")))
    assert answers == {(303, "/auth/sign-in/", None)}
    assert len(session.scalars(select(Delivery)).all()) == 5


def test_opening_a_sign_in_link_changes_nothing_but_its_button_signs_in(client, session, ana, link_for):
    link = link_for("sign_in", ana)
    for _ in range(3):  # as mail scanners do
        assert client.page(link).find("button", string="Sign in")
    assert not is_signed_in(client)
    assert client.post(link).status_code == 303
    assert is_signed_in(client)
    client.sign_out()
    assert client.post(link).status_code == 410


def test_a_sign_in_link_proves_the_address(client, session, make, link_for):
    ben = make.user("Ben", verified=False)
    client.post(link_for("sign_in", ben))
    session.expire_all()
    assert ben.primary_address.verified_at


def test_an_altered_link_is_a_page_with_a_way_on(client, ana, link_for):
    link = link_for("sign_in", ana)
    answer = client.get(link[:-2] + ("A" if link[-2] != "A" else "B") + "/")
    assert answer.status_code == 410
    assert "/auth/login/" in answer.text


# A first password, for accounts of the command line


def test_a_printed_link_lets_the_person_choose_name_and_password(client, session, make, link_for):
    ben = make.user("ben", verified=False)
    link = link_for("password", ben)
    assert "ben@example.org" in client.page(link).text
    answer = client.post(link, data=PERSON | {"name": "Ben Abel"})
    assert answer.status_code == 303
    assert is_signed_in(client)
    session.expire_all()
    assert (ben.name, ben.timezone) == ("Ben Abel", "Europe/Paris")
    assert accounts.check_password(session, "ben@example.org", "correct horse") == ben
    assert client.post(link, data=PERSON).status_code == 410


def test_a_printed_link_proves_no_address(client, session, make, link_for):
    ben = make.user("ben", verified=False)
    client.post(link_for("password", ben), data=PERSON)
    session.expire_all()
    assert ben.primary_address.verified_at is None


def test_a_printed_link_replaces_no_password(client, session, ana, link_for):
    link = link_for("password", ana)
    assert client.get(link).status_code == 410
    assert client.post(link, data=PERSON | {"password": "somebody else's"}).status_code == 410
    assert sign_in(client).status_code == 303


def test_a_refused_password_does_not_spend_the_link(client, make, link_for):
    link = link_for("password", make.user("ben"))
    answer = client.post(link, data=PERSON | {"password": "x"})
    assert (answer.status_code, "ben@example.org" in answer.text) == (422, True)
    assert client.post(link, data=PERSON).status_code == 303


def test_the_link_of_somebody_switched_off_is_stale(client, make, link_for):
    link = link_for("password", make.user("ben", is_active=False))
    assert client.get(link).status_code == 410
    assert client.post(link, data=PERSON).status_code == 410
