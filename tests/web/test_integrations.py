"""Pages of integrations: made, tried out, watched and mended by those who look after a project."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.channels import CHANNELS
from app.clock import now
from app.models import Delivery, Destination
from app.services.integrations import posting
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
    assert [link["href"] for link in page.select("main a.btn")] == [f"{HERE}new/{name}/" for name in CHANNELS]
    assert alices.get(f"{HERE}new/pigeon/").status_code == 404


def test_a_secret_that_was_made_is_shown_once(alices, cast, form, session):
    sent_on = alices.post(f"{HERE}new/webhook/", data=form)
    row = only(session)
    assert (sent_on.status_code, sent_on.location) == (303, f"{HERE}{row.id}/")
    page = alices.get(sent_on.location).text
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
    from app.services.integrations import channel_settings
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


def test_once_a_test_is_through_heading_log_and_ears_know_it(alices, cast, hook, run_jobs):
    to = alices.post(f"{HERE}{hook.id}/test").location
    run_jobs()
    public_id = to.partition("test=")[2].partition("#")[0]
    parts = alices.get(f"{HERE}{hook.id}/tried/{public_id}/").text
    for part in (
        'id="health" hx-swap-oob',
        'id="sent-',
        'id="live" role="status"',
        "Test of Ops hook: sent.",
    ):
        assert part in parts


def test_of_all_wrong_fields_it_is_said_at_once_and_which_secrets_to_enter_again(alices, cast, form):
    given = {**form, "name": "", "url": "nonsense", "secret": SECRET}
    page = alices.post(f"{HERE}new/webhook/", data=given)
    assert page.status_code == 422
    assert "A name of up to 100 characters." in page.text
    assert page.text.count("again: secrets are not kept") == 2  # in the summary, and beside the field
    assert SECRET not in page.text
    assert 'id="url-error"' in page.text


def test_what_was_switched_off_as_broken_looks_so_until_a_test_arrives(
    alices, cast, make, hook, run_jobs, session
):
    make.rule_to(hook, name="Fatal to ops")
    session.commit()
    posting.switch_off(hook, "Nobody is there (410).", now=now() - timedelta(hours=1))
    session.commit()
    page = alices.get(f"{HERE}{hook.id}/").text
    assert "off: it does not work" in page
    assert "Its alerts are mailed to project admins. Nobody is there (410)." in page
    to = alices.post(f"{HERE}{hook.id}/test").location
    run_jobs()
    page = alices.get(to.partition("#")[0]).text
    assert "It works. It is still switched off." in page
    assert "Nobody is there (410)." not in page


def test_redelivering_all_that_failed_is_offered_for_alerts_and_leaves_tests_alone(
    alices, cast, make, hook, report, run_jobs, receiver, session
):
    receiver.usual = answer(400)
    alices.post(f"{HERE}{hook.id}/test")
    run_jobs()
    session.execute(update(Delivery).values(state="failed"))
    session.commit()
    assert "Redeliver all that failed" not in alices.get(f"{HERE}{hook.id}/").text
    alices.post(f"{HERE}{hook.id}/redeliver", data={"which": "failed"})
    assert session.scalar(select(Delivery.state)) == "failed"


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
    sent_on = alices.post(f"{HERE}{hook.id}/rotate", data={"keep": "24"})
    assert sent_on.status_code == 303
    assert "whsec_" in alices.get(sent_on.location).text
    assert "whsec_" not in alices.get(sent_on.location).text
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


def test_a_secret_that_was_made_is_shown_in_the_browser_that_made_it_alone(
    alices, as_user, cast, form, session
):
    alices.post(f"{HERE}new/webhook/", data=form)
    row = only(session)
    assert "whsec_" not in as_user(cast.alice).get(f"{HERE}{row.id}/").text


def test_removing_asks_first_and_says_which_rules_send_to_it(alices, cast, make, hook, session):
    make.rule_to(hook, name="Fatal to ops")
    asked = alices.page(f"{HERE}{hook.id}/removal/")
    assert "Fatal to ops" in asked.text
    assert only(session) is not None
    assert alices.post(f"{HERE}{hook.id}/removal/").location == HERE
    assert only(session) is None
    assert "A rule that still names it: “Fatal to ops”." in alices.get(HERE).text


PAGES = ("", "new/webhook/", "{id}/", "{id}/edit/", "{id}/removal/")
ACTS = (
    "new/webhook/",
    "{id}/edit/",
    "{id}/test",
    "{id}/switch",
    "{id}/rotate",
    "{id}/redeliver",
    "{id}/removal/",
)


def test_they_are_a_matter_of_those_who_look_after_the_project(as_user, cast, hook, session):
    for person in (cast.bob, cast.charlie):
        theirs = as_user(person)
        for path in PAGES:
            assert theirs.get(HERE + path.format(id=hook.id)).status_code == 404
        for path in ACTS:
            assert theirs.post(HERE + path.format(id=hook.id), data={}).status_code == 404
    assert only(session).enabled


def test_secrets_have_to_be_entered_again_for_another_server(alices, cast, form, session):
    alices.post(f"{HERE}new/webhook/", data={**form, "headers": "X-Token: open-sesame-1234"})
    row = only(session)
    page = alices.page(f"{HERE}{row.id}/edit/")
    given = {**form, "url": "https://evil.example.org/x", "headers": page.select_one("[name=headers]").text}
    refused = alices.post(f"{HERE}{row.id}/edit/", data=given)
    assert refused.status_code == 422
    assert "Enter it again: “Address” is another one now." in refused.text
    assert only(session).settings["url"] == form["url"]
    entered = {**given, "headers": "X-Token: open-sesame-1234"}
    assert alices.post(f"{HERE}{row.id}/edit/", data=entered).status_code == 303


def test_nobody_saves_tests_or_sends_again_without_end(alices, cast, form, session):
    alices.post(f"{HERE}new/webhook/", data=form)
    here = f"{HERE}{only(session).id}/"
    asked = [("edit/", form), ("test", {}), ("redeliver", {"which": "failed"})] * 6
    assert {alices.post(f"{here}{path}", data=data).status_code for path, data in asked} == {303}
    assert alices.post(f"{here}test", data={}).status_code == 303
    for path, data in asked[:3]:
        assert alices.post(f"{here}{path}", data=data).status_code == 429
    assert alices.get(here).status_code == 200
