"""Lines of issue owners: what is read, what is refused and where, and what of an event they match."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain import ownership
from app.domain.globs import KNOWN_CHARACTERS, Globs, pieces
from app.domain.ownership_lines import LONGEST, OwnershipErrors
from app.domain.ownership_sights import is_beyond_limits
from tests.support.growth import growth


def read(text: str) -> list[tuple[Any, ...]]:
    return [
        (line.number, line.type, line.pattern, *(owner.written for owner in line.owners))
        for line in ownership.parse(text).lines
    ]


def matched(text: str, data: dict[str, Any], tags: list[tuple[str, str]] | None = None) -> list[int]:
    return [match.number for match in ownership.match(ownership.parse(text), data, tags or [])]


def with_frames(*frames: dict[str, Any]) -> dict[str, Any]:
    return {"exception": [{"type": "KeyError", "stacktrace": {"frames": list(frames)}}]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "path:src/checkout/*  #payments alice@example.com",
            ("path", "src/checkout/*", "#payments", "alice@example.com"),
        ),
        ("url:https://*/api/* #api", ("url", "https://*/api/*", "#api")),
        ("module:com.example.auth.* #identity", ("module", "com.example.auth.*", "#identity")),
        ("tags.customer:acme-?? bob@example.com", ("tags.customer", "acme-??", "bob@example.com")),
        ('tags.browser:"Chrome 81.0.*" #web', ("tags.browser", "Chrome 81.0.*", "#web")),
        ("https://a/b #api", ("path", "https://a/b", "#api")),
        ("src/*\t\t#a   #b\t", ("path", "src/*", "#a", "#b")),
        ("  *.py #API Bob@Example.COM", ("path", "*.py", "#api", "bob@example.com")),
        (r'path:"a \"b\" \\ c" #a', ("path", r'a "b" \ c', "#a")),
        (r'path:"C:\src\*" #a', ("path", r"C:\src\*", "#a")),
        ("C:/src/* #a", ("path", "C:/src/*", "#a")),
        ("PATH:x #a", ("path", "PATH:x", "#a")),
        ("tags.a.b-c:x #a", ("tags.a.b-c", "x", "#a")),
        ("x #a #b.c", ("path", "x", "#a", "#b.c")),
    ],
)
def test_a_line_is_a_pattern_and_its_owners(text, line):
    assert read(text) == [(1, *line)]


def test_comments_and_empty_lines_are_passed_over_and_every_end_of_line_counts():
    text = "\ufeff# checkout\r\n\r\n   \t\n  # more #team\npath:a #x\r\npath:b #y"
    assert read(text) == [(5, "path", "a", "#x"), (6, "path", "b", "#y")]
    assert read("") == read("\n\n") == []


@pytest.mark.parametrize(
    ("text", "where", "about"),
    [
        ("path:*.py", (1, 10), "an owner is missing"),
        ("path:*.py   ", (1, 10), "an owner is missing"),
        ("*.py #a\n\n  *.js", (3, 7), "an owner is missing"),
        ("path: #a", (1, 6), "the pattern is missing"),
        ('"" #a', (1, 1), "the pattern is empty"),
        ('path:"a b #c', (1, 6), "the closing quote is missing"),
        ('"a"b #c', (1, 4), "a space is missing"),
        ("codeowners:/src #a", (1, 1), "only in an imported file"),
        ("tags.:x #a", (1, 6), "the name of the tag is missing"),
        ("x bob", (1, 3), "neither a #team nor a mail address"),
        ("x @bob", (1, 3), "handles are not known here"),
        ("x #", (1, 3), "the team’s name is missing"),
        ("my dir/* #a", (1, 4), "a pattern with spaces needs quotes"),
        ("a\u00a0b #c", (1, 2), "an unusual space"),
        ("# \x00", (1, 3), "cannot be stored"),
        ("x\ud800 #a", (1, 2), "cannot be stored"),
    ],
)
def test_what_is_wrong_has_a_line_a_column_and_the_text_of_the_line(text, where, about):
    with pytest.raises(OwnershipErrors) as raised:
        ownership.parse(text)
    [problem] = raised.value.problems
    assert (problem.line, problem.column) == where
    assert about in problem.message
    assert problem.text == text.split("\n")[where[0] - 1]
    assert str(problem).startswith(f"line {where[0]}, column {where[1]}: ")


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(OwnershipErrors) as raised:
        ownership.parse('path:a\nok #team\nx bob #\n"open #a')
    assert [(each.line, each.column) for each in raised.value.problems] == [(1, 7), (3, 3), (3, 7), (4, 1)]


def test_a_text_may_have_so_many_characters_and_no_more():
    line = "path:src/* #team\n"
    assert len(ownership.parse(line * (LONGEST // len(line))).lines) == LONGEST // len(line)
    with pytest.raises(OwnershipErrors, match="longer than 100,000 characters"):
        ownership.parse("#" * (LONGEST + 1))


# Matching


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("src/pay/*", r"SRC\Pay\a.cs", True),
        ("pay/*", r"SRC\Pay\a.cs", False),
        (r"src\PAY\*", "src/pay/a.cs", True),
        ("src/*", "src/a/b/c.py", True),
        ("*.py", "src/a.py", True),
        ("*.py", "src/a.pyc", False),
        ("src/?.py", "src/a.py", True),
        ("src/?.py", "src/ab.py", False),
        ("src/?.py", "src//.py", True),
        ("[a-c]*", "beta", True),
        ("[!a-c]*", "beta", False),
        ("pages/[id].tsx", "pages/i.tsx", True),
        ("pages/[[]id].tsx", "pages/[id].tsx", True),
        ("a[b", "a[b", True),
        ("[]]", "]", True),
        ("*", "", False),
        ("a.c", "abc", False),
        ("a|b", "a", False),
        ("src/**/x", "src/a/b/x", True),
    ],
)
def test_a_glob_matches_whole_paths_whatever_their_case_and_slashes(pattern, path, matches):
    assert matched(f"path:{pattern} #a", with_frames({"filename": path})) == ([1] if matches else [])


def test_a_path_is_looked_for_in_every_frame_of_every_stack_in_app_or_not():
    hidden = {"filename": "lib/x.py", "abs_path": "/usr/lib/x.py", "in_app": False}
    for data in (
        with_frames(hidden, {"filename": "a.py", "in_app": True}),
        {"exception": [*with_frames(hidden)["exception"], {"type": "Later"}]},
        {"threads": [{"id": "1"}, {"stacktrace": {"frames": [hidden]}}]},
        {"stacktrace": {"frames": [hidden]}},
    ):
        assert matched("lib/x.py #a\n/usr/*/x.py #b\nlib/y.py #c", data) == [1, 2]


def test_what_matched_is_told_with_its_place_from_the_error_outwards():
    data = with_frames({"filename": "main.py"}, {"filename": "src/cart/summary.js"}, {"filename": "x.js"})
    [match] = ownership.match(ownership.parse("src/cart/* #a b@example.com"), data, [])
    assert match.what == "src/cart/summary.js, frame 2 of 3"
    assert (match.number, match.pattern, match.owners) == (1, "src/cart/*", ["#a", "b@example.com"])


@pytest.mark.parametrize(
    ("line", "data", "tags", "matches"),
    [
        ("module:com.shop.*", with_frames({"module": "COM.Shop.Pay"}), [], True),
        ("module:com/shop/*", with_frames({"module": r"com\shop\Pay"}), [], True),
        ("url:https://*/API/*", {"request": {"url": "https://shop.example/api/7"}}, [], True),
        ("url:*/checkout", {}, [("url", "https://shop.example/checkout")], True),
        (r"url:*\checkout", {"request": {"url": "https://shop.example/checkout"}}, [], False),
        ('tags.browser:"Chrome 81.0.*"', {}, [("browser", "Chrome 81.0.4")], True),
        ('tags.browser:"Chrome 81.0.*"', {}, [("browser", "chrome 81.0.4")], False),
        ("tags.browser:*", {}, [("os", "Linux")], False),
        ("tags.release:4.2.*", {"release": "4.2.1"}, [], True),
        ("tags.user:id:7", {"user": {"id": "7"}}, [], True),
        ("tags.user.email:*@acme.example", {"user": {"id": "7", "email": "q@acme.example"}}, [], True),
        ("tags.user.email:*@acme.example", {}, [("user.email", "q@acme.example")], True),
        ("tags.user.ip:10.*", {"user": {"ip_address": "10.0.0.1"}}, [], True),
        ("tags.user.email:*", {"user": None}, [], False),
        ("path:*", {"exception": [{"stacktrace": None}], "threads": None, "request": None}, [], False),
    ],
)
def test_each_type_looks_where_its_name_says(line, data, tags, matches):
    assert matched(f"{line} #a", data, tags) == ([1] if matches else [])


def test_lines_match_in_their_order_and_the_longest_pattern_weighs_most():
    text = "src/* #a\ntags.os:Linux #b\nsrc/pay/deep/* #c\nsrc/?ay/deep/* #d"
    found = ownership.match(
        ownership.parse(text), with_frames({"filename": "src/pay/deep/a.py"}), [("os", "Linux")]
    )
    assert [match.number for match in found] == [1, 2, 3, 4]
    assert [match.number for match in ownership.by_weight(found)] == [4, 3, 2, 1]


# Whatever comes


GRAMMAR = some.lists(
    some.sampled_from(
        [
            *'#@"\\:*?[]! \t\r\n/ab.',
            "path:",
            "url:",
            "tags.",
            "tags.k:",
            "codeowners:",
            "#team",
            "a@b.co",
            "\x00",
            "\u2028",
        ]
    ),
    max_size=60,
).map("".join)


@given(some.one_of(GRAMMAR, some.text(max_size=200)))
def test_a_text_is_read_or_refused_with_places_that_exist(text):
    rules, problems = ownership.read(text)
    lines = text.removeprefix("\ufeff").split("\n")
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    for line in rules.lines:
        assert line.owners
        assert line.pattern
        assert line.text in text
    ownership.match(rules, with_frames({"filename": text}), [("k", text)])


@given(some.text("ab*?[]!-\\/", max_size=12), some.text("ab-/]![", max_size=8))
def test_globs_mean_what_they_mean_when_tried_one_way_after_the_other(pattern, text):
    rules = ownership.parse(f'tags.k:"{pattern}" #a'.replace("\\", "\\\\")) if pattern else ownership.Rules()
    assert bool(ownership.match(rules, {}, [("k", text)])) == bool(pattern and text and fits(pattern, text))


def fits(pattern: str, text: str) -> bool:
    """The plain meaning of a glob, without a thought for time."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
    end = pattern.find("]", 3 if pattern[1:2] == "!" else 2) if pattern[0] == "[" else -1
    if end > 0:
        return bool(text) and one_of(pattern[1:end], text[0]) and fits(pattern[end + 1 :], text[1:])
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


def one_of(members: str, character: str) -> bool:
    negated, members = members.startswith("!"), members.removeprefix("!")
    found = False
    while members:
        is_range = len(members) > 2 and members[1] == "-"
        found |= members[0] <= character <= members[2 if is_range else 0]
        members = members[3 if is_range else 1 :]
    return found != negated


HOSTILE = {
    "many stars": "*a" * 40 + "b",
    "question marks": "*" + "?" * 80 + "b",
    "classes": "[a-z]*[!b]" * 9 + "b",
}


@pytest.mark.parametrize("pattern", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines_as_long_as_a_text_may_be_take_no_time(pattern):
    line = f"{pattern} #a\n"
    began = time.process_time()
    rules = ownership.parse(line * (LONGEST // len(line)))
    frames = [{"filename": "a" * 250 + str(n), "abs_path": "a" * 2000 + str(n)} for n in range(50)]
    ownership.match(rules, with_frames(*frames), [])
    assert time.process_time() - began < 5


@pytest.mark.parametrize("piece", ["[", "[!", "][", "[[!"])
def test_brackets_that_are_never_closed_cost_no_more_the_more_there_are(piece):
    longest = piece * (40_000 // len(piece))
    assert growth(lambda text: list(pieces(text)), longest, times=8) < 24


def test_a_pattern_has_so_many_characters_and_no_more():
    assert read(f"path:{'x' * 1000} #a")
    for pattern in ("x" * 1001, f'"{"x" * 1001}"'):
        with pytest.raises(OwnershipErrors, match="line 1, column 6: the pattern is longer than 1,000 char"):
            ownership.parse(f"path:{pattern} #a")


def test_classes_have_so_many_members_in_all():
    def members(first):
        return "".join(chr(first + n) for n in range(250))

    text = f"[{members(0x4E00)}] #a\n[{members(0x5E00)}] #a\n"
    assert len(ownership.parse(text * 2).lines) == 4
    with pytest.raises(OwnershipErrors, match="line 3, column 1: more than 500 characters and ranges in the"):
        ownership.parse(f"{text}[b] #a\nc #a")


def test_characters_that_no_pattern_names_are_worked_out_once():
    """What is in the same classes is of one kind, and nothing is kept for each character for ever."""
    [globs] = [Globs([pieces(f"*[{chr(0x4E00 + n)}-\uffff]*{n}" * 3) for n in range(60)])]
    globs.firsts(["".join(map(chr, range(0x3000, 0x8000)))])
    assert len(globs._classes._known) <= 61
    assert len(globs._steps) <= KNOWN_CHARACTERS


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        ([{"filename": "a.py"}, *[{"filename": f"b{n}.py"} for n in range(299)]], [1]),
        ([{"filename": "a.py"}, *[{"filename": f"b{n}.py"} for n in range(300)]], []),
        ([{"filename": "a.py"}, *[{"filename": "b" * 63_996}]], [1]),
        ([{"filename": "a.py"}, *[{"filename": "b" * 63_997}]], []),
    ],
)
def test_an_event_has_so_many_frames_and_characters_that_are_compared(frames, found):
    data = with_frames(*frames)
    assert matched("path:a.py #a", data) == found
    assert is_beyond_limits(data) == (not found)


def test_too_many_different_classes_are_refused():
    letters = [chr(0x4E00 + n) for n in range(301)]
    with pytest.raises(OwnershipErrors, match="more than 300 different"):
        ownership.parse("\n".join(f"[{letter}] #a" for letter in letters))
