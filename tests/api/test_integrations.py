"""Integrations as programs manage them: written whole, read without secrets."""

import pytest
from sqlalchemy import select

from app.models import Delivery, Destination
from app.services.sealing import Seal

HERE = "/projects/acme/shop/integrations/"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def sent(receiver):
    return {"channel": "webhook", "name": "Ops", "settings": {"url": receiver.url}}


def test_one_is_made_with_what_is_usual_and_its_secret_is_returned_once(api, sent):
    answer = api.post(HERE, sent)
    assert answer.status_code == 201
    made = answer.json
    assert made["settings"]["secret"].startswith("whsec_")
    assert made["kinds"] == ["new", "regression", "again", "digest"]
    assert made["enabled"] is True
    assert made["health"] == {"state": "ok", "since": None, "detail": None}
    read = api.get(f"{HERE}{made['id']}/").json
    assert read["settings"]["secret"] == "••••" + made["settings"]["secret"][-4:]
    assert api.get(HERE).json == [read]


def test_what_was_read_can_be_written_back_and_keeps_the_secrets(api, sent, session, settings):
    given = {**sent["settings"], "secret": SECRET, "headers": {"Authorization": "Bearer open-sesame-1234"}}
    made = api.post(HERE, {**sent, "settings": given}).json
    assert "open-sesame" not in str(api.get(HERE).json)
    read = api.get(f"{HERE}{made['id']}/").json
    answer = api.put(f"{HERE}{made['id']}/", read)
    assert answer.status_code == 200, answer.text
    assert answer.json == read
    row = session.scalar(select(Destination))
    secrets = Seal(settings.credential_keys).open(row.secrets)
    assert secrets["secret"] == SECRET
    assert secrets["headers"] == {"Authorization": "Bearer open-sesame-1234"}
    assert "open-sesame" not in row.secrets


def test_what_is_absent_stays(api, sent):
    made = api.post(HERE, {**sent, "kinds": ["new", "resolved"]}).json
    answer = api.put(f"{HERE}{made['id']}/", {"name": "Other", "settings": {"payload": "thin"}})
    assert answer.json["name"] == "Other"
    assert answer.json["kinds"] == ["new", "resolved"]
    assert answer.json["settings"]["payload"] == "thin"
    assert answer.json["settings"]["url"] == sent["settings"]["url"]
    assert api.put(f"{HERE}{made['id']}/", {"kinds": []}).json["kinds"] == []


def test_it_is_switched_off_and_on(api, sent):
    made = api.post(HERE, {**sent, "enabled": False}).json
    assert made["health"]["state"] == "disabled"
    assert api.put(f"{HERE}{made['id']}/", {"enabled": True}).json["health"]["state"] == "ok"


WRONG = {
    "an unknown channel": ({"channel": "pigeon"}, "channel"),
    "no name": ({"name": " "}, "name"),
    "an unknown kind": ({"kinds": ["new", "party"]}, "kinds"),
    "no address": ({"settings": {}}, "url"),
    "a private address": ({"settings": {"url": "https://10.0.0.1/x"}}, "url"),
    "an address that is none": ({"settings": {"url": 7}}, "url"),
    "a short secret": ({"settings": {"url": "https://a.example.org", "secret": "whsec_AAAA"}}, "secret"),
    "an unknown setting": ({"settings": {"url": "https://a.example.org", "colour": "red"}}, "colour"),
    "an unknown payload": ({"settings": {"url": "https://a.example.org", "payload": "x"}}, "payload"),
    "a header of ours": (
        {"settings": {"url": "https://a.example.org", "headers": {"webhook-id": "x"}}},
        "headers",
    ),
    "headers that are none": ({"settings": {"url": "https://a.example.org", "headers": ["x"]}}, "headers"),
    "what Tocsin keeps itself": ({"settings": {"old_secrets": []}}, "old_secrets"),
    "an unknown member": ({"colour": "red"}, "colour"),
}


@pytest.mark.parametrize(("change", "member"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_and_nothing_is_made(api, sent, change, member, session):
    answer = api.post(HERE, {**sent, **change})
    assert answer.status_code == 400, answer.text
    assert member in answer.json
    assert session.scalar(select(Destination)) is None


def test_two_of_one_name_are_one_too_many(api, sent):
    api.post(HERE, sent)
    assert api.post(HERE, sent).json == {"name": ["There is an integration of that name already."]}


def test_it_keeps_its_channel(api, sent):
    made = api.post(HERE, sent).json
    assert api.put(f"{HERE}{made['id']}/", {"channel": "slack"}).status_code == 400


def test_a_test_takes_the_path_of_all_messages(api, sent, run_jobs, receiver):
    made = api.post(HERE, sent).json
    answer = api.post(f"{HERE}{made['id']}/test/")
    assert answer.status_code == 202
    run_jobs()
    notice = api.get(f"/notices/{answer.json['notice']}/").json
    [verdict] = notice["verdicts"]
    assert verdict["subject"] == {"type": "integration", "id": made["id"], "name": "Ops"}
    assert verdict["delivery"]["state"] == "accepted"
    assert notice["reach"]["told"] == 1
    [delivery] = api.get(f"{HERE}{made['id']}/deliveries/").json
    assert delivery["kind"] == "test"
    assert delivery["attempts"][0]["code"] == "204"
    assert "webhook.test" in delivery["attempts"][0]["request"]
    assert len(receiver.taken) == 1


def test_removing_it_keeps_what_was_sent_on_record(api, sent, run_jobs, session):
    made = api.post(HERE, sent).json
    api.post(f"{HERE}{made['id']}/test/")
    run_jobs()
    assert api.delete(f"{HERE}{made['id']}/").status_code == 204
    assert session.scalar(select(Destination)) is None
    left = session.scalar(select(Delivery))
    assert (left.state, left.destination_id, left.address) == ("accepted", None, sent["name"])
    assert api.get(f"{HERE}{made['id']}/").status_code == 404


def test_members_without_the_rights_see_nothing_of_it(program, cast, api, sent):
    made = api.post(HERE, sent).json
    bobs, charlies = program(cast.bob), program(cast.charlie)
    for path in (HERE, f"{HERE}{made['id']}/", f"{HERE}{made['id']}/deliveries/"):
        assert bobs.get(path).status_code == 403
        assert charlies.get(path).status_code == 404


def test_one_of_another_project_is_not_found(api, sent, make, cast):
    made = api.post(HERE, sent).json
    make.project(cast.acme, "other", teams=[cast.team])
    assert api.get(f"/projects/acme/other/integrations/{made['id']}/").status_code == 404


def test_secrets_do_not_move_to_another_server_with_the_address(api, sent, session, settings):
    given = {**sent["settings"], "headers": {"Authorization": "Bearer open-sesame-1234"}}
    made = api.post(HERE, {**sent, "settings": given}).json
    read = api.get(f"{HERE}{made['id']}/").json["settings"]
    for moved in ({"url": "https://evil.example.org"}, {**read, "url": "https://evil.example.org"}):
        answer = api.put(f"{HERE}{made['id']}/", {"settings": moved})
        assert (answer.status_code, list(answer.json)) == (400, ["headers"])
        assert "Enter it again" in str(answer.json)
    session.expire_all()
    assert session.scalar(select(Destination)).settings["url"] == given["url"]


def test_saving_and_testing_are_counted_by_person_whatever_the_token(api, program, cast, sent):
    made = api.post(HERE, sent).json
    here = f"{HERE}{made['id']}/"
    saved = [api.put(here, {"name": f"Ops {n}"}).status_code for n in range(10)]
    tried = [api.post(f"{here}test/").status_code for _ in range(9)]
    assert (saved, tried) == ([200] * 10, [202] * 9)
    refused = api.put(here, {"name": "More"})
    assert (refused.status_code, refused.mimetype) == (429, "application/json")
    assert int(refused.headers["Retry-After"]) >= 1
    assert api.get(here).status_code == 200
    assert program(cast.alice).put(here, {"name": "More"}).status_code == 429
