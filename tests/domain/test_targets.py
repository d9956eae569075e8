"""Whom the mail actions of a rule name: a table, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.routing import Reason
from app.domain.targets import Assignee, Owners, Roster, Squad, targets
from app.domain.wording import also, reason_sentence

ANN, BOB, CY, GONE = 1, 2, 3, 9
HERE, AWAY = 10, 20
ROSTER = Roster(
    "Shop",
    [BOB, ANN, CY],
    {HERE: Squad("payments", [BOB, CY]), AWAY: Squad("others", [ANN], is_here=False)},
    {ANN: "Ann", GONE: "Dee"},
)
NO_LINE, BOBS_LINE = Owners(), Owners({BOB: (4, "path:src/* bob@example.org", None)}, [4])
TEAMS_LINE = Owners({BOB: (7, "url:* #payments", "#payments")}, [7])
NAMES_NOBODY = Owners(lines=[4])
NOBODY_HAS_IT = Assignee()


def mail(target, id_=None, fallback="project"):
    return {"id": "mail", "target": target, "targetId": id_, "fallback": fallback}


def told(*actions, owners=NO_LINE, assignee=NOBODY_HAS_IT):
    return targets(actions, ROSTER, owners, assignee, rule="Fatal")


def all_of(ids, reason):
    return {user_id: {reason} for user_id in ids}


CASES = {
    "an owner": ([mail("owners")], BOBS_LINE, {BOB: {Reason.OWNER_RULE}}),
    "an owner's team": ([mail("owners")], TEAMS_LINE, {BOB: {Reason.TEAM_OWNER_RULE}}),
    "no line, all": ([mail("owners")], NO_LINE, all_of((ANN, BOB, CY), Reason.FALLBACK_ALL)),
    "no line, nobody": ([mail("owners", fallback="none")], NO_LINE, {}),
    "a line without access, nobody": ([mail("owners", fallback="none")], NAMES_NOBODY, {}),
    "a team": ([mail("team", HERE)], NO_LINE, all_of((BOB, CY), Reason.RULE_TEAM)),
    "a team without access": ([mail("team", AWAY)], NO_LINE, {}),
    "a team that is gone": ([mail("team", 99)], NO_LINE, {}),
    "a member": ([mail("member", ANN)], NO_LINE, {ANN: {Reason.RULE_MEMBER}}),
    "a member who left": ([mail("member", GONE)], NO_LINE, {}),
    "several": (
        [mail("member", BOB), mail("team", HERE), mail("owners")],
        BOBS_LINE,
        {BOB: {Reason.RULE_MEMBER, Reason.RULE_TEAM, Reason.OWNER_RULE}, CY: {Reason.RULE_TEAM}},
    ),
    "an integration alone": ([{"id": "integration", "integration": "all"}], NO_LINE, {}),
}


@pytest.mark.parametrize(("actions", "owners", "people"), CASES.values(), ids=CASES)
def test_whom_actions_name(actions, owners, people):
    found = told(*actions, owners=owners)
    assert {user_id: target.reasons for user_id, target in found.people.items()} == people


ASSIGNED = {
    "a person": (Assignee(user_id=ANN), {ANN: Reason.ASSIGNED}),
    "a team": (Assignee(team_id=HERE), {BOB: Reason.TEAM_ASSIGNED, CY: Reason.TEAM_ASSIGNED}),
    "nobody": (NOBODY_HAS_IT, dict.fromkeys((ANN, BOB, CY), Reason.FALLBACK_ALL)),
    "somebody who left": (Assignee(user_id=GONE), dict.fromkeys((ANN, BOB, CY), Reason.FALLBACK_ALL)),
    "a team without access": (Assignee(team_id=AWAY), dict.fromkeys((ANN, BOB, CY), Reason.FALLBACK_ALL)),
}


@pytest.mark.parametrize(("assignee", "people"), ASSIGNED.values(), ids=ASSIGNED)
def test_who_has_the_issue(assignee, people):
    found = told(mail("assignee"), assignee=assignee).people
    assert {user_id: target.reasons for user_id, target in found.items()} == {
        user_id: {reason} for user_id, reason in people.items()
    }


def test_who_was_here_last_comes_first_and_twenty_are_enough():
    roster = Roster("Shop", list(range(100, 0, -1)))
    found = targets([mail("owners", fallback="active")], roster, NO_LINE, NOBODY_HAS_IT).people
    assert sorted(found) == list(range(81, 101))
    assert found[100].because["everyone"] == "the 20 members of Shop who were here last were"


NOBODY = {
    "the project says so": (
        mail("owners"),
        Owners(fallthrough=False),
        "no owner rule matched",
        "the project",
    ),
    "the rule says so": (mail("owners", fallback="none"), NO_LINE, "no owner rule matched", "the rule"),
    "the owners have no access": (
        mail("owners", fallback="none"),
        NAMES_NOBODY,
        "issue owners line 4 names nobody who has access",
        "the rule",
    ),
    "nobody has it": (
        mail("assignee", fallback="none"),
        NO_LINE,
        "nobody is assigned to the issue",
        "the rule",
    ),
}


@pytest.mark.parametrize(("action", "owners", "nobody", "by"), NOBODY.values(), ids=NOBODY)
def test_why_nobody_is_told(action, owners, nobody, by):
    assert told(action, owners=owners).nobody == {"nobody": nobody, "by": by}
    assert told(action, mail("member", ANN), owners=owners).nobody is None


def test_what_names_nobody_any_more_is_trouble():
    found = told(mail("team", AWAY), mail("member", GONE), mail("team", 99))
    assert found.trouble == [
        "It tells #others, which has no access to Shop any more.",
        "It tells Dee, who has no access to Shop any more.",
        "It tells a team that was deleted, which has no access to Shop any more.",
    ]


def test_each_reason_keeps_its_own_facts():
    found = told(mail("team", HERE), mail("owners"), owners=TEAMS_LINE).people[BOB]
    facts = {"because": found.because}
    reasons = [Reason.TEAM_OWNER_RULE, Reason.RULE_TEAM]
    assert reason_sentence(reasons, facts) == (
        "issue owners line 7, url:* #payments, names #payments, your team"
    )
    assert also(reasons, facts) == ["the alert rule “Fatal” sends to #payments, your team"]


rows = st.lists(
    st.builds(
        mail,
        st.sampled_from(["owners", "assignee", "team", "member"]),
        st.sampled_from([ANN, BOB, CY, GONE, HERE, AWAY]),
        st.sampled_from(["project", "all", "active", "none"]),
    ),
    max_size=4,
)
owners = st.sampled_from([NO_LINE, BOBS_LINE, TEAMS_LINE, NAMES_NOBODY, Owners(fallthrough=False)])
assignees = st.sampled_from([case for case, _ in ASSIGNED.values()])


@given(rows, owners, assignees)
def test_only_members_are_named_each_with_a_reason_that_can_be_said(actions, owners, assignee):
    found = targets(actions, ROSTER, owners, assignee)
    assert found.people.keys() <= set(ROSTER.members)
    for target in found.people.values():
        for reason in target.reasons:
            assert reason_sentence([reason], {"because": target.because})


@given(rows, rows, owners, assignees)
def test_a_further_action_never_takes_anybody_away(actions, more, owners, assignee):
    before, after = (targets(each, ROSTER, owners, assignee) for each in (actions, [*actions, *more]))
    for user_id, target in before.people.items():
        assert target.reasons <= after.people[user_id].reasons


@given(rows, owners, assignees)
def test_nobody_told_is_said_only_where_nobody_is(actions, owners, assignee):
    found = targets(actions, ROSTER, owners, assignee)
    assert not (found.nobody and found.people)
    assert len(found.audience) == len(actions)
