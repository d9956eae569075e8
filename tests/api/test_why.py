"""Why did somebody hear of an issue, or not? The API's answer and the command line's."""

import json

import pytest
from sqlalchemy import select

from app.models import SettingAudit
from tests.api.test_notices import attempt, verdict

WHY = "/notices/why/?issue=SHOP-1"


@pytest.fixture
def flask(app, session):
    """Runs `flask notices why …` and returns its result."""

    def run(*words):
        session.commit()
        return app.test_cli_runner().invoke(args=["notices", "why", *words])

    return run


def decided(**columns):
    def arrange(notice, user, make, session, now):
        notice.planned_at = now
        session.add(verdict(notice, user, **columns))

    return arrange


def sent(state, *answers, **columns):
    def arrange(notice, user, make, session, now):
        notice.planned_at = now
        delivery = make.delivery(notice, user, state=state)
        delivery.verdict.params = {"scope": "built-in"}
        for name, value in columns.items():
            setattr(delivery.verdict, name, value)
        session.add_all(attempt(delivery, now, response=answer) for answer in answers)

    return arrange


def gated(notice, user, make, session, now):
    notice.planned_at, notice.gate_code = now, "issue_ignored"


def unplanned(notice, user, make, session, now):
    pass


def planned_without_them(notice, user, make, session, now):
    notice.planned_at = now


ANSWERS = {
    "told": (
        sent("accepted", "2.0.0 Ok: queued as 4F2A"),
        ("delivered", "send", "built-in"),
        "Mail to bo•@example.org: accepted by the mail server. "
        "The mail server's answer of Fri 20 Nov 2026 12:00:00 UTC: 2.0.0 Ok: queued as 4F2A",
    ),
    "on its way": (sent("queued"), ("held", "send", "built-in"), "Mail to bo•@example.org: queued."),
    "to be tried again": (
        sent("deferred", "4.2.0 later"),
        ("held", "send", "built-in"),
        "Mail to bo•@example.org: not taken yet, next try Fri 20 Nov 2026 12:00:00 UTC. "
        "The mail server's answer of Fri 20 Nov 2026 12:00:00 UTC: 4.2.0 later",
    ),
    "refused by the mail server": (
        sent("failed", "5.1.1 no such user"),
        ("refused", "send", "built-in"),
        "Mail to bo•@example.org: refused by the mail server. "
        "The mail server's answer of Fri 20 Nov 2026 12:00:00 UTC: 5.1.1 no such user",
    ),
    "cancelled on the way": (
        sent("cancelled", code="no_longer_open", params={}),
        ("refused", "no_longer_open", None),
        "The issue was settled or deleted before the message went out.",
    ),
    "a setting said no": (
        decided(code="alerts_off", params={"scope": "project"}),
        ("refused", "alerts_off", "project"),
        "Alerts are off (your choice for this project).",
    ),
    "told by another notice": (
        decided(outcome="collapse", code="merged", params={"notice": "n_1"}),
        ("collapsed", "merged", None),
        "Told by another notice about the same event or change.",
    ),
    "the notice itself stopped": (
        gated,
        ("refused", "issue_ignored", None),
        "The issue is ignored: alerts stay silent, whatever the rules say.",
    ),
    "not decided yet": (unplanned, ("held", None, None), "Whom to tell is being decided."),
    "not a member then": (
        planned_without_them,
        ("refused", "no_access", None),
        "Was on no team of the project then.",
    ),
}


@pytest.mark.parametrize(("arrange", "answer", "sentence"), ANSWERS.values(), ids=ANSWERS)
def test_why(program, make, cast, issue, session, now, arrange, answer, sentence):
    notice = make.notice(issue)
    arrange(notice, cast.bob, make, session, now)
    [found] = program(cast.bob).read(WHY)
    assert (found["answer"], found["code"], found["scope"]) == answer
    because = " Because no owner rule matched, so all 0 members of Shop were told."
    assert found["sentence"].replace("•••", "•").removesuffix(because) == sentence
    assert found["notice"] == notice.public_id


def test_the_newest_notice_comes_first_with_the_switch_that_changes_it(
    program, make, cast, issue, session, now
):
    older, newer = make.notice(issue, planned_at=now), make.notice(issue, "comment", planned_at=now)
    session.add(verdict(older, cast.bob, code="alerts_off", params={"scope": "account"}))
    session.add(verdict(newer, cast.bob, code="issue_unsubscribed", params={}))
    found = program(cast.bob).read(WHY)
    assert [each["notice"] for each in found] == [newer.public_id, older.public_id]
    assert [each["switch"] for each in found] == [
        {
            "label": "Subscribe on the issue page",
            "url": f"https://tocsin.example.org/acme/shop/issues/{issue.id}/",
        },
        {
            "label": "Change",
            "url": "https://tocsin.example.org/settings/account/notifications/alerts/?at=shop#p-shop",
        },
    ]
    assert program(cast.bob).read(f"{WHY}&per_page=1&cursor=0:1:0") == found[1:]


def test_an_issue_that_made_no_notice_says_so(api, issue):
    [found] = api.read(WHY)
    assert (found["answer"], found["notice"], found["code"]) == ("no_notice", None, None)


@pytest.mark.parametrize("who", ["dee@example.org", "charlie@example.org", "nobody@example.org", "x"])
def test_somebody_outside_the_project_has_one_answer(api, make, issue, session, who):
    make.notice(issue)
    make.notice(issue, "comment")
    [found] = api.read(f"{WHY}&user={who}")
    assert (found["answer"], found["code"], found["notice"]) == ("refused", "no_access", None)


def test_an_administrator_may_ask_about_others_and_they_can_see_it(api, make, cast, issue, session, now):
    session.add(verdict(make.notice(issue, planned_at=now), cast.bob, code="alerts_off"))
    [found] = api.read(f"{WHY}&user=bob@example.org")
    assert (found["code"], found["switch"]) == ("alerts_off", None)
    line = session.scalars(select(SettingAudit)).one()
    assert (line.user_id, line.actor_id, line.via) == (cast.bob.id, cast.alice.id, "api")
    assert (line.category, line.detail) == ("explanation", {"issue": "SHOP-1"})


def test_asking_about_oneself_leaves_no_trace_and_about_others_takes_a_role(program, cast, issue, session):
    bob = program(cast.bob)
    assert bob.get(f"{WHY}&user=BOB@example.org").status_code == 200
    assert bob.get(f"{WHY}&user=cy@example.org").status_code == 403
    assert program(cast.dee).get(WHY).status_code == 404
    assert session.scalars(select(SettingAudit)).all() == []


def test_the_issue_must_be_named(api, issue):
    assert api.get("/notices/why/").status_code == 400
    assert api.get("/notices/why/?issue=SHOP-2").status_code == 404
    assert len(api.read("/notices/why/?issue=SHOP-1&org=acme")) == 1


def test_the_command_line_says_the_same(flask, make, cast, issue, session, now):
    notice = make.notice(issue, planned_at=now)
    session.add(verdict(notice, cast.bob, code="alerts_off"))
    result = flask("--issue", "shop-1", "--user", "bob@example.org", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "issue": "SHOP-1",
        "user": "bob@example.org",
        "answers": [
            {
                "notice": notice.public_id,
                "answer": "refused",
                "code": "alerts_off",
                "scope": "account",
                "sentence": "Alerts are off (from your account).",
                "switch": None,
            }
        ],
    }
    line = session.scalars(select(SettingAudit)).one()
    assert (line.user_id, line.actor_id) == (cast.bob.id, None)


def test_in_words_it_is_a_line_for_each_answer(flask, make, issue, now):
    notice = make.notice(issue, planned_at=now, gate_code="issue_ignored")
    result = flask("--issue", "SHOP-1", "--user", "bob@example.org")
    assert result.stdout.splitlines()[2].startswith(
        f"{notice.public_id}  refused  issue_ignored  The issue is"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--issue", "SHOP-9", "--user", "bob@example.org"), "There is no issue SHOP-9"),
        (("--issue", "SHOP-1", "--user", "x@example.org"), "no account for x@example.org"),
        (("--issue", "SHOP-1", "--user", "bob@example.org", "--org", "x"), "no organization x"),
    ],
)
def test_the_command_line_says_what_it_cannot_find(flask, issue, words, says):
    result = flask(*words, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_the_command_line_asks_for_the_organization_where_several_have_the_issue(flask, make, cast, issue):
    make.issue(make.project(cast.rivals, "shop"))
    words = ("--issue", "SHOP-1", "--user", "bob@example.org")
    assert "There are issues SHOP-1 in acme, rivals" in flask(*words).stderr
    assert flask(*words, "--org", "acme").exit_code == 0


def test_programs_too_leave_one_line_an_hour_and_none_of_people_outside(api, session, cast, issue):
    for who in ("bob", "bob", "dee", "charlie"):
        api.read(f"{WHY}&user={who}@example.org")
    assert [line.user_id for line in session.scalars(select(SettingAudit))] == [cast.bob.id]
