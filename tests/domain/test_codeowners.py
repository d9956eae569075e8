"""CODEOWNERS files: what is taken over of them, and what their paths match."""

import pytest

from app.domain import codeowners, ownership
from app.domain.ownership import Rules
from app.domain.ownership_lines import Owner, Roots

NAMES = {"@acme/web": Owner(True, "web"), "@bob": Owner(False, "bob@example.org")}


def matches(pattern: str, path: str, roots: Roots = ownership.NO_ROOTS, **frame) -> bool:
    imported = codeowners.read(f"{pattern} @acme/web", NAMES)
    event = {"stacktrace": {"frames": [{"filename": path, "in_app": True, **frame}]}}
    return bool(ownership.match(Rules(imported.lines, roots), event, []))


def test_lines_are_taken_over_with_the_people_their_names_stand_for():
    imported = codeowners.read("# all\n\n*  @Acme/Web\n/src/\t@bob @acme/web\r\n", NAMES)
    assert [
        (line.number, line.pattern, [each.written for each in line.owners]) for line in imported.lines
    ] == [
        (3, "*", ["#web"]),
        (4, "/src/", ["bob@example.org", "#web"]),
    ]
    assert imported.skipped == ()
    assert imported.names == ("@Acme/Web", "@bob", "@acme/web")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("!src/x @bob", "a path with !"),
        ("src/[ab].py @bob", "a path with […]"),
        ("[Section]", "the heading of a section"),
        (r"my\ dir/ @bob", "a path with a space"),
        ("src/ @bob # mine", "a line with # inside"),
        ("a#b @bob", "a line with # inside"),
        ("src/", "it names no owner"),
        ("src/ @stranger", "nobody is named for @stranger"),
        ("a/**/b/**/c/**/d/**/e @bob", "so many **"),
    ],
)
def test_what_is_left_out_is_told_with_its_line(line, why):
    imported = codeowners.read(f"* @bob\n{line}", NAMES)
    assert [each.number for each in imported.lines] == [1]
    [skipped] = imported.skipped
    assert (skipped.line, skipped.text) == (2, line)
    assert why in skipped.why


def test_an_unknown_name_beside_a_known_one_takes_nothing_from_it():
    imported = codeowners.read("src/ @stranger @bob", NAMES)
    assert [each.written for each in imported.lines[0].owners] == ["bob@example.org"]
    assert imported.skipped[0].why == "nobody is named for @stranger"


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("*", "src/a.py", True),
        ("*.js", "src/deep/a.js", True),
        ("*.js", "src/deep/a.jsx", False),
        ("/*.js", "a.js", True),
        ("/*.js", "src/a.js", False),
        ("/src/", "src/a/b.py", True),
        ("/src/", "lib/src/a.py", False),
        ("src/", "lib/src/a.py", True),
        ("src/", "src", False),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/deep/a.md", False),
        ("docs/*", "lib/docs/a.md", False),
        ("docs/**", "docs/deep/a.md", True),
        ("**/logs", "a/b/logs/x.py", True),
        ("**/logs", "logs/x.py", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b/c.py", True),
        ("a/**/b", "ax/b", False),
        ("src/pay", "src/pay/a.py", True),
        ("src/pay", "src/payment.py", False),
        ("s?c/a.py", "src/a.py", True),
        ("s?c/a.py", "s/c/a.py", False),
        ("/src/Pay.py", "src/pay.py", False),
    ],
)
def test_paths_mean_what_they_mean_in_gitignore(pattern, path, is_match):
    assert matches(pattern, path) is is_match


def test_only_frames_of_the_application_count_where_any_are_told_apart():
    assert not matches("*.py", "a.py", in_app=False)
    assert matches("*.py", "a.py", in_app=None)


@pytest.mark.parametrize(
    ("roots", "path", "is_match"),
    [
        (Roots("/app/", "services/shop/"), "/app/src/a.py", True),
        (Roots("/app/", "services/shop/"), "/srv/src/a.py", False),
        (Roots("/app/", ""), "/app/services/shop/src/a.py", True),
        (Roots("", "services/shop/"), "src/a.py", True),
        (Roots("", "services/shop/"), "./src/a.py", False),
        (Roots("C:\\app\\", "services/shop/"), "C:\\app\\src\\a.py", True),
    ],
)
def test_a_root_says_where_the_repository_begins(roots, path, is_match):
    assert matches("/services/shop/src/", path, roots) is is_match
