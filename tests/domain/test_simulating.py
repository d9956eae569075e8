"""What is different is laid over what is on record: a replay without a change is the record."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.simulating import (
    HOUR,
    Count,
    Key,
    Run,
    Subject,
    Told,
    counts,
    laid_over,
    most_changed,
    sign,
    untold,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ANN, BOB = Subject("user", 1), Subject("user", 2)
SENT, NOT_SENT = Told("send", "send"), Told("skip", "alerts_off")


def run(*answers, gates=None):
    made = {Key(notice, who): told for notice, who, told in answers}
    return Run(made, gates or {key.notice: None for key in made})


def sent(name, minutes=0):
    return Told("send", "send", name, NOON + timedelta(minutes=minutes))


def test_two_runs_that_agree_leave_the_record_as_it_is():
    recorded, again = run(("a", ANN, SENT)), run(("a", ANN, NOT_SENT))
    assert laid_over(recorded, again, again).after == recorded


def test_where_they_disagree_the_draft_has_its_way():
    recorded, drafted = run(("a", ANN, SENT), ("a", BOB, SENT)), run(("a", ANN, NOT_SENT), ("a", BOB, SENT))
    after = laid_over(recorded, recorded, drafted).after
    assert after.answers == drafted.answers


def test_a_notice_that_the_draft_takes_away_is_gone():
    recorded = run(("a", ANN, SENT), ("b", ANN, SENT))
    after = laid_over(recorded, recorded, run(("b", ANN, SENT))).after
    assert set(after.gates) == {"b"}
    assert {key.notice for key in after.answers} == {"b"}


def test_how_much_came_out_as_recorded_is_counted():
    recorded = run(("a", ANN, SENT), ("a", BOB, SENT))
    found = laid_over(recorded, run(("a", ANN, SENT), ("a", BOB, NOT_SENT)), recorded)
    assert (found.agreed, found.asked) == (1, 2)


def test_answers_that_share_a_message_count_as_one():
    one = run(("a", ANN, sent("digest 1")), ("b", ANN, sent("digest 1")), ("c", ANN, sent("c", 9)))
    assert counts(one, one, one)[ANN] == Count(2, 2, 2)


def test_messages_after_are_those_on_record_and_the_difference():
    recorded = run(("a", ANN, sent("a")), ("b", ANN, sent("b")))
    again, drafted = run(("a", ANN, sent("x"))), run(("a", ANN, NOT_SENT))
    assert counts(recorded, again, drafted)[ANN].after == 1


def test_messages_within_an_hour_are_a_flood():
    storm = run(*((str(n), ANN, sent(n, n)) for n in range(21)))
    calm = run(*((str(n), ANN, sent(n, 4 * n)) for n in range(21)))
    assert counts(storm, storm, storm)[ANN].is_flood
    assert not counts(calm, calm, calm)[ANN].is_flood


GATES = {"nobody at all": (None, True), "no owner": ("no_owner", True), "settled": ("no_longer_open", False)}


@pytest.mark.parametrize(("gate", "is_untold"), GATES.values(), ids=GATES)
def test_an_alert_that_nobody_hears_of_is_counted(gate, is_untold):
    answers = [("a", ANN, NOT_SENT)] if gate is None else []
    found = untold(run(*answers, gates={"a": gate}), {"a"})
    assert found == ({"a"} if is_untold else set())


SIGNS = {
    "told now as well": (SENT, SENT, "="),
    "told besides": (NOT_SENT, SENT, "+"),
    "named besides": (None, SENT, "+"),
    "told no longer": (SENT, None, "−"),
    "told later": (SENT, Told("defer", "batched"), "~"),
    "for another reason": (NOT_SENT, Told("skip", "issue_muted"), "~"),
}


@pytest.mark.parametrize(("now", "after", "expected"), SIGNS.values(), ids=SIGNS)
def test_what_changes_has_a_sign(now, after, expected):
    assert sign(now, after) == expected


def test_the_issues_that_change_most_come_first():
    before = run(*((str(n), ANN, SENT) for n in range(5))).answers
    after = run(*((str(n), ANN, NOT_SENT if n < 3 else SENT) for n in range(5))).answers
    found = most_changed(before, after, {"0": 7, "1": 8, "2": 8, "3": 9, "4": 9})
    assert [(each.issue_id, each.fewer) for each in found] == [(8, 2), (7, 1)]


def test_an_alert_that_moves_to_another_rule_changes_nothing():
    before, after = run(("a", ANN, SENT), ("b", BOB, SENT)).answers, run(("c", ANN, SENT)).answers
    [found] = most_changed(before, after, {"a": 7, "b": 7, "c": 7})
    assert (found.more, found.fewer, found.otherwise) == (0, 1, 0)
    assert most_changed(run(("a", ANN, SENT)).answers, after, {"a": 7, "c": 7}) == []


def test_an_alert_that_moves_and_comes_later_is_told_otherwise():
    before = run(("a", ANN, Told("send", "send", at=NOON))).answers
    after = run(("c", ANN, Told("send", "send", at=NOON + HOUR))).answers
    [found] = most_changed(before, after, {"a": 7, "c": 7})
    assert (found.more, found.fewer, found.otherwise) == (0, 0, 1)
