"""Issue owners for programs: read, written, and tried on events."""

import pytest

from app.models import OwnershipVersion
from tests.make import payload

PATH = "/projects/acme/shop/ownership/"
RAW = "shop/* #shop-team\nshop/cart.py bob@example.org"


@pytest.fixture
def api(program, cast):
    return program(cast.alice)


def test_what_is_absent_stays_and_what_was_written_can_be_read(api, session):
    assert api.read(PATH) == {
        "raw": "",
        "fallthrough": True,
        "autoAssignment": False,
        "onlyAssignee": False,
        "dateUpdated": None,
    }
    answer = api.put(PATH, {"raw": RAW, "autoAssignment": True})
    assert answer.status_code == 200
    answer = api.put(PATH, {"fallthrough": False})
    assert answer.json == api.read(PATH)
    assert {**answer.json, "dateUpdated": None} == {
        "raw": RAW,
        "fallthrough": False,
        "autoAssignment": True,
        "onlyAssignee": False,
        "dateUpdated": None,
    }
    assert answer.json["dateUpdated"].endswith("Z")
    assert [row.via for row in session.query(OwnershipVersion)] == ["api", "api"]


def test_what_was_read_can_be_written_back(api, session):
    api.put(PATH, {"raw": RAW})
    assert api.put(PATH, api.read(PATH)).status_code == 200
    assert session.query(OwnershipVersion).count() == 1


def test_a_bad_text_is_refused_with_every_place_and_nothing_is_saved(api, session):
    answer = api.put(PATH, {"raw": "shop/*\nx #nosuch\ny bob", "autoAssignment": True})
    assert answer.status_code == 400
    assert answer.json == {
        "raw": [
            "line 1, column 7: an owner is missing: name a #team or a mail address after the pattern",
            "line 2, column 3: no team with access to shop is called #nosuch.",
            "line 3, column 3: “bob” is neither a #team nor a mail address",
        ]
    }
    assert session.query(OwnershipVersion).count() == 0
    assert api.read(PATH)["autoAssignment"] is False


@pytest.mark.parametrize(
    ("sent", "member"),
    [({"raw": 7}, "raw"), ({"fallthrough": "yes"}, "fallthrough"), ({"rules": ""}, "rules"), ([], "detail")],
)
def test_what_means_nothing_is_refused_by_name(api, sent, member):
    answer = api.put(PATH, sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])


def test_a_text_of_more_than_100000_characters_is_refused(api):
    answer = api.put(PATH, {"raw": "#" * 100_001})
    assert answer.status_code == 400
    assert "longer than 100,000 characters" in answer.json["raw"][0]


def test_a_stored_event_is_matched_by_the_lines_in_force(api, program, cast, make):
    api.put(PATH, {"raw": RAW})
    issue = make.arrival(cast.shop)
    event_id = api.read(f"/issues/{issue.id}/events/latest/")["eventID"]
    answer = api.post(f"{PATH}match/", {"eventId": event_id})
    assert answer.status_code == 200
    assert answer.json == {
        "lines": [
            {
                "line": 1,
                "text": "shop/* #shop-team",
                "owners": ["#shop-team"],
                "source": "rules",
                "matched": "shop/cart.py, frame 1 of 2",
            },
            {
                "line": 2,
                "text": "shop/cart.py bob@example.org",
                "owners": ["bob@example.org"],
                "source": "rules",
                "matched": "shop/cart.py, frame 1 of 2",
            },
        ],
        "assignee": {"type": "user", "id": str(cast.bob.id), "name": "Bob", "email": "bob@example.org"},
        "isWhole": True,
    }
    needed = {"eventId": event_id}
    assert program(cast.alice, ["project:read"]).post(f"{PATH}match/", needed).status_code == 403
    assert (
        program(cast.alice, ["project:read", "event:read"]).post(f"{PATH}match/", needed).json == answer.json
    )


def test_a_text_can_be_tried_on_an_event_that_is_sent_along(api, session):
    sent = {"raw": "tags.browser:Fire* #shop-team", "event": payload()}
    answer = api.post(f"{PATH}match/", sent)
    assert [line["line"] for line in answer.json["lines"]] == [1]
    assert answer.json["assignee"]["type"] == "team"
    assert session.query(OwnershipVersion).count() == 0
    assert api.post(f"{PATH}match/", {"raw": "x", "event": {}}).json == {
        "raw": ["line 1, column 2: an owner is missing: name a #team or a mail address after the pattern"]
    }


@pytest.mark.parametrize("event_id", [None, 7, "", "0" * 32, "\x00"])
def test_an_event_that_is_not_there_is_refused_by_name(api, event_id):
    answer = api.post(f"{PATH}match/", {"eventId": event_id})
    assert (answer.status_code, list(answer.json)) == (400, ["eventId"])


def test_members_read_admins_write_and_others_see_nothing(program, cast):
    assert program(cast.bob).get(PATH).status_code == 200
    assert program(cast.bob).put(PATH, {"fallthrough": False}).status_code == 403
    for who in (cast.dee, cast.charlie):
        assert program(who).get(PATH).status_code == 404
        assert program(who).put(PATH, {"fallthrough": False}).status_code == 404
        assert program(who).post(f"{PATH}match/", {"event": {}}).status_code == 404
    assert program(cast.alice, ["project:read"]).put(PATH, {}).status_code == 403


def test_of_very_many_problems_the_first_are_told(api):
    for answer in (
        api.put(PATH, {"raw": "x\n" * 300}),
        api.post(f"{PATH}match/", {"raw": "x\n" * 300, "event": {}}),
    ):
        assert answer.status_code == 400
        assert (len(answer.json["raw"]), answer.json["raw"][-1]) == (201, "and 100 more")


def test_more_than_is_compared_is_told(api):
    frames = [{"filename": f"{n}.py", "module": "m"} for n in range(200)]
    stack = {"type": "E", "value": "", "stacktrace": {"frames": frames}}
    answer = api.post(f"{PATH}match/", {"event": {"exception": {"values": [stack] * 2}}})
    assert answer.json["isWhole"] is False


def test_matching_is_limited_for_each_person_however_many_tokens(program, cast):
    cats = [program(cast.alice).post(f"{PATH}match/", {}).status_code for _ in range(61)]
    assert cats == [400] * 60 + [429]
