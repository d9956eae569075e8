"""From a new account to the proof that the bell rings."""

import pytest
from sqlalchemy import select

from app import refusals
from app.clock import now as real_now
from app.models import AlertRule, Event, NotificationSetting, Organization, Project
from app.services import access
from app.services.people import workspaces
from app.web.snippets import SNIPPETS
from tests.support.browser import HTMX

FORM = {
    "organization": "Acme Inc.",
    "project": "Checkout Service",
    "platform": "python-flask",
    "team": "Payments",
}


@pytest.fixture
def newcomer(make):
    return make.user("Priya", is_superuser=True)


@pytest.fixture
def welcome(shop):
    """Addresses of shop's last two steps."""
    return "/welcome/acme/shop"


def test_somebody_without_projects_starts_at_the_beginning(as_user, newcomer):
    assert as_user(newcomer).get("/").location == "/welcome/"


@pytest.mark.parametrize(
    ("loudness", "chosen"),
    [
        ("everything", {}),
        ("part_of", {"workflow": "participating"}),
        ("quiet", {"alerts": "off", "workflow": "never"}),
    ],
)
def test_the_first_page_sets_how_loud_the_bell_is(as_user, newcomer, session, loudness, chosen):
    answer = as_user(newcomer).post("/welcome/", data={"loudness": loudness, "timezone": "Asia/Tokyo"})
    assert answer.location == "/welcome/project/"
    session.expire_all()
    rows = session.scalars(select(NotificationSetting).where(NotificationSetting.user_id == newcomer.id))
    assert {row.category: row.value for row in rows} == chosen
    assert newcomer.timezone == "Asia/Tokyo"


def test_an_unknown_time_zone_comes_back_as_typed(as_user, newcomer):
    answer = as_user(newcomer).post("/welcome/", data={"loudness": "quiet", "timezone": "Mars"})
    assert answer.status_code == 422
    assert 'value="Mars"' in answer.text
    assert answer.text.count("checked") == 1


def test_one_form_makes_organization_team_and_project(as_user, newcomer, session):
    answer = as_user(newcomer).post("/welcome/project/", data=FORM)
    assert answer.location == "/welcome/acme-inc/checkout-service/connect/"
    project = session.scalars(select(Project)).one()
    assert (project.name, project.platform) == ("Checkout Service", "python-flask")
    assert [team.slug for team in project.teams] == ["payments"]
    assert workspaces.membership(session, project.organization, newcomer).role == "owner"
    assert access.project_member_ids(session, project.id) == {newcomer.id}


@pytest.mark.parametrize(("ticked", "rules"), [({"rules": "1"}, 1), ({}, 0)])
def test_whoever_makes_a_project_may_untick_its_rules(as_user, newcomer, session, ticked, rules):
    box = as_user(newcomer).page("/welcome/project/").find("input", attrs={"name": "rules"})
    assert box.has_attr("checked")
    as_user(newcomer).post("/welcome/project/", data=FORM | {"asks_rules": "1"} | ticked)
    assert session.query(AlertRule).count() == rules


@pytest.mark.parametrize(
    ("typed", "slugs"),
    [
        ({"organization": "API"}, ("api-2", "checkout-service")),
        ({"project": "42"}, ("acme-inc", "42-2")),
        ({"organization": "日本", "project": "settings"}, ("tocsin-1", "settings-2")),
    ],
)
def test_a_name_that_makes_no_slug_gets_the_next_that_is_free(as_user, newcomer, session, typed, slugs):
    as_user(newcomer).post("/welcome/project/", data=FORM | typed)
    project = session.scalars(select(Project)).one()
    assert (project.organization.slug, project.slug) == slugs


@pytest.mark.parametrize("field", ["organization", "project", "team"])
def test_an_incomplete_form_makes_nothing(as_user, newcomer, session, field):
    answer = as_user(newcomer).post("/welcome/project/", data=FORM | {field: " "})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert session.scalars(select(Organization)).all() == []


def test_another_project_is_made_in_the_same_organization(as_user, alice, cast, session):
    page = as_user(alice).page("/acme/projects/new/")
    assert page.find("input", {"name": "organization"}) is None
    answer = as_user(alice).post("/acme/projects/new/", data={"project": "Shop", "team": "shop-team"})
    assert answer.location == "/welcome/acme/shop-2/connect/"
    made = session.scalars(select(Project).where(Project.slug == "shop-2")).one()
    assert made.teams == [cast.team]


def test_an_admin_gives_a_project_to_no_team_they_are_not_in(as_user, cast, make, session):
    admin = make.member(cast.acme, role="admin")
    client = as_user(admin)
    assert client.page("/acme/projects/new/").select("#teams option") == []
    answer = client.post("/acme/projects/new/", data={"project": "Vault", "team": "shop-team"})
    assert (answer.status_code, "You are not in the team #shop-team" in answer.text) == (422, True)
    assert access.visible_projects(session, admin) == []
    assert client.post("/acme/projects/new/", data={"project": "Vault", "team": "Mine"}).status_code == 303
    session.expire_all()
    again = client.post("/acme/projects/new/", data={"project": "Safe", "team": "Mine"})
    assert again.status_code == 303


def test_a_manager_gives_a_project_to_any_team(as_user, cast, make):
    manager = as_user(make.member(cast.acme, role="manager"))
    assert len(manager.page("/acme/projects/new/").select("#teams option")) == 1
    answer = manager.post("/acme/projects/new/", data={"project": "Vault", "team": "shop-team"})
    assert answer.status_code == 303


@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_who_may_not_make_projects_sees_no_form_for_it(as_user, cast, person):
    client = as_user(getattr(cast, person))
    assert client.get("/acme/projects/new/").status_code == 404
    assert client.post("/acme/projects/new/", data=FORM).status_code == 404


@pytest.mark.parametrize("platform", SNIPPETS)
def test_every_snippet_holds_what_the_sdk_needs(as_user, alice, make, shop, welcome, platform):
    page = as_user(alice).page(f"{welcome}/connect/?with={platform}")
    key = make.key(shop)
    texts = [block.get_text() for block in page.select("main pre")]
    assert texts[0] == workspaces.dsn("https://tocsin.example.org", key, shop)
    snippet = "\n".join(texts[1:])
    assert key.public in snippet
    assert "<DSN>" not in snippet
    assert "tocsin.example.org" in snippet


@pytest.mark.parametrize("platform", [name for name in SNIPPETS if name.startswith("python")])
def test_python_snippets_are_python(platform):
    steps = SNIPPETS[platform].filled("https://0123456789abcdef0123456789abcdef@tocsin.example.org/1")
    for _, text in steps:
        if "\n" in text:
            compile(text, platform, "exec")


def test_the_first_snippet_is_that_of_the_projects_platform(as_user, alice, shop, welcome):
    shop.platform = "node"
    assert "@sentry/node" in as_user(alice).page(f"{welcome}/connect/").text


def test_without_a_key_that_works_the_page_says_so(as_user, alice, make, shop, welcome):
    make.key(shop).is_active = False
    page = as_user(alice).page(f"{welcome}/connect/")
    assert "switched off" in page.find("main").text
    assert page.find(id="dsn") is None


@pytest.mark.parametrize("person", ["dee", "charlie"])
def test_strangers_see_neither_key_nor_proof(as_user, cast, issue, welcome, person):
    client = as_user(getattr(cast, person))
    for path in ("connect/", "arrival/", "rang/"):
        assert client.get(f"{welcome}/{path}").status_code == 404
    assert client.post(f"{welcome}/sample/").status_code == 404


def poll(page, name):
    """The address that a part of a page asks again and again."""
    return page.find(id=name)["hx-get"]


def test_waiting_costs_nothing_while_nothing_changes(as_user, alice, welcome):
    client = as_user(alice)
    answer = client.get(poll(client.page(f"{welcome}/connect/"), "waiting"), headers=HTMX)
    assert (answer.status_code, answer.text) == (204, "")


def test_a_refused_request_shows_up_on_the_waiting_page(as_user, alice, app, shop, welcome):
    client = as_user(alice)
    address = poll(client.page(f"{welcome}/connect/"), "waiting")
    connection = app.extensions["tocsin_redis"]
    refusals.note(connection, shop.id, status=403, detail="the key is unknown", now=real_now())
    answer = client.get(address, headers=HTMX)
    assert "403, the key is unknown" in answer.text
    assert "<html" not in answer.text


def test_the_first_event_leads_to_the_proof(as_user, alice, make, issue, shop, welcome, session):
    client = as_user(alice)
    page = client.page(f"{welcome}/connect/")
    event = make.event(issue)
    answer = client.get(poll(page, "waiting"), headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"{welcome}/rang/?event={event.id}"


def test_without_script_the_page_reloads_itself_and_moves_on(as_user, alice, make, shop, welcome):
    client = as_user(alice)
    reload = client.page(f"{welcome}/connect/").find("noscript").find("meta")["content"]
    address = reload.partition("url=")[2]
    assert client.get(address).status_code == 200
    issue = make.issue(shop, events=1)
    assert client.get(address).location.startswith(f"{welcome}/rang/?event=")
    assert issue


def test_a_project_that_has_events_can_still_be_connected_again(as_user, alice, issue, welcome):
    page = as_user(alice).page(f"{welcome}/connect/")
    assert "Waiting for the next event" in page.text


def test_the_proof_follows_an_event_to_the_mailbox(as_user, alice, report, run_jobs, welcome, session):
    report("KeyError: cart")
    run_jobs()
    event = session.scalars(select(Event)).one()
    proof = as_user(alice).page(f"{welcome}/rang/?event={event.id}").find(id="proof")
    said = " ".join(proof.text.split())
    assert "Received KeyError: cart" in said
    assert "Created as issue SHOP-1" in said
    assert "Fired the rule “Tell issue owners about new issues”" in said
    assert "Accepted mail to alice@example.org" in said
    assert proof.find("a", string="See the full explanation")["href"].startswith("/notices/n_")
    assert not proof.has_attr("hx-get"), "there is nothing more to wait for"


def test_the_proof_is_asked_again_until_it_is_complete(as_user, alice, make, issue, welcome, session):
    event = session.scalars(select(Event)).one()
    notice = make.notice(issue, event_id=event.event_id)
    client = as_user(alice)
    page = client.page(f"{welcome}/rang/?event={event.id}")
    assert "Choosing who is told" in " ".join(page.text.split())
    assert page.find("noscript")
    address = poll(page, "proof")
    assert client.get(address, headers=HTMX).status_code == 204
    delivery = make.delivery(notice, alice)
    fragment = client.get(address, headers=HTMX)
    assert "On its way" in fragment.text
    assert "<html" not in fragment.text
    delivery.state, delivery.finished_at = "failed", real_now()
    assert "Failed" in client.get(address, headers=HTMX).text


def test_an_event_of_a_known_issue_does_not_pretend_to_ring(as_user, alice, issue, welcome):
    page = as_user(alice).page(f"{welcome}/rang/")
    assert page.h1.text == "It arrived"
    assert "No rule fired" in page.text


def test_an_event_of_another_project_proves_nothing_here(as_user, alice, make, cast, issue, welcome):
    make.issue(cast.other_shop, events=1)
    foreign = as_user(cast.charlie)
    assert foreign.get(f"/welcome/rivals/other-shop/rang/?event={issue.id}").status_code == 303


def test_before_any_event_there_is_no_proof(as_user, alice, welcome):
    assert as_user(alice).get(f"{welcome}/rang/").location == f"{welcome}/connect/"


# The sample event


def test_the_sample_event_goes_through_the_real_endpoint(
    sdk, as_user, session, alice, welcome, run_jobs, mailbox
):
    client = as_user(alice)
    answer = client.post(f"{welcome}/sample/")
    assert answer.location == f"{welcome}/connect/?seen=0"
    run_jobs()
    event = session.scalars(select(Event)).one()
    assert (event.environment, event.title.partition(":")[0]) == ("sample", "SampleError")
    assert "This is the sample event" in client.page(f"{welcome}/rang/").text
    assert mailbox(alice)


@pytest.mark.usefixtures("at_once")
def test_every_sample_rings(sdk, as_user, alice, welcome, run_jobs, mailbox):
    client = as_user(alice)
    for count in (1, 2):
        client.post(f"{welcome}/sample/")
        run_jobs()
        assert len(mailbox(alice)) == count


def test_a_sample_that_is_refused_says_why(sdk, as_user, alice, welcome, redis_server):
    client = as_user(alice)
    redis_server.client.config_set("maxmemory", 1)
    try:
        answer = client.post(f"{welcome}/sample/")
    finally:
        redis_server.client.config_set("maxmemory", 0)
    assert answer.status_code == 422
    assert "refused with 429" in answer.text


def test_where_no_events_are_taken_the_sample_says_so(app, as_user, alice, welcome):
    app.extensions.pop("tocsin_ingest", None)
    answer = as_user(alice).post(f"{welcome}/sample/")
    assert answer.status_code == 422
    assert "could not be sent" in answer.text
