"""Notices and their verdicts as support scripts read them."""

from datetime import timedelta

import pytest

from app.models import AlertRule, Attempt, Digest, Verdict


def verdict(notice, user, *, outcome="skip", code="workflow_never", **columns):
    return Verdict(
        notice_id=notice.id,
        subject="user",
        subject_id=user.id,
        channel="email",
        outcome=outcome,
        code=code,
        **({"params": {"scope": "account"}, "reasons": []} | columns),
    )


def attempt(delivery, now, *, response="2.0.0 Ok: queued as 4F2A", outcome="accepted", code="250"):
    return Attempt(
        delivery_id=delivery.id,
        number=1,
        at=now,
        outcome=outcome,
        code=code,
        response=response,
        milliseconds=12,
    )


@pytest.fixture
def notice(make, cast, issue, session, now):
    """Dee is on the team too. Alice was told and Bob will be, Cy's settings said no, Dee heard otherwise."""
    made = make.notice(issue, "resolved", planned_at=now, actor_id=cast.alice.id, event_id="e" * 32)
    told = make.delivery(made, cast.alice, state="accepted", message_id="<d.1@example.org>")
    told.verdict.reasons = ["assigned", "workflow_always"]
    waiting = make.delivery(made, cast.bob, state="deferred")
    waiting.verdict.reasons = ["workflow_always"]
    session.add_all(
        [
            attempt(told, now),
            attempt(waiting, now, response="4.2.0 come back later", outcome="deferred", code="451"),
            verdict(made, cast.cy),
            verdict(made, cast.dee, outcome="collapse", code="merged", params={"notice": "n_other"}),
        ]
    )
    session.flush()
    return made


def by_name(found):
    return {each["subject"]["name"]: each for each in found["verdicts"]}


def test_a_notice_says_what_it_is_and_how_far_it_got(api, notice, cast):
    found = api.read(f"/notices/{notice.public_id}/")
    del found["verdicts"]
    assert found == {
        "id": notice.public_id,
        "kind": "resolved",
        "category": "workflow",
        "issue": "SHOP-1",
        "event": "e" * 32,
        "actor": {
            "id": str(cast.alice.id),
            "name": "Alice",
            "email": "alice@example.org",
            "username": "alice",
        },
        "rule": None,
        "ruleVersion": None,
        "ownersVersion": None,
        "dateCreated": "2026-11-20T12:00:00.000000Z",
        "gate": None,
        "reach": {
            "told": 1,
            "held": 1,
            "failed": 0,
            "bounced": 0,
            "collapsed": 1,
            "notTold": 1,
            "sentence": "Told 1, trying again 1, 1 told with another notice, 1 not told",
        },
    }


@pytest.mark.both_databases
def test_an_administrator_sees_every_verdict_with_its_delivery(api, notice, cast):
    found = by_name(api.read(f"/notices/{notice.public_id}/"))
    assert list(found) == ["Alice", "Bob", "Cy", "Dee"]
    assert found["Bob"]["subject"] == {"type": "user", "id": str(cast.bob.id), "name": "Bob"}
    assert (found["Bob"]["outcome"], found["Bob"]["code"], found["Bob"]["channel"]) == (
        "send",
        "send",
        "email",
    )
    assert found["Bob"]["reasons"] == ["workflow_always"]
    assert (
        found["Alice"]["delivery"].items() >= {"state": "accepted", "messageId": "<d.1@example.org>"}.items()
    )
    assert found["Bob"]["delivery"]["attempts"] == [
        {
            "at": "2026-11-20T12:00:00.000000Z",
            "outcome": "deferred",
            "code": "451",
            "response": "4.2.0 come back later",
            "ms": 12,
        }
    ]
    assert (found["Cy"]["code"], found["Cy"]["delivery"]) == ("workflow_never", None)
    assert found["Cy"]["sentence"] == "Workflow changes: never (from your account)."
    assert (found["Dee"]["outcome"], found["Dee"]["code"]) == ("collapse", "merged")


def test_a_member_sees_nothing_of_other_peoples_settings_and_mail_servers(program, notice, cast):
    found = by_name(program(cast.bob).read(f"/notices/{notice.public_id}/"))
    assert (found["Cy"]["code"], found["Cy"]["sentence"]) == (None, "Their own settings.")
    assert found["Alice"]["reasons"] == ["assigned"]
    assert (
        found["Alice"]["delivery"].items() >= {"state": "accepted", "messageId": None, "attempts": []}.items()
    )
    assert found["Bob"]["reasons"] == ["workflow_always"]
    assert found["Bob"]["delivery"]["attempts"][0]["response"] == "4.2.0 come back later"
    assert found["Dee"]["code"] == "merged"


def test_the_list_says_the_same_as_each_notice(api, notice):
    assert api.read("/notices/") == [api.read(f"/notices/{notice.public_id}/")]


def test_a_rule_and_a_gate_are_named(api, make, issue, session, now, shop):
    rule = session.query(AlertRule).filter_by(project_id=shop.id).one()
    make.notice(issue, rule_id=rule.id, event_id="f" * 32, planned_at=now, gate_code="issue_ignored")
    [found] = api.read("/notices/")
    assert found["rule"] == {"id": str(rule.id), "name": rule.name}
    assert (found["gate"], found["verdicts"]) == ("issue_ignored", [])
    assert found["reach"]["sentence"] == "Told nobody, the issue is ignored"


def test_the_list_can_be_narrowed(api, make, cast, now):
    aside = make.project(cast.acme, "aside", teams=[cast.team])
    one, two = make.issue(cast.shop), make.issue(aside)
    first = make.notice(one, "comment")
    second = make.notice(two, "alert.new", occurred_at=now + timedelta(hours=1))
    third = make.notice(one, "alert.again", occurred_at=now + timedelta(hours=2))
    make.notice(make.issue(cast.other_shop))
    for query, expected in {
        "": [third, second, first],
        "?org=acme": [third, second, first],
        "?issue=SHOP-1": [third, first],
        f"?issue={two.id}": [second],
        "?project=aside": [second],
        f"?project={cast.shop.id}&project=aside": [third, second, first],
        "?kind=alert.new": [second],
        "?since=2026-11-20T13:00:00Z": [third, second],
        "?since=2026-11-20T15:30:00%2B02:00&kind=alert.again": [third],
        "?issue=SHOP-99": [],
        "?issue=OTHER-SHOP-1": [],
    }.items():
        assert [row["id"] for row in api.read(f"/notices/{query}")] == [row.public_id for row in expected], (
            query
        )


@pytest.mark.parametrize("query", ["project=other-shop", "org=rivals", "project=shop&project=nothing"])
def test_what_one_may_not_see_cannot_be_asked_about(api, notice, query):
    assert api.get(f"/notices/?{query}").status_code == 404


@pytest.mark.parametrize("query", ["kind=nothing", "since=yesterday"])
def test_what_is_not_understood_is_refused(api, notice, query):
    answer = api.get(f"/notices/?{query}")
    assert (answer.status_code, list(answer.json)) == (400, ["detail"])


def test_a_notice_outlives_its_issue(api, make, issue, session):
    made = make.notice(issue, "comment")
    session.delete(issue)
    session.flush()
    [found] = api.read("/notices/?issue=shop-1")
    assert (found["id"], found["issue"]) == (made.public_id, "SHOP-1")


def test_a_test_message_is_seen_by_whoever_asked_for_it(program, cast, make, issue):
    made = make.notice(issue, "test", project_id=None, issue_id=None, data={"user": cast.bob.id})
    assert program(cast.bob).read(f"/notices/{made.public_id}/")["kind"] == "test"
    assert program(cast.alice).get(f"/notices/{made.public_id}/").status_code == 404


# What is held


@pytest.fixture
def held(make, cast, issue, session, now):
    """Bob is told in the morning."""
    morning = now + timedelta(hours=20)
    made = make.notice(issue, "comment", planned_at=now)
    digest = Digest(
        public_id="g_1",
        kind="quiet",
        key="quiet",
        user_id=cast.bob.id,
        opened_at=now,
        send_at=morning,
        data={},
    )
    session.add(digest)
    session.flush()
    params = {"until": morning.isoformat(), "scope": "account"}
    session.add(
        verdict(made, cast.bob, outcome="defer", code="quiet_hours", params=params, digest_id=digest.id)
    )
    session.flush()
    return made


def test_a_hold_tells_its_person_until_when(program, held, cast):
    found = program(cast.bob).read(f"/notices/{held.public_id}/")
    [shown] = found["verdicts"]
    assert (shown["outcome"], shown["code"], shown["until"]) == (
        "defer",
        "quiet_hours",
        "2026-11-21T08:00:00.000000Z",
    )
    assert shown["sentence"] == "Held until Sat 21 Nov 2026 08:00 UTC: quiet hours."
    assert (found["reach"]["held"], found["reach"]["notTold"]) == (1, 0)


@pytest.mark.parametrize(("name", "code"), [("alice", "quiet_hours"), ("cy", None)])
def test_nobody_else_reads_when_somebodys_quiet_hours_end(program, held, cast, name, code):
    answer = program(getattr(cast, name)).get(f"/notices/{held.public_id}/")
    [shown] = answer.json["verdicts"]
    assert (shown["outcome"], shown["code"], shown["until"]) == ("defer", code, None)
    assert "08:00" not in answer.text


def test_why_says_that_it_is_held(program, held, cast, issue):
    path = f"/notices/why/?issue={issue.short_id}"
    [mine] = program(cast.bob).read(path)
    assert (mine["answer"], mine["code"]) == ("held", "quiet_hours")
    assert mine["switch"]["url"].endswith("/settings/account/notifications/quiet-hours/")
    [his] = program(cast.alice).read(f"{path}&user=bob@example.org")
    assert (his["answer"], his["sentence"], his["switch"]) == ("held", "Held: quiet hours.", None)


def test_the_list_is_of_what_one_sees(program, held, cast):
    assert [each["id"] for each in program(cast.cy).read("/notices/")] == [held.public_id]
    assert program(cast.charlie).read("/notices/") == []
    assert program(cast.charlie).get(f"/notices/{held.public_id}/").status_code == 404
