"""The subject of an issue's thread, made from its project's template."""

import pytest

from app.domain import subjects
from app.domain.subjects import Named

ISSUE = Named(
    "SHOP-1", "KeyError: cart", "The shop", "shop", "acme", {"environment": "prod", "release": "4.2.1"}
)


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("", "SHOP-1 - KeyError: cart"),
        ("$shortID - $title", "SHOP-1 - KeyError: cart"),
        ("${tag:environment} $title $foo", "prod KeyError: cart $foo"),  # case 105
        ("$project $projectID $orgID: $title", "The shop shop acme: KeyError: cart"),
        ("${tag:release} ${tag:unknown}", "4.2.1 ${tag:unknown}"),
        ("$shortID\nBcc: all@example.com", "SHOP-1"),
        ("$titles $shortIDs", "$titles $shortIDs"),
    ],
)
def test_a_template_is_filled_in_and_what_is_unknown_stays(template, subject):
    assert subjects.of_thread(template, ISSUE, prefix="") == subject


def test_the_prefix_stands_before_it_and_does_not_count():
    named = Named("SHOP-1", "x" * 300, "The shop", "shop", "acme")
    subject = subjects.of_thread("", named, prefix="[prod]  ")
    assert subject == f"[prod] SHOP-1 - {'x' * 119}"
    assert len(subject) == 128 + len("[prod] ")


@pytest.mark.parametrize("template", ["$title $shortID", "$title and $shortID", "y" * 200 + " $shortID"])
def test_a_long_title_never_pushes_the_short_id_out(template):
    named = Named("SHOP-1", "x" * 300, "The shop", "shop", "acme")
    subject = subjects.of_thread(template, named, prefix="")
    assert subject.endswith("SHOP-1")
    assert len(subject) <= 128


def test_a_title_with_variables_in_it_is_not_read_as_a_template():
    named = Named(
        "SHOP-1", "$shortID ${tag:environment}", "The shop", "shop", "acme", {"environment": "prod"}
    )
    assert subjects.of_thread("$title", named, prefix="") == "$shortID ${tag:environment}"


def test_a_title_of_several_lines_is_one():
    named = Named("SHOP-1", "one\r\nBcc: two", "The shop", "shop", "acme")
    assert subjects.of_thread("", named, prefix="") == "SHOP-1 - one Bcc: two"


def test_without_a_title_the_prefix_and_the_short_id_are_left():
    assert subjects.without_title("SHOP-1", prefix="[prod]") == "[prod] SHOP-1"
