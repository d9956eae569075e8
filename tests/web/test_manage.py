"""The administrators' pages: for them alone. A default shows its effect, and wants a yes."""

import pytest
from sqlalchemy import select

from app.models import NotificationDefault

ROOT = "/manage/notification-defaults/"
PATHS = ["/manage/", ROOT, f"{ROOT}effect?category=alerts&value=off"]
OFF = {"category": "alerts", "kind": "", "value": "off", "version": "0", "confirmed": "yes"}


@pytest.fixture
def roots(as_user, make):
    """The browser of an administrator."""
    return as_user(make.user("Root", is_superuser=True))


def defaults(session):
    session.expire_all()
    return {(row.category, row.kind): row.value for row in session.scalars(select(NotificationDefault))}


@pytest.mark.parametrize("path", PATHS)
def test_for_everybody_else_there_is_nothing_here(as_user, client, cast, path):
    assert as_user(cast.alice).get(path).status_code == 404
    assert client.get(path).location.startswith("/auth/login/?next=/manage/")


def test_nobody_else_changes_a_default(session, as_user, client, cast):
    assert as_user(cast.alice).post(ROOT, data=OFF).status_code == 404
    assert client.post(ROOT, data=OFF).location == "/auth/login/"
    assert defaults(session) == {}


def test_only_administrators_are_shown_the_way(as_user, roots, cast):
    assert roots.page("/settings/account/").select('a[href="/manage/"]')
    assert not as_user(cast.alice).page("/settings/account/").select('a[href="/manage/"]')


@pytest.mark.both_databases
def test_a_default_is_changed_after_its_effect_was_shown(session, roots, as_user, make, cast):
    make.choice(cast.bob, "alerts", "on")
    row = roots.page(ROOT).find(id="row-alerts")
    assert row.select("td")[3].text.strip() == "3 of 4"
    fields = {field["name"]: field["value"] for field in row.form.select("input[name]")}
    shown = roots.page(row.form["action"], query_string={**fields, "value": "off"})
    assert "3 people will stop getting alerts by mail. 1 person chose" in " ".join(shown.text.split())
    assert defaults(session) == {}
    form = shown.find("button", string="Change the default").find_parent("form")
    sent = {field["name"]: field["value"] for field in form.select("input[name]")}
    assert roots.post(form["action"], data=sent).location == f"{ROOT}#row-alerts"
    assert defaults(session) == {("alerts", ""): "off"}
    page = roots.page(ROOT)
    assert "set by Root" in page.find(id="row-alerts").text
    assert "Alerts: Default → Off" in page.text
    mine = as_user(cast.alice).page("/settings/account/notifications/").find(id="row-alerts-0")
    assert (mine.select_one(".in-force").text, "set by Root" in mine.text) == ("Off", True)
    bobs = as_user(cast.bob).page("/settings/account/notifications/").find(id="row-alerts-0")
    assert bobs.select_one(".in-force").text == "On"


def test_without_a_yes_the_effect_is_shown_instead(session, roots):
    answer = roots.post(ROOT, data={**OFF, "confirmed": ""})
    assert answer.location == f"{ROOT}effect?category=alerts&kind=&value=off"
    assert defaults(session) == {}


def test_a_default_that_somebody_changed_meanwhile_is_left(session, roots):
    roots.post(ROOT, data=OFF)
    roots.post(ROOT, data={**OFF, "value": "on"})
    assert defaults(session) == {("alerts", ""): "off"}
    assert "Somebody changed this default meanwhile" in roots.get(ROOT).text


def test_kinds_of_workflow_changes_have_defaults_too(session, roots):
    roots.post(ROOT, data={**OFF, "category": "workflow", "kind": "comments"})
    assert defaults(session) == {("workflow", "comments"): "off"}
    assert roots.page(ROOT).find(id="row-workflow-comments").select_one(".in-force").text == "Off"


def test_fatal_alerts_in_quiet_hours_have_a_default(session, roots, as_user, cast):
    roots.post(ROOT, data={**OFF, "category": "fatal_rings"})
    assert defaults(session) == {("fatal_rings", ""): "off"}
    row = as_user(cast.bob).page("/settings/account/notifications/quiet-hours/").find(id="row-fatal_rings-0")
    assert row.select_one(".in-force").text == "Off"
    assert "instance default, set by Root" in row.text


ODD = {
    "no such category": ({"category": "security"}, 422),
    "no such value": ({"value": "never"}, 422),
    "no such kind": ({"kind": "weather"}, 422),
    "a version that is none": ({"version": "x"}, 400),
}


@pytest.mark.parametrize(("changed", "status"), ODD.values(), ids=ODD)
def test_what_no_form_sends_is_refused(session, roots, changed, status):
    assert roots.post(ROOT, data={**OFF, **changed}).status_code == status
    assert defaults(session) == {}


def test_a_change_of_a_default_can_be_taken_back(session, roots):
    roots.post(ROOT, data=OFF)
    form = roots.page(ROOT).select_one(".toast form")
    sent = {field["name"]: field["value"] for field in form.select("input[name]")}
    roots.post(form["action"], data=sent)
    assert defaults(session) == {}
