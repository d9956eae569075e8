"""Alert rules through the API (`web-api.md` 6): the same checks, versions and audit as the pages."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.models import AlertRule, Notice, RuleFiring, RuleMute, RuleVersion, SettingAudit

PATH = "/projects/acme/shop/rules/"
OWNERS = {"id": "mail", "target": "owners", "targetId": None, "fallback": "all"}
RULE = {
    "name": "Fatal in production",
    "environment": None,
    "actionMatch": "any",
    "filterMatch": "all",
    "frequency": 60,
    "conditions": [{"id": "first_seen"}, {"id": "event_count", "value": 100, "interval": "1h"}],
    "filters": [
        {"id": "level", "match": "gte", "level": "error"},
        {"id": "tag", "key": "browser", "match": "eq", "value": "Firefox"},
    ],
    "actions": [OWNERS],
    "required": False,
    "mayInterrupt": False,
}


@pytest.fixture
def made(api, cast):
    answer = api.post(PATH, RULE)
    assert answer.status_code == 201, answer.text
    return answer.json


def own(made):
    return f"{PATH}{made['id']}/"


@pytest.mark.both_databases
def test_a_rule_comes_back_as_it_was_sent(api, made):
    same = {**RULE, "actions": [{"id": "mail", "target": "owners", "fallback": "all"}]}
    assert {name: made[name] for name in same} == same
    assert (made["active"], made["version"], made["trouble"]) == (True, 1, None)
    assert made["createdBy"]["email"] == "alice@example.org"
    assert made["sentence"].startswith("When a new issue is seen or an issue is seen more than 100 times")
    assert api.read(own(made))["name"] == "Fatal in production"
    assert [rule["name"] for rule in api.read(PATH)] == [
        "Fatal in production",
        "Tell issue owners about new issues",
    ]


@pytest.mark.both_databases
def test_what_is_absent_stays(api, made, session):
    answer = api.put(own(made), {"frequency": "once", "environment": None})
    assert (answer.status_code, answer.json["frequency"], answer.json["version"]) == (200, "once", 2)
    assert answer.json["conditions"] == RULE["conditions"]
    [first, second] = session.scalars(select(RuleVersion).where(RuleVersion.rule_id == int(made["id"])))
    assert (first.via, second.via, second.by.name) == ("api", "api", "Alice")


def test_what_was_read_can_be_sent_back(api, made):
    answer = api.put(own(made), api.read(own(made)))
    assert (answer.status_code, answer.json["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (
            {"conditions": [{"id": "first_seen"}, {"id": "event_count", "value": 0, "interval": "1h"}]},
            "conditions.1.value",
            "whole number",
        ),
        (
            {"conditions": [{"id": "event_count", "value": 5, "interval": "2h"}]},
            "conditions.0.interval",
            "Unknown",
        ),
        ({"conditions": [{"id": "moon_phase"}]}, "conditions.0.id", "Unknown"),
        ({"conditions": []}, "conditions", "at least one condition"),
        ({"actions": []}, "actions", "at least one action"),
        (
            {"filters": [{"id": "tag", "key": "browser", "match": "eq", "value": ""}]},
            "filters.0.value",
            "missing",
        ),
        (
            {"filters": [{"id": "tag", "key": "browser", "match": "is", "value": "x"}]},
            "filters.0.value",
            "Leave it out",
        ),
        (
            {"filters": [{"id": "level", "match": "gte", "level": "error", "colour": "red"}]},
            "filters.0.colour",
            "Unknown",
        ),
        ({"actions": [{"id": "mail", "target": "team", "targetId": 999}]}, "actions.0.targetId", "no access"),
        (
            {"actions": [{"id": "mail", "target": "member", "targetId": 999}]},
            "actions.0.targetId",
            "no member",
        ),
        (
            {"actions": [{"id": "integration", "integration": 999}]},
            "actions.0.integration",
            "no such integration",
        ),
        ({"environment": "moon"}, "environment", "no such environment"),
        ({"name": ""}, "name", "name"),
        ({"name": "x" * 65}, "name", "64"),
        ({"frequency": 3}, "frequency", "minutes"),
        ({"actionMatch": "some"}, "actionMatch", "Unknown"),
        ({"required": True}, "requiredReason", "reason"),
        ({"mayInterrupt": True, "interruptReason": " "}, "interruptReason", "reason"),
        ({"colour": "red"}, "colour", "Unknown"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_field_and_nothing_is_saved(
    api, made, session, change, place, words
):
    for answer in (api.post(PATH, RULE | change), api.put(own(made), change)):
        assert answer.status_code == 400
        assert words in answer.json[place][0]
    assert session.query(AlertRule).count() == 3
    assert api.read(own(made))["version"] == 1


def test_all_that_is_wrong_is_named_at_once(api, cast):
    answer = api.post(
        PATH, RULE | {"name": "", "conditions": [{"id": "age"}, {"id": "first_seen"}], "colour": 1}
    )
    assert {"name", "conditions.0.id", "colour"} <= answer.json.keys()


def test_a_twin_is_a_warning_and_no_error(api, made):
    twin = api.post(PATH, RULE | {"name": "The same"})
    assert (twin.status_code, twin.json["sameAs"]) == (201, ["Fatal in production"])


def test_a_rule_is_switched_off_and_on(api, made):
    assert api.put(own(made), {"active": False}).json["active"] is False
    assert api.post(PATH, RULE | {"name": "Later", "active": False}).json["active"] is False
    assert api.put(own(made), {"active": True}).json["version"] == 3


def test_required_takes_a_reason_and_gives_it_up_again(api, made):
    answer = api.put(own(made), {"required": True, "requiredReason": "payments stop"})
    assert (answer.json["required"], answer.json["requiredReason"]) == (True, "payments stop")
    answer = api.put(own(made), {"required": False})
    assert (answer.json["required"], answer.json["requiredReason"]) == (False, None)


def test_a_deleted_rule_is_gone(api, made, session):
    assert api.delete(own(made)).status_code == 204
    assert api.get(own(made)).status_code == 404
    [audit] = session.scalars(select(SettingAudit))
    assert (audit.via, audit.detail["new"]) == ("api", "deleted")


@pytest.mark.both_databases
def test_muting_for_oneself_and_for_everyone(api, made, session):
    until = "2031-11-23T15:00:00Z"
    answer = api.post(f"{own(made)}mute/", {"for": "me", "until": until})
    assert answer.json["muted"]["me"]["until"] == "2031-11-23T15:00:00.000000Z"
    assert answer.json["muted"]["everyone"] is None
    answer = api.post(f"{own(made)}mute/", {"for": "everyone", "until": None})
    assert answer.json["muted"]["everyone"]["until"] is None
    assert session.query(RuleMute).count() == 2
    assert api.delete(f"{own(made)}mute/?for=everyone").json["muted"]["everyone"] is None
    assert {audit.via for audit in session.scalars(select(SettingAudit))} == {"api"}


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({}, "for"),
        ({"for": "all"}, "for"),
        ({"for": "me", "until": "2031-11-23T15:00:00"}, "until"),
        ({"for": "me", "until": "tomorrow"}, "until"),
        ({"for": "me", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"for": "me", "minutes": 60}, "minutes"),
    ],
)
def test_a_mute_that_makes_no_sense_is_refused(api, made, sent, member):
    answer = api.post(f"{own(made)}mute/", sent)
    assert (answer.status_code, list(answer.json)) == (400, [member])


def test_members_read_and_mute_for_themselves_and_change_nothing(program, cast, made):
    bob = program(cast.bob)
    assert bob.read(own(made))["name"] == "Fatal in production"
    assert bob.post(f"{own(made)}mute/", {"for": "me", "until": None}).status_code == 200
    assert bob.post(f"{own(made)}mute/", {"for": "everyone", "until": None}).status_code == 403
    assert bob.delete(f"{own(made)}mute/?for=everyone").status_code == 403
    assert bob.post(PATH, RULE).status_code == 403
    assert bob.put(own(made), {"name": "Mine"}).status_code == 403
    assert bob.delete(own(made)).status_code == 403


def test_a_rule_of_another_project_does_not_exist_under_ones_own(api, make, cast):
    theirs = make.rule(cast.other_shop)
    for method in ("GET", "PUT", "DELETE"):
        assert api(method, f"{PATH}{theirs.id}/", {"name": "x"}).status_code == 404


# What it would have done


def test_a_preview_says_what_a_rule_would_have_done_and_saves_nothing(api, cast, make, session):
    at = datetime.now(UTC) - timedelta(days=8)
    issue = make.issue(cast.shop)
    for hours in (0, 3):
        make.event(issue, at=at + timedelta(hours=hours))
    rules, notices = (session.scalar(select(func.count()).select_from(each)) for each in (AlertRule, Notice))
    rule = {**RULE, "conditions": [{"id": "every_event"}], "filters": []}
    done = api.post(f"{PATH}preview/", rule)
    assert done.status_code == 200, done.text
    assert (done.json["firings"], done.json["firingsLastWeek"], done.json["issueCount"]) == (2, 0, 1)
    assert (done.json["events"], done.json["eventsInAll"], done.json["isWhole"]) == (2, 2, True)
    [fired] = done.json["issues"]
    assert (fired["shortId"], fired["firings"], fired["peopleTold"]) == (issue.short_id, 2, 6)
    assert (done.json["peopleTold"], done.json["largestHour"]["firings"]) == (6, 1)
    assert session.scalar(select(func.count()).select_from(AlertRule)) == rules
    assert session.scalar(select(func.count()).select_from(Notice)) == notices


def test_the_preview_of_a_stored_rule_rests_where_that_rested(api, cast, make, session, made):
    issue = make.issue(cast.shop)
    make.event(issue, at=datetime.now(UTC) - timedelta(days=1))
    long_ago = datetime.now(UTC) - timedelta(days=20)
    session.add(RuleFiring(rule_id=int(made["id"]), issue_id=issue.id, last_fired=long_ago))
    once = {**RULE, "conditions": [{"id": "every_event"}], "filters": [], "frequency": "once"}
    new, stored = (api.post(f"{PATH}preview/", each).json for each in (once, {**once, "id": made["id"]}))
    assert (new["firings"], stored["firings"]) == (1, 0)
    assert [note["place"] for note in new["notes"]] == ["frequency"]


def test_a_preview_of_what_is_no_rule_names_the_places(api, cast):
    wrong = {**RULE, "conditions": [{"id": "event_count", "value": 0, "interval": "1h"}]}
    answer = api.post(f"{PATH}preview/", wrong)
    assert (answer.status_code, list(answer.json)) == (400, ["conditions.0.value"])
    assert api.post(f"{PATH}preview/", {**RULE, "id": "x"}).status_code == 400
    assert api.post(f"{PATH}preview/", {**RULE, "id": "999999"}).status_code == 404


def test_whoever_reads_rules_previews_them_and_strangers_do_not(program, cast):
    bare = program(cast.alice, ["alerts:read"]).post(f"{PATH}preview/", RULE)
    assert (bare.status_code, "issues" in bare.json) == (200, False)
    both = program(cast.alice, ["alerts:read", "event:read"]).post(f"{PATH}preview/", RULE)
    assert both.json == {**bare.json, "since": both.json["since"], "until": both.json["until"], "issues": []}
    assert program(cast.alice, ["event:read"]).post(f"{PATH}preview/", RULE).status_code == 403
    assert program(cast.dee).post(f"{PATH}preview/", RULE).status_code == 404
