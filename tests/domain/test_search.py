from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.search import (
    Assigned,
    Attribute,
    BadSearch,
    Important,
    InLatest,
    Is,
    IssueId,
    Pattern,
    SeenWithin,
    ShortId,
    Tag,
    Tied,
    TimesSeen,
    Unreached,
    Words,
    parse,
)
from app.domain.search import exactly as written
from app.domain.search.keys import FAMILIES, KEYS
from app.settings import ROOT

DAY = datetime(2026, 11, 23, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
UNSET = Pattern(("",))


def exactly(text: str) -> Pattern:
    return Pattern((text,))


TERMS = {
    "is:unresolved": [Is("unresolved")],
    "is:Resolved": [Is("resolved")],
    "!is:ignored": [Is("ignored", negated=True)],
    "is:archived": [Is("ignored")],
    "is:assigned is:unassigned": [Is("assigned"), Is("unassigned")],
    "is:for_review": [Is("for_review")],
    "is:Regressed !is:new": [Is("regressed"), Is("new", negated=True)],
    "is:escalating is:ongoing": [Is("escalating"), Is("ongoing")],
    "is:Bookmarked is:subscribed": [Tied("bookmarked", user_id=7), Tied("subscribed", user_id=7)],
    "!bookmarks:me": [Tied("bookmarked", user_id=7, negated=True)],
    "bookmarks:ana": [Tied("bookmarked", person="ana")],
    "subscribed:@ana": [Tied("subscribed", person="@ana")],
    "is:linked !is:linked is:unlinked": [Is("linked"), Is("linked", True), Is("linked", True)],
    "told:me": [Tied("told", user_id=7)],
    "-told:me !told:me": [Tied("told", user_id=7, negated=True)] * 2,
    "told:none": [Tied("told")],
    "reach:none": [Unreached()],
    "!reach:none": [Unreached(negated=True)],
    "status:resolved": [Is("resolved")],
    "assigned:me": [Assigned(user_id=7)],
    "assigned:none": [Assigned()],
    "assigned:#ops": [Assigned(team="ops")],
    "!assigned:ana@example.org": [Assigned(person="ana@example.org", negated=True)],
    "level:Error": [Attribute("level", exactly("error"))],
    "!issue.priority:High": [Important("high", negated=True)],
    "environment:production": [Attribute("environment", exactly("production"))],
    "env:p*": [Attribute("environment", Pattern(("p", "")))],
    'environment:""': [Attribute("environment", UNSET)],
    "release:shop@*": [Attribute("release", Pattern(("shop@", "")))],
    'release:"1.0 beta"': [Attribute("release", exactly("1.0 beta"))],
    "issue:shop-1A": [ShortId("shop", 42)],
    "browser.name:Fire*fox*": [Attribute("browser.name", Pattern(("Fire", "fox", "")))],
    "tags[level]:x": [Tag("level", exactly("x"))],
    r"path:a\*b": [Attribute("path", exactly("a*b"))],
    'plan:"say \\"hi\\""': [Attribute("plan", exactly('say "hi"'))],
    "has:plan": [Attribute("plan", UNSET, negated=True)],
    '!plan:""': [Attribute("plan", UNSET, negated=True)],
    "any_tag:x": [Tag(None, exactly("x"))],
    "first-release:1.0": [Attribute("first_release", exactly("1.0"))],
    "firstRelease:latest": [InLatest(first=True)],
    "!release:latest": [InLatest(first=False, negated=True)],
    "user:email:ana@example.org": [Attribute("user.email", exactly("ana@example.org"))],
    "user:7": [Attribute("user", exactly("7"))],
    "user.ip_address:::1": [Attribute("user.ip", exactly("::1"))],
    "error.type:Key*": [Attribute("error.type", Pattern(("Key", "")))],
    "server-name:web-1": [Attribute("server_name", exactly("web-1"))],
    "stack.function:pay": [Attribute("stack.function", exactly("pay"))],
    "issue.id:17": [IssueId(17)],
    "timesSeen:5": [TimesSeen("=", 5)],
    "times_seen:>=100": [TimesSeen(">=", 100)],
    "!timesSeen:<3": [TimesSeen("<", 3, negated=True)],
    "age:-24h": [SeenWithin("first_seen", ((">=", timedelta(hours=24)),))],
    "firstSeen:+2w": [SeenWithin("first_seen", (("<=", timedelta(weeks=2)),))],
    "last-seen:-30m": [SeenWithin("last_seen", ((">=", timedelta(minutes=30)),))],
    "lastSeen:>2026-11-23": [SeenWithin("last_seen", ((">", DAY),))],
    "lastSeen:2026-11-23": [SeenWithin("last_seen", ((">=", DAY), ("<", DAY + timedelta(days=1))))],
    "event.timestamp:>=2026-11-23 is:resolved event.timestamp:<2026-11-24": [
        Is("resolved"),
        SeenWithin("timestamp", ((">=", DAY), ("<", DAY + timedelta(days=1)))),
    ],
    "lastSeen:2026-11-23T12:00:00": [
        SeenWithin("last_seen", ((">=", NOON - timedelta(minutes=5)), ("<", NOON + timedelta(minutes=6))))
    ],
    "could  not sync": [Words("could not sync")],
    "not is:resolved sync": [Is("resolved"), Words("not sync")],
    '"is:resolved now"': [Words("is:resolved now")],
    '!"no way"': [Words("no way", negated=True)],
    "!boring": [Words("boring", negated=True)],
    "TypeError: http://h/p x": [Words("TypeError: http://h/p x")],
    "pay(cart) [Errno 2]": [Words("pay(cart) [Errno 2]")],
    '"(reading total)" culprit:pay()': [Words("(reading total)"), Attribute("culprit", exactly("pay()"))],
    '"a"b': [Words('"a"b')],
    "": [],
    "   ": [],
}


@pytest.mark.parametrize(("text", "terms"), TERMS.items())
def test_terms(text, terms):
    assert list(parse(text, me=7).terms) == terms


@pytest.mark.parametrize("text", ["shop@1.1+5", "1.0 (beta)", 'say "hi"', "shop@*", r"a\b", "\\*", "[1]"])
def test_a_term_can_ask_for_any_text(text):
    assert list(parse(written("first-release", text)).terms) == [Attribute("first_release", exactly(text))]


def test_no_query_means_what_is_unresolved():
    assert parse(None) == parse("is:unresolved")


def test_nobody_behind_a_program_is_assigned_nothing():
    assert parse("assigned:me").terms == (Assigned(user_id=0),)


BAD = {
    "is:done": ["is:done", "unresolved, resolved, ignored", "for_review"],
    "status:assigned": ["status:assigned", "unresolved, resolved or ignored"],
    "level:loud": ["level:loud", "fatal, error, warning, info or debug"],
    "issue.priority:urgent": ["issue.priority:urgent", "high, medium or low"],
    "timesSeen:many": ["timesSeen:many", "number"],
    "age:yesterday": ["age:yesterday", "-24h"],
    "lastSeen:2026-13-01": ["lastSeen:2026-13-01"],
    "issue:17": ["issue:17", "short id"],
    "a OR b": ["OR"],
    "( a )": ["( a )"],
    "(is:unresolved)": ["(is:unresolved)", "parentheses", "quotes"],
    "!(level:error OR level:fatal)": ["!(level:error OR level:fatal)"],
    "-(level:error)": ["-(level:error)"],
    "(level:error cart": ["(level:error”"],
    "browser:x) a)": ["browser:x)", "“a)”"],
    '"unterminated here': ['"unterminated here', "closing quote"],
    'plan:"a b': ['plan:"a b', "closing quote"],
    "level:[error,fatal]": ["level:[error,fatal]"],
    "level:[error, warning]": ["level:[error, warning]", "one value"],
    "level:(error, warning)": ["level:(error, warning)", "one value"],
    "is: resolved": ["is:"],
    "reach:all": ["reach:all", "none"],
    "stack.lineno:5": ["stack.lineno", "stack.filename", "tags[stack.lineno]"],
    "issue.id:SHOP-1": ["issue.id:SHOP-1", "number"],
    "-level:error": ["-level:error", "!level:error"],
    "is:done cart level:loud": ["is:done", "level:loud"],
    "a\0b": ["character"],
}


@pytest.mark.parametrize(("text", "named"), BAD.items())
def test_an_error_names_the_term_and_what_may_be_written(text, named):
    with pytest.raises(BadSearch) as caught:
        parse(text)
    assert all(part in str(caught.value) for part in named)


LEFT_OVER = {
    'is:done "a b" cart !level:loud release:"1 0"': '"a b" cart release:"1 0"',
    "level:[error, warning] cart": "cart",
    'plan:["a]", b] cart': "cart",
    "(level:error OR (is:resolved browser:x)) cart": "cart",
    "level:[error cart": "cart",
    'cart message:"no end is:unresolved': "cart",
}


@pytest.mark.parametrize(("text", "rest"), LEFT_OVER.items())
def test_what_can_be_understood_is_left_over(text, rest):
    with pytest.raises(BadSearch) as caught:
        parse(text)
    assert caught.value.rest == rest


LIKES = [(("a", "b"), "a%b"), (("50%_", ""), r"50\%\_%"), (("a\\b",), r"a\\b")]


@pytest.mark.parametrize(("parts", "like"), LIKES)
def test_a_pattern_for_the_database(parts, like):
    assert Pattern(parts).like() == like


@pytest.mark.parametrize(
    "text",
    ["is:unresolved " * 51, "x" * 2001, "lastSeen:9999-12-31", "age:-999999w", "firstSeen:0001-01-01T00:00"],
)
def test_what_no_database_should_be_asked_is_refused_in_words(text):
    with pytest.raises(BadSearch, match=r"is the most|outside the calendar"):
        parse(text)


def test_the_manual_has_every_key_as_the_table_that_reads_it():
    manual = (ROOT / "docs" / "search.md").read_text().replace("\\*", "*")
    for key in KEYS:
        names = ", ".join(f"`{name}`" for name in key.names)
        assert f"| {names} | {key.takes} | {key.means} |" in manual
    for family in FAMILIES:
        assert f"| {', '.join(f'`{name}`' for name in family.names)} |" in manual
