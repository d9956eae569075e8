"""Explain says what was recorded, to each reader as much as they may see."""

import pytest

from app.domain import explanations, wording
from app.domain.errors import NotFound
from app.domain.kinds import KINDS, TEST
from app.domain.routing import Reason
from app.domain.wording import Reach
from app.models import Attempt, Verdict
from app.services.issues import assigning
from app.services.notices import explaining, switches, testing_mail
from app.services.notices.explaining import explain, reach_of, visible_notice
from app.services.preferences import preferring


@pytest.fixture
def told(make, issue, now):
    """Makes a verdict about a person; with a state also the delivery."""

    def make_verdict(notice, user, *, state=None, outcome="skip", code="send", **columns):
        if state:
            delivery = make.delivery(notice, user, state=state)
            delivery.verdict.code = code
            for name, value in columns.items():
                setattr(delivery.verdict, name, value)
            return delivery.verdict
        defaults = {"params": {}, "reasons": []}
        verdict = Verdict(
            notice_id=notice.id,
            subject="user",
            subject_id=user.id,
            channel="email",
            outcome=outcome,
            code=code,
            **{**defaults, **columns},
        )
        make.session.add(verdict)
        make.session.flush()
        return verdict

    return make_verdict


@pytest.fixture
def notice(make, issue, now):
    return make.notice(issue, planned_at=now)


def line_of(explanation, person):
    [line] = [line for line in explanation.lines if line.person == person.name]
    return line


REACH = {
    "not yet decided": ({"planned_at": None}, [], "Deciding whom to tell"),
    "stopped at the issue": ({"gate_code": "issue_ignored"}, [], "Told nobody · the issue is ignored"),
    "nobody is there": ({}, [], "Told nobody"),
    "on its way": ({}, ["queued"], "Sending 1"),
    "told": ({}, ["accepted", "accepted"], "Told 2"),
    "told one, failed with another": ({}, ["accepted", "failed"], "Told 1 · 1 failed"),
    "trying again": ({}, ["accepted", "deferred"], "Told 1 · trying again 1"),
    "not wanted any more": ({}, ["accepted", "cancelled"], "Told 1 · 1 not told"),
}


@pytest.mark.parametrize(("columns", "states", "sentence"), REACH.values(), ids=REACH)
def test_the_reach_sentence(session, make, cast, issue, now, columns, states, sentence):
    notice = make.notice(issue, **{"planned_at": now, **columns})
    for person, state in zip((cast.alice, cast.bob), states, strict=False):
        make.delivery(notice, person, state=state)
    assert reach_of(session, [notice], reader=cast.alice, now=now)[notice.id].sentence == sentence
    assert explain(session, notice, cast.alice, now=now).reach.sentence == sentence


def test_skipped_and_collapsed_people_count_too(session, cast, notice, told, now):
    told(notice, cast.alice, state="accepted")
    told(notice, cast.bob, code="alerts_off", params={"scope": "account"})
    told(notice, cast.cy, outcome="collapse", code="merged", params={"notice": "n_1"})
    assert reach_of(session, [notice], reader=cast.alice, now=now)[notice.id] == Reach(
        told=1, collapsed=1, not_told=1
    )


def test_no_notices_reach_nobody(session, cast, now):
    assert reach_of(session, [], reader=cast.alice, now=now) == {}


def test_reach_takes_one_query_for_any_number_of_notices(session, make, cast, issue, now, count_statements):
    notices = [make.notice(issue, planned_at=now) for _ in range(5)]
    for notice in notices:
        make.delivery(notice, cast.alice)
    with count_statements() as sent:
        reach_of(session, notices, reader=cast.alice, now=now)
    assert len(sent) == 1


def test_explaining_takes_as_many_queries_for_many_as_for_one(
    session, make, cast, issue, now, told, count_statements
):
    def queries(people):
        notice = make.notice(issue, planned_at=now)
        for person in people:
            told(notice, person, state="accepted", reasons=["assigned"])
        session.commit()
        found = visible_notice(session, cast.alice, notice.public_id)
        with count_statements() as sent:
            explain(session, found, cast.alice, now=now)
        return len(sent)

    assert queries([cast.bob]) == queries([cast.alice, cast.bob, cast.cy, cast.dee])


PRIVATE = {
    "alerts off": ("alerts_off", {"scope": "account"}, "Alerts are off (from your account)."),
    "workflow never": (
        "workflow_never",
        {"scope": "built-in"},
        "Workflow changes: never (built-in default).",
    ),
    "unsubscribed": ("issue_unsubscribed", {}, "Unsubscribed from this issue."),
    "kind off": (
        "kind_off",
        {"kind": "comments"},
        "This kind of workflow change (comments) is switched off.",
    ),
}


@pytest.mark.parametrize(("code", "params", "sentence"), PRIVATE.values(), ids=PRIVATE)
def test_private_choices_are_shown_to_their_owner_and_to_admins(
    session, cast, notice, told, code, params, sentence, now
):
    told(notice, cast.bob, code=code, params=params, reasons=["workflow_always"])
    seen = {
        reader.name: line_of(explain(session, notice, reader, now=now), cast.bob)
        for reader in (cast.alice, cast.bob, cast.cy)
    }
    assert seen["Bob"].decided_by == seen["Alice"].decided_by == sentence
    assert seen["Cy"].decided_by == wording.THEIR_OWN
    assert list(seen["Cy"].ladder) == []
    assert seen["Cy"].reasons == ()
    assert seen["Bob"].ladder[-1].shut


def test_what_the_mail_server_answered_is_for_the_person_and_admins(session, cast, notice, told, now):
    verdict = told(notice, cast.bob, state="failed")
    session.add(
        Attempt(
            delivery_id=verdict.delivery.id, number=1, at=now, outcome="failed", response="550 no such user"
        )
    )
    session.flush()
    seen = {
        reader.name: line_of(explain(session, notice, reader, now=now), cast.bob)
        for reader in (cast.alice, cast.bob, cast.cy)
    }
    assert [attempt.response for attempt in seen["Bob"].attempts] == ["550 no such user"]
    assert [attempt.response for attempt in seen["Alice"].attempts] == ["550 no such user"]
    assert list(seen["Cy"].attempts) == []
    assert seen["Cy"].mark == "failed"


def test_how_somebody_set_up_workflow_is_not_for_other_members(session, cast, notice, told, now):
    told(notice, cast.bob, state="accepted", reasons=["workflow_always"], params={"scope": "account"})
    reasons = {
        reader.name: list(line_of(explain(session, notice, reader, now=now), cast.bob).reasons)
        for reader in (cast.alice, cast.bob, cast.cy)
    }
    assert reasons == {
        "Alice": ["they get all workflow changes in Shop (from your account)"],
        "Bob": ["you get all workflow changes in Shop (from your account)"],
        "Cy": ["their own settings"],
    }


def test_public_reasons_speak_of_others_in_the_third_person(session, cast, notice, told, now):
    told(notice, cast.bob, state="accepted", reasons=["assigned", "workflow_always"])
    assert list(line_of(explain(session, notice, cast.cy, now=now), cast.bob).reasons) == [
        "this issue is assigned to them"
    ]
    assert (
        line_of(explain(session, notice, cast.bob, now=now), cast.bob).reasons[0]
        == "this issue is assigned to you"
    )


def test_the_reader_comes_first_then_what_needs_a_look(session, cast, notice, told, now):
    told(notice, cast.alice, state="accepted")
    told(notice, cast.bob, state="failed")
    told(notice, cast.cy, code="own_activity")
    assert [line.person for line in explain(session, notice, cast.cy, now=now).lines] == [
        "Cy",
        "Bob",
        "Alice",
    ]


def test_somebody_carried_by_another_notice_is_led_there(session, cast, notice, told, now):
    told(notice, cast.bob, outcome="collapse", code="merged", params={"notice": "n_other"})
    line = line_of(explain(session, notice, cast.cy, now=now), cast.bob)
    assert (line.mark, line.carried_by) == ("collapsed", "n_other")


def test_a_deleted_person_keeps_their_line_without_a_name(session, cast, notice, told, now):
    verdict = told(notice, cast.bob, state="accepted")
    verdict.subject_id = 999_999
    session.flush()
    assert [line.person for line in explain(session, notice, cast.cy, now=now).lines] == [explaining.NOBODY]


def test_the_origin_names_who_did_what(session, cast, issue, now):
    activity = assigning.assign(session, issue, to=cast.bob, by=cast.alice, now=now)
    notice = session.query(explaining.Notice).filter_by(activity_id=activity.id).one()
    assert explain(session, notice, cast.cy, now=now).origin == "Alice assigned this issue to Bob."


def test_an_alert_of_a_deleted_rule_still_has_an_origin(session, cast, make, issue, now):
    notice = make.notice(issue, planned_at=now, event_id="8f21c0de" * 4, rule_id=None)
    assert explain(session, notice, cast.cy, now=now).origin == (
        "A rule that was deleted since fired for event 8f21c0de, the first of this issue."
    )


def test_a_notice_outlives_its_issue(session, cast, notice, told, now):
    told(notice, cast.bob, state="accepted", reasons=["fallback_all"])
    notice.issue = None
    session.flush()
    assert explain(session, notice, cast.bob, now=now).lines[0].mark == "sent"


SEES = {"alice": True, "bob": True, "dee": False, "charlie": False}


@pytest.mark.parametrize(("name", "sees"), SEES.items())
def test_only_people_with_the_project_find_the_notice(session, cast, notice, name, sees):
    reader = getattr(cast, name)
    if sees:
        assert visible_notice(session, reader, notice.public_id) is notice
    else:
        with pytest.raises(NotFound):
            visible_notice(session, reader, notice.public_id)


def test_a_test_message_is_for_its_person_alone(session, make, cast, now):
    notice = testing_mail.send_test(session, cast.bob, now=now)
    assert visible_notice(session, cast.bob, notice.public_id) is notice
    root = make.user("Root", is_superuser=True)
    for reader in (cast.alice, cast.charlie, root):
        with pytest.raises(NotFound):
            visible_notice(session, reader, notice.public_id)


def test_a_test_message_is_decided_and_on_its_way(session, cast, now):
    notice = testing_mail.send_test(session, cast.bob, now=now)
    explanation = explain(session, notice, cast.bob, now=now)
    assert explanation.reach == Reach(sending=1)
    assert explanation.is_under_way
    assert explanation.lines[0].delivery.address == cast.bob.email


def test_a_test_message_to_an_unverified_address_says_why_it_stays(session, make, now):
    person = make.user("Una", verified=False)
    explanation = explain(session, testing_mail.send_test(session, person, now=now), person, now=now)
    assert explanation.reach == Reach(not_told=1)
    assert explanation.lines[0].decided_by == "No verified address to send to."


@pytest.mark.parametrize(
    "kind", [kind.name for kind in KINDS.values() if kind.category in ("alerts", "workflow", TEST)]
)
def test_every_kind_of_notice_has_an_origin(kind):
    assert kind in explanations.ORIGINS


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_notice_is_on_the_help_page(kind):
    assert kind in explanations.OCCASIONS


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_for_others(reason):
    assert reason in explanations.OF_OTHERS


@pytest.mark.parametrize("switch", sorted({words.switch for words in wording.CODES.values() if words.switch}))
def test_every_switch_has_a_place(switch):
    assert switch in switches.SWITCHES


def test_my_own_silence_comes_with_its_switch(session, cast, notice, told, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    told(notice, cast.bob, code="alerts_off", params={"scope": "account"})
    line = line_of(explain(session, notice, cast.bob, now=now), cast.bob)
    assert line.switch == ("Change", "/settings/account/notifications/alerts/?at=shop#p-shop")
    assert line_of(explain(session, notice, cast.alice, now=now), cast.bob).switch is None
