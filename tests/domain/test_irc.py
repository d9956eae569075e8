"""Lines of IRC: the vectors, cuts by bytes, and what messages say."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from app.domain import irc_answers, irc_lines, irc_text
from app.domain.irc_answers import Meaning
from app.domain.message import Subject
from app.settings import ROOT
from tests.channels.test_webhook import message

VECTORS = ROOT.parent / "shared" / "contracts" / "vectors"
ROOM = irc_lines.room("NOTICE", "#ops")
LINK = "https://t.example.org/acme/shop/issues/143/"


def vectors(name: str, part: str) -> list[dict]:
    path: Path = VECTORS / name
    return yaml.safe_load(path.read_text())[part] if path.exists() else []


@pytest.mark.parametrize("vector", vectors("irc-msg-split.yaml", "tests"), ids=lambda each: each["input"])
def test_lines_are_read_as_the_vectors_have_it(vector):
    line, atoms = irc_lines.read(vector["input"]), vector["atoms"]
    assert line.command == atoms["verb"]
    assert list(line.params) == atoms.get("params", [])
    assert line.source == atoms.get("source", "")
    assert dict(line.tags) == atoms.get("tags", {})


@pytest.mark.parametrize("vector", vectors("irc-msg-join.yaml", "tests"), ids=lambda each: each["desc"])
def test_lines_are_written_as_the_vectors_have_it(vector):
    atoms = vector["atoms"]
    params = tuple(atoms.get("params", ()))
    line = irc_lines.Line(atoms["verb"], params, atoms.get("source", ""), atoms.get("tags", {}))
    assert irc_lines.written(line) in vector["matches"]


@pytest.mark.parametrize(
    "vector", vectors("irc-userhost-split.yaml", "tests"), ids=lambda each: each["source"]
)
def test_who_said_it_is_read_as_the_vectors_have_it(vector):
    atoms = vector["atoms"]
    wanted = tuple(atoms.get(name, "") for name in ("nick", "user", "host"))
    assert irc_lines.userhost(vector["source"]) == wanted


@pytest.mark.parametrize("vector", vectors("irc-outgoing-split.json", "cases"), ids=lambda each: each["name"])
def test_texts_are_split_as_the_vectors_have_it(vector):
    target, prefix = vector["target"], vector["relay_prefix_bytes"]
    found = irc_lines.spoken("PRIVMSG", target, vector["text"], prefix_bytes=prefix)
    assert found == vector["lines"]
    assert all(len(line.encode()) + 2 + prefix <= 512 for line in found)


@pytest.mark.parametrize(
    "vector", vectors("irc-sasl-plain.json", "cases"), ids=lambda each: str(len(each["payload"]))
)
def test_accounts_are_written_as_the_vectors_have_it(vector):
    found = irc_lines.sasl_plain(vector["authcid"], vector["password"], acting_as=vector["authzid"])
    assert found == vector["lines"]


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo..."),
        ("ééé", 6, "ééé"),
        ("éééé", 6, "é..."),
        ("🐛🐛", 7, "🐛..."),
        ("🐛🐛", 6, "..."),
        ("abcd", 3, ""),
    ],
)
def test_what_is_too_long_is_cut_by_bytes_and_never_inside_a_character(text, most, cut):
    assert irc_lines.cut(text, most) == cut


@pytest.mark.parametrize(
    ("mapping", "one", "other"),
    [
        ("ascii", "#OPS", "#ops"),
        ("rfc1459", "nick[\\]^", "NICK{|}~"),
        ("strict-rfc1459", "nick[\\]", "NICK{|}"),
    ],
)
def test_names_are_compared_as_the_server_does(mapping, one, other):
    assert irc_lines.folded(one, mapping) == irc_lines.folded(other, mapping)


def test_other_nicks_never_grow_longer_than_every_server_takes():
    assert [irc_lines.other_nick("tocsin", number) for number in (1, 2, 3)] == [
        "tocsin_",
        "tocsin1",
        "tocsin2",
    ]
    assert irc_lines.other_nick("ninechars", 1) == "ninechar_"


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Access denied: Bad password?", Meaning.BROKEN),
        ("Closing Link: you are banned (K-Lined)", Meaning.BROKEN),
        ("Closing Link: G-lined: spam", Meaning.BROKEN),
        ("Your host is trying to (re)connect too fast -- throttled", Meaning.LATER),
        ("Excess Flood", Meaning.LATER),
        ("Too many connections from your IP", Meaning.LATER),
        ("Ping timeout: 120 seconds", Meaning.DOUBTFUL),
    ],
)
def test_a_goodbye_says_whether_to_come_again(words, meaning):
    assert irc_answers.of_error(words).meaning == meaning


# What is said


def said(*, most: int = 1, room: int = ROOM, is_coloured: bool = False, **changes) -> list[str]:
    return irc_text.lines(message(**changes), room=room, most=most, is_coloured=is_coloured)


def issue(**changes) -> Subject:
    return replace(message().issue, **changes)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, f"[shop/production] NEW SHOP-4F KeyError: cart (shop.cart) 7x {LINK}"),
        ({"kind": "regression"}, f"[shop/production] BACK SHOP-4F KeyError: cart (shop.cart) 7x {LINK}"),
        ({"kind": "again"}, f"[shop/production] AGAIN SHOP-4F KeyError: cart (shop.cart) 7x {LINK}"),
        (
            {"kind": "resolved", "actor": "Ana Lee"},
            f"[shop/production] FIXED by A\u200bna L\u200bee SHOP-4F KeyError: cart {LINK}",
        ),
        ({"kind": "resolved"}, f"[shop/production] FIXED SHOP-4F KeyError: cart {LINK}"),
        (
            {"kind": "assigned", "issue": issue(assignee="ana")},
            f"[shop/production] SHOP-4F -> a\u200bna KeyError: cart {LINK}",
        ),
        (
            {"kind": "comment", "actor": "ana", "comment": "Mine.\n\nLooking."},
            f"[shop/production] SHOP-4F a\u200bna: Mine. Looking. {LINK}",
        ),
        (
            {"kind": "digest", "issue": None, "event": None, "headline": "Many new issues in Shop",
             "issues": [issue(short_id="A-1", event_count=40), issue(short_id="A-2", event_count=0)]},
            f"[shop] Many new issues in Shop, top: A-1 (40x), A-2 {LINK}",
        ),
        ({"kind": "digest", "issue": None, "event": None, "headline": "Many"}, f"[shop] Many {LINK}"),
        (
            {"kind": "test", "issue": None, "event": None, "headline": "Test message from Tocsin for Shop"},
            f"[shop] TEST Test message from Tocsin for Shop {LINK}",
        ),
        (
            {"issue": Subject(143, "SHOP-4F", LINK), "event": None},
            f"[shop] NEW SHOP-4F {LINK}",
        ),
        ({"issue": issue(title="")}, f"[shop/production] NEW SHOP-4F KeyError (shop.cart) 7x {LINK}"),
        (
            {"issue": issue(title="a\r\nQUIT :b\x00\x01\x1f\x7f")},
            f"[shop/production] NEW SHOP-4F a QUIT :b (shop.cart) 7x {LINK}",
        ),
    ],
)  # fmt: skip
def test_one_alert_is_one_line(changes, line):
    assert said(**changes) == [line]


@pytest.mark.parametrize("title", ["x" * 2000, "é" * 2000, "🐛" * 2000, "word " * 500])
@pytest.mark.parametrize("kind", ["new", "resolved", "assigned", "comment", "digest"])
@pytest.mark.parametrize("most", [1, 2, 4])
def test_no_line_is_too_long_and_the_link_is_whole(title, kind, most):
    about = {} if kind != "digest" else {"issue": None, "issues": [issue(title=title)] * 9, "headline": title}
    long = {"issue": issue(title=title, culprit=title, assignee=title), **about}
    found = said(
        kind=kind, most=most, actor="ana", comment=title, reason=title, project_slug="p" * 60, **long
    )
    assert 1 <= len(found) <= most
    assert all(len(line.encode()) <= ROOM for line in found)
    assert sum(line.endswith(LINK) for line in found) >= 1
    assert "..." in "".join(found)


def test_of_a_long_line_the_culprit_goes_before_the_title():
    [line] = said(issue=issue(culprit="c" * 60, title="A title that says what went wrong"), room=150)
    assert "(ccc" not in line
    assert "A title that says" in line
    assert " 7x https" in line


def test_not_even_a_link_that_is_too_long_makes_a_line_too_long():
    assert all(len(line.encode()) <= ROOM for line in said(url="https://x/" + "y" * 800))


def test_further_lines_say_which_tags_where_and_why():
    found = said(most=4, tags=("browser", "none"))
    assert found[1:] == ["  browser=Firefox", "at shop/cart.py:42 in checkout", "Rule “New issues” fired."]


def test_further_lines_of_a_summary_are_its_issues():
    found = said(kind="digest", most=3, issue=None, event=None, headline="Many", issues=[message().issue] * 9)
    assert found == [f"[shop] Many {LINK}", *[f"  SHOP-4F KeyError: cart 7x {LINK}"] * 2]


@pytest.mark.parametrize(
    ("kind", "level", "word"),
    [
        ("new", "fatal", "\x0304NEW\x03"),
        ("new", "warning", "\x0307NEW\x03"),
        ("new", "info", "\x0312NEW\x03"),
        ("new", "debug", "\x0314NEW\x03"),
        ("resolved", "error", "\x0303FIXED\x03"),
        ("new", "odd", "NEW"),
    ],
)
def test_colours_are_those_of_levels_where_they_are_wanted(kind, level, word):
    [line] = said(kind=kind, issue=issue(level=level), is_coloured=True)
    assert line.startswith(f"[shop/production] {word} SHOP-4F")


def test_a_bare_message_is_a_name_a_title_and_a_link():
    bare = message(at=datetime(2026, 1, 1, tzinfo=UTC)).bare()
    found = irc_text.lines(bare, room=ROOM, most=4, is_coloured=False)
    assert found == [f"[shop] NEW SHOP-4F KeyError: cart {LINK}"]
