"""Slugs: what may stand in an address, and never for a page of ours."""

import re

import pytest

from app.domain import slugs
from app.domain.errors import Refused


@pytest.mark.parametrize("text", ["shop", "Shop ", "a", "1a", "a-b_c", "x" * 50])
def test_a_slug_is_stored_in_lower_case_without_blanks(text):
    assert slugs.organization_slug(text) == text.strip().lower()


@pytest.mark.parametrize("text", ["", "-a", "_a", "a b", "a/b", "café", "x" * 51, "a.b", "ａ"])
def test_what_is_no_slug_is_refused_with_the_rule(text):
    with pytest.raises(Refused, match="A slug has 1 to 50") as refused:
        slugs.project_slug(text)
    assert refused.value.field == "slug"


def test_numbers_alone_are_refused_because_they_stand_for_ids():
    with pytest.raises(Refused, match="needs a letter"):
        slugs.project_slug("42")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Checkout Service", "checkout-service"),
        ("Café & Crème", "cafe-creme"),
        ("  --x--  ", "x"),
        ("日本", ""),
        ("x" * 80, "x" * 50),
    ],
)
def test_a_name_suggests_a_slug(name, slug):
    assert slugs.suggest(name) == slug


def first_places(app, *, below: str = "") -> set[str]:
    """The words that routes of ours have where a slug could stand."""
    found = set()
    for rule in app.url_map.iter_rules():
        parts = [part for part in re.sub(r"<[^>]+>", "<>", rule.rule).split("/") if part]
        if below:
            parts = parts[1:] if parts[:1] == [below] else []
        if parts and parts[0] != "<>":
            found.add(parts[0])
    return found


def test_no_organization_can_have_the_address_of_a_page(app):
    missing = first_places(app) - slugs.RESERVED_FOR_ORGANIZATIONS
    assert not missing, "add them to RESERVED_FOR_ORGANIZATIONS"


def test_no_project_can_have_the_address_of_a_page_of_its_organization(app):
    missing = first_places(app, below="<>") - slugs.RESERVED_FOR_PROJECTS
    assert not missing, "add them to RESERVED_FOR_PROJECTS"


@pytest.mark.parametrize("word", ["api", "settings", "u", "i", "inbox"])
def test_reserved_words_are_refused_by_name(word):
    with pytest.raises(Refused, match=f"“{word}” is the address of a page"):
        slugs.organization_slug(word)
