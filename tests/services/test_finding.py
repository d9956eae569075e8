"""Searches as SQL, pages by cursor, counts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import cursor as cursors
from app.domain import search
from app.models import Bookmark, Issue, IssueCommit, IssueHour, IssueTag, IssueTrait
from app.services.issues import finding, issue_facts, matching_events
from app.services.issues.finding import PAGE, Scope

pytestmark = pytest.mark.both_databases


@pytest.fixture
def in_shop(cast):
    return Scope(cast.alice, cast.acme, cast.shop)


@pytest.fixture
def find(session, in_shop, now):
    """The titles of what a search finds, in order."""

    def titles(text=None, *, scope=in_shop, **more):
        query = search.parse(text, me=scope.user.id)
        page = finding.find(session, scope, query, now=now, **more)
        return [row.issue.title for row in page.rows]

    return titles


TRAITS = {
    "user.id": "7",
    "user.email": "ana@example.org",
    "url": "https://shop.example/pay?step=2",
    "error.type": "KeyError",
    "stack.function": "pay",
    "os.name": "Linux",
    "browser.name": "Firefox",
    "runtime.version": "3.13",
    "geo.city": "Graz",
}


def tag(session, issue, key, value, count=1):
    session.add(IssueTag(issue_id=issue.id, key=key, value=value, count=count, last_seen=issue.last_seen))
    session.flush()


@pytest.fixture
def several(make, cast, session, now):
    """Issues that differ in everything that a search can ask for."""
    shop = cast.shop
    old = make.issue(shop, title="KeyError: cart", first_seen=now - timedelta(days=9))
    mine = make.issue(
        shop, title="TimeoutError: 50 % of payments", level="fatal", assignee_user_id=cast.alice.id
    )
    teams = make.issue(
        shop, title="ValueError: XTS", culprit="coupons.parse", assignee_team_id=cast.team.id, times_seen=40
    )
    make.issue(shop, title="IOError: settled", status="resolved")
    make.issue(shop, title="OSError: silenced", status="ignored")
    tag(session, old, "browser", "Firefox 140")
    tag(session, mine, "browser", "Chrome_141")
    tag(session, old, "environment", "production")
    tag(session, teams, "environment", "staging")
    tag(session, teams, "release", "shop@2.0")
    tag(session, old, "release", "shop@1.0")
    old.first_release = "shop@1.0"
    teams.first_release = "shop@2.0"
    make.release(shop, "shop@1.0")
    make.release(shop, "shop@2.0")
    for key, value in TRAITS.items():
        session.add(IssueTrait(issue_id=old.id, key=key, value=value))
    session.add(Bookmark(issue_id=mine.id, user_id=cast.alice.id, created_at=now))
    make.subscription(teams, cast.bob, "commented")
    make.event(old, at=now - timedelta(days=8))
    make.event(old, at=now - timedelta(hours=2))
    make.delivery(make.notice(mine, planned_at=now), cast.alice, state="accepted")
    make.delivery(make.notice(teams, planned_at=now), cast.bob, state="failed")
    make.notice(old)
    commit = make.commit(cast.acme)
    for issue, tie in ((old, "resolves"), (mine, "refuted")):
        session.add(IssueCommit(issue_id=issue.id, commit_id=commit.id, tie=tie, created_at=now))
    session.flush()


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "is:unresolved": "KeyError TimeoutError ValueError",
        "": "KeyError TimeoutError ValueError IOError OSError",
        "is:ignored": "OSError",
        "is:archived": "OSError",
        "!is:unresolved": "IOError OSError",
        "is:unresolved is:unassigned": "KeyError",
        "is:for_review": "KeyError",
        "is:assigned": "TimeoutError ValueError",
        "assigned:me": "TimeoutError",
        "!assigned:me is:unresolved": "KeyError ValueError",
        "assigned:alice": "TimeoutError",
        "assigned:@alice": "TimeoutError",
        "assigned:alice@example.org": "TimeoutError",
        "assigned:nobody-here": "",
        "assigned:#shop-team": "ValueError",
        "!assigned:#shop-team is:unresolved": "KeyError TimeoutError",
        "assigned:none is:unresolved": "KeyError",
        "level:fatal": "TimeoutError",
        "!level:fatal is:unresolved": "KeyError ValueError",
        "environment:production": "KeyError",
        "env:prod*": "KeyError",
        "!environment:production is:unresolved": "TimeoutError ValueError",
        "release:shop@*": "KeyError ValueError",
        "browser:Firefox*": "KeyError",
        'browser:"Firefox 140"': "KeyError",
        "browser:Chrome_141": "TimeoutError",
        "browser:Chrome?141": "",
        "browser:chrome_*": "TimeoutError",
        "has:browser": "KeyError TimeoutError",
        "!has:browser is:unresolved": "ValueError",
        'browser:"" is:unresolved': "ValueError",
        "tags[browser]:Firefox*": "KeyError",
        "timesSeen:>=40": "ValueError",
        "!times_seen:>=40 is:unresolved": "KeyError TimeoutError",
        "firstSeen:+7d": "KeyError",
        "age:-7d is:unresolved": "TimeoutError ValueError",
        "lastSeen:<2020-01-01": "",
        "keyerror": "KeyError",
        "KEYERROR: cart": "KeyError",
        "50 %": "TimeoutError",
        "50 x": "",
        "coupons.parse": "ValueError",
        "!keyerror is:unresolved": "TimeoutError ValueError",
        '"of payments"': "TimeoutError",
        "issue:shop-2": "TimeoutError",
        "!issue:shop-2 is:unresolved": "KeyError ValueError",
        "issue:other-2": "",
        "title:KeyError*": "KeyError",
        "culprit:coupons.*": "ValueError",
        "platform:python is:ignored": "OSError",
        "is:bookmarked": "TimeoutError",
        "bookmarks:alice": "TimeoutError",
        "bookmarks:none is:unresolved": "KeyError ValueError",
        "is:subscribed": "",
        "subscribed:bob": "ValueError",
        "!subscribed:bob is:unresolved": "KeyError TimeoutError",
        "is:linked": "KeyError",
        "is:unlinked is:unresolved": "TimeoutError ValueError",
        "told:me": "TimeoutError",
        "-told:me is:unresolved": "KeyError ValueError",
        "told:bob": "",
        "told:none is:unresolved": "KeyError ValueError",
        "reach:none is:unresolved": "ValueError",
        "first-release:shop@1.0": "KeyError",
        "first-release:latest": "ValueError",
        "!first-release:latest is:unresolved": "KeyError TimeoutError",
        "release:latest": "ValueError",
        "has:release": "KeyError ValueError",
        "user.id:7": "KeyError",
        "user:email:ana@example.org": "KeyError",
        "user:ana@*": "KeyError",
        "user:7 !user:8": "KeyError",
        "user.email:*@EXAMPLE.org": "KeyError",
        "has:user.email": "KeyError",
        "!has:user.email is:unresolved": "TimeoutError ValueError",
        "url:*/pay*": "KeyError",
        "!url:*/pay* is:unresolved": "TimeoutError ValueError",
        "error.type:KeyError": "KeyError",
        "stack.function:pay os.name:Linux geo.city:Graz": "KeyError",
        "browser.name:fire* runtime.version:3.13": "KeyError",
        "any_tag:staging": "ValueError",
        "!any_tag:staging is:unresolved": "KeyError TimeoutError",
        "event.timestamp:-3h": "KeyError",
        "event.timestamp:>2026-11-01 event.timestamp:<2026-11-13": "KeyError",
        "event.timestamp:>2026-11-13 event.timestamp:<2026-11-19": "",
        "issue.id:0": "",
        "ke": "KeyError",
        "ÉTÉ": "",
    }.items(),
)
def test_a_search_finds_exactly_what_it_says(several, find, text, found):
    assert {title.split(":")[0] for title in find(text)} == set(found.split())


SUBSTATES = ("regressed", "escalating", "new", "ongoing")


def test_the_marks_of_the_list_can_be_searched_for(make, shop, find, now):
    """Every unresolved issue is found by the one that it bears, and only by that."""
    made = [
        make.issue(shop, first_seen=now - ago, regressed_at=back, escalated_at=worse, status=status)
        for ago in (timedelta(), timedelta(days=7), timedelta(days=9))
        for back in (None, now)
        for worse in (None, now)
        for status in ("unresolved", "ignored", "resolved")
    ]
    for issue in made:
        issue.title = f"{issue.id} {issue_facts.substatus(issue, now=now)}"
    make.session.flush()
    for state in SUBSTATES:
        borne = {issue.title for issue in made if issue.title.endswith(state)}
        assert set(find(f"is:{state}")) == borne != set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("issue.priority:high", "KeyError ValueError IOError OSError"),
        ("issue.priority:low", "TimeoutError"),
        ("!issue.priority:high", "TimeoutError"),
        ("issue.priority:medium", ""),
    ],
)
def test_a_priority_is_the_chosen_one_or_that_of_the_level(several, session, find, text, found):
    fatal = session.scalars(select(Issue).where(Issue.level == "fatal")).one()
    fatal.importance = "low"
    session.flush()
    assert {title.split(":")[0] for title in find(text)} == set(found.split())


def test_nothing_asked_means_what_is_unresolved(several, find):
    assert {title.split(":")[0] for title in find()} == {"KeyError", "TimeoutError", "ValueError"}


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("date", "c b a"),
        ("new", "a b c"),
        ("freq", "b c a"),
        ("users", "c a b"),
        ("priority", "c b a"),
    ],
)
def test_every_order_puts_the_most_first(make, shop, find, now, sort, order):
    hours = [timedelta(hours=n) for n in range(4)]
    make.issue(shop, title="a", last_seen=now, first_seen=now, times_seen=1, users_seen=5)
    make.issue(shop, title="b", last_seen=now + hours[1], first_seen=now - hours[1], times_seen=9)
    make.issue(
        shop, title="c", last_seen=now + hours[2], first_seen=now - hours[2], times_seen=4, users_seen=7
    )
    assert find(sort=sort) == order.split()


def test_ten_times_the_events_weigh_ten_minutes(make, shop, find, now):
    make.issue(shop, title="often", times_seen=1000, last_seen=now - timedelta(minutes=29))
    make.issue(shop, title="oftener", times_seen=1000, last_seen=now - timedelta(minutes=31))
    make.issue(shop, title="once", times_seen=1, last_seen=now)
    assert find(sort="priority") == ["often", "once", "oftener"]


@pytest.mark.parametrize("many", [1, 2000])
def test_what_is_common_and_what_is_rare_is_found_alike(several, find, monkeypatch, many):
    monkeypatch.setattr(matching_events, "MANY", many)
    assert find("is:unresolved environment:production keyerror browser:Firefox*") == ["KeyError: cart"]
    assert find("told:me") == ["TimeoutError: 50 % of payments"]


def test_words_are_found_in_the_small_letters_of_every_script(make, shop, find):
    make.issue(shop, title="Fehler: GRÖSSE fehlt", culprit='he said "no"', message="Ünïcode\nlines")
    for text in ("größe", "grösse", "FEHLER: grö", '"said \\"no\\""', "ünï", "e", "Ö"):
        assert find(text) == ["Fehler: GRÖSSE fehlt"], text
    assert find("fehlt he said") == []


@pytest.mark.parametrize("sort", finding.SORTS)
def test_pages_lead_to_every_issue_once_and_back_again(make, shop, session, in_shop, now, sort):
    for n in range(2 * PAGE + 3):
        at = now + timedelta(minutes=n // 4)
        make.issue(shop, title=f"E{n}", last_seen=at, first_seen=at, times_seen=n // 4, users_seen=n // 4)
    everything = search.parse("")

    def page_at(place):
        place = cursors.decode(place)
        return finding.find(session, in_shop, everything, now=now, sort=sort, cursor=place)

    first = page_at(None)
    second, third = page_at(first.next), page_at(page_at(first.next).next)
    titles = [[row.issue.title for row in page.rows] for page in (first, second, third)]
    assert [len(page) for page in titles] == [PAGE, PAGE, 3]
    assert [*titles[0], *titles[1], *titles[2]] == [f"E{n}" for n in reversed(range(2 * PAGE + 3))]
    assert (first.previous, third.next) == (None, None)
    back = page_at(third.previous)
    assert [row.issue.title for row in back.rows] == titles[1]
    again = page_at(back.previous)
    assert [row.issue.title for row in again.rows] == titles[0]
    assert again.previous is None
    assert again.next


@pytest.mark.parametrize(
    "text", [None, "", "x", "%%%", "é", "PjE", "Pjk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x", "Pi4"]
)
def test_what_is_no_cursor_begins_at_the_beginning(text):
    assert cursors.decode(text) is None


def test_an_issue_of_another_project_is_not_found(make, cast, find):
    make.issue(cast.other_shop, title="elsewhere")
    assert find("") == []


def test_all_issues_of_an_organization_are_those_of_the_projects_one_sees(make, cast, find):
    hidden = make.project(cast.acme, "hidden")
    make.issue(cast.shop, title="seen")
    make.issue(hidden, title="unseen")
    make.issue(cast.other_shop, title="elsewhere")
    assert find("", scope=Scope(cast.bob, cast.acme)) == ["seen"]
    assert set(find("", scope=Scope(cast.alice, cast.acme))) == {"seen", "unseen"}
    assert find("", scope=Scope(cast.dee, cast.acme)) == []


def test_a_row_has_its_last_day_and_its_latest_notice(make, shop, session, in_shop, now):
    issue = make.issue(shop)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for ago, count in ((0, 3), (23, 5), (24, 7)):
        session.add(IssueHour(issue_id=issue.id, hour=hour - timedelta(hours=ago), count=count))
    make.notice(issue)
    latest = make.notice(issue, "regression")
    [row] = finding.find(session, in_shop, search.parse(None), now=now).rows
    assert (row.hours[0], row.hours[-1], sum(row.hours)) == (5, 3, 8)
    assert (row.notice_id, row.notice.public_id) == (latest.id, latest.public_id)


def test_a_page_takes_two_queries_however_long_it_is(
    make, shop, cast, session, in_shop, now, count_statements
):
    for n in range(PAGE + 1):
        make.issue(shop, title=f"E{n}", assignee_user_id=cast.bob.id if n % 2 else None)
    session.commit()
    in_shop.project.id  # noqa: B018 - read before counting
    with count_statements() as sent:
        page = finding.find(session, in_shop, search.parse(None), now=now)
        assert {row.issue.assignee_user.name for row in page.rows if row.issue.assignee_user} == {"Bob"}
    assert len(sent) <= 3, sent


def test_counts_stop_where_nobody_reads_further(make, shop, session, in_shop, now, monkeypatch):
    monkeypatch.setattr(finding, "COUNTED_UP_TO", 2)
    for status in ("unresolved", "unresolved", "unresolved", "ignored"):
        make.issue(shop, status=status)
    texts = ["is:unresolved", "is:ignored", "is:resolved"]
    assert list(finding.counts(session, in_shop, texts, now=now).values()) == [2, 1, 0]


def test_news_are_what_was_seen_since(make, shop, session, in_shop, now):
    query = search.parse(None)
    before = finding.newest(session, in_shop, query, now=now)
    issue = make.issue(shop)
    with_one = finding.newest(session, in_shop, query, now=now)
    issue.last_seen += timedelta(microseconds=1)
    seen_again = finding.newest(session, in_shop, query, now=now)
    assert len({before, with_one, seen_again}) == 3
    make.issue(shop, status="ignored", last_seen=now + timedelta(hours=1))
    assert finding.newest(session, in_shop, query, now=now) == seen_again
    assert finding.find(session, in_shop, query, now=now).version == seen_again


def test_only_what_a_person_may_see_can_be_selected(make, cast, session):
    here, there = make.issue(cast.shop), make.issue(cast.other_shop)
    assert finding.visible(session, cast.bob, [here.id, there.id]) == [here]


def test_what_was_taken_back_unsent_is_no_news_in_a_row(session, make, issue, now):
    told = make.notice(issue, "comment", planned_at=now)
    make.notice(issue, "resolved", planned_at=now, gate_code="undone")
    assert finding.row_of(session, issue, now=now).notice_id == told.id
