"""Who is told, and why, or why not: the ladder as a table, and what holds whatever people chose."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import routing, wording
from app.domain.kinds import ALERTS, KINDS, NOTICE_OF_ACTIVITY, WORKFLOW, WORKFLOW_SWITCHES
from app.domain.lifecycle import (
    HIDDEN,
    IGNORED,
    PENDING_DELETION,
    PENDING_MERGE,
    RESOLVED,
    STATUSES,
    UNRESOLVED,
)
from app.domain.preferences import Choices, InForce
from app.domain.routing import (
    GATES,
    STRENGTH,
    Happening,
    Outcome,
    Person,
    Reason,
    decide,
    gate_of_notice,
    gather,
    plan,
    tally,
    wake,
)

# `experience.md` 2.3 with the additions of the decisions: a public contract, so it is spelt out here.
PUBLIC_CODES = {
    *("issue_ignored", "no_longer_open", "stale_event", "rule_no_match", "rule_disabled", "rule_muted"),
    *("rule_interval", "project_paused", "flapping", "storm", "merged", "no_owner", "inactive", "no_access"),
    *("required", "own_activity", "issue_unsubscribed", "issue_muted", "alerts_off", "rule_muted_me"),
    *(
        "workflow_never",
        "deploys_never",
        "kind_off",
        "not_subscribed",
        "channel_off",
        "quiet_hours",
        "batched",
    ),
    *("daily_digest", "recipient_cap", "seen_in_app", "send", "address_unverified", "address_suppressed"),
    *("no_device", "integration_disabled", "provider_throttled"),
    "health_off",  # the category has no code there
}
PUBLIC_REASONS = {
    *("assigned", "team_assigned", "mention", "team_mention", "unassigned", "commented", "participated"),
    *("subscribed", "committer", "owner_rule", "team_owner_rule", "fallback_all", "rule_member", "rule_team"),
    *("required", "workflow_always", "resubscribed", "bookmarked", "deploys_all", "rule_integration"),
    "rule_author",  # of E19, whom the catalogue names without a code
    "release_watched",  # of 5.13, likewise
}

NEW, COMMENT, ASSIGNED = (Happening(KINDS[name]) for name in ("alert.new", "comment", "assigned"))
ACTOR = 1


def by_actor(what: Happening) -> Happening:
    return replace(what, actor_id=ACTOR)


def chose(**values: str) -> Choices:
    """Choices made for the account: `chose(alerts="off")`."""
    return Choices(**{category: InForce(value, "account") for category, value in values.items()})


ALWAYS = frozenset({Reason.WORKFLOW_ALWAYS})
FALLBACK = frozenset({Reason.FALLBACK_ALL})
SUBSCRIBED = frozenset({Reason.SUBSCRIBED})
MENTION = frozenset({Reason.MENTION})
ONLY_SUBSCRIBED = chose(workflow="participating")
NEVER = chose(workflow="never")
NO_ALERTS = chose(alerts="off")
HOLD_FATAL = Choices(fatal_rings=False)
FATAL = replace(NEW, is_fatal=True)
REQUIRED = replace(NEW, is_required=True)
MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NO_COMMENTS, NO_RULES = (Choices(kinds_off=frozenset({kind})) for kind in ("comments", "rules"))
RULE_CHANGED, AUTHOR = Happening(KINDS["rule_changed"]), frozenset({Reason.RULE_AUTHOR})

CASES = {
    "a member, of a new issue": (NEW, Person(2, FALLBACK), "send"),
    "a member, of a change": (COMMENT, Person(2, ALWAYS), "send"),
    "an account that is switched off": (NEW, Person(2, FALLBACK, is_active=False), "inactive"),
    "somebody who left the project": (NEW, Person(2, FALLBACK, can_see=False), "no_access"),
    "somebody who left and is mentioned": (COMMENT, Person(2, MENTION, can_see=False), "no_access"),
    "whoever did it": (by_actor(COMMENT), Person(ACTOR, ALWAYS), "own_activity"),
    "whoever did it and wants to hear of it": (
        by_actor(COMMENT),
        Person(ACTOR, ALWAYS, Choices(wants_own=True)),
        "send",
    ),
    "whoever assigned it to themselves": (
        by_actor(ASSIGNED),
        Person(ACTOR, frozenset({Reason.ASSIGNED})),
        "own_activity",
    ),
    "unsubscribed, of an alert": (NEW, Person(2, FALLBACK, unsubscribed=True), "issue_unsubscribed"),
    "unsubscribed, of a change": (COMMENT, Person(2, ALWAYS, unsubscribed=True), "issue_unsubscribed"),
    "alerts off, of an alert": (NEW, Person(2, FALLBACK, NO_ALERTS), "alerts_off"),
    "alerts off, of a change": (COMMENT, Person(2, ALWAYS, NO_ALERTS), "send"),
    "workflow never, of a change": (COMMENT, Person(2, SUBSCRIBED, NEVER), "workflow_never"),
    "workflow never, of an alert": (NEW, Person(2, FALLBACK, NEVER), "send"),
    "workflow never, though assigned": (
        ASSIGNED,
        Person(2, frozenset({Reason.ASSIGNED}), NEVER),
        "workflow_never",
    ),
    "workflow never, though mentioned": (COMMENT, Person(2, MENTION, NEVER), "workflow_never"),
    "only subscribed, and not subscribed": (
        COMMENT,
        Person(2, frozenset(), ONLY_SUBSCRIBED),
        "not_subscribed",
    ),
    "only subscribed, and subscribed": (COMMENT, Person(2, SUBSCRIBED, ONLY_SUBSCRIBED), "send"),
    "only subscribed, and mentioned": (COMMENT, Person(2, MENTION, ONLY_SUBSCRIBED), "send"),
    "only subscribed, of an alert": (NEW, Person(2, FALLBACK, ONLY_SUBSCRIBED), "send"),
    "no comments, please": (COMMENT, Person(2, ALWAYS, NO_COMMENTS), "kind_off"),
    "no comments, but mentioned": (COMMENT, Person(2, MENTION, NO_COMMENTS), "send"),
    "no comments, but their team is mentioned": (
        COMMENT,
        Person(2, frozenset({Reason.TEAM_MENTION}), NO_COMMENTS),
        "kind_off",
    ),
    "the author, of a changed rule": (RULE_CHANGED, Person(2, AUTHOR, ONLY_SUBSCRIBED), "send"),
    "no changed rules, please": (RULE_CHANGED, Person(2, AUTHOR, NO_RULES), "kind_off"),
    "no changed rules, of a change": (COMMENT, Person(2, ALWAYS, NO_RULES), "send"),
    "the author, who changed it": (by_actor(RULE_CHANGED), Person(ACTOR, AUTHOR), "own_activity"),
    "workflow never, of a changed rule": (RULE_CHANGED, Person(2, AUTHOR, NEVER), "workflow_never"),
    "asleep, of a changed rule": (RULE_CHANGED, Person(2, AUTHOR, quiet_until=MORNING), "quiet_hours"),
    "no comments, of an assignment": (ASSIGNED, Person(2, ALWAYS, NO_COMMENTS), "send"),
    "no address that is verified": (NEW, Person(2, FALLBACK, has_address=False), "address_unverified"),
    "told by the other rule already": (NEW, Person(2, FALLBACK, carried_by="n_1"), "merged"),
    "did it and is unsubscribed": (
        by_actor(COMMENT),
        Person(ACTOR, ALWAYS, unsubscribed=True),
        "own_activity",
    ),
    "muted this issue, of an alert": (NEW, Person(2, FALLBACK, is_muted=True), "issue_muted"),
    "muted this issue, though mentioned": (COMMENT, Person(2, MENTION, is_muted=True), "issue_muted"),
    "unsubscribed and muted": (
        COMMENT,
        Person(2, ALWAYS, unsubscribed=True, is_muted=True),
        "issue_unsubscribed",
    ),
    "asleep, of an alert": (NEW, Person(2, FALLBACK, quiet_until=MORNING), "quiet_hours"),
    "asleep, of a change": (COMMENT, Person(2, ALWAYS, quiet_until=MORNING), "quiet_hours"),
    "asleep, of a fatal alert": (FATAL, Person(2, FALLBACK, quiet_until=MORNING), "send"),
    "asleep and wants no fatal alert": (
        FATAL,
        Person(2, FALLBACK, HOLD_FATAL, quiet_until=MORNING),
        "quiet_hours",
    ),
    "asleep, of a change to what is fatal": (
        replace(COMMENT, is_fatal=True),
        Person(2, ALWAYS, quiet_until=MORNING),
        "quiet_hours",
    ),
    "asleep, of a rule that may interrupt": (
        replace(NEW, may_interrupt=True),
        Person(2, FALLBACK, HOLD_FATAL, quiet_until=MORNING),
        "send",
    ),
    "asleep and alerts off": (FATAL, Person(2, FALLBACK, NO_ALERTS, quiet_until=MORNING), "alerts_off"),
    "asleep and told by the other rule already": (
        NEW,
        Person(2, FALLBACK, carried_by="n_1", quiet_until=MORNING),
        "merged",
    ),
    "a rule that is muted": (NEW, Person(2, FALLBACK, rule_muted=True), "rule_muted_me"),
    "a rule that is muted for everybody": (NEW, Person(2, FALLBACK, rule_silent=True), "rule_muted"),
    "a required rule, alerts off": (REQUIRED, Person(2, FALLBACK, NO_ALERTS), "send"),
    "a required rule that is muted": (REQUIRED, Person(2, FALLBACK, rule_muted=True), "send"),
    "a required rule that is muted for everybody": (
        REQUIRED,
        Person(2, FALLBACK, rule_silent=True),
        "rule_muted",
    ),
    "a required rule, unsubscribed": (REQUIRED, Person(2, FALLBACK, unsubscribed=True), "issue_unsubscribed"),
    "a required rule, issue muted": (REQUIRED, Person(2, FALLBACK, is_muted=True), "issue_muted"),
    "a required rule, asleep": (REQUIRED, Person(2, FALLBACK, quiet_until=MORNING), "quiet_hours"),
    "a required rule, without an address": (
        REQUIRED,
        Person(2, FALLBACK, has_address=False),
        "address_unverified",
    ),
    "inactive and gone": (NEW, Person(2, FALLBACK, is_active=False, can_see=False), "inactive"),
}


@pytest.mark.parametrize(("what", "who", "code"), CASES.values(), ids=CASES)
def test_who_is_told_and_why_not(what, who, code):
    assert decide(what, who).code == code


def test_the_strongest_reason_comes_first():
    who = Person(2, frozenset({Reason.WORKFLOW_ALWAYS, Reason.MENTION, Reason.SUBSCRIBED}))
    assert decide(COMMENT, who).reasons == (Reason.MENTION, Reason.SUBSCRIBED, Reason.WORKFLOW_ALWAYS)


def test_a_switch_that_decided_is_named_with_its_scope():
    choices = Choices(alerts=InForce("off", "project"))
    assert decide(NEW, Person(2, FALLBACK, choices)).params == {"scope": "project"}


def test_the_notice_that_told_them_already_is_named():
    verdict = decide(NEW, Person(2, FALLBACK, carried_by="n_1"))
    assert (verdict.outcome, verdict.params) == (Outcome.COLLAPSE, {"scope": "built-in", "notice": "n_1"})


def test_what_is_held_says_until_when():
    verdict = decide(NEW, Person(2, FALLBACK, quiet_until=MORNING))
    assert verdict.outcome == Outcome.DEFER
    assert verdict.params == {"scope": "built-in", "until": "2026-11-24T08:00:00+00:00"}


def asleep(*ids, **facts):
    return [Person(id_, FALLBACK, HOLD_FATAL, quiet_until=MORNING, **facts) for id_ in ids]


AWAKE = Person(9, FALLBACK)
TOLD_ALREADY = Person(8, FALLBACK, carried_by="n_1")
WOKEN = {
    "nobody is awake": (asleep(2, 3), {2}, {2}),
    "nobody is awake, and all may be woken": (asleep(2, 3), {2, 3}, {2, 3}),
    "somebody is awake": ([*asleep(2, 3), AWAKE], {2}, {9}),
    "somebody was told by the other rule": ([*asleep(2, 3), TOLD_ALREADY], {2}, set()),
    "the last resort is no candidate": (asleep(2, 3), {7}, set()),
    "the last resort has unsubscribed": ([*asleep(2), *asleep(3, unsubscribed=True)], {3}, set()),
}


@pytest.mark.parametrize(("who", "last_resort", "told"), WOKEN.values(), ids=WOKEN)
def test_who_is_woken_if_nobody_is_awake(who, last_resort, told):
    verdicts = wake(plan(FATAL, who), last_resort)
    assert {verdict.person_id for verdict in verdicts if verdict.outcome is Outcome.SEND} == told


def test_whoever_is_woken_is_still_told_which_choice_let_it_through():
    choices = Choices(alerts=InForce("on", "project"), fatal_rings=False)
    [verdict] = wake(plan(FATAL, [Person(2, FALLBACK, choices, quiet_until=MORNING)]), {2})
    assert verdict.params == {"scope": "project", "last_resort": True}


def test_who_hears_of_several_hears_of_them_together():
    both, one = Person(2, ALWAYS), Person(3, ALWAYS)
    left = replace(one, unsubscribed=True)
    first, second = gather([plan(COMMENT, [both, one]), plan(COMMENT, [both, left])])
    assert [(each.code, each.params.get("issues")) for each in first] == [("batched", 2), ("send", None)]
    assert [each.code for each in second] == ["batched", "issue_unsubscribed"]


GATED = {
    "a new issue that is ignored": ("alert.new", IGNORED, "issue_ignored"),
    "a new issue that was resolved": ("alert.new", RESOLVED, "no_longer_open"),
    "a new issue that was deleted": ("alert.new", None, "no_longer_open"),
    "a new issue that is open": ("alert.new", UNRESOLVED, None),
    "a comment on an issue that was deleted": ("comment", None, "no_longer_open"),
    "a comment on an issue that is being merged": ("comment", PENDING_MERGE, "no_longer_open"),
    "an alert about an issue that is being deleted": ("alert.new", PENDING_DELETION, "no_longer_open"),
    "a test, which is about no issue": ("test", None, None),
    "an alert about a regression that is ignored": ("alert.regression", IGNORED, "issue_ignored"),
    "a comment on an ignored issue": ("comment", IGNORED, None),
    "a resolution": ("resolved", RESOLVED, None),
}


@pytest.mark.parametrize(("kind", "status", "code"), GATED.values(), ids=GATED)
def test_where_a_notice_stops_as_a_whole(kind, status, code):
    assert gate_of_notice(KINDS[kind], status) == code


def test_every_code_and_reason_is_on_the_public_list():
    codes = {gate.code for gate in GATES} | {code for _, _, code in GATED.values() if code}
    assert codes < PUBLIC_CODES
    assert {str(reason) for reason in Reason} <= PUBLIC_REASONS


def test_every_code_and_reason_has_its_sentence():
    of_notices = {"send", "issue_ignored", "no_longer_open", "undone", "batched"}
    of_rules = {"rule_no_match", "rule_disabled", "rule_interval", "no_owner"}
    of_integrations = {
        *("integration_disabled", "integration_removed", "channel_off", "nothing_to_send", "reached_nobody")
    }
    known = {gate.code for gate in GATES} | of_notices | of_rules | of_integrations
    assert known == set(wording.CODES)
    assert set(Reason) == set(wording.REASONS)


def test_reasons_are_ordered_completely():
    assert sorted(STRENGTH.values()) == list(range(len(Reason)))


def test_every_activity_makes_a_known_notice_or_none():
    assert {kind for kind in NOTICE_OF_ACTIVITY.values() if kind} <= set(KINDS)


def test_every_workflow_notice_has_a_switch():
    switches = {kind.switch for kind in KINDS.values() if kind.category == WORKFLOW and kind.in_thread}
    assert switches <= set(WORKFLOW_SWITCHES)


# What holds whatever people chose

scopes = st.sampled_from(("built-in", "instance", "account", "project"))
choices = st.builds(
    Choices,
    alerts=st.builds(InForce, st.sampled_from(("on", "off")), scopes),
    workflow=st.builds(InForce, st.sampled_from(("always", "participating", "never")), scopes),
    wants_own=st.booleans(),
    fatal_rings=st.booleans(),
    kinds_off=st.frozensets(st.sampled_from(WORKFLOW_SWITCHES)),
)
people = st.builds(
    Person,
    id=st.integers(1, 30),
    reasons=st.frozensets(st.sampled_from(Reason)),
    choices=choices,
    is_active=st.booleans(),
    can_see=st.booleans(),
    unsubscribed=st.booleans(),
    has_address=st.booleans(),
    is_muted=st.booleans(),
    rule_muted=st.booleans(),
    rule_silent=st.booleans(),
    carried_by=st.none() | st.just("n_1"),
    paused_until=st.none() | st.just(MORNING),
    quiet_until=st.none() | st.just(MORNING),
    paced_until=st.none() | st.just(MORNING),
    capped_until=st.none() | st.just(MORNING),
    because=st.just({}) | st.just({"rule": "Payments down", "line": 4}),
)
candidates = st.lists(people, unique_by=lambda who: who.id, max_size=4)
happenings = st.builds(
    Happening,
    kind=st.sampled_from(list(KINDS.values())),
    actor_id=st.none() | st.integers(1, 30),
    is_fatal=st.booleans(),
    may_interrupt=st.booleans(),
    is_required=st.booleans(),
    storm=st.none() | st.just("n_2"),
    flapping=st.none() | st.just("n_3"),
)

# Each makes a person want less than before.
LESS = {
    "alerts off": lambda who: replace(who, choices=replace(who.choices, alerts=InForce("off", "project"))),
    "workflow never": lambda who: replace(
        who, choices=replace(who.choices, workflow=InForce("never", "project"))
    ),
    "own activity off": lambda who: replace(who, choices=replace(who.choices, wants_own=False)),
    "every kind off": lambda who: replace(
        who, choices=replace(who.choices, kinds_off=frozenset(WORKFLOW_SWITCHES))
    ),
    "unsubscribed": lambda who: replace(who, unsubscribed=True),
    "left the project": lambda who: replace(who, can_see=False),
    "switched off": lambda who: replace(who, is_active=False),
    "no address": lambda who: replace(who, has_address=False),
    "muted": lambda who: replace(who, is_muted=True),
    "rule muted": lambda who: replace(who, rule_muted=True),
    "asleep": lambda who: replace(who, quiet_until=MORNING),
    "fatal alerts held too": lambda who: replace(who, choices=replace(who.choices, fatal_rings=False)),
}
# Each makes a person want more.
MORE = {
    "alerts on": lambda who: replace(who, choices=replace(who.choices, alerts=InForce("on", "project"))),
    "workflow always": lambda who: replace(
        who,
        choices=replace(who.choices, workflow=InForce("always", "project")),
        reasons=who.reasons | {Reason.WORKFLOW_ALWAYS},
    ),
    "own activity on": lambda who: replace(who, choices=replace(who.choices, wants_own=True)),
    "every kind on": lambda who: replace(who, choices=replace(who.choices, kinds_off=frozenset())),
    "subscribed": lambda who: replace(who, unsubscribed=False, reasons=who.reasons | {Reason.SUBSCRIBED}),
    "unmuted": lambda who: replace(who, is_muted=False),
    "rule unmuted": lambda who: replace(who, rule_muted=False),
    "on call": lambda who: replace(who, quiet_until=None),
    "fatal alerts ring": lambda who: replace(who, choices=replace(who.choices, fatal_rings=True)),
}


def told(what, who):
    return {verdict.person_id for verdict in plan(what, who) if verdict.outcome is Outcome.SEND}


@pytest.mark.parametrize("less", LESS)
@given(what=happenings, who=people)
def test_an_off_never_adds_a_recipient(less, what, who):
    assert told(what, [LESS[less](who)]) <= told(what, [who])


@pytest.mark.parametrize("more", MORE)
@given(what=happenings, who=people)
def test_an_on_never_removes_a_recipient(more, what, who):
    assert told(what, [who]) <= told(what, [MORE[more](who)])


@given(what=happenings, who=candidates)
def test_every_candidate_has_exactly_one_verdict_on_each_channel(what, who):
    verdicts = [(verdict.person_id, verdict.channel) for verdict in plan(what, who)]
    assert verdicts == [(person.id, routing.EMAIL) for person in who]


@given(what=happenings, who=candidates)
def test_every_silence_has_a_public_code_and_its_words(what, who):
    for verdict in plan(what, who):
        assert (verdict.outcome is Outcome.SEND) == (verdict.code == "send")
        assert verdict.code in PUBLIC_CODES
        assert wording.code_sentence(verdict.code, verdict.params)


@given(what=happenings, who=people)
def test_a_required_rule_passes_over_what_people_chose_and_nothing_else(what, who):
    plain, required = (decide(replace(what, is_required=each), who) for each in (False, True))
    if plain.outcome is Outcome.SKIP and plain.code not in ("own_activity", "rule_muted_me", "alerts_off"):
        assert required == plain
    added = set(required.reasons) - who.reasons
    assert added == ({Reason.REQUIRED} - who.reasons if required.params.get("overrules") else set())
    assert not (required.outcome is Outcome.SEND and (who.unsubscribed or who.is_muted))


def test_a_decision_takes_less_than_a_millisecond():
    crowd = [Person(number, FALLBACK, because={"rule": "Payments down"}) for number in range(2000)]
    started = perf_counter()
    plan(replace(NEW, is_required=True), crowd)
    assert perf_counter() - started < len(crowd) / 1000


@given(what=happenings, who=people)
def test_quiet_hours_only_hold_and_never_drop(what, who):
    asleep, awake = (decide(what, replace(who, quiet_until=until)) for until in (MORNING, None))
    if awake.outcome is Outcome.SEND:
        assert asleep.outcome in (Outcome.SEND, Outcome.DEFER)
    else:
        assert asleep == awake


several = st.lists(st.tuples(happenings, candidates), max_size=4)


@given(several=several)
def test_nobody_gets_more_than_one_message_of_an_action(several):
    batch = [plan(what, who) for what, who in several]
    gathered = gather(batch)
    messages = Counter(
        each.person_id for verdicts in gathered for each in verdicts if each.outcome is Outcome.SEND
    )
    batched = {each.person_id for verdicts in gathered for each in verdicts if "issues" in each.params}
    assert set(messages.values()) <= {1}
    assert not batched & messages.keys()


@given(several=several)
def test_of_an_action_everybody_is_told_as_much_as_before(several):
    batch = [plan(what, who) for what, who in several]
    for before, after in zip(batch, gather(batch), strict=True):
        for was, is_ in zip(before, after, strict=True):
            changed = was.outcome is Outcome.SEND and is_.code == "batched"
            assert changed or is_ == was


@given(several=several)
def test_an_action_in_parts_is_told_as_in_one(several):
    batch = [plan(what, who) for what, who in several]
    assert [gather([part], tally(batch))[0] for part in batch] == gather(batch)


@given(what=happenings, who=candidates, last_resort=st.frozensets(st.integers(1, 30)))
def test_waking_only_ever_tells_now_what_was_held(what, who, last_resort):
    before = plan(what, who)
    for was, is_ in zip(before, wake(before, last_resort), strict=True):
        woken = was.outcome is Outcome.DEFER and is_.outcome is Outcome.SEND and was.person_id in last_resort
        assert woken or is_ == was


@given(what=happenings, who=candidates)
def test_nobody_is_woken_while_somebody_is_awake(what, who):
    before = plan(what, who)
    if any(verdict.outcome is Outcome.SEND for verdict in before):
        assert wake(before, {person.id for person in who}) == before


@given(what=happenings, who=candidates)
def test_nobody_is_told_of_a_change_without_a_reason(what, who):
    if what.kind.category == WORKFLOW:
        assert all(v.reasons for v in plan(what, who) if v.outcome is Outcome.SEND)


@given(what=happenings, who=candidates)
def test_the_same_question_has_the_same_answer(what, who):
    assert plan(what, who) == plan(what, list(who))


@given(what=happenings, who=candidates, other=people)
def test_what_one_person_chose_changes_nothing_for_another(what, who, other):
    before = {verdict.person_id: verdict for verdict in plan(what, who)}
    after = {verdict.person_id: verdict for verdict in plan(what, [*who, replace(other, id=99)])}
    assert {id_: after[id_] for id_ in before} == before


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.category == ALERTS and kind.in_thread]
)
@pytest.mark.parametrize("status", [*STATUSES, *HIDDEN, None])
def test_an_alert_rings_only_for_an_open_issue(kind, status):
    assert (gate_of_notice(kind, status) is None) == (status == UNRESOLVED)


def test_channels_are_named_in_verdicts():
    assert decide(NEW, Person(2, FALLBACK)).channel == routing.EMAIL
