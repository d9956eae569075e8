"""The pages of alert rules: list, editor, one rule, copies, mutes; what new projects start with."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.models import AlertRule, Notice, RuleFiring, RuleMute, RuleTemplate, RuleVersion, Verdict
from app.services.rules import ruling
from tests.support.browser import HTMX

ALERTS = "/acme/shop/settings/alerts/"
STARTING = "/acme/settings/alerts/"
# As the form of the editor sends it: a condition, a filter and an action with keys of their own.
FORM = {
    "version": "0",
    "name": "Fatal in production",
    "environment": "",
    "actionMatch": "any",
    "filterMatch": "all",
    "frequency": "60",
    "conditions-a1-id": "first_seen",
    "conditions-b2-id": "event_count",
    "conditions-b2-value": "100",
    "conditions-b2-comparison": "",
    "conditions-b2-interval": "1h",
    "conditions-b2-earlier": "1d",
    "filters-c3-id": "level",
    "filters-c3-match": "gte",
    "filters-c3-level": "fatal",
    "actions-d4-id": "mail",
    "actions-d4-target": "owners",
    "actions-d4-fallback": "all",
    "requiredReason": "",
    "interruptReason": "",
}


@pytest.fixture
def alices(as_user, cast):
    return as_user(cast.alice)


@pytest.fixture
def bobs(as_user, cast):
    return as_user(cast.bob)


@pytest.fixture
def default_rule(session, cast):
    [rule] = ruling.of_project(session, cast.shop)
    return rule


@pytest.fixture
def saved(session):
    """The rule of this name, as it is stored now."""

    def look(name="Fatal in production"):
        session.expire_all()
        return session.scalars(select(AlertRule).where(AlertRule.name == name)).one()

    return look


def words(page):
    return " ".join(page.get_text(" ").split())


# The list


@pytest.mark.both_databases
def test_the_list_says_where_rules_send_how_often_they_fired_and_whom_they_reach(
    alices, cast, default_rule, make, issue, now
):
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    make.notice(issue, rule_id=default_rule.id, occurred_at=datetime.now(UTC) - timedelta(days=1))
    make.notice(
        make.issue(cast.shop), rule_id=default_rule.id, occurred_at=datetime.now(UTC) - timedelta(days=8)
    )
    row = alices.page(ALERTS).find(id=f"rule-{default_rule.id}")
    cells = {cell["data-label"]: words(cell) for cell in row.find_all("td")}
    assert cells["Sends to"] == "owners, else all members"
    assert cells["Fired 7 d"] == "1"
    assert cells["Reach now"].startswith("2 of 3 by email")


def test_broken_rules_are_marked_in_the_list_with_what_is_wrong(alices, cast, make):
    make.rule(cast.shop, "To Dee", actions=[{"id": "mail", "target": "member", "targetId": cast.dee.id}])
    assert "broken Action 1: That person is no member of the project." in words(alices.page(ALERTS))


def test_mutes_say_whom_they_concern_until_when_and_who_did_it(alices, bobs, default_rule):
    alices.post(f"{ALERTS}{default_rule.id}/mute", data={"for": "everyone", "length": "open"})
    bobs.post(f"{ALERTS}{default_rule.id}/mute", data={"for": "me", "length": "60"})
    page = words(bobs.page(ALERTS))
    assert "Muted for everyone until somebody ends it (Alice)" in page
    assert "Muted for me until" in page
    assert "Muted for me" not in words(alices.page(ALERTS))


def test_the_number_of_queries_does_not_grow_with_the_rules(alices, cast, make, issue, queries):
    def asked():
        with queries() as sent:
            alices.page(ALERTS)
        return len(sent)

    asked()
    few = asked()
    for number in range(5):
        make.rule(
            cast.shop, f"Rule {number}", actions=[{"id": "mail", "target": "owners", "fallback": "all"}]
        )
    assert asked() <= few + 1


def test_a_project_without_rules_says_that_nothing_rings(alices, session, default_rule):
    session.delete(default_rule)
    assert "Nothing rings." in words(alices.page(ALERTS))


# The editor


@pytest.mark.both_databases
def test_a_rule_is_made_without_script(alices, saved):
    answer = alices.post(f"{ALERTS}new/", data=FORM)
    rule = saved()
    assert answer.location == f"{ALERTS}{rule.id}/"
    assert rule.conditions == [{"id": "first_seen"}, {"id": "event_count", "value": 100, "interval": "1h"}]
    assert rule.filters == [{"id": "level", "match": "gte", "level": "fatal"}]
    assert rule.actions == [{"id": "mail", "target": "owners", "fallback": "all"}]
    assert (rule.condition_match, rule.frequency_minutes, rule.repeats) == ("any", 60, "interval")
    assert (rule.created_by.name, rule.version, rule.is_active) == ("Alice", 1, True)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["without script", "with script"])
def test_rows_are_added_moved_and_taken_away_without_saving(alices, session, headers):
    def conditions(do, **more):
        answer = alices.post(f"{ALERTS}new/", data={**FORM, **more, "do": do}, headers=headers)
        assert answer.status_code == 200
        assert ("<html" in answer.text) is not bool(headers)
        rows = BeautifulSoup(answer.text, "html.parser").select("#conditions > li")
        return [row.find("input", type="hidden")["value"] for row in rows]

    assert conditions("add:conditions", **{"add-conditions": "tag"}) == ["first_seen", "event_count", "tag"]
    assert conditions("up:conditions:b2") == ["event_count", "first_seen"]
    assert conditions("down:conditions:a1") == ["event_count", "first_seen"]
    assert conditions("up:conditions:a1") == ["first_seen", "event_count"]
    assert conditions("remove:conditions:a1") == ["event_count"]
    assert conditions("nonsense") == conditions("up:moons:1") == ["first_seen", "event_count"]
    assert session.query(AlertRule).count() == 2


def test_the_focus_goes_to_the_row_that_was_added_and_back_to_where_one_adds(alices, cast):
    page = alices.post(
        f"{ALERTS}new/", data={**FORM, "do": "add:filters", "add-filters": "tag"}, headers=HTMX
    )
    [focused] = BeautifulSoup(page.text, "html.parser").select("[autofocus]")
    assert focused["aria-label"] == "Filter 2: Tag"
    page = alices.post(f"{ALERTS}new/", data={**FORM, "do": "remove:filters:c3"}, headers=HTMX)
    assert [each["id"] for each in BeautifulSoup(page.text, "html.parser").select("[autofocus]")] == [
        "adds-filters"
    ]


@pytest.mark.parametrize("part", ["event_count", "user_count", "level", "tag", "attribute", "every_event"])
def test_every_row_comes_alone_for_those_with_script(alices, cast, part):
    address = f"{ALERTS}row?list=conditions&conditions-a1-id=first_seen&add-conditions={part}"
    row = BeautifulSoup(alices.get(address, headers=HTMX).text, "html.parser")
    assert [each.name for each in row.find_all(recursive=False)] == ["li"]
    assert row.find("input", type="hidden")["value"] == part
    assert row.select_one("[aria-label='Remove condition 2']")


@pytest.mark.parametrize(
    "query", ["", "?list=moons", "?list=conditions", "?list=filters&add-filters=first_seen"]
)
def test_a_row_that_there_is_not_does_not_exist(alices, cast, query):
    assert alices.get(f"{ALERTS}row{query}").status_code == 404


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"conditions-b2-value": "0"}, "conditions-b2-value", "Condition 2: Must be a whole number"),
        ({"conditions-b2-value": ""}, "conditions-b2-value", "Condition 2: How many is missing."),
        ({"filters-c3-level": "sample"}, "filters-c3-level", "Filter 1: Unknown."),
        ({"actions-d4-target": "team:999"}, "actions-d4-target", "Action 1: That team has no access"),
        ({"actions-d4-target": ""}, "actions-d4-target", "Action 1: "),
        ({"name": " "}, "name", "Give it a name."),
        ({"environment": "moon"}, "environment", "The project has no such environment."),
        ({"required": "1"}, "requiredReason", "Give a reason"),
        ({"actions-d4-id": ""}, "add-actions", "Add at least one action."),
        ({"conditions-a1-id": "", "conditions-b2-id": ""}, "add-conditions", "Add at least one condition."),
    ],
)
def test_what_is_wrong_stands_at_its_row_and_in_the_summary_and_all_stays_as_typed(
    alices, session, change, field, said
):
    answer = alices.post(f"{ALERTS}new/", data={**FORM, **change})
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    link = next(each for each in page.select(".errors a") if said in each.text)
    assert link["href"] == f"#{field}"
    assert page.find(id=field) is not None
    if not field.startswith("add-"):
        assert page.find(id=field)["aria-invalid"] == "true"
        assert said.partition(": ")[2] in page.find(id=f"{field}-error").text
    for name, value in change.items():
        if name.endswith("-value"):
            assert page.find(id=name)["value"] == value
    assert session.query(AlertRule).count() == 2


def test_a_rule_without_actions_is_an_error(alices, session):
    answer = alices.post(f"{ALERTS}new/", data={**FORM, "actions-d4-id": ""})
    assert (answer.status_code, session.query(AlertRule).count()) == (422, 2)


def test_what_is_not_asked_for_is_left_out_whatever_was_typed_there_before(alices, cast, saved):
    more = {
        "filters-e5-id": "tag",
        "filters-e5-key": "browser",
        "filters-e5-match": "is",
        "filters-e5-value": "Firefox",
        "actions-d4-target": f"team:{cast.team.id}",
    }
    alices.post(f"{ALERTS}new/", data={**FORM, **more})
    rule = saved()
    assert rule.filters[1] == {"id": "tag", "key": "browser", "match": "is"}
    assert rule.actions == [{"id": "mail", "target": "team", "targetId": cast.team.id}]


def test_the_choice_of_whom_to_mail_are_those_with_access(alices, cast):
    page = alices.page(f"{ALERTS}new/")
    options = page.select("[data-field=target] option")
    assert [each.text for each in options] == [
        "the issue's owners",
        "the assignee",
        "#shop-team",
        "Alice",
        "Bob",
        "Cy",
    ]


def test_the_environments_are_those_of_the_project(alices, cast, make):
    make.environment(cast.shop, "staging")
    make.environment(cast.other_shop, "theirs")
    options = [each["value"] for each in alices.page(f"{ALERTS}new/").select("#environment option")]
    assert options == ["", "staging"]


def test_integrations_are_offered_where_there_are_some(alices, cast, make, receiver, settings, saved):
    def offered():
        return "integration" in [
            each["value"] for each in alices.page(f"{ALERTS}new/").select("#add-actions option")
        ]

    assert not offered()
    hook = make.webhook(cast.shop, receiver.url, settings)
    assert offered()
    more = {
        "actions-f6-id": "integration",
        "actions-f6-integration": str(hook.id),
        "actions-f6-tags": "browser, url",
    }
    alices.post(f"{ALERTS}new/", data={**FORM, **more})
    assert saved().actions[1] == {"id": "integration", "integration": hook.id, "tags": ["browser", "url"]}


def test_an_edited_rule_comes_back_as_it_is_stored(alices, cast, make, saved, session):
    rule = make.rule(
        cast.shop,
        "Old",
        conditions=[
            {"id": "event_count", "value": 7, "interval": "1d", "comparison": "percent", "earlier": "1w"}
        ],
        filters=[{"id": "assigned_to", "target": "team", "targetId": cast.team.id}],
        actions=[{"id": "mail", "target": "member", "targetId": cast.bob.id}],
        frequency_minutes=45,
        interrupt_reason="payments stop",
    )
    page = alices.page(f"{ALERTS}{rule.id}/edit/")
    form = {
        field["name"]: field.find("option", selected=True)["value"]
        if field.name == "select"
        else field.get("value", "1")
        for field in page.select("#rule :is(input, select)[name]:not([name^=add-], [name=destination])")
        if field.get("type") != "checkbox" or field.has_attr("checked")
        if field.name != "select" or field.find("option", selected=True)
    }
    assert "at most every 45 minutes" in page.find(id="frequency").text
    alices.post(f"{ALERTS}{rule.id}/edit/", data={**form, "name": "New"})
    stored = saved("New")
    assert (stored.version, stored.frequency_minutes, stored.interrupt_reason) == (2, 45, "payments stop")
    assert (stored.conditions, stored.filters, stored.actions) == (
        rule.conditions,
        rule.filters,
        rule.actions,
    )


def test_somebody_who_lost_access_stays_a_choice_until_the_rule_is_mended(alices, cast, make):
    rule = make.rule(cast.shop, actions=[{"id": "mail", "target": "member", "targetId": cast.dee.id}])
    page = alices.page(f"{ALERTS}{rule.id}/edit/")
    assert page.select_one("[data-field=target] option[selected]").text == "somebody without access"


def test_another_window_is_not_overwritten(alices, default_rule, session):
    form = {**FORM, "version": "1"}
    assert alices.post(f"{ALERTS}{default_rule.id}/edit/", data=form).status_code == 303
    answer = alices.post(f"{ALERTS}{default_rule.id}/edit/", data={**form, "name": "Mine"})
    assert answer.status_code == 422
    assert "Somebody else saved this rule meanwhile" in answer.text
    page = BeautifulSoup(answer.text, "html.parser")
    newest = page.find("a", string="see what it changed")["href"]
    assert newest.endswith("#version-2")
    assert alices.page(newest).find(id="version-2") is not None
    knowing = {**form, "name": "Mine", "version": page.find("input", attrs={"name": "version"})["value"]}
    assert alices.post(f"{ALERTS}{default_rule.id}/edit/", data=knowing).status_code == 303
    session.refresh(default_rule)
    assert (default_rule.name, default_rule.version) == ("Mine", 3)


def test_an_empty_row_says_which_of_its_fields_is_missing(alices):
    tag = {"filters-t1-id": "tag", "filters-t1-key": "", "filters-t1-match": "eq", "filters-t1-value": ""}
    answer = alices.post(f"{ALERTS}new/", data={**FORM, **tag})
    for said in ("Filter 2: Tag is missing.", "Filter 2: Value is missing."):
        assert said in words(BeautifulSoup(answer.text, "html.parser").select_one(".errors"))
    live = alices.post(f"{ALERTS}check", data={**FORM, **tag}, headers=HTMX)
    assert "Not a rule yet. Filter 2: Tag is missing. Filter 2: Value is missing." in live.text


def test_a_link_fills_in_what_it_knows(alices, cast):
    query = "path=src/cart/total.py&level=fatal&url=https://shop.example/&tag=browser:Firefox&name=Cart&environment=dev"
    page = alices.page(f"{ALERTS}new/?{query}")
    assert [field["value"] for field in page.select("#filters [data-field=value] input")] == [
        "src/cart/total.py",
        "https://shop.example/",
        "Firefox",
    ]
    assert page.select_one("#filters [data-field=level] option[selected]")["value"] == "fatal"
    assert page.find(id="name")["value"] == "Cart"
    assert page.select_one("#environment option[selected]").text == "dev (not seen yet)"


def test_a_second_rule_that_says_the_same_is_saved_with_a_warning(alices, cast):
    alices.post(f"{ALERTS}new/", data=FORM)
    answer = alices.post(f"{ALERTS}new/", data={**FORM, "name": "Twin"}, follow_redirects=True)
    assert "“Fatal in production” says the same" in answer.text


def test_the_check_says_in_words_what_was_typed_and_whom_it_reaches(alices, cast, make, issue):
    make.choice(cast.cy, "alerts", "off", project=cast.shop)
    answer = alices.post(f"{ALERTS}check", data=FORM, headers=HTMX)
    page = BeautifulSoup(answer.text, "html.parser")
    assert words(page.find(id="rule-words")) == (
        "When a new issue is seen or an issue is seen more than 100 times in an hour, "
        "if the level is at least fatal, email the issue's owners (or all 3 members if there are none), "
        "at most every hour per issue."
    )
    live = words(page.find(class_="rule-live"))
    assert "2 of 3 by email" in live
    assert "Not Cy : Alerts are off" in live
    assert "<html" not in answer.text


def test_the_check_of_what_is_no_rule_yet_says_what_is_missing(alices, cast):
    answer = alices.post(
        f"{ALERTS}check", data={**FORM, "conditions-b2-value": "", "actions-d4-id": ""}, headers=HTMX
    )
    assert "Not a rule yet. Condition 2: How many is missing. Add at least one action." in answer.text


def test_a_hostile_name_stays_text(alices, cast, saved):
    name = '"><script>x</script>'
    alices.post(f"{ALERTS}new/", data={**FORM, "name": name, "filters-c3-id": "tag", "filters-c3-key": "<b>"})
    alices.post(f"{ALERTS}new/", data={**FORM, "name": name})
    rule = saved(name)
    for path in ("", f"{rule.id}/", f"{rule.id}/edit/", f"{rule.id}/copies/", f"{rule.id}/removal/"):
        assert "<script>x" not in alices.get(f"{ALERTS}{path}").text


# One rule's page


@pytest.mark.both_databases
def test_the_history_shows_each_firing_with_its_issue_and_reach(
    alices, cast, default_rule, make, issue, decided
):
    notice = make.notice(issue, rule_id=default_rule.id, event_id="a" * 32, planned_at=datetime.now(UTC))
    make.delivery(notice, cast.bob, state="accepted")
    decided(notice, cast.cy, "alerts_off", scope="account")
    page = alices.page(f"{ALERTS}{default_rule.id}/")
    [row] = page.select("#history tbody tr")
    assert "SHOP-1" in words(row)
    assert "aaaaaaaa" in words(row)
    assert "Told 1 · 1 not told" in words(row)
    assert row.find("a", class_="reach")["href"] == f"/notices/{notice.public_id}/"


def test_a_long_history_comes_in_pages(alices, cast, default_rule, make):
    for _ in range(26):
        make.notice(make.issue(cast.shop), rule_id=default_rule.id)
    page = alices.page(f"{ALERTS}{default_rule.id}/")
    assert len(page.select("#history tbody tr")) == 25
    older = page.select_one("#history a[rel=next]")["href"]
    assert len(alices.page(older).select("#history tbody tr")) == 1


@pytest.mark.both_databases
def test_versions_show_what_changed_and_are_restored(alices, default_rule, session):
    alices.post(f"{ALERTS}{default_rule.id}/edit/", data={**FORM, "version": "1"})
    page = alices.page(f"{ALERTS}{default_rule.id}/")
    newest = words(page.select("#versions details")[0])
    assert "Version 2 · Alice" in newest
    assert "Removed: Name: Tell issue owners about new issues" in newest
    assert "Added: Name: Fatal in production" in newest
    answer = alices.post(f"{ALERTS}{default_rule.id}/versions/1/restoration", follow_redirects=True)
    assert "Version 1 holds again, as version 3." in answer.text
    session.expire_all()
    assert (default_rule.name, default_rule.filters) == ("Tell issue owners about new issues", [])


def test_a_version_that_cannot_be_had_again_comes_back_in_the_editor(
    alices, cast, default_rule, session, now
):
    content = {**session.scalars(select(RuleVersion)).first().content, "environment": "gone"}
    session.add(RuleVersion(rule_id=default_rule.id, version=9, content=content, via="page", at=now))
    answer = alices.post(f"{ALERTS}{default_rule.id}/versions/9/restoration")
    assert answer.status_code == 422
    assert "The project has no such environment." in answer.text


def test_a_rule_is_switched_off_and_on_with_undo(alices, default_rule, session):
    answer = alices.post(f"{ALERTS}{default_rule.id}/switch", data={"active": "no"}, follow_redirects=True)
    assert "is off: it rings for nobody" in answer.text
    assert 'name="active" value="yes"' in answer.text
    session.expire_all()
    assert not default_rule.is_active
    alices.post(f"{ALERTS}{default_rule.id}/switch", data={"active": "yes", "next": ALERTS})
    session.expire_all()
    assert default_rule.is_active


def test_a_broken_rule_stays_off_and_says_why(alices, cast, make, session):
    rule = make.rule(
        cast.shop, actions=[{"id": "mail", "target": "member", "targetId": cast.dee.id}], is_active=False
    )
    answer = alices.post(f"{ALERTS}{rule.id}/switch", data={"active": "yes"}, follow_redirects=True)
    assert "stays off: Action 1: That person is no member" in answer.text


def test_deleting_asks_first(alices, default_rule, session):
    assert "Delete “Tell issue owners about new issues”?" in words(
        alices.page(f"{ALERTS}{default_rule.id}/removal/")
    )
    assert session.query(AlertRule).count() == 2
    assert alices.post(f"{ALERTS}{default_rule.id}/removal/").location == ALERTS
    assert session.query(AlertRule).count() == 1


# Copies


def test_copies_say_what_is_different_there(alices, cast, make, saved, session):
    make.environment(cast.shop, "production")
    make.project(cast.acme, "billing", teams=[make.team(cast.acme, "billing-team", members=[cast.alice])])
    rule = make.rule(
        cast.shop,
        "Fatal",
        environment="production",
        actions=[{"id": "mail", "target": "team", "targetId": cast.team.id}],
    )
    page = alices.post(f"{ALERTS}{rule.id}/copies/", data={"project": ["billing"]})
    said = words(BeautifulSoup(page.text, "html.parser"))
    assert (
        "Copied to Billing , where it is switched off : Action 1: That team has no access to the project."
        in said
    )
    assert "Billing has no environment production" in said


def test_a_copy_to_nowhere_is_refused(alices, cast, make, default_rule, session):
    make.project(cast.acme, "billing", teams=[make.team(cast.acme, "billing-team", members=[cast.alice])])
    answer = alices.post(f"{ALERTS}{default_rule.id}/copies/", data={"project": ["other-shop"]})
    assert answer.status_code == 422
    assert "Tick at least one project." in answer.text


# Muting


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("length", "hours"),
    [("60", 1), ("480", 8), ("1440", 24), ("10080", 168), ("open", None), ("date", "morning")],
)
def test_a_mute_has_an_end(bobs, cast, default_rule, session, length, hours):
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    bobs.post(f"{ALERTS}{default_rule.id}/mute", data={"for": "me", "length": length, "until": day})
    [mute] = session.scalars(select(RuleMute))
    assert mute.user_id == cast.bob.id
    if hours is None:
        assert mute.until is None
    elif hours == "morning":
        assert mute.until.isoformat() == f"{day}T09:00:00+00:00"
    else:
        assert abs(mute.until - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "form",
    [
        {"for": "me", "length": "5"},
        {"for": "me"},
        {"for": "me", "length": "date", "until": ""},
        {"for": "me", "length": "date", "until": "2020-01-01"},
        {"for": "me", "length": "date", "until": "soon"},
    ],
)
def test_a_mute_without_a_sensible_end_is_refused(bobs, default_rule, session, form):
    assert bobs.post(f"{ALERTS}{default_rule.id}/mute", data=form).status_code == 422
    assert session.query(RuleMute).count() == 0


def test_a_mute_is_taken_back_by_its_undo(bobs, default_rule, session):
    answer = bobs.post(
        f"{ALERTS}{default_rule.id}/mute", data={"for": "me", "length": "60"}, follow_redirects=True
    )
    toast = BeautifulSoup(answer.text, "html.parser").select_one(".toast form")
    fields = {field["name"]: field["value"] for field in toast.find_all("input")}
    bobs.post(toast["action"], data=fields)
    assert session.query(RuleMute).count() == 0


@pytest.fixture
def mailed(make, issue, default_rule):
    return make.notice(issue, rule_id=default_rule.id)


def test_a_link_in_a_mail_says_what_would_be_muted_and_asks(bobs, mailed, session):
    page = words(bobs.page(f"/notices/{mailed.public_id}/mute-rule/"))
    assert "Mute “Tell issue owners about new issues” for you?" in page
    assert "Nobody else is concerned" in page
    assert "everyone" not in page.partition("Mute “")[2]
    assert session.query(RuleMute).count() == 0


def test_a_link_in_a_mail_never_mutes_for_everyone(alices, mailed, cast, session):
    alices.post(f"/notices/{mailed.public_id}/mute-rule/", data={"for": "everyone", "length": "60"})
    assert [mute.user_id for mute in session.scalars(select(RuleMute))] == [cast.alice.id]


def test_a_link_in_a_mail_wants_its_reader_signed_in_and_with_access(client, as_user, cast, mailed, make):
    path = f"/notices/{mailed.public_id}/mute-rule/"
    assert client.get(path).location.startswith("/auth/login/")
    assert as_user(cast.charlie).get(path).status_code == 404
    without_rule = make.notice(mailed.issue, rule_id=None)
    assert as_user(cast.bob).get(f"/notices/{without_rule.public_id}/mute-rule/").status_code == 404


def test_a_required_rule_cannot_be_muted_from_a_mail(bobs, mailed, default_rule, session):
    default_rule.required_reason = "payments stop"
    path = f"/notices/{mailed.public_id}/mute-rule/"
    assert "The reason: payments stop." in words(bobs.page(path))
    assert bobs.post(path, data={"length": "60"}).status_code == 422
    assert session.query(RuleMute).count() == 0


# What new projects start with


@pytest.mark.both_databases
def test_an_organization_says_what_new_projects_start_with(alices, session, cast):
    assert "Nobody has chosen any" in words(alices.page(STARTING))
    assert alices.post(f"{STARTING}new/", data=FORM).location == STARTING
    assert "Fatal in production" in words(alices.page(STARTING))
    [template] = session.scalars(select(RuleTemplate))
    alices.post(f"{STARTING}{template.id}/", data={**FORM, "name": "Only fatal"})
    session.expire_all()
    assert template.content["name"] == "Only fatal"
    alices.post(f"{STARTING}{template.id}/removal")
    assert session.query(RuleTemplate).count() == 0


def test_a_template_may_start_as_a_copy_of_a_rule(alices, default_rule):
    page = alices.page(f"{STARTING}new/?rule={default_rule.id}")
    assert page.find(id="name")["value"] == "Tell issue owners about new issues"


def test_errors_of_a_template_stand_at_their_rows(alices, session):
    answer = alices.post(f"{STARTING}new/", data={**FORM, "conditions-b2-value": "x"})
    assert answer.status_code == 422
    assert 'href="#conditions-b2-value"' in answer.text
    assert session.query(RuleTemplate).count() == 0


def test_the_rows_and_check_of_a_template_work_with_script(alices, cast):
    assert alices.get(f"{STARTING}row?list=filters&add-filters=age", headers=HTMX).status_code == 200
    answer = alices.post(f"{STARTING}check", data=FORM, headers=HTMX)
    assert "email the issue's owners" in words(BeautifulSoup(answer.text, "html.parser"))


# Who may do what

READ = ["", "{rule}/"]
WRITE = [
    ("GET", "new/"),
    ("POST", "new/"),
    ("GET", "row?list=conditions&add-conditions=tag"),
    ("POST", "check"),
    ("GET", "{rule}/edit/"),
    ("POST", "{rule}/edit/"),
    ("POST", "{rule}/switch"),
    ("POST", "{rule}/test"),
    ("GET", "{rule}/copies/"),
    ("POST", "{rule}/copies/"),
    ("GET", "{rule}/removal/"),
    ("POST", "{rule}/removal/"),
    ("POST", "{rule}/versions/1/restoration"),
]


def test_members_read_and_mute_for_themselves(bobs, default_rule):
    for path in READ:
        page = bobs.page(ALERTS + path.format(rule=default_rule.id))
        assert not page.find("button", string=lambda text: text and "Switch" in text)
        assert "Mute for everyone" not in page.text
    answer = bobs.post(f"{ALERTS}{default_rule.id}/mute", data={"for": "everyone", "length": "60"})
    assert answer.status_code == 404
    assert bobs.post(f"{ALERTS}{default_rule.id}/mute", data={"for": "me", "length": "60"}).status_code == 303


@pytest.mark.parametrize(("method", "path"), WRITE)
def test_only_admins_of_the_project_change_rules(bobs, default_rule, session, method, path):
    answer = bobs.open(ALERTS + path.format(rule=default_rule.id), method=method, data=FORM)
    assert answer.status_code == 404
    session.expire_all()
    assert (session.query(AlertRule).count(), default_rule.version) == (2, 1)


@pytest.mark.parametrize("path", [*READ, *(path for method, path in WRITE if method == "GET")])
def test_strangers_see_nothing(as_user, cast, default_rule, path):
    assert as_user(cast.charlie).get(ALERTS + path.format(rule=default_rule.id)).status_code == 404


def test_only_managers_change_what_new_projects_start_with(bobs, as_user, cast, session):
    assert bobs.get(STARTING).status_code == 200
    assert bobs.get(f"{STARTING}new/").status_code == 404
    assert bobs.post(f"{STARTING}new/", data=FORM).status_code == 404
    assert as_user(cast.charlie).get(STARTING).status_code == 404
    assert session.query(RuleTemplate).count() == 0


@pytest.mark.parametrize("path", [path for method, path in WRITE if method == "POST"])
def test_a_form_without_its_token_changes_nothing(alices, default_rule, session, path):
    answer = alices.post(ALERTS + path.format(rule=default_rule.id), data=FORM, csrf=False)
    assert answer.status_code == 400
    session.expire_all()
    assert (session.query(AlertRule).count(), default_rule.version) == (2, 1)


# A test


def test_a_test_is_recorded_for_whoever_asked_and_is_no_firing(alices, cast, default_rule, issue, session):
    answer = alices.post(f"{ALERTS}{default_rule.id}/test")
    [notice] = session.scalars(select(Notice))
    assert answer.location == f"/notices/{notice.public_id}/"
    assert (notice.kind, notice.rule_id, notice.issue_id) == ("test", None, None)
    assert [each.subject_id for each in session.scalars(select(Verdict))] == [cast.alice.id]
    assert session.query(RuleFiring).count() == 0
    assert "It has not fired." in words(alices.page(f"{ALERTS}{default_rule.id}/"))


def test_a_draft_is_tested_without_being_saved(alices, cast, session):
    answer = alices.post(f"{ALERTS}new/", data={**FORM, "do": "test"})
    assert "The test is on its way." in answer.text
    assert session.scalars(select(Notice)).one().data["rule"] == "Fatal in production"
    assert session.query(AlertRule).count() == 2


def test_a_draft_with_errors_is_not_tested(alices, cast, session):
    assert alices.post(f"{ALERTS}new/", data={**FORM, "name": "", "do": "test"}).status_code == 422
    assert session.query(Notice).count() == 0


def test_a_test_goes_to_no_integration_of_another_project(
    alices, cast, default_rule, make, receiver, settings
):
    theirs = make.webhook(cast.other_shop, receiver.url, settings)
    answer = alices.post(f"{ALERTS}{default_rule.id}/test", data={"destination": str(theirs.id)})
    assert answer.status_code == 404


# Looking back


def test_the_look_back_says_for_which_issues_the_draft_would_have_fired(alices, cast, make):
    at = datetime.now(UTC) - timedelta(days=9)
    often, once = make.issue(cast.shop, title="Often: x"), make.issue(cast.shop, title="<b>Once</b>: x")
    for hours in (0, 5):
        make.event(often, at=at + timedelta(hours=hours), level="fatal")
    make.event(once, at=at + timedelta(days=8), level="fatal")
    fatal = {
        **FORM,
        "conditions-a1-id": "every_event",
        "conditions-b2-id": "every_event",
        "actions-d4-target": "owners",
    }
    page = alices.post(f"{ALERTS}past", data=fatal, headers=HTMX)
    said = words(BeautifulSoup(page.text, "html.parser"))
    assert "It would have fired 3 times for 2 issues, 1 of them in the last 7 days" in said
    assert "9 messages to people" in said
    assert said.index("Often: x") < said.index("<b>Once</b>: x")


def test_the_look_back_is_loaded_after_the_rest_of_the_check(alices, cast):
    check = BeautifulSoup(alices.post(f"{ALERTS}check", data=FORM, headers=HTMX).text, "html.parser")
    waiting = check.find(id="rule-past")
    assert waiting["hx-post"] == f"{ALERTS}past"
    assert waiting["hx-trigger"].startswith("load")
    # Of what is no rule there is nothing to be seen, and nothing that asks again.
    answer = alices.post(f"{ALERTS}past", data={**FORM, "actions-d4-id": ""}, headers=HTMX)
    assert (answer.status_code, answer.text.strip()) == (200, "")


def test_without_script_the_check_looks_back_too(alices, cast, make):
    make.event(make.issue(cast.shop), at=datetime.now(UTC) - timedelta(hours=1))
    data = {**FORM, "filters-c3-level": "debug", "do": "check"}
    page = alices.post(f"{ALERTS}new/", data=data)
    said = words(BeautifulSoup(page.text, "html.parser"))
    assert "It would have fired 1 time for 1 issue" in said


@pytest.mark.parametrize("number", ["1" + "0" * 20, "9" * 5000, "-1", "x"])
def test_a_number_that_no_rule_can_have_is_as_none(alices, number):
    assert alices.post(f"{ALERTS}check?rule={number}", data=FORM, headers=HTMX).status_code == 200
    assert alices.post(f"{ALERTS}past?rule={number}", data=FORM, headers=HTMX).status_code == 200
    assert alices.get(f"/acme/settings/alerts/new/?rule={number}").status_code == 200
