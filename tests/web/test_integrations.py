"""Pages of integrations: made, tried out, watched and mended by those who look after a project."""

import pytest
from sqlalchemy import select

from app.models import Delivery, Destination
from tests.support.receiver import answer

HERE = "/acme/shop/settings/integrations/"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def alices(as_user, alice):
    return as_user(alice)


@pytest.fixture
def form(receiver):
    return {"name": "Ops", "url": receiver.url, "payload": "full", "kind": ["new", "resolved"], "headers": ""}


def only(session):
    session.expire_all()
    return session.scalar(select(Destination))


def test_the_form_is_drawn_from_the_fields_of_the_channel(alices, cast):
    page = alices.page(f"{HERE}new/webhook/")
    names = {each["name"] for each in page.select("main input, main select, main textarea")}
    assert names == {"csrf_token", "name", "url", "secret", "payload", "headers", "kind"}
    ticked = [each["value"] for each in page.select("main input[checked]")]
    assert ticked == ["new", "regression", "again", "digest"]
    assert "issue.created" in page.find(id="picture").text


def test_only_channels_that_work_are_offered(alices, cast):
    page = alices.page(HERE)
    assert [link["href"] for link in page.select("main a.btn")] == [f"{HERE}new/webhook/"]
    assert alices.get(f"{HERE}new/pigeon/").status_code == 404


def test_a_secret_that_was_made_is_shown_once(alices, cast, form, session):
    page = alices.post(f"{HERE}new/webhook/", data=form).text
    row = only(session)
    assert "whsec_" in page
    assert "it is not shown again" in page
    assert row.kinds == ["new", "resolved"]
    again = alices.get(f"{HERE}{row.id}/").text
    assert "whsec_" not in again
    assert "••••" in again


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(alices, cast, form, session):
    given = {**form, "url": "https://127.0.0.2:25/", "headers": "X-Token: abc"}
    answer_ = alices.post(f"{HERE}new/webhook/", data=given)
    assert answer_.status_code == 422
    assert "Port 25 is not allowed" in answer_.text
    assert "https://127.0.0.2:25/" in answer_.text
    assert "X-Token: abc" in answer_.text
    assert only(session) is None


def test_editing_keeps_secrets_that_are_left_empty(alices, cast, form, session, settings):
    from app.services import channel_settings
    from app.services.sealing import Seal

    alices.post(
        f"{HERE}new/webhook/", data={**form, "secret": SECRET, "headers": "Authorization: Bearer abcdefgh"}
    )
    row = only(session)
    page = alices.page(f"{HERE}{row.id}/edit/")
    assert page.find(id="secret")["value"] == ""
    shown = page.find(id="headers").text
    assert "abcdefgh" not in shown
    alices.post(f"{HERE}{row.id}/edit/", data={**form, "name": "Other", "secret": "", "headers": shown})
    values = channel_settings.stored(only(session), Seal(settings.credential_keys))
    assert values["secret"] == SECRET
    assert values["headers"] == {"Authorization": "Bearer abcdefgh"}
    assert only(session).name == "Other"


def test_a_test_shows_request_and_answer_in_place(alices, cast, hook, run_jobs, receiver):
    to = alices.post(f"{HERE}{hook.id}/test").location
    assert "On its way" in alices.get(to.partition("#")[0]).text
    run_jobs()
    page = alices.get(to.partition("#")[0]).text
    assert "This used the same path as real alerts" in page
    assert "webhook.test" in page
    assert "204" in page
    assert len(receiver.taken) == 1
    fragment = alices.get(f"{HERE}{hook.id}/tried/{to.partition('test=')[2].partition('#')[0]}/").text
    assert "<html" not in fragment
    assert "hx-get" not in fragment


def test_a_test_has_its_own_explanation(alices, as_user, cast, hook, run_jobs):
    to = alices.post(f"{HERE}{hook.id}/test").location
    run_jobs()
    public_id = to.partition("test=")[2].partition("#")[0]
    page = alices.get(f"/notices/{public_id}/").text
    assert "Test of Ops hook" in page
    assert "Told Ops hook" in page
    assert as_user(cast.charlie).get(f"/notices/{public_id}/").status_code == 404


def test_what_failed_is_redelivered_one_by_one_or_all_together(
    alices, cast, make, hook, report, run_jobs, receiver, session
):
    make.rule_to(hook)
    receiver.usual = answer(400)
    for number in range(2):
        report(f"Error{number}: cart")
    run_jobs()
    rows = session.scalars(select(Delivery).where(Delivery.destination_id == hook.id)).all()
    for row in rows:
        row.state = "failed"
    session.commit()
    receiver.usual = answer(204)
    before = len(receiver.taken)
    alices.post(f"{HERE}{hook.id}/redeliver", data={"which": rows[0].public_id})
    run_jobs()
    assert len(receiver.taken) == before + 1
    alices.post(f"{HERE}{hook.id}/redeliver", data={"which": "failed"})
    run_jobs()
    session.expire_all()
    assert [row.state for row in rows] == ["accepted", "accepted"]
    page = alices.page(f"{HERE}{hook.id}/")
    assert len(page.select("#log tbody tr")) == 2
    assert len(alices.page(f"{HERE}{hook.id}/?state=failed").select("#log tbody tr")) == 0


def test_retrying_now_does_not_wait(alices, cast, make, hook, report, run_jobs, receiver):
    make.rule_to(hook)
    receiver.script(answer(500))
    report()
    run_jobs()
    assert "failing" in alices.get(HERE).text
    alices.post(f"{HERE}{hook.id}/redeliver", data={"which": "waiting"})
    run_jobs()
    assert len(receiver.taken) == 2
    assert "working" in alices.get(HERE).text


def test_a_new_signing_secret_is_shown_once_and_the_old_one_signs_too(alices, cast, hook, session):
    page = alices.post(f"{HERE}{hook.id}/rotate", data={"keep": "24"}).text
    assert "whsec_" in page
    assert "An old secret signs too until" in alices.get(f"{HERE}{hook.id}/").text
    alices.post(f"{HERE}{hook.id}/rotate", data={"keep": "0"})
    assert "An old secret signs too until" not in alices.get(f"{HERE}{hook.id}/").text
    assert alices.post(f"{HERE}{hook.id}/rotate", data={"keep": "9999"}).status_code != 200


def test_the_page_names_the_rules_that_use_it(alices, cast, make, hook):
    make.rule_to(hook, name="Fatal to ops")
    make.rule(cast.shop, name="Only mail", actions=[])
    page = alices.get(f"{HERE}{hook.id}/").text
    assert "Fatal to ops" in page
    assert "Only mail" not in page


def test_switching_off_and_on(alices, cast, hook, session):
    alices.post(f"{HERE}{hook.id}/switch", data={"enabled": "no"})
    assert only(session).state == "disabled"
    alices.post(f"{HERE}{hook.id}/switch", data={"enabled": "yes"})
    assert only(session).state == "ok"


def test_removing_it(alices, cast, hook, session):
    assert alices.post(f"{HERE}{hook.id}/remove").location == HERE
    assert only(session) is None


PAGES = ("", "new/webhook/", "{id}/", "{id}/edit/")
ACTS = (
    "new/webhook/",
    "{id}/edit/",
    "{id}/test",
    "{id}/switch",
    "{id}/rotate",
    "{id}/redeliver",
    "{id}/remove",
)


def test_they_are_a_matter_of_those_who_look_after_the_project(as_user, cast, hook, session):
    for person in (cast.bob, cast.charlie):
        theirs = as_user(person)
        for path in PAGES:
            assert theirs.get(HERE + path.format(id=hook.id)).status_code == 404
        for path in ACTS:
            assert theirs.post(HERE + path.format(id=hook.id), data={}).status_code == 404
    assert only(session).enabled
