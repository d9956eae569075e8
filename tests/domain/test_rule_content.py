"""What a rule may say, how what is wrong with it is named, and how it reads in one sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import rule_content, rule_parts
from app.domain.rule_content import BadRule, Names, read, sentence

NAMES = Names(
    environments=frozenset({"production", "staging"}),
    teams={3: "#payments"},
    members={number: f"Person {number}" for number in range(1, 10)},
    integrations={7: "PagerDuty: checkout", 8: "the webhook"},
    paging=frozenset({7}),
)
OWNERS = {"id": "mail", "target": "owners", "fallback": "project"}
NEW = {"id": "first_seen"}


def written(**members):
    return {"name": "R", "conditions": [NEW], "actions": [OWNERS]} | members


def errors_of(data, names=NAMES) -> dict[str, str]:
    with pytest.raises(BadRule) as refused:
        read(data, names)
    first = next(iter(refused.value.errors))
    assert (refused.value.field, refused.value.message) == (first, refused.value.errors[first])
    return refused.value.errors


def row(**members):
    return written(conditions=[NEW, members])


def narrowed(**members):
    return written(filters=[members])


def acting(**members):
    return written(actions=[members])


COUNT = {"id": "event_count", "value": 10, "interval": "1h"}
TAG = {"id": "tag", "key": "browser", "match": "eq", "value": "Firefox"}

WRONG = {
    "no name": (written(name=" "), "name", "Give it a name."),
    "a long name": (written(name="x" * 65), "name", "At most 64 characters."),
    "an unknown member": (written(colour="red"), "colour", "Unknown. There are: name,"),
    "no condition": (written(conditions=[]), "conditions", "Add at least one condition."),
    "no action": (written(actions=[]), "actions", "Add at least one action."),
    "no list": (written(filters={"id": "age"}), "filters", "Must be a list."),
    "no object": (written(conditions=["first_seen"]), "conditions.0", "Must be an object."),
    "another match": (written(actionMatch="most"), "actionMatch", "There are: all, any, none."),
    "an unknown condition": (row(id="moon_phase"), "conditions.1.id", "There are: first_seen, regression,"),
    "a filter as a condition": (row(id="latest_release"), "conditions.1.id", "Unknown."),
    "an unknown member of a row": (row(id="first_seen", value=3), "conditions.1.value", "There are: id."),
    "no number": (row(**COUNT | {"value": None}), "conditions.1.value", "How many is missing."),
    "nothing": (row(**COUNT | {"value": 0}), "conditions.1.value", "Must be a whole number from 1"),
    "less than nothing": (
        row(**COUNT | {"value": -5}),
        "conditions.1.value",
        "Must be a whole number from 1",
    ),
    "half of one": (row(**COUNT | {"value": 1.5}), "conditions.1.value", "Must be a whole number from 1"),
    "a truth": (row(**COUNT | {"value": True}), "conditions.1.value", "Must be a whole number from 1"),
    "an unknown span": (
        row(**COUNT | {"interval": "2h"}),
        "conditions.1.interval",
        "There are: 1m, 5m, 15m,",
    ),
    "earlier of nothing": (row(**COUNT | {"earlier": "1d"}), "conditions.1.earlier", "Leave it out"),
    "percent of nothing": (
        row(**COUNT | {"comparison": "percent"}),
        "conditions.1.earlier",
        "Compared with is missing.",
    ),
    "a minute earlier": (
        row(**COUNT | {"comparison": "percent", "earlier": "1m"}),
        "conditions.1.earlier",
        "There are: 5m, 15m, 1h, 1d, 1w, 30d.",
    ),
    "set to something": (row(**TAG | {"match": "is"}), "conditions.1.value", "Leave it out"),
    "equal to nothing": (row(**TAG | {"value": ""}), "conditions.1.value", "Value is missing."),
    "one of nothing": (
        row(**TAG | {"match": "in", "value": " , "}),
        "conditions.1.value",
        "Value is missing.",
    ),
    "no such operator": (row(**TAG | {"match": "re"}), "conditions.1.match", "There are: eq, ne, sw,"),
    "no tag's name": (row(**TAG | {"key": "the browser"}), "conditions.1.key", "Must be the name of a tag"),
    "an unknown attribute": (
        row(id="attribute", attribute="moon", match="is"),
        "conditions.1.attribute",
        "There are: message, platform,",
    ),
    "extra without a path": (
        row(id="attribute", attribute="extra.", match="is"),
        "conditions.1.attribute",
        "Unknown.",
    ),
    "an attribute without end": (
        row(id="attribute", attribute="extra." + "x" * 195, match="is"),
        "conditions.1.attribute",
        "At most 200 characters, and 20 dots.",
    ),
    "an attribute of nothing but dots": (
        row(id="attribute", attribute="user." + "a." * 20, match="is"),
        "conditions.1.attribute",
        "At most 200 characters, and 20 dots.",
    ),
    "sample is no level": (
        narrowed(id="level", match="gte", level="sample"),
        "filters.0.level",
        "There are: fatal, error, warning, info, debug.",
    ),
    "nobody's team": (
        narrowed(id="assigned_to", target="team"),
        "filters.0.targetId",
        "Team or member is missing.",
    ),
    "another team": (
        narrowed(id="assigned_to", target="team", targetId=4),
        "filters.0.targetId",
        "That team has no access to the project.",
    ),
    "a stranger": (
        acting(id="mail", target="member", targetId=44),
        "actions.0.targetId",
        "That person is no member of the project.",
    ),
    "owners of an id": (acting(id="mail", target="owners", targetId=3), "actions.0.targetId", "Leave it out"),
    "no such integration": (
        acting(id="integration", integration=99),
        "actions.0.integration",
        "The project has no such integration.",
    ),
    "no environment of the project": (
        written(environment="moon"),
        "environment",
        "There are: production, staging.",
    ),
    "too often": (written(frequency=4), "frequency", "Must be 0 (every time), minutes from 5"),
    "too seldom": (written(frequency=43_201), "frequency", "Must be 0"),
    "a word for how often": (written(frequency="seldom"), "frequency", "Must be 0"),
    "forced without a reason": (written(required=True), "requiredReason", "Give a reason"),
    "loud without a reason": (
        written(mayInterrupt=True, interruptReason=" "),
        "interruptReason",
        "Give a reason",
    ),
}


@pytest.mark.parametrize(("data", "place", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_place(data, place, words):
    errors = errors_of(data)
    assert list(errors) == [place]
    assert words in errors[place]


def test_everything_that_is_wrong_is_named_at_once():
    bad = row(**COUNT | {"value": 0, "interval": "x"}) | {"name": "", "filters": [{"id": "age"}]}
    assert set(errors_of(bad)) == {
        "name",
        "conditions.1.value",
        "conditions.1.interval",
        "filters.0.match",
        "filters.0.value",
        "filters.0.unit",
    }


def test_a_rule_that_is_no_object_is_refused():
    assert errors_of(["R"]) == {"": "Must be an object."}


def test_what_a_form_sends_as_text_becomes_what_it_means():
    content = read(
        written(
            frequency="60",
            environment="",
            conditions=[COUNT | {"value": "12", "comparison": "", "earlier": ""}],
            actions=[
                {"id": "mail", "target": "team", "targetId": "3", "fallback": "all"},
                {"id": "integration", "integration": "7", "tags": "environment, user"},
            ],
        ),
        NAMES,
    )
    assert (content.frequency, content.environment) == (60, None)
    assert content.conditions == ({"id": "event_count", "value": 12, "interval": "1h"},)
    assert content.actions == (
        {"id": "mail", "target": "team", "targetId": 3},
        {"id": "integration", "integration": 7, "tags": ["environment", "user"]},
    )


def test_a_template_names_what_no_project_has_yet():
    content = read(written(environment="moon", actions=[{"id": "integration", "integration": "all"}]))
    assert content.environment == "moon"


def test_a_reason_counts_only_with_what_it_is_for():
    content = read(written(required=False, requiredReason="because", mayInterrupt=True, interruptReason="x"))
    assert (content.required_reason, content.interrupt_reason) == (None, "x")


@pytest.mark.parametrize("frequency", [0, 5, 30, 43_200, "once", "until_resolved"])
def test_how_often_is_kept(frequency):
    assert read(written(frequency=frequency)).as_data()["frequency"] == frequency


SENTENCES = {
    "the usual one": (
        written(),
        "When a new issue is seen, email the issue's owners (or all 9 members if there are none), "
        "at most every 30 minutes per issue.",
    ),
    "the one of the specification": (
        written(
            environment="production",
            filters=[{"id": "level", "match": "gte", "level": "fatal"}],
            actions=[
                OWNERS,
                {"id": "mail", "target": "team", "targetId": 3},
                {"id": "integration", "integration": 7},
            ],
        ),
        "When a new fatal issue is seen in production, email the issue's owners (or all 9 members if there "
        "are none), email #payments and page PagerDuty: checkout, at most every 30 minutes per issue.",
    ),
    "any of two, provided two": (
        written(
            environment="production",
            actionMatch="any",
            conditions=[NEW, {"id": "regression"}],
            filters=[TAG, {"id": "age", "match": "older", "value": 1, "unit": "day"}],
            actions=[{"id": "mail", "target": "member", "targetId": 2}],
            frequency=60,
        ),
        "When in production a new issue is seen or a resolved issue comes back, if the tag browser equals "
        '"Firefox" and the issue is older than 1 day, email Person 2, at most every hour per issue.',
    ),
    "counting": (
        written(
            conditions=[COUNT | {"value": 1000}, COUNT | {"id": "user_count", "value": 1}],
            actions=[{"id": "integration", "integration": "all"}],
            frequency="once",
        ),
        "When an issue is seen more than 1,000 times in an hour and an issue is seen by more than 1 user in "
        "an hour, tell every integration, once for an issue.",
    ),
    "percent": (
        written(
            conditions=[COUNT | {"comparison": "percent", "earlier": "1d"}],
            actions=[{"id": "mail", "target": "assignee", "fallback": "none"}],
            frequency="until_resolved",
        ),
        "When an issue is seen over 10% more often in an hour than a day earlier, email the assignee (nobody "
        "if there is none), once until the issue is resolved.",
    ),
    "none of them": (
        written(
            actionMatch="none",
            filterMatch="none",
            conditions=[{"id": "level", "match": "gte", "level": "error"}],
            filters=[{"id": "assigned_to", "target": "team", "targetId": 3}],
            actions=[{"id": "integration", "integration": 8}],
            frequency=0,
        ),
        "When an event arrives, unless the level is at least error, unless it is assigned to #payments, "
        "tell the webhook, every time.",
    ),
    "forced and loud": (
        written(required=True, requiredReason="law", mayInterrupt=True, interruptReason="money"),
        "When a new issue is seen, email the issue's owners (or all 9 members if there are none), at most "
        "every 30 minutes per issue. It may interrupt quiet hours: money. Nobody can switch it off: law.",
    ),
}


@pytest.mark.parametrize(("data", "expected"), SENTENCES.values(), ids=SENTENCES)
def test_a_rule_reads_as_one_sentence(data, expected):
    assert sentence(read(data, NAMES), NAMES) == expected


def test_a_rule_of_what_is_gone_still_reads():
    content = rule_content.of_data(
        read(written()).as_data()
        | {
            "conditions": [{"id": "moon_phase"}],
            "actions": [{"id": "mail", "target": "team", "targetId": 99}],
        }
    )
    assert sentence(content, NAMES) == (
        "When something that is not known any more, email somebody who is gone, "
        "at most every 30 minutes per issue."
    )


def example(field: rule_parts.Field):
    """Values that such a field takes."""
    return {
        "number": st.integers(1, 10**9),
        "text": st.sampled_from(["a", "b, c"]),
        "key": st.just("browser"),
        "attribute": st.sampled_from([*rule_parts.ATTRIBUTES, "extra.cart.size", "user.plan"]),
        "target": st.just(3),
        "integration": st.sampled_from([7, "all"]),
        "tags": st.lists(st.just("user"), max_size=1),
        "choice": st.sampled_from(list(field.choices or ["-"])),
    }[field.type]


@st.composite
def rows(draw, table):
    part = draw(st.sampled_from(list(table.values())))
    made = {"id": part.id}
    for field in sorted(part.fields, key=lambda each: each.only_if is not None):
        if rule_parts.is_asked(field, made):
            made[field.name] = draw(example(field))
    return made


contents = st.fixed_dictionaries(
    {
        "name": st.text("ab ", min_size=1, max_size=64).filter(str.strip),
        "actionMatch": st.sampled_from(list(rule_parts.MATCHES)),
        "conditions": st.lists(rows(rule_parts.CONDITIONS), min_size=1, max_size=4),
        "filters": st.lists(rows(rule_parts.FILTERS), max_size=4),
        "actions": st.lists(rows(rule_parts.ACTIONS), min_size=1, max_size=4),
        "frequency": st.sampled_from([*rule_parts.FREQUENCIES, 17]),
    }
)


@given(contents)
def test_whatever_the_tables_offer_is_taken_kept_and_said(data):
    content = read(data, NAMES)
    again = json.loads(json.dumps(content.as_data()))
    assert read(again, NAMES) == rule_content.of_data(again) == content
    assert rule_content.of(type("Stored", (), content.columns())) == content
    words = sentence(content, NAMES)
    assert (words[:5], words[-1]) == ("When ", ".")
    assert "not known" not in words


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(contents, st.data())
def test_whatever_else_is_written_is_refused_and_never_breaks(data, more):
    members = st.sampled_from([*rule_content.MEMBERS, "conditions"])
    spoiled = data | {more.draw(members): more.draw(values)}
    spoiled["conditions"] = [
        *(spoiled["conditions"] if isinstance(spoiled["conditions"], list) else []),
        more.draw(values),
    ]
    with pytest.raises(BadRule):
        read(spoiled, NAMES)
