"""The ladder shows every question with its answer, and never decides anything itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import routing
from app.domain.kinds import ALERTS, KINDS, WORKFLOW
from app.domain.ladder import NOTICE, TOGETHER, Decided, steps
from app.domain.preferences import Choices, InForce
from app.domain.routing import GATES, Happening, Outcome, Person, Reason

NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)


def decided(kind, code, reasons=(), until="", was_actor=False, **params):
    return Decided(KINDS[kind], code, reasons, params, until, was_actor)


def answers(found):
    return {step.question: step.answer for step in steps(found)}


def test_who_is_told_passed_every_gate():
    found = steps(decided("comment", "send", ["workflow_always"], scope="account"))
    assert not any(step.shut for step in found)
    assert answers(decided("comment", "send", ["workflow_always"], scope="account"))[
        "Workflow changes never?"
    ] == ("no: Always, from your account")


def test_the_gate_that_shut_is_the_last_one():
    found = steps(decided("alert.new", "alerts_off", scope="project"))
    assert (found[-1].question, found[-1].answer, found[-1].shut) == (
        "Alerts off?",
        "yes, your choice for this project",
        True,
    )


@pytest.mark.parametrize(
    ("kind", "never_asked"), [("alert.new", "Workflow changes never?"), ("comment", "Alerts off?")]
)
def test_questions_about_other_categories_are_not_asked(kind, never_asked):
    assert never_asked not in answers(decided(kind, "send"))


def test_of_a_changed_rule_nobody_is_asked_whether_they_follow_an_issue():
    found = answers(decided("rule_changed", "send", ["rule_author"]))
    assert not {"Unsubscribed from this issue?", "This issue muted?"} & found.keys()
    assert not [question for question in found if "subscribed issues" in question]
    assert found["Workflow changes never?"] == "no"
    assert found["This kind of change switched off?"] == "no: Alert rules on"


def test_a_hold_says_until_when_to_who_may_know():
    held = decided("comment", "quiet_hours", ["mention"], until="until 08:00")
    assert answers(held)["Quiet hours?"] == "yes, until 08:00"
    assert answers(decided("comment", "quiet_hours", ["mention"]))["Quiet hours?"] == "yes"


THOUGH = {
    "rang through": ({"rings_through": True}, "yes, but this rings through"),
    "nobody was awake": ({"last_resort": True}, "yes, but nobody awake would have been told"),
}


@pytest.mark.parametrize(("params", "answer"), THOUGH.values(), ids=THOUGH)
def test_quiet_hours_that_did_not_hold_say_why(params, answer):
    assert answers(decided("alert.new", "send", **params))["Quiet hours?"] == answer


def test_whoever_wants_to_hear_of_what_they_do_did_it():
    question = "Did this person do it?"
    assert answers(decided("comment", "send", was_actor=True))[question] == "yes, and wants to hear of it"
    assert answers(decided("comment", "send"))[question] == "no"


def test_a_required_rule_is_told_although_a_gate_would_have_shut():
    found = steps(decided("alert.new", "send", ["required"], overrules=["alerts_off"]))
    assert not any(step.shut for step in found)
    assert {step.question: step.answer for step in found}["Alerts off?"] == "yes, but the rule is required"


def test_a_summary_is_told_after_every_gate():
    found = steps(decided("resolved", "batched", ["assigned"], issues=3))
    assert (found[-1].question, found[-1].shut) == (TOGETHER, True)
    assert len(found) > len(steps(decided("resolved", "send")))


@pytest.mark.parametrize("code", ["issue_ignored", "no_longer_open", "undone"])
def test_what_stopped_the_notice_itself_is_the_only_question(code):
    assert [(step.question, step.shut) for step in steps(decided("alert.new", code))] == [(NOTICE, True)]


persons = st.builds(
    Person,
    id=st.just(2),
    reasons=st.frozensets(st.sampled_from(list(Reason)), max_size=3),
    choices=st.builds(
        Choices,
        alerts=st.builds(InForce, st.sampled_from(["on", "off"]), st.just("account")),
        workflow=st.builds(
            InForce, st.sampled_from(["always", "participating", "never"]), st.just("account")
        ),
        wants_own=st.booleans(),
        fatal_rings=st.booleans(),
        kinds_off=st.frozensets(st.sampled_from(["comments", "resolution"])),
    ),
    is_active=st.booleans(),
    can_see=st.booleans(),
    unsubscribed=st.booleans(),
    is_muted=st.booleans(),
    rule_muted=st.booleans(),
    has_address=st.booleans(),
    carried_by=st.none() | st.just("n_1"),
    quiet_until=st.none() | st.just(NIGHT),
)
happenings = st.builds(
    Happening,
    kind=st.sampled_from([kind for kind in KINDS.values() if kind.category in (ALERTS, WORKFLOW)]),
    actor_id=st.none() | st.just(2),
    is_fatal=st.booleans(),
    is_required=st.booleans(),
)


@given(happenings, persons)
def test_the_ladder_ends_where_the_evaluator_decided(what, who):
    verdict = routing.decide(what, who)
    reasons = [str(reason) for reason in verdict.reasons]
    was_actor = what.actor_id == who.id
    found = steps(Decided(what.kind, verdict.code, reasons, verdict.params, "", was_actor))
    shut = [step.question for step in found if step.shut]
    if verdict.outcome == Outcome.SEND:
        assert shut == []
    else:
        [gate] = [gate for gate in GATES if gate.code == verdict.code]
        assert shut == [gate.question] == [found[-1].question]
