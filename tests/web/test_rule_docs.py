"""What `docs/alert-rules.md` says, held against the tables that everything else is drawn from."""

import json
import re
from pathlib import Path

import pytest

from app.domain import rule_content, rule_parts
from app.domain.rule_rows import BadRule
from app.web.rules.typed import PREFILLS

TEXT = (Path(__file__).parents[2] / "docs/alert-rules.md").read_text()
CODE = set(re.findall(r"`([^`\n]+)`", TEXT))


def section(heading):
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(heading):
    cells = re.findall(r"^\| (`.*?) \|", section(heading), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_condition_and_filter_is_described_and_no_other():
    assert first_cells("When: conditions") == set(rule_parts.CONDITIONS)
    assert first_cells("If: filters") == set(rule_parts.FILTERS)


@pytest.mark.parametrize(
    "table",
    [rule_parts.OPERATORS, rule_parts.SPANS, rule_parts.LEVELS, PREFILLS],
    ids=lambda table: next(iter(table)),
)
def test_every_choice_is_named(table):
    assert set(table) <= CODE


def test_attributes_that_are_named_exist():
    named = {
        each for each in CODE if "." in each and each.partition(".")[0] in ("exception", "http", "stacktrace")
    }
    assert named <= set(rule_parts.ATTRIBUTES)


def test_the_example_of_the_api_is_a_rule():
    [example] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    content = rule_content.read(json.loads(example))
    assert content.interrupt_reason == "payments stop"


def test_the_example_of_an_error_is_what_is_answered():
    [error] = re.findall(r'`(\{"conditions.1.*?\})`', TEXT, re.DOTALL)
    [(place, [words])] = json.loads(error).items()
    rows = [{"id": "first_seen"}, {"id": "event_count", "value": 0, "interval": "1h"}]
    with pytest.raises(BadRule) as refused:
        rule_content.read({"name": "x", "conditions": rows, "actions": [{"id": "mail", "target": "owners"}]})
    assert refused.value.errors == {place: words}


def test_the_limits_of_the_frequency_are_those_of_the_table():
    assert f"else {rule_parts.SHORTEST} to {rule_parts.LONGEST})" in TEXT
