"""An issue's page."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.clock import now as real_now
from app.domain.kinds import NOTICE_OF_ACTIVITY
from app.models import Issue, IssueSight
from app.services.issues import assigning, commenting, ignoring, resolving, seeing
from app.services.issues.issue_timeline import ALERT, FIRST_SEEN
from app.services.preferences import subscribing
from app.settings import ROOT
from tests.make import exception
from tests.web.issues.conftest import HOSTILE


@pytest.fixture
def address():
    return lambda issue, more="": f"/acme/shop/issues/{issue.id}/{more}"


@pytest.fixture
def show(as_user, bob, address):
    """The page of an issue, as Bob sees it."""
    return lambda issue, more="": as_user(bob).page(address(issue, more))


def test_the_page_tells_what_went_wrong_and_how_often(show, make, shop, now):
    issue = make.issue(shop, title="KeyError: cart", events=1, times_seen=38, users_seen=12)
    page = show(issue)
    assert page.h1.text == "KeyError: cart"
    head = page.select_one(".issue-head").text
    for part in ("SHOP-1", "38 events", "12 users", "Error", "shop.cart.checkout"):
        assert part in " ".join(head.split())
    assert "in 30 days" in page.select_one(".issue-head svg.spark")["aria-label"]


@pytest.mark.parametrize("who", ["dee", "charlie"])
@pytest.mark.parametrize(
    "path",
    [
        "/acme/shop/issues/{id}/",
        "/acme/shop/issues/{id}/events/latest/json",
        "/i/SHOP-1/",
        "/issues/{id}/news",
    ],
)
def test_who_may_not_see_the_project_does_not_find_its_issues(as_user, cast, issue, who, path):
    assert as_user(getattr(cast, who)).get(path.format(id=issue.id)).status_code == 404


def test_an_unknown_issue_or_event_is_not_found(as_user, bob, issue, address):
    browser = as_user(bob)
    for path in ("/acme/shop/issues/999999/", address(issue, f"?event={'0' * 32}"), "/i/SHOP-ZZ/", "/i/x/"):
        assert browser.get(path).status_code == 404


def test_an_issue_is_found_by_its_short_id_and_at_its_own_address(as_user, bob, issue, address):
    browser = as_user(bob)
    for path in ("/i/SHOP-1/", "/i/shop-1/", f"/acme/old-name/issues/{issue.id}/"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, address(issue))


# The event


def test_frames_of_the_application_are_open_and_others_folded(show, make, shop):
    issue = make.issue(shop)
    raised = exception("KeyError", "cart")
    raised["stacktrace"]["frames"][0] |= {"context_line": "rv = self.dispatch()"}
    make.event(issue, exception={"values": [raised]})
    stack = show(issue).select_one("#stack")
    first, second = stack.select("details.frame")
    assert "shop/cart.py:42" in first.summary.text
    assert first.has_attr("open")
    assert "frame-system" in second["class"]
    assert not second.has_attr("open")
    hit = first.select_one("code.hit")
    assert (hit["data-n"], hit.text.strip()) == ("42", 'total = session["cart"].total')
    assert [line["data-n"] for line in first.select("code")] == ["41", "42", "43"]
    assert first.select_one(".vars dt").text == "session"


def test_a_chain_of_exceptions_begins_with_the_one_that_was_met(show, make, shop):
    issue = make.issue(shop)
    make.event(issue, exception={"values": [exception("KeyError", "cart"), exception("CartError", "gone")]})
    stack = show(issue).select_one("#stack")
    assert [each.h3.text.strip() for each in stack.select(".exception")] == ["CartError", "KeyError"]


def test_an_event_shows_everything_that_came_with_it(show, make, shop):
    issue = make.issue(shop)
    make.event(
        issue,
        breadcrumbs=[
            {"category": "http", "message": "GET /cart", "timestamp": 1_700_000_000, "data": {"a": 1}}
        ],
        contexts={"runtime": {"name": "CPython", "version": "3.11.2"}},
        extra={"basket": [1, 2]},
        request={"url": "https://shop.example.org/cart", "headers": [["Accept", "text/html"]], "data": "x=1"},
        level={"odd": True},
    )
    page = show(issue)
    for anchor, part in {
        "breadcrumbs": "GET /cart",
        "contexts": "CPython",
        "extra": "[1, 2]",
        "request": "text/html",
        "user": "visitor@example.net",
        "notes": "level",
    }.items():
        assert part in page.select_one(f"#{anchor}").text
        assert page.select(f'nav a[href="#{anchor}"]')


def test_a_message_without_a_stack_is_shown_as_it_is(show, make, shop):
    issue = make.issue(shop, title="Slow query")
    make.event(issue, exception=None, logentry={"formatted": "Slow query\nSELECT 1"})
    assert "SELECT 1" in show(issue).select_one("#event").text


def test_one_event_leads_to_the_next(show, make, shop, now):
    issue = make.issue(shop)
    first, second, third = (make.event(issue, at=now + timedelta(minutes=n)) for n in range(3))
    latest = show(issue).select_one("#event")
    assert third.event_id[:8] in latest.h2.text
    assert not latest.select("[rel=next]")
    assert latest.select_one("[rel=prev]")["href"].endswith(f"?event={second.event_id}")
    middle = show(issue, f"?event={second.event_id}").select_one("#event")
    assert middle.select_one("[rel=prev]")["href"].endswith(first.event_id)
    assert middle.select_one("[rel=next]")["href"].endswith(third.event_id)


def test_an_event_has_an_address_of_its_own(as_user, bob, issue, address):
    answer = as_user(bob).get(address(issue, "events/oldest/"))
    assert (answer.status_code, answer.location) == (303, address(issue, "?event=oldest"))


def test_the_event_can_be_had_as_json(as_user, bob, make, shop, show):
    issue = make.issue(shop)
    event = make.event(issue, extra={"basket": "<b>"})
    link = next(a for a in show(issue).select("nav a") if a.text.strip() == "JSON")
    answer = as_user(bob).get(link["href"])
    assert answer.mimetype == "application/json"
    assert json.loads(answer.text)["extra"] == {"basket": "<b>"}
    assert event.event_id in link["href"]


def test_an_issue_whose_events_are_gone_still_has_a_page(show, make, shop):
    assert "no longer kept" in show(make.issue(shop)).text


def test_what_an_sdk_says_is_only_text_wherever_it_stands(as_user, bob, make, shop, address, parsed):
    issue = make.issue(shop, title=HOSTILE, culprit=HOSTILE, first_release=HOSTILE, last_release=HOSTILE)
    raised = exception(HOSTILE, HOSTILE)
    raised["stacktrace"]["frames"] = [
        {"filename": HOSTILE, "function": HOSTILE, "in_app": True, "lineno": 1, "context_line": HOSTILE}
        | {"vars": {HOSTILE: HOSTILE}}
    ]
    make.event(
        issue,
        exception={"values": [raised]},
        breadcrumbs=[{"category": HOSTILE, "message": HOSTILE, "data": {HOSTILE: HOSTILE}}],
        request={"url": HOSTILE, "headers": {HOSTILE: HOSTILE}},
        user={"id": HOSTILE},
        contexts={HOSTILE: {HOSTILE: HOSTILE}},
        extra={HOSTILE: HOSTILE},
        tags={"odd": HOSTILE},
    )
    text = as_user(bob).get(address(issue)).text
    assert "<script>alert" not in text
    page = parsed(text)
    assert not page.select('[hx-get="/boom"], [onload]')
    said = [
        node
        for node in page.find_all(string=lambda string: "alert(1)" in string)
        if node.parent.name != "title"
    ]
    assert len(said) > 10
    assert all(node.find_parent(attrs={"hx-ignore": True}) for node in said)


def test_an_enormous_event_stays_within_sixty_kilobytes_and_can_be_had_in_full(
    as_user, bob, make, shop, address
):
    issue = make.issue(shop)
    raised = exception("KeyError", "cart " * 500)
    frame = raised["stacktrace"]["frames"][1] | {"vars": {f"v{n}": "x" * 90 for n in range(20)}}
    frame |= {"pre_context": ["    before = 1"] * 5, "post_context": ["    after = 1"] * 5}
    raised["stacktrace"]["frames"] = [frame | {"lineno": n} for n in range(100)]
    make.event(
        issue,
        exception={"values": [raised] * 10},
        breadcrumbs=[{"category": "log", "message": "m" * 2000, "data": {"d": "x" * 2000}}] * 100,
        extra={f"e{n}": "x" * 1000 for n in range(100)},
        contexts={f"c{n}": {f"k{m}": "v" * 500 for m in range(9)} for n in range(10)},
        request={"url": "https://shop.example.org", "headers": {f"H{n}": "x" * 900 for n in range(60)}},
    )
    browser = as_user(bob)
    page = browser.page(address(issue))
    assert len(browser.get(address(issue)).data) < 60 * 1024
    everything = next(a for a in page.select("#event a") if a.text == "Show everything")
    full = browser.page(everything["href"])
    assert len(full.select(".frames > li")) >= 100
    assert not [a for a in full.select("#event a") if a.text == "Show everything"]


def test_the_page_takes_the_same_few_queries_for_a_long_history(
    as_user, cast, make, session, address, queries
):
    issue = make.arrival(cast.shop)
    browser, here = as_user(cast.bob), address(issue)
    browser.get(here)
    with queries() as for_little:
        browser.get(here)
    for n, person in enumerate((cast.alice, cast.bob, cast.cy) * 5):
        at = make.now + timedelta(minutes=n)
        commenting.comment(session, issue, text=f"number {n}", by=person, now=at)
        make.event(issue, at=at)
    for act in (ignoring.ignore, resolving.resolve):
        act(session, issue, by=cast.cy, now=at)
        with queries() as for_much:
            browser.get(here)
        assert len(for_much) == len(for_little) == 8


# What happened


@pytest.mark.parametrize("type_", [*NOTICE_OF_ACTIVITY, ALERT, FIRST_SEEN])
def test_every_kind_of_activity_has_its_sentence(type_):
    assert (ROOT / "templates" / "timeline" / f"{type_}.html").exists()


def test_the_timeline_says_who_did_what_and_who_heard_of_it(
    as_user, cast, make, run_jobs, report, session, show
):
    report("KeyError: cart")
    run_jobs()
    issue = session.scalars(select(Issue)).one()
    as_user(cast.alice).post(f"/issues/{issue.id}/assignee", data={"assignee": f"user:{cast.bob.id}"})
    as_user(cast.bob).post(f"/issues/{issue.id}/comments", data={"text": "on it"})
    as_user(cast.bob).post(f"/issues/{issue.id}/ignore")
    as_user(cast.bob).post(f"/issues/{issue.id}/reopening")
    as_user(cast.bob).post(f"/issues/{issue.id}/resolution")
    run_jobs()
    entries = show(issue).select(".timeline > li")
    said = [" ".join(entry.select_one(".said > span").text.split()) for entry in entries]
    assert said == [
        "Bob resolved it",
        "Bob reopened it: it is no longer ignored",
        "Bob ignored it until somebody says otherwise",
        "Bob commented",
        "Alice assigned it to Bob",
        f"Rule Tell issue owners about new issues fired: new, event {said[5][-8:]}",
        "First seen in shop@1.0.0",
    ]
    resolved, _, ignored, comment, _, alert, _ = entries
    assert "Told" in resolved.select_one("details.reach summary").text
    assert not ignored.select(".reach")
    assert comment.select_one(".comment").text.strip() == "on it"
    panel = alert.select_one("details.reach")["hx-get"]
    assert as_user(cast.bob).get(panel, headers={"HX-Request": "true"}).status_code == 200
    assert all(entry["id"] for entry in entries)


def test_older_activity_is_a_click_away(cast, session, issue, now, show, monkeypatch):
    monkeypatch.setattr("app.services.issues.issue_timeline.SHOWN_AT_FIRST", 2)
    for n in range(4):
        commenting.comment(session, issue, text=f"number {n}", by=cast.bob, now=now + timedelta(minutes=n))
    page = show(issue)
    assert len(page.select(".comment")) == 2
    link = next(a for a in page.select("#activity a") if "older" in a.text)
    assert len(show(issue, link["href"].partition("/issues/")[2].partition("/")[2]).select(".comment")) == 4


# Beside it


def test_participants_stand_there_with_their_reasons(cast, make, issue, show):
    make.subscription(issue, cast.cy, "commented", "assigned")
    assert "Cy" in show(issue).select_one(f"#issue-{issue.id}-participants").text
    assert "commented · assigned" in show(issue).select_one(".people small").text


def test_who_looked_at_it_stands_there_for_the_others(as_user, cast, make, issue, address):
    owner = make.member(cast.acme, make.user("Olga"), role="owner")
    for person in (make.user("Root", is_superuser=True), cast.cy, owner):  # Root is of no organization
        as_user(person).page(address(issue))
    for reader, names in ((cast.bob, ["Olga", "Cy"]), (cast.cy, ["Bob", "Olga"])):
        seen = as_user(reader).page(address(issue)).select_one(f"#issue-{issue.id}-seen")
        assert [each.text for each in seen.select("li > span:nth-of-type(2)")] == names
    assert owner.id not in {each["value"] for each in seen.find_parent("aside").select("option")}


@pytest.mark.parametrize(
    ("changes", "noted"),
    [
        ({}, False),
        ({"last_seen": timedelta(minutes=-6)}, False),
        ({"last_seen": timedelta(minutes=-4)}, True),
        ({"active_at": timedelta(minutes=-4)}, True),
        ({"active_at": timedelta(seconds=30)}, True),
        ({"seen": timedelta(hours=-25)}, True),
    ],
    ids=[
        "seen",
        "seen since its last event",
        "seen before it",
        "seen before it came back",
        "a fast clock",
        "seen the day before",
    ],
)
def test_looking_again_is_noted_where_there_was_something_new_and_else_once_a_day(
    as_user, cast, session, issue, address, changes, noted
):
    browser, at = as_user(cast.bob), real_now()
    times = {"seen": timedelta(minutes=-5), **changes}
    seeing.note(session, issue.id, cast.bob.id, seen_at=at + times.pop("seen"))
    for name, ago in times.items():
        setattr(issue, name, at + ago)
    browser.page(address(issue))
    seen_at = session.scalars(select(IssueSight.seen_at)).one()
    assert (seen_at >= at) == noted
    assert not noted or seeing.is_seen(issue, seen_at)


def test_the_reader_does_not_wait_for_that_to_be_noted(as_user, cast, session, issue, address):
    answer = as_user(cast.bob).get(address(issue), buffered=False)
    sights = select(IssueSight.user_id)
    assert (answer.status_code, session.scalars(sights).all()) == (200, [])
    session.commit()
    answer.close()
    assert session.scalars(sights).all() == [cast.bob.id]


@pytest.mark.parametrize(
    "asked",
    [{"method": "HEAD"}, {"headers": {"Sec-Purpose": "prefetch;prerender"}}],
    ids=["without its text", "ahead of a click"],
)
def test_a_page_that_nobody_saw_is_not_noted(as_user, cast, session, issue, address, asked):
    assert as_user(cast.bob).open(address(issue), **asked).status_code == 200
    assert session.scalars(select(IssueSight)).all() == []


def test_a_page_that_cannot_note_the_look_just_now_is_shown_all_the_same(
    as_user, cast, session, issue, address, engine
):
    browser = as_user(cast.bob)
    session.commit()
    browser.page("/")  # which notes when they were last here
    with engine.execution_options(writes=True).begin() as other:  # on SQLite nobody else may write
        if engine.dialect.name == "postgresql":
            other.execute(text("LOCK TABLE issue_sights IN SHARE MODE"))
        browser.page(address(issue))
    assert session.scalars(select(IssueSight.seen_at)).all() == []


def test_the_page_says_how_the_reader_stands_to_the_issue(cast, session, issue, now, show):
    follow = show(issue).select_one(".follow")
    assert "not subscribed, but you still get everything in Shop: Workflow is Always" in follow.text
    assert "(built-in default)" in follow.text
    assert follow.button.text.strip() == "Unsubscribe"
    assigning.assign(session, issue, to=cast.bob, by=cast.alice, now=now)
    assert "it is assigned to you" in show(issue).select_one(".follow").text
    subscribing.unsubscribe(session, issue, user=cast.bob, now=now, via="web")
    follow = show(issue).select_one(".follow")
    assert "Unsubscribed by you" in follow.text
    assert follow.button.text.strip() == "Subscribe"


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("unresolved", ["Assign", "Resolve", "Ignore"]),
        ("resolved", ["Assign", "Reopen", "Ignore"]),
        ("ignored", ["Assign", "Resolve", "Reopen", "Ignore"]),
    ],
)
def test_the_actions_are_those_that_the_state_allows(make, shop, show, status, offered):
    bar = show(make.issue(shop, status=status)).select_one(".actions-bar")
    controls = bar.find_all(["form", "details"], recursive=False)
    assert [each.find(["summary", "button"]).text.strip() for each in controls][: len(offered)] == offered


def test_an_open_page_is_told_of_news(as_user, cast, session, issue, show, now):
    poll = show(issue).select_one(f"#issue-{issue.id}-news")["hx-get"]
    browser = as_user(cast.bob)
    assert browser.get(poll).status_code == 204
    commenting.comment(session, issue, text="new", by=cast.alice, now=now)
    assert "News · Show" in browser.get(poll).text
