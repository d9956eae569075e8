"""A person's own settings: every row saves by itself, with script and without, and says what is in force."""

from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.domain.links import Links
from app.models import NotificationSetting, SettingAudit, User
from app.services.people import accounts
from app.services.preferences import preferring
from tests.make import PASSWORD
from tests.support.browser import HTMX

ROOT = "/settings/account/notifications/"
PAGES = [
    "/settings/account/",
    ROOT,
    *(f"{ROOT}{page}/" for page in ("alerts", "workflow", "deploys", "email", "issues", "history", "log")),
    f"{ROOT}issues/unsubscribed/",
    f"{ROOT}issues/muted/",
]
POSTS = [
    "/settings/account/",
    "/settings/account/password",
    "/settings/account/sessions",
    "/settings/account/mail-links",
    f"{ROOT}choice",
    f"{ROOT}alerts/all",
    f"{ROOT}alerts/all/undo",
    f"{ROOT}route",
    f"{ROOT}email/",
    f"{ROOT}email/1/link",
    f"{ROOT}email/1/primary",
    f"{ROOT}email/1/removal",
    f"{ROOT}email/verify/x/",
    f"{ROOT}issues/followed/1",
    f"{ROOT}test",
]


@pytest.fixture
def bobs(as_user, cast):
    """Bob's browser."""
    return as_user(cast.bob)


def chosen(session, user):
    session.expire_all()
    rows = session.scalars(select(NotificationSetting).where(NotificationSetting.user_id == user.id))
    return {(row.category, row.kind, row.scope, row.scope_id): row.value for row in rows}


def parsed(answer):
    return BeautifulSoup(answer.text, "html.parser")


def fields(form):
    """What a browser would send with the form."""
    sent = {field["name"]: field.get("value", "") for field in form.select("input[name]")}
    for select_ in form.select("select[name]"):
        option = select_.select_one("option[selected]") or select_.select_one("option")
        sent[select_["name"]] = option["value"]
    return sent


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_itself(bobs, path):
    page = bobs.page(path)
    assert page.h1
    assert page.select_one('.sidenav [aria-current="page"]')


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_asked_to_sign_in(client, path):
    assert client.get(path).location == f"/auth/login/?next={path}"


@pytest.mark.parametrize("path", POSTS)
def test_nothing_is_changed_for_strangers(session, client, cast, path):
    answer = client.post(path, data={"category": "alerts", "value": "off"})
    assert answer.location == "/auth/login/"
    assert session.scalar(select(SettingAudit)) is None


# Account


def test_saving_the_profile(session, bobs, cast):
    sent = {"name": "Bob B.", "handle": "@Bobby", "timezone": "Europe/Paris", "theme": "dark"}
    assert bobs.post("/settings/account/", data=sent).location == "/settings/account/"
    session.expire_all()
    bob = session.get(User, cast.bob.id)
    assert (bob.name, bob.handle, bob.timezone, bob.theme) == ("Bob B.", "bobby", "Europe/Paris", "dark")


WRONG = {
    "no name": ("name", " "),
    "a handle with a space": ("handle", "bob b"),
    "somebody else's handle": ("handle", "alice"),
    "no such place": ("timezone", "Europe/Atlantis"),
    "no such theme": ("theme", "pink"),
}


@pytest.mark.parametrize(("field", "value"), WRONG.values(), ids=WRONG)
def test_a_wrong_profile_comes_back_as_typed(session, bobs, cast, field, value):
    sent = {"name": "Robert", "handle": "bob", "timezone": "UTC", "theme": "auto", field: value}
    answer = bobs.post("/settings/account/", data=sent)
    assert answer.status_code == 422
    page = parsed(answer)
    assert page.select_one(f'.errors a[href="#{field}"]')
    if field != "name":
        assert page.find(id="name")["value"] == "Robert"
    session.expire_all()
    assert session.get(User, cast.bob.id).name == "Bob"


def test_changing_the_password_keeps_this_browser_and_signs_out_the_others(session, make, as_user, cast):
    ann = make.member(cast.acme, make.user("Ann", password=PASSWORD))
    here, elsewhere = as_user(ann), as_user(ann)
    sent = {"current": PASSWORD, "password": "a much better one"}
    assert here.post("/settings/account/password", data=sent).status_code == 303
    assert here.get("/settings/account/").status_code == 200
    assert elsewhere.get("/settings/account/").status_code == 303
    session.expire_all()
    assert accounts.check_password(session, ann.email, "a much better one")


PASSWORDS = {
    "not the current one": ("wrong", "a much better one", "current"),
    "too short": (PASSWORD, "short", "password"),
}


@pytest.mark.parametrize(("current", "new", "field"), PASSWORDS.values(), ids=PASSWORDS)
def test_a_password_is_not_changed_for_the_wrong_reasons(session, make, as_user, current, new, field):
    ann = make.user("Ann", password=PASSWORD)
    answer = as_user(ann).post("/settings/account/password", data={"current": current, "password": new})
    assert answer.status_code == 422
    assert parsed(answer).select_one(f'.errors a[href="#{field}"]')
    session.expire_all()
    assert accounts.check_password(session, ann.email, PASSWORD)


def test_whoever_has_no_password_sets_a_first_one(session, bobs, cast):
    assert "Current password" not in bobs.page("/settings/account/").text
    assert bobs.post("/settings/account/password", data={"password": PASSWORD}).status_code == 303
    session.expire_all()
    assert accounts.check_password(session, cast.bob.email, PASSWORD)


def test_signing_out_everywhere_includes_here(as_user, cast):
    here, elsewhere = as_user(cast.bob), as_user(cast.bob)
    assert here.post("/settings/account/sessions").location == "/auth/login/"
    assert here.get("/settings/account/").status_code == 303
    assert elsewhere.get("/settings/account/").status_code == 303


def test_invalidating_links_changes_what_new_ones_carry(session, bobs, cast):
    bobs.post("/settings/account/mail-links")
    session.expire_all()
    assert session.get(User, cast.bob.id).mail_version == 2


# The overview


def test_a_fresh_account_shows_on_and_always_as_built_in(bobs):
    page = bobs.page(ROOT)
    shown = {
        row.select_one("b").text: (row.select_one(".in-force").text, row.select("td")[3].text.strip())
        for row in page.select("tbody tr.setting")
    }
    assert shown["Alerts"] == ("On", "built-in default")
    assert shown["Workflow"] == ("Always", "built-in default")
    assert shown["My own activity"] == ("Off", "built-in default")
    assert shown["Assignments"] == ("On", "built-in default")


CHOICES = {
    "alerts": ({"category": "alerts", "value": "off"}, ("alerts", "", "account", 0), "off"),
    "workflow": (
        {"category": "workflow", "value": "participating"},
        ("workflow", "", "account", 0),
        "participating",
    ),
    "own activity": ({"category": "own_activity", "value": "on"}, ("own_activity", "", "account", 0), "on"),
    "claiming": ({"category": "claim", "value": "on"}, ("claim", "", "account", 0), "on"),
    "deploys": ({"category": "deploys", "value": "never"}, ("deploys", "", "account", 0), "never"),
    "ignores that end": (
        {"category": "workflow", "kind": "ignore", "value": "off"},
        ("workflow", "ignore", "account", 0),
        "off",
    ),
    "a kind": (
        {"category": "workflow", "kind": "comments", "value": "off"},
        ("workflow", "comments", "account", 0),
        "off",
    ),
}


@pytest.mark.parametrize(("sent", "key", "value"), CHOICES.values(), ids=CHOICES)
def test_a_row_saves_and_undoes_with_script(session, bobs, cast, sent, key, value):
    answer = bobs.post(f"{ROOT}choice", data={"version": "0", **sent}, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]
    assert chosen(session, cast.bob) == {key: value}
    row = parsed(answer)
    assert "Saved" in row.text
    undo = row.find("button", string="Undo").find_parent("form")
    undone = bobs.post(undo["hx-post"], data=fields(undo), headers=HTMX)
    assert undone.status_code == 200
    assert chosen(session, cast.bob) == {}


@pytest.mark.parametrize(("sent", "key", "value"), CHOICES.values(), ids=CHOICES)
def test_a_row_saves_without_script(session, bobs, cast, sent, key, value):
    answer = bobs.post(f"{ROOT}choice", data={"version": "0", **sent})
    assert answer.status_code == 303
    path, _, anchor = answer.location.partition("#")
    assert path == ROOT
    page = bobs.page(path)
    assert page.find(id=anchor).select_one(f'option[selected][value="{value}"]')
    assert chosen(session, cast.bob) == {key: value}


def test_the_forms_on_the_page_are_the_ones_that_work(session, bobs, cast):
    form = bobs.page(ROOT).find(id="row-alerts-0").form
    bobs.post(form["action"], data={**fields(form), "value": "off"})
    assert chosen(session, cast.bob) == {("alerts", "", "account", 0): "off"}
    form = bobs.page(ROOT).find(id="row-alerts-0").form
    bobs.post(form["action"], data={**fields(form), "value": ""})
    assert chosen(session, cast.bob) == {}


def test_a_stale_row_is_not_saved_but_shown_afresh(session, bobs, cast):
    sent = {"category": "alerts", "version": "0"}
    bobs.post(f"{ROOT}choice", data={**sent, "value": "off"}, headers=HTMX)
    answer = bobs.post(f"{ROOT}choice", data={**sent, "value": "on"}, headers=HTMX)
    assert answer.status_code == 409
    assert "Changed in another window" in answer.text
    assert parsed(answer).select_one('option[selected][value="off"]')
    assert chosen(session, cast.bob) == {("alerts", "", "account", 0): "off"}


def test_a_stale_row_without_script_says_so_on_its_page(bobs):
    sent = {"category": "alerts", "version": "0"}
    bobs.post(f"{ROOT}choice", data={**sent, "value": "off"})
    answer = bobs.post(f"{ROOT}choice", data={**sent, "value": "on"})
    assert answer.status_code == 303
    assert "Changed in another window" in bobs.get(ROOT).text


HOSTILE = {
    "no such category": ({"category": "security", "value": "off"}, 422),
    "no such value": ({"category": "alerts", "value": "never"}, 422),
    "no such kind": ({"category": "workflow", "kind": "weather", "value": "off"}, 422),
    "a kind that says always": ({"category": "workflow", "kind": "comments", "value": "always"}, 422),
    "a version that is none": ({"category": "alerts", "value": "off", "version": "x"}, 400),
    "a version without end": ({"category": "alerts", "value": "off", "version": "9" * 400}, 400),
    "a project that is none": ({"category": "alerts", "value": "off", "project": "-1"}, 400),
    "a project of nobody": ({"category": "alerts", "value": "off", "project": "999999"}, 404),
    "nothing at all": ({}, 422),
    "a category that is not on the page": ({"category": "subscription", "value": "off"}, 422),
    "a choice for an organization of others": (
        {"category": "deploys", "value": "never", "organization": "999999"},
        404,
    ),
}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(("sent", "status"), HOSTILE.values(), ids=HOSTILE)
def test_what_no_form_sends_is_refused(session, bobs, sent, status, headers):
    answer = bobs.post(f"{ROOT}choice", data={"version": "0", **sent}, headers=headers)
    assert answer.status_code == status
    assert session.scalar(select(NotificationSetting)) is None


def test_nobody_can_choose_for_a_project_out_of_reach(session, bobs, cast):
    sent = {"category": "alerts", "value": "off", "project": cast.other_shop.id, "version": "0"}
    assert bobs.post(f"{ROOT}choice", data=sent).status_code == 404
    assert session.scalar(select(NotificationSetting)) is None


# Project by project


def test_default_says_what_it_means_at_present(session, bobs, cast, now):
    [option] = bobs.page(f"{ROOT}alerts/").select("#p-shop option[value='']")
    assert option.text == "Default (On)"
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    row = bobs.page(f"{ROOT}alerts/").select_one("#p-shop")
    assert row.select_one("option[value='']").text == "Default (Off)"
    assert row.select_one(".in-force").text == "Off"
    assert "from your account" in row.text


def test_only_projects_of_my_teams_are_listed(as_user, make, cast):
    make.project(cast.acme, "secret", teams=[make.team(cast.acme, "others")])
    rows = as_user(cast.alice).page(f"{ROOT}alerts/").select("tr.setting")
    assert [row["id"] for row in rows] == ["p-shop"]


def test_a_project_row_saves_with_and_without_script(session, bobs, cast):
    sent = {"category": "workflow", "project": cast.shop.id, "version": "0", "value": "never"}
    answer = bobs.post(f"{ROOT}choice", data=sent)
    assert answer.location == f"{ROOT}workflow/?at=shop#p-shop"
    assert chosen(session, cast.bob) == {("workflow", "", "project", cast.shop.id): "never"}
    again = bobs.post(f"{ROOT}choice", data={**sent, "version": "1", "value": ""}, headers=HTMX)
    assert parsed(again).tr["id"] == "p-shop"
    assert chosen(session, cast.bob) == {}


def test_the_way_a_value_came_about_is_named(session, bobs, cast, now):
    preferring.choose(session, cast.bob, "alerts", "off", project=cast.shop, via="one-click", now=now)
    row = bobs.page(f"{ROOT}alerts/").select_one("#p-shop")
    assert "your choice for this project, by one-click in email" in " ".join(row.text.split())


def test_filtering_projects_by_name_and_by_difference(session, bobs, make, cast, now):
    make.project(cast.acme, "billing", teams=[cast.team])
    preferring.choose(session, cast.bob, "alerts", "off", project=cast.shop, via="web", now=now)

    def listed(query, **more):
        return [row["id"] for row in parsed(bobs.get(f"{ROOT}alerts/{query}", **more)).select("tr.setting")]

    assert listed("") == ["p-billing", "p-shop"]
    assert listed("?q=BILL") == ["p-billing"]
    assert listed("?differ=1") == ["p-shop"]
    assert listed("?differ=1&q=bill") == []
    assert listed("?q=bill", headers=HTMX) == ["p-billing"]
    assert "<html" not in bobs.get(f"{ROOT}alerts/?q=bill", headers=HTMX).text


def test_many_projects_come_in_pages(bobs, make, cast):
    for number in range(30):
        make.project(cast.acme, f"p{number:02}", teams=[cast.team])
    first, second = bobs.page(f"{ROOT}alerts/"), bobs.page(f"{ROOT}alerts/?page=2")
    assert len(first.select("tr.setting")) == 25
    assert len(second.select("tr.setting")) == 6
    assert bobs.page(f"{ROOT}alerts/?page=99").select("tr.setting")


# What would happen


def test_what_would_happen_is_the_evaluators_answer(session, bobs, cast, now):
    query = f"{ROOT}what-if?kind=alert.new&project={cast.shop.id}"
    fragment = bobs.get(query, headers=HTMX)
    assert parsed(fragment).text.strip() == (
        "If a new error arrived in Shop right now, you would get email at once, "
        "because no owner rule matches, so its 3 members are told."
    )
    preferring.choose(session, cast.bob, "alerts", "off", project=cast.shop, via="web", now=now)
    assert "no email. Alerts are off (your choice for this project)." in bobs.page(query).text


NUMBERS = ["9" * 30, "-1", "x", "1.5", "٣"]


@pytest.mark.parametrize("typed", NUMBERS)
@pytest.mark.parametrize(
    "query", ["alerts/?page=", "history/?before=", "log/?before=", "what-if?kind=resolved&project="]
)
def test_odd_numbers_in_an_address_are_400(bobs, query, typed):
    assert bobs.get(f"{ROOT}{query}{typed}").status_code == 400


ASKED = {
    "no such kind": ("?kind=deploy&project=1", 400),
    "no such project": ("?kind=alert.new&project=999999", 404),
}


@pytest.mark.parametrize(("query", "status"), ASKED.values(), ids=ASKED)
def test_odd_questions_about_what_would_happen(bobs, query, status):
    assert bobs.get(f"{ROOT}what-if{query}").status_code == status


def test_what_would_happen_elsewhere_is_not_said(bobs, cast):
    assert bobs.get(f"{ROOT}what-if?kind=alert.new&project={cast.other_shop.id}").status_code == 404


# Proof and records


def test_a_test_message_goes_the_whole_way_and_explains_itself(bobs, cast, run_jobs, mailbox):
    answer = bobs.post(f"{ROOT}test")
    assert answer.status_code == 303
    run_jobs()
    [mail] = mailbox(cast.bob)
    assert mail.subject.startswith("Test from Tocsin")
    assert f"https://tocsin.example.org{answer.location}" in mail.text
    page = bobs.page(answer.location)
    assert "accepted by the mail server" in page.text
    assert "Test" in bobs.page(f"{ROOT}history/").text
    assert "working" in bobs.page(ROOT).text


def test_a_test_message_with_script_leads_to_its_page(bobs):
    answer = bobs.post(f"{ROOT}test", headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith("/notices/n_")


def test_the_history_holds_what_was_sent_and_what_was_not(session, bobs, cast, make, now, report, run_jobs):
    report("KeyError: first")
    run_jobs()
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    report("ValueError: second")
    run_jobs()
    rows = [" ".join(row.text.split()) for row in bobs.page(f"{ROOT}history/").select("tbody tr")]
    assert "not sent" in rows[0]
    assert "Alerts are off (from your account)" in rows[0]
    assert "KeyError: first" in rows[1]
    assert "sent" in rows[1]


def test_the_history_of_a_project_i_left_is_gone(session, as_user, cast, report, run_jobs):
    report("KeyError: first")
    run_jobs()
    assert "KeyError: first" in as_user(cast.bob).get(f"{ROOT}history/").text
    cast.team.projects.clear()
    assert "KeyError: first" not in as_user(cast.bob).get(f"{ROOT}history/").text


def test_the_history_of_others_is_not_mine(as_user, cast, report, run_jobs):
    report("KeyError: first")
    run_jobs()
    assert "KeyError: first" not in as_user(cast.dee).get(f"{ROOT}history/").text


def test_records_come_in_pages(session, bobs, cast, now):
    for number in range(60):
        value = "off" if number % 2 else "on"
        preferring.choose(session, cast.bob, "alerts", value, via="web", now=now)
    page = bobs.page(f"{ROOT}log/")
    assert len(page.select("tbody tr")) == 50
    older = page.select_one(".pager a[rel=next]")["href"]
    assert len(bobs.page(older).select("tbody tr")) == 10


def test_the_log_says_who_changed_what_and_how(session, bobs, cast, issue, now):
    preferring.choose(
        session, cast.bob, "alerts", "off", project=cast.shop, via="api", now=now, by=cast.alice
    )
    [row] = bobs.page(f"{ROOT}log/").select("tbody tr")
    assert [cell.text for cell in row.select("td")][1:] == [
        "Alerts for Shop: Default → Off",
        "Alice, through the API",
    ]


def test_the_switch_for_a_kind_of_change_is_open_where_links_lead(bobs):
    link = urlsplit(Links("").workflow_kinds())
    kinds = bobs.page(f"{link.path}?{link.query}").find(id=link.fragment)
    assert (kinds.name, "open" in kinds.attrs) == ("details", True)
    assert "open" not in bobs.page(link.path).find(id=link.fragment).attrs
    [other] = bobs.page(f"{ROOT}workflow/").select("a[href$='#kinds']")
    assert other["href"] == f"{link.path}?{link.query}#{link.fragment}"
