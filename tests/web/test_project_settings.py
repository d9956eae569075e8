"""A project's settings and keys."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import ProjectKey
from app.services import access

HTMX = {"HX-Request": "true"}
GENERAL, KEYS = "/acme/shop/settings/", "/acme/shop/settings/keys/"
FORM = {
    "name": "The Shop",
    "platform": "node",
    "subject_prefix": "shop:",
    "subject_template": "$project: $title",
    "mail_detail": "counts",
    "resolve_age_hours": "336",
    "scrub_data": "1",
    "sensitive_fields": "iban\r\n\r\n shoe size \r\niban",
    "safe_fields": "token_count",
    "allowed_origins": "shop.example.org\r\n*.example.net",
    "team": ["shop-team"],
}


@pytest.fixture
def alices(as_user, alice):
    return as_user(alice)


def test_the_form_shows_what_is_stored(alices, shop):
    page = alices.page(GENERAL)
    assert page.find(id="name")["value"] == "Shop"
    chosen = {
        field["name"]: field.find("option", selected=True)["value"] for field in page.select("main select")
    }
    assert chosen == {"platform": "python", "resolve_age_hours": "0", "last_resort": ""}
    ticked = {box["name"]: box["value"] for box in page.select("main input[checked]")}
    assert ticked == {"team": "shop-team", "mail_detail": "full", "scrub_data": "1", "store_ips": "1"}


def test_saving_changes_all_of_it(alices, shop, session):
    assert alices.post(GENERAL, data=FORM).location == GENERAL
    session.expire_all()
    assert (shop.name, shop.platform, shop.subject_prefix) == ("The Shop", "node", "shop:")
    assert (shop.mail_detail, shop.scrub_data, shop.store_ips) == ("counts", True, False)
    assert (shop.subject_template, shop.resolve_age_hours) == ("$project: $title", 336)
    assert (shop.sensitive_fields, shop.safe_fields) == (["iban", "shoe size"], ["token_count"])
    assert shop.allowed_origins == ["shop.example.org", "*.example.net"]
    assert alices.page(GENERAL).find(id="sensitive_fields").text == "iban\nshoe size"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("platform", "cobol"),
        ("mail_detail", "all"),
        ("subject_prefix", "x" * 65),
        ("subject_template", "$title" + "x" * 195),
        ("subject_template", "An error"),
        ("subject_template", "$titles"),
        ("resolve_age_hours", "2161"),
        ("resolve_age_hours", "soon"),
        ("resolve_age_hours", "-1"),
        ("last_resort", "user:0"),
        ("last_resort", "dee@example.org"),
        ("last_resort", "team:rivals-team"),
        ("sensitive_fields", "x" * 101),
        ("allowed_origins", "\n".join(map(str, range(51)))),
    ],
)
def test_a_wrong_value_comes_back_as_typed_and_saves_nothing(alices, shop, session, field, value):
    answer = alices.post(GENERAL, data=FORM | {field: value})
    assert answer.status_code == 422
    session.expire_all()
    assert (shop.name, shop.mail_detail, shop.store_ips) == ("Shop", "full", True)


def test_a_box_that_was_unticked_comes_back_unticked(alices, shop):
    answer = alices.post(GENERAL, data=FORM | {"name": ""})
    assert 'name="store_ips" value="1">' in answer.text
    assert 'name="scrub_data" value="1" checked>' in answer.text


def test_a_platform_set_by_other_means_stays_a_choice(alices, shop, session):
    shop.platform = "elixir"
    assert alices.page(GENERAL).find("option", selected=True)["value"] == "elixir"
    assert alices.post(GENERAL, data=FORM | {"platform": "elixir"}).status_code == 303


def test_the_effect_of_an_age_is_shown_before_it_is_saved(alices, make, shop, session, now):
    make.issue(shop, last_seen=now - timedelta(days=40))
    page = alices.post(GENERAL, data=FORM | {"resolve_age_hours": "720", "preview": "1"})
    assert page.status_code == 200
    assert (
        "Would resolve <b>1 issue</b> at the next run, within the hour, and tell <b>3 people</b>" in page.text
    )
    assert 'value="The Shop"' in page.text
    fragment = alices.get(f"{GENERAL}effect?resolve_age_hours=720", headers=HTMX)
    assert "Would resolve <b>1 issue</b>" in fragment.text
    assert "<html" not in fragment.text
    session.expire_all()
    assert (shop.name, shop.resolve_age_hours) == ("Shop", 0)


@pytest.mark.parametrize(
    ("hours", "says"), [("0", "Off"), ("soon", "From an hour"), ("99999", "From an hour")]
)
def test_an_age_without_effect_says_so(alices, shop, hours, says):
    assert says in alices.get(f"{GENERAL}effect?resolve_age_hours={hours}").text


def test_the_subject_is_shown_as_an_example(alices, shop):
    answer = alices.get(
        f"{GENERAL}subject", query_string={"subject_template": "${tag:environment} $title $foo"}
    )
    assert "production KeyError: cart $foo" in answer.text
    hostile = alices.get(f"{GENERAL}subject", query_string={"subject_prefix": "<script>"})
    assert "<script>" not in hostile.text


@pytest.mark.parametrize("kind", ["user", "team"])
def test_the_last_resort_is_a_member_or_a_team(alices, cast, shop, session, kind):
    chosen = cast.bob if kind == "user" else cast.team
    alices.post(GENERAL, data=FORM | {"last_resort": f"{kind}:{chosen.id}"})
    session.expire_all()
    assert getattr(shop, f"last_resort_{kind}_id") == chosen.id
    selected = alices.page(GENERAL).select_one("#last_resort option[selected]")
    assert selected["value"] == f"{kind}:{chosen.id}"
    alices.post(GENERAL, data=FORM | {"last_resort": ""})
    session.expire_all()
    assert (shop.last_resort_user_id, shop.last_resort_team_id) == (None, None)


def test_taking_the_team_away_takes_the_project_from_its_people(alices, cast, session):
    alices.post(GENERAL, data=FORM | {"team": []})
    session.expire_all()
    assert access.visible_projects(session, cast.bob) == []
    assert access.visible_projects(session, cast.alice) == [cast.shop]


def test_a_team_of_another_organization_cannot_be_given_the_project(alices, cast, session):
    alices.post(GENERAL, data=FORM | {"team": ["rivals-team"]})
    session.expire_all()
    assert cast.shop.teams == []


def test_members_read_the_settings_but_change_nothing(as_user, cast, session):
    bob = as_user(cast.bob)
    page = bob.page(GENERAL)
    assert page.select_one("main fieldset[disabled]")
    assert bob.post(GENERAL, data=FORM).status_code == 404
    assert bob.get(KEYS).status_code == 404
    assert bob.post(KEYS, data={"label": "x"}).status_code == 404


@pytest.mark.parametrize("person", ["dee", "charlie"])
def test_strangers_see_nothing_of_it(as_user, cast, person):
    client = as_user(getattr(cast, person))
    assert {client.get(path).status_code for path in (GENERAL, KEYS)} == {404}


def test_a_key_is_made_with_its_dsn(alices, shop, session):
    alices.post(KEYS, data={"label": "Web servers"})
    key = session.scalars(select(ProjectKey).where(ProjectKey.label == "Web servers")).one()
    text = alices.page(KEYS).find(id=f"dsn-{key.id}").text
    assert text == f"https://{key.public}@tocsin.example.org/{shop.id}"


def test_a_key_is_switched_off_and_on(alices, make, shop, session):
    key = make.key(shop)
    assert "Nothing has been sent with it yet" in alices.page(KEYS).text
    key.last_used_at = make.now
    assert "refused within seconds" in alices.page(KEYS).text
    alices.post(f"{KEYS}{key.id}/activity", data={"active": "no"})
    session.expire_all()
    assert not key.is_active
    alices.post(f"{KEYS}{key.id}/activity", data={"active": "yes"})
    session.expire_all()
    assert key.is_active


def test_a_limit_is_saved_and_lifted(alices, make, shop, session):
    key = make.key(shop)
    form = {"rate_limit_count": "100", "rate_limit_window": "60"}
    alices.post(f"{KEYS}{key.id}/limit", data=form)
    session.expire_all()
    assert (key.rate_limit_count, key.rate_limit_window) == (100, 60)
    alices.post(f"{KEYS}{key.id}/limit", data=form | {"rate_limit_count": ""})
    session.expire_all()
    assert (key.rate_limit_count, key.rate_limit_window) == (None, None)


@pytest.mark.parametrize("count", ["-1", "0", "many", "1e3", "9" * 30, "１２"])
def test_a_senseless_limit_is_refused(alices, make, shop, session, count):
    key = make.key(shop)
    answer = alices.post(f"{KEYS}{key.id}/limit", data={"rate_limit_count": count, "rate_limit_window": "60"})
    session.expire_all()
    assert (answer.status_code, key.rate_limit_count) == (422, None)


def test_a_key_of_another_project_is_out_of_reach(alices, make, cast, session):
    key = make.key(cast.other_shop)
    assert alices.post(f"{KEYS}{key.id}/activity", data={"active": "no"}).status_code == 404
    session.expire_all()
    assert key.is_active
