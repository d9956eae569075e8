"""Organizations, teams, members, projects and keys as programs read and change them."""

import pytest
from sqlalchemy import select

from app.models import AlertRule, Project, ProjectKey


def test_the_first_call_says_whose_token_it_is(program, cast):
    found = program(cast.bob, ["event:read"]).read("/")
    assert found == {
        "version": "0",
        "auth": {"scopes": ["event:read"]},
        "user": {"id": str(cast.bob.id), "email": "bob@example.org", "name": "Bob"},
    }
    assert program(None).read("/") == {"version": "0", "auth": None, "user": None}


def test_an_organization_has_all_that_sentry_cli_needs(api, cast):
    [found] = api.read("/organizations/")
    assert found == api.read(f"/organizations/{cast.acme.id}/") == api.read("/organizations/acme/")
    needed = {"id", "slug", "name", "dateCreated", "isEarlyAdopter", "require2FA"}
    assert needed | {"requireEmailVerification", "features"} <= set(found)
    assert (found["id"], found["dateCreated"]) == (str(cast.acme.id), "2026-11-20T12:00:00.000000Z")


def test_members_and_teams(api, cast):
    names = [
        (row["email"], row["role"], row["user"]["id"]) for row in api.read("/organizations/acme/members/")
    ]
    assert names[0] == ("alice@example.org", "owner", str(cast.alice.id))
    assert len(names) == 4
    assert [row["slug"] for row in api.read("/organizations/acme/teams/")] == ["shop-team"]


def test_a_project(api, make, cast):
    make.project(cast.acme, "aside")
    [aside, shop] = api.read("/organizations/acme/projects/")
    assert (shop["id"], shop["slug"], shop["platform"]) == (str(cast.shop.id), "shop", "python")
    assert (shop["team"]["slug"], shop["isMember"], shop["firstEvent"]) == ("shop-team", True, None)
    assert (aside["team"], aside["teams"], aside["isMember"]) == (None, [], False)
    assert shop["organization"]["slug"] == "acme"
    details = api.read("/projects/acme/shop/")
    lists = {"sensitiveFields": [], "safeFields": ["author", "authors"], "allowedDomains": []}
    settings = {"subjectPrefix": "", "subjectTemplate": "", "mailDetail": "full", "resolveAge": 0}
    delays = {"digestsMinDelay": 300, "digestsMaxDelay": 300}
    assert details == shop | settings | delays | lists
    assert api.read("/projects/") == [aside, shop]


def test_how_often_a_project_sends_alerts(api, session, cast):
    sent = {"digestsMinDelay": 120, "digestsMaxDelay": 1800}
    assert sent.items() <= api.put("/projects/acme/shop/", sent).json.items()
    assert api.put("/projects/acme/shop/", {"digestsMinDelay": 600}).json["digestsMaxDelay"] == 1800
    session.expire_all()
    assert (cast.shop.digest_minimum, cast.shop.digest_maximum) == (10, 30)
    assert api.put("/projects/acme/shop/", {"digestsMinDelay": 0, "digestsMaxDelay": 0}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({"digestsMinDelay": 90}, "digestsMinDelay"),
        ({"digestsMinDelay": "60"}, "digestsMinDelay"),
        ({"digestsMinDelay": -60}, "digestsMinDelay"),
        ({"digestsMaxDelay": 3660}, "digestsMaxDelay"),
        ({"digestsMaxDelay": 240}, "digestsMaxDelay"),
        ({"digestsMinDelay": 0}, "digestsMinDelay"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_by_name(api, session, cast, sent, member):
    answer = api.put("/projects/acme/shop/", {"name": "Changed", **sent})
    assert (answer.status_code, list(answer.json)) == (400, [member])
    session.expire_all()
    assert (cast.shop.name, cast.shop.digest_minimum) == ("Shop", 5)


def test_what_of_a_projects_data_is_kept_and_from_where_it_comes(api, session, cast):
    sent = {"sensitiveFields": ["iban"], "safeFields": ["token_count"], "allowedDomains": ["*.example.org"]}
    assert sent.items() <= api.put("/projects/acme/shop/", sent).json.items()
    session.expire_all()
    assert (cast.shop.sensitive_fields, cast.shop.allowed_origins) == (["iban"], ["*.example.org"])
    for wrong in ("iban", [1], ["a\nb"], ["x" * 101]):
        assert api.put("/projects/acme/shop/", {"sensitiveFields": wrong}).status_code == 400


def test_a_project_is_made_ready_to_ring(api, cast, session):
    answer = api.post("/teams/acme/shop-team/projects/", {"name": "New Checkout!", "platform": "node"})
    assert answer.status_code == 201
    assert (answer.json["slug"], answer.json["platform"]) == ("new-checkout", "node")
    assert answer.json["team"]["slug"] == "shop-team"
    made = session.get(Project, int(answer.json["id"]))
    assert session.scalars(select(AlertRule).where(AlertRule.project_id == made.id)).one()
    assert len(api.read("/projects/acme/new-checkout/keys/")) == 1
    again = api.post("/teams/acme/shop-team/projects/", {"name": "New checkout"})
    assert (again.status_code, list(again.json)) == (409, ["detail"])


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "!!!"}, "slug"),
        ({"name": "x", "slug": "settings"}, "slug"),
        ({"name": "x" * 201, "slug": "x"}, "name"),
        ({"name": "x", "team": "y"}, "team"),
    ],
)
def test_a_project_that_cannot_be_made_says_why(api, cast, sent, member):
    answer = api.post("/teams/acme/shop-team/projects/", sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert len(api.read("/projects/")) == 1


def test_changing_a_project_keeps_what_is_not_sent(api, cast, shop):
    answer = api.put("/projects/acme/shop/", {"name": "The Shop", "subjectPrefix": "[shop]"})
    assert answer.status_code == 200
    answer = api.put("/projects/acme/shop/", {"mailDetail": "counts", "platform": "node"})
    assert answer.json == api.read("/projects/acme/shop/")
    chosen = {name: answer.json[name] for name in ("name", "subjectPrefix", "mailDetail", "platform")}
    assert list(chosen.values()) == ["The Shop", "[shop]", "counts", "node"]
    assert (answer.json["team"]["slug"], shop.scrub_data) == ("shop-team", True)


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"platform": "abacus"}, "platform"),
        ({"subjectPrefix": "x" * 65}, "subjectPrefix"),
        ({"mailDetail": "some"}, "mailDetail"),
        ({"mailDetail": ["full"]}, "mailDetail"),
        ({"resolveage": 5}, "resolveage"),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_nothing_changes(api, shop, sent, member):
    before = api.read("/projects/acme/shop/")
    answer = api.put("/projects/acme/shop/", {"name": "Other", **sent})
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert api.read("/projects/acme/shop/") == before


@pytest.mark.both_databases
def test_a_deleted_project_is_gone_with_all_that_is_its_own(api, make, cast, issue, session):
    make.delivery(make.notice(issue), cast.bob)
    make.subscription(issue, cast.bob, "subscribed")
    project_id = cast.shop.id
    assert api.delete("/projects/acme/shop/").status_code == 204
    assert api.delete("/projects/acme/shop/").status_code == 404
    assert api.get("/issues/SHOP-1/").status_code == 404
    assert session.scalars(select(ProjectKey).where(ProjectKey.project_id == project_id)).all() == []


def test_a_key_is_made_limited_renamed_switched_off_and_deleted(api, shop):
    keys = "/projects/acme/shop/keys/"
    made = api.post(keys, {"name": "Phones", "rateLimit": {"window": 60, "count": 100}})
    assert made.status_code == 201
    key = made.json
    assert key["dsn"]["public"] == f"https://{key['public']}@tocsin.example.org/{shop.id}"
    assert (key["name"], key["label"], key["isActive"]) == ("Phones", "Phones", True)
    assert key["rateLimit"] == {"window": 60, "count": 100}
    path = f"{keys}{key['id']}/"
    changed = api.put(path, {"name": "Old phones", "isActive": False, "rateLimit": None})
    assert (
        changed.json
        == api.read(path)
        == key
        | {
            "name": "Old phones",
            "label": "Old phones",
            "isActive": False,
            "rateLimit": None,
        }
    )
    assert [each["label"] for each in api.read(keys)] == ["Default", "Old phones"]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({"name": "x" * 65}, "name"),
        ({"name": 5}, "name"),
        ({"isActive": "yes"}, "isActive"),
        ({"isActive": None}, "isActive"),
        ({"rateLimit": 5}, "rateLimit"),
        ({"rateLimit": {"window": 60}}, "rateLimit"),
        ({"rateLimit": {"window": 60, "count": 0}}, "rateLimit"),
        ({"rateLimit": {"window": 60, "count": True}}, "count"),
        ({"rateLimit": {"window": 2**70, "count": 1}}, "rateLimit"),
        ({"rateLimit": {"windows": 60, "count": 1}}, "windows"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_a_key_that_cannot_be_so_says_why_and_stays_as_it_was(api, make, shop, sent, member):
    path = f"/projects/acme/shop/keys/{make.key(shop).public}/"
    before = api.read(path)
    answer = api.put(path, sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])
    assert api.read(path) == before
