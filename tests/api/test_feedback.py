"""User feedback: with a token and with a DSN."""

import pytest

from app.models import Feedback

PATH = "/projects/acme/shop/user-feedback/"
EVENT = "5" * 32
WORDS = {"event_id": EVENT, "name": "Jane", "email": "jane@example.net", "comments": "It broke"}


@pytest.fixture
def key(make, cast):
    return make.key(cast.shop)


@pytest.fixture
def sender(program, key, cast):
    """Somebody who has a DSN and nothing else."""

    def post(sent=WORDS, *, path=PATH, public=None, project=None, **headers):
        dsn = f"https://{public or key.public}@tocsin.example.org/{project or cast.shop.id}"
        return program(None).post(path, sent, headers={"Authorization": f"DSN {dsn}", **headers})

    return post


def test_what_was_written_is_answered_and_listed_newest_first(api, make, issue, cast):
    event = make.event(issue)
    make.feedback(cast.shop, "first", event_id=EVENT)
    made = api.post(PATH, {**WORDS, "event_id": event.event_id.upper()})
    assert made.status_code == 200
    assert made.json == {
        **{name: WORDS[name] for name in ("name", "email", "comments")},
        "id": made.json["id"],
        "eventID": event.event_id,
        "dateCreated": made.json["dateCreated"],
        "user": None,
        "event": {"id": event.event_id, "eventID": event.event_id},
        "issue": {
            "id": str(issue.id),
            "shortId": "SHOP-1",
            "title": issue.title,
            "level": "error",
            "status": "unresolved",
            "permalink": f"https://tocsin.example.org/acme/shop/issues/{issue.id}/",
        },
    }
    listed = api.get(f"{PATH}?per_page=1")
    assert listed.json == [made.json]
    assert 'rel="next"; results="true"' in listed.headers["Link"]
    [early] = api.read(f"{PATH}?per_page=1&cursor=0:1:0")
    assert (early["comments"], early["issue"], early["event"]) == (
        "first",
        None,
        {"id": None, "eventID": EVENT},
    )


def test_an_event_and_its_issue_say_what_was_written(api, make, issue, cast):
    event = make.event(issue)
    make.feedback(cast.shop, "old", event_id=event.event_id)
    make.feedback(cast.shop, "new", event_id=event.event_id)
    found = api.read(f"/projects/acme/shop/events/{event.event_id}/")
    assert found["userReport"]["comments"] == "new"
    assert api.read("/issues/SHOP-1/events/?full=1")[0]["userReport"] == found["userReport"]
    assert api.read("/issues/SHOP-1/")["userReportCount"] == 2


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({**WORDS, "event_id": "x"}, "event_id"),
        ({"comments": "It broke"}, "event_id"),
        ({**WORDS, "comments": " "}, "comments"),
        ({**WORDS, "comments": 7}, "comments"),
        ({**WORDS, "comments": "\a\u202e\u2066"}, "comments"),
        ({**WORDS, "email": "jane"}, "email"),
        ([], "detail"),
    ],
)
def test_what_is_wrong_is_said_by_name(sender, api, sent, member):
    for answer in (sender(sent), api.post(PATH, sent)):
        assert (answer.status_code, list(answer.json)) == (400, [member])


def test_a_dsn_may_write_and_learns_nothing(sender, session, make, issue):
    event = make.event(issue)
    answer = sender({**WORDS, "event_id": event.event_id})
    assert (answer.status_code, answer.json["issue"], answer.json["event"]["id"]) == (200, None, None)
    assert session.query(Feedback).one().issue_id == issue.id


def test_a_dsn_opens_nothing_but_its_own_project(sender, program, key, cast, make):
    dsn = {"Authorization": f"DSN https://{key.public}@tocsin.example.org/{cast.shop.id}"}
    assert program(None).get(PATH, headers=dsn).status_code == 401
    assert sender(path="/projects/acme/no-such/user-feedback/").status_code == 403
    assert sender(path="/projects/rivals/other-shop/user-feedback/").status_code == 403
    for wrong in ({"public": "0" * 32}, {"project": 999}, {"public": "@"}):
        answer = sender(**wrong)
        assert (answer.status_code, answer.json) == (401, {"detail": "Invalid DSN"})
    assert sender(path=f"/projects/{cast.acme.id}/{cast.shop.id}/user-feedback/").status_code == 200
    cast.shop.allowed_origins = ["shop.example.org"]
    assert sender(Origin="https://evil.example").status_code == 403
    assert sender(Origin="https://shop.example.org").status_code == 200
    key.is_active = False
    assert sender().status_code == 401


def test_a_keys_limit_holds_for_what_its_dsn_writes(sender, api, key):
    key.rate_limit_count, key.rate_limit_window = 2, 60
    assert [sender().status_code for _ in range(3)] == [200, 200, 429]
    limited = sender()
    seconds, told = limited.headers["X-Sentry-Rate-Limits"].split(":", 1)
    assert 1 <= int(seconds) <= 60
    assert told == "feedback:key:key_quota"
    assert api.post(PATH, WORDS).status_code == 200
