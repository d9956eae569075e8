"""Many projects: in groups and pages, many set at once, links to one of them; deploys by organization."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, select

from app.db import db
from app.models import NotificationSetting
from app.services.preferences import defaulting, preferring
from tests.support.browser import HTMX

ROOT = "/settings/account/notifications/"


@pytest.fixture
def bobs(as_user, cast):
    """Bob's browser."""
    return as_user(cast.bob)


@pytest.fixture
def many(make, cast):
    """Thirty projects more."""
    return [make.project(cast.acme, f"p{number:02}", teams=[cast.team]) for number in range(30)]


def parsed(answer):
    return BeautifulSoup(answer.text, "html.parser")


def chosen(session, user):
    session.expire_all()
    rows = session.scalars(select(NotificationSetting).where(NotificationSetting.user_id == user.id))
    return {(row.category, row.scope, row.scope_id): row.value for row in rows}


def form_of(page, button):
    form = page.find("button", string=button).find_parent("form")
    return form["action"], {field["name"]: field.get("value", "") for field in form.select("input[name]")}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["without script", "with script"])
def test_all_that_is_shown_is_set_and_put_back_at_once(session, bobs, cast, many, headers):
    url, fields = form_of(bobs.page(f"{ROOT}alerts/"), "Apply")
    answer = bobs.post(url, data={**fields, "value": "off"}, headers=headers)
    assert set(chosen(session, cast.bob).values()) == {"off"}
    assert len(chosen(session, cast.bob)) == 31
    page = parsed(answer) if headers else bobs.page(answer.location)
    assert "you set 31 projects to Off" in " ".join(page.text.split())
    notice = page.select_one(".notice")
    url, fields = form_of(notice, "Undo")
    bobs.post(url, data=fields, headers=headers)
    assert chosen(session, cast.bob) == {}
    assert "you set" not in bobs.get(f"{ROOT}alerts/").text


def test_only_what_the_filter_shows_is_set(session, bobs, cast, many):
    url, fields = form_of(bobs.page(f"{ROOT}workflow/?q=p0"), "Apply")
    bobs.post(url, data={**fields, "value": "never"})
    assert {key[2] for key in chosen(session, cast.bob)} == {each.id for each in many[:10]}


def test_a_list_that_grew_meanwhile_is_not_set_unseen(session, bobs, make, cast):
    url, fields = form_of(bobs.page(f"{ROOT}alerts/"), "Apply")
    make.project(cast.acme, "fresh", teams=[cast.team])
    assert bobs.post(url, data={**fields, "value": "off"}, headers=HTMX).status_code == 409
    assert chosen(session, cast.bob) == {}


def test_setting_all_to_default_takes_every_choice_back(session, bobs, cast, many, now):
    for project in many[:3]:
        preferring.choose(session, cast.bob, "alerts", "off", project=project, via="web", now=now)
    url, fields = form_of(bobs.page(f"{ROOT}alerts/?differ=1"), "Apply")
    assert fields["count"] == "3"
    bobs.post(url, data={**fields, "value": ""})
    assert chosen(session, cast.bob) == {}


def test_a_link_to_a_project_opens_the_page_that_has_it(bobs, many):
    page = bobs.page(f"{ROOT}workflow/?at=shop")
    assert page.find(id="p-shop")
    assert len(page.select("tr.setting")) == 6
    assert bobs.page(f"{ROOT}workflow/?at=nothing").find(id="p-p00")


def test_projects_stand_under_their_organization_each_with_an_anchor_of_its_own(bobs, make, cast):
    theirs = make.team(cast.rivals, "us", members=[cast.bob])
    make.member(cast.rivals, cast.bob)
    make.project(cast.rivals, "shop", teams=[theirs])
    page = bobs.page(f"{ROOT}alerts/")
    assert [group.text for group in page.select("tr.group th")] == ["Acme", "Rivals"]
    assert [row["id"] for row in page.select("tr.setting")] == ["p-shop", "p-rivals-shop"]


def test_deploys_are_set_by_organization(session, bobs, cast):
    row = bobs.page(f"{ROOT}deploys/").find(id="o-acme")
    assert row.select_one("option[value='']").text == "Default (Only mine)"
    fields = {field["name"]: field["value"] for field in row.form.select("input[name]")}
    answer = bobs.post(row.form["action"], data={**fields, "value": "never"}, headers=HTMX)
    assert parsed(answer).tr["id"] == "o-acme"
    assert "your choice for this organization" in answer.text
    assert chosen(session, cast.bob) == {("deploys", "organization", cast.acme.id): "never"}
    back = bobs.post(row.form["action"], data={**fields, "value": "", "version": "1"})
    assert back.location == f"{ROOT}deploys/?at=acme#o-acme"
    assert chosen(session, cast.bob) == {}


def test_deploys_of_an_organization_of_others_are_not_ones_own_to_set(session, bobs, cast):
    sent = {"category": "deploys", "organization": cast.rivals.id, "value": "never", "version": "0"}
    assert bobs.post(f"{ROOT}choice", data=sent).status_code == 404
    assert bobs.post(f"{ROOT}choice", data={**sent, "organization": ""}).status_code == 303
    assert chosen(session, cast.bob) == {("deploys", "account", 0): "never"}


def test_a_default_names_who_set_it(session, bobs, cast, now):
    defaulting.choose(session, "workflow", "", "participating", version=0, by=cast.alice, now=now)
    row = bobs.page(ROOT).find(id="row-workflow-0")
    assert "instance default, set by Alice" in row.text
    assert row.select_one(".in-force").text == "Only on issues I subscribe to"


@pytest.fixture
def count_queries(app):
    def count(browser, path):
        asked = []
        with app.app_context():
            real = db.engine

        def note(*args):
            asked.append(args[2])

        event.listen(real, "before_cursor_execute", note)
        try:
            browser.page(path)
        finally:
            event.remove(real, "before_cursor_execute", note)
        return len(asked)

    return count


def test_a_page_of_many_projects_takes_no_more_queries_than_one_of_few(bobs, cast, make, count_queries):
    bobs.page(f"{ROOT}alerts/")  # notes that Bob was here
    few = count_queries(bobs, f"{ROOT}alerts/")
    for number in range(30):
        make.project(cast.acme, f"p{number:02}", teams=[cast.team])
    assert count_queries(bobs, f"{ROOT}alerts/") == few
