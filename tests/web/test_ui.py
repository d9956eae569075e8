"""The macros that every page is made of."""

import re

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.settings import ROOT
from app.web.filters import FILTERS


@pytest.fixture(scope="module")
def ui():
    """The macros of one file: ui("icons").icon("bell")."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(static_url="/static/{}?v=0".format, csrf_token=lambda: "token")
    return lambda name: environment.get_template(f"ui/{name}.html").module


@pytest.mark.parametrize("level", ["fatal", "error", "warning", "info", "debug"])
def test_a_level_is_word_shape_and_colour(ui, level):
    badge = ui("icons").badge_level(level)
    assert f"is-{level}" in badge
    assert "<use href=" in badge
    assert level.capitalize() in badge
    assert f'role="img" title="{level}"' in ui("icons").level_mark(level)


def test_every_level_has_a_shape_of_its_own(ui):
    marks = [ui("icons").level_mark(level) for level in ("fatal", "error", "warning", "info", "debug")]
    assert len({re.findall(r"#([\w-]+)\"", mark)[0] for mark in marks}) == 5


@pytest.mark.parametrize(
    ("status", "substatus", "word"),
    [
        ("unresolved", "regressed", "Regressed"),
        ("unresolved", "new", "New"),
        ("unresolved", "ongoing", ""),
        ("resolved", None, "Resolved"),
        ("ignored", "archived_forever", "Ignored"),
    ],
)
def test_a_state_says_what_matters_and_ongoing_says_nothing(ui, status, substatus, word):
    assert re.sub(r"<[^>]+>", "", ui("icons").badge_state(status, substatus)).strip() == word


def test_a_sparkline_stays_under_three_hundred_bytes(ui):
    jagged = [0, 99_999] * 12
    drawn = ui("text").sparkline(jagged, "38 events in 24 hours, busiest hour 21")
    assert len(drawn) < 300


def test_what_people_type_comes_back_escaped(ui):
    page = ui("forms").field("name", "Name", '"><script>', error="<b>", attrs={"maxlength": 9})
    assert "<script>" not in page
    assert "<b>" not in page
    assert 'maxlength="9"' in page


def test_a_field_with_an_error_points_at_it(ui):
    page = ui("forms").field("slug", "Slug", "a b", hint="Shown in addresses.", error="No spaces.")
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="slug-error slug-hint"' in page
    assert 'id="slug-error"' in page
    assert 'id="slug-hint"' in page
    assert '<label for="slug">' in page


def test_the_summary_of_errors_takes_the_focus_and_links_to_the_fields(ui):
    page = ui("forms").errors_summary({"slug": "No spaces.", "": "The address is taken."})
    assert "autofocus" in page
    assert '<a href="#slug">No spaces.</a>' in page
    assert "2 things to mend" in page
    assert ui("forms").errors_summary({}) == ""


def test_an_undo_is_a_form_with_its_token(ui):
    page = ui("messages").toast("Resolved", undo={"url": "/issues/7/reopening", "fields": {"version": 3}})
    assert 'method="post"' in page
    assert 'value="token"' in page
    assert 'name="version" value="3"' in page


def test_a_reach_sentence_is_a_link_that_can_open_in_place(ui):
    page = ui("text").reach("Told 4", "/notices/x/", panel_url="/notices/x/panel")
    assert 'hx-get="/notices/x/panel"' in page
    assert '<a href="/notices/x/">' in page
    assert ui("text").reach("Told 4", "/notices/x/").startswith("<a ")


def test_a_failure_carries_no_check_mark(ui):
    toast = ui("messages").toast("Too many tries", "failed", of="/x")
    assert "#triangle" in toast
    assert 'data-of="/x"' in toast
    assert "#check" in ui("messages").toast("Done")
