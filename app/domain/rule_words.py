"""What the rows of a rule say, as clauses of its sentence."""

from collections.abc import Callable, Mapping, Sequence

from app.domain.phrases import plural
from app.domain.rule_parts import (
    FREQUENCIES,
    LEVEL_MATCHES,
    ONCE,
    OPERATORS,
    PERCENT,
    SPAN_WORDS,
    UNTIL_RESOLVED,
)
from app.domain.rule_rows import ALL, Names, Row

UNKNOWN = "something that is not known any more"
GONE = "somebody who is gone"

Clause = Callable[[Row], str]


def _compared(row: Row) -> str:
    value = f' "{row["value"]}"' if row.get("value") else ""
    return f"{OPERATORS[row['match']]}{value}"


def _counted(row: Row, plain: str, percent: str) -> str:
    value, span = f"{row['value']:,}", SPAN_WORDS[row["interval"]]
    if row.get("comparison") != PERCENT:
        return f"{plain.format(value=value, noun=_noun(row))} in {span}"
    return f"{percent.format(value=value)} in {span} than {SPAN_WORDS[row['earlier']]} earlier"


def _noun(row: Row) -> str:
    noun = "user" if row["id"] == "user_count" else "time"
    return noun if row["value"] == 1 else f"{noun}s"


CONDITIONS: Mapping[str, Clause] = {
    "every_event": lambda row: "an event arrives",
    "first_seen": lambda row: "a new issue is seen",
    "regression": lambda row: "a resolved issue comes back",
    "reappeared": lambda row: "an ignored issue comes back",
    "event_count": lambda row: _counted(
        row, "an issue is seen more than {value} {noun}", "an issue is seen over {value}% more often"
    ),
    "user_count": lambda row: _counted(
        row,
        "an issue is seen by more than {value} {noun}",
        "an issue is seen by over {value}% more users",
    ),
    "level": lambda row: f"the level {LEVEL_MATCHES[row['match']]} {row['level']}",
    "tag": lambda row: f"the tag {row['key']} {_compared(row)}",
    "attribute": lambda row: f"{row['attribute']} {_compared(row)}",
    "latest_release": lambda row: "the event is of the latest release",
    "age": lambda row: f"the issue is {row['match']} than {plural(row['value'], row['unit'])}",
    "occurrences": lambda row: f"the issue was seen at least {plural(row['value'], 'time')} in all",
}


def clause(row: Row, names: Names | None = None) -> str:
    """What a condition or filter asks for."""
    try:
        if row["id"] == "assigned_to":
            return _assigned(row, names)
        return CONDITIONS[row["id"]](row)
    except (KeyError, TypeError, ValueError):
        return UNKNOWN


def _assigned(row: Row, names: Names | None) -> str:
    if row["target"] == "none":
        return "nobody is assigned"
    return f"it is assigned to {_named(row, names)}"


def _named(row: Row, names: Names | None) -> str:
    if names is None:
        return f"{row['target']} {row['targetId']}"
    of = names.teams if row["target"] == "team" else names.members
    return of.get(row["targetId"], GONE)


def when(conditions: Sequence[Row], match: str, environment: str | None) -> str:
    """What has to happen: to follow "When"."""
    clauses = [clause(row) for row in conditions]
    if match == "none":
        here = f"an event arrives in {environment}" if environment else "an event arrives"
        return f"{here}, unless {_joined(clauses, 'or')}"
    if len(clauses) == 1:
        return f"{clauses[0]} in {environment}" if environment else clauses[0]
    joined = _joined(clauses, "and" if match == "all" else "or")
    return f"in {environment} {joined}" if environment else joined


def provided(filters: Sequence[Row], match: str, names: Names) -> str:
    """What has to hold besides: to follow what happens."""
    clauses = [clause(row, names) for row in filters]
    if not clauses:
        return ""
    joined = _joined(clauses, "and" if match == "all" else "or")
    return f", unless {joined}" if match == "none" else f", if {joined}"


def plainly_fatal(conditions: Sequence[Row], filters: Sequence[Row], match: str) -> Row | None:
    """The filter that an adjective says, where the one condition is a new issue."""
    if match != "all" or [row.get("id") for row in conditions] != ["first_seen"]:
        return None
    fatal = ({"id": "level", "match": each, "level": "fatal"} for each in ("eq", "gte"))
    return next((row for row in fatal if row in filters), None)


def action(row: Row, names: Names) -> str:
    """What is done: "email #payments"."""
    try:
        return _mail(row, names) if row["id"] == "mail" else _integration(row, names)
    except (KeyError, TypeError):
        return UNKNOWN


def _mail(row: Row, names: Names) -> str:
    target = row["target"]
    if target in ("team", "member"):
        return f"email {_named(row, names)}"
    whom, are = ("the issue's owners", "are") if target == "owners" else ("the assignee", "is")
    return f"email {whom} ({_fallback(row.get('fallback', 'project'), names)} if there {are} none)"


def _fallback(fallback: str, names: Names) -> str:
    if fallback == "project":
        fallback = "all" if names.tells_all else "none"
    if fallback == "all":
        members = len(names.members)
        return f"or all {plural(members, 'member')}" if members > 1 else "or all members"
    return "or members who were here lately" if fallback == "active" else "nobody"


def _integration(row: Row, names: Names) -> str:
    wanted = row["integration"]
    if wanted == ALL:
        return "tell every integration"
    name = names.integrations.get(wanted, "an integration that is gone")
    return f"page {name}" if wanted in names.paging else f"tell {name}"


def how_often(frequency: int | str) -> str:
    """ "at most every 30 minutes per issue"."""
    if frequency in (0, ONCE, UNTIL_RESOLVED):
        return {
            0: "every time",
            ONCE: "once for an issue",
            UNTIL_RESOLVED: "once until the issue is resolved",
        }[frequency]
    known = FREQUENCIES.get(frequency, f"at most every {frequency:,} minutes")
    return f"{known} per issue"


def _joined(clauses: Sequence[str], word: str) -> str:
    if len(clauses) < 2:
        return "".join(clauses)
    return f"{', '.join(clauses[:-1])} {word} {clauses[-1]}"
