"""Pages of lists: `per_page`, `cursor`, and the Link header that clients follow."""

import re
from datetime import UTC, datetime

import pytest
from werkzeug.http import parse_list_header

from app.domain.cursor import Cursor
from app.models import Issue, IssueTag

LINK = re.compile(r'<([^>]+)>; rel="(\w+)"; results="(true|false)"; cursor="([^"]+)"')


def links(answer) -> dict[str, tuple[str, bool, str]]:
    """rel → address, whether there is something, cursor."""
    found = LINK.findall(answer.headers["Link"])
    return {rel: (address, there == "true", cursor) for address, rel, there, cursor in found}


def walk(api, path, rel="next"):
    """The pages that a client sees that follows the links."""
    pages = []
    while path:
        answer = api.get(path)
        pages.append(answer.json)
        address, there, _ = links(answer)[rel]
        path = address.removeprefix("https://tocsin.example.org/api/0") if there else None
    return pages


@pytest.fixture
def issues(make, shop):
    """Seven, which were all last seen at the same moment."""
    return [make.issue(shop, title=f"Error: {n}") for n in range(7)]


@pytest.mark.both_databases
@pytest.mark.parametrize("sort", ["date", "new", "freq", "user"])
def test_following_the_links_brings_every_issue_once_and_back_again(api, issues, sort):
    pages = walk(api, f"/projects/acme/shop/issues/?query=&per_page=3&sort={sort}")
    assert [len(page) for page in pages] == [3, 3, 1]
    ids = [row["id"] for page in pages for row in page]
    assert ids == [str(issue.id) for issue in reversed(issues)]

    second = api.get(f"/projects/acme/shop/issues/?query=&per_page=3&sort={sort}")
    cursor = links(second)["next"][2]
    back = links(api.get(f"/projects/acme/shop/issues/?query=&per_page=3&sort={sort}&cursor={cursor}"))
    assert back["previous"][1] is True
    previous = back["previous"][0].removeprefix("https://tocsin.example.org/api/0")
    assert api.read(previous) == pages[0]


def test_an_issue_that_is_seen_meanwhile_moves_no_other_onto_the_next_page(api, issues, session, now):
    first = api.get("/projects/acme/shop/issues/?per_page=3")
    session.get(Issue, issues[0].id).last_seen = now.replace(hour=23)
    address = links(first)["next"][0].removeprefix("https://tocsin.example.org/api/0")
    assert [row["id"] for row in api.read(address)] == [str(issue.id) for issue in issues[3:0:-1]]


@pytest.mark.parametrize(
    "path",
    ["/projects/acme/shop/events/", "/issues/SHOP-1/events/", "/notices/", "/organizations/acme/members/"],
)
def test_other_lists_come_in_pages_too(api, make, cast, path):
    issue = make.issue(cast.shop, events=4)
    for _ in range(4):
        make.notice(issue)
    pages = walk(api, f"{path}?per_page=3")
    assert [len(page) for page in pages] == [3, 1]
    assert len({row["id"] for page in pages for row in page}) == 4
    last = api.get(f"{path}?per_page=3&cursor=0:3:0")
    assert links(last)["previous"] == (
        f"https://tocsin.example.org/api/0{path}?per_page=3&cursor=0:0:1",
        True,
        "0:0:1",
    )


def test_both_links_are_there_even_for_an_empty_list(api, shop):
    answer = api.get("/projects/acme/shop/issues/?query=a%20b&cursor=")
    assert answer.json == []
    assert len(parse_list_header(answer.headers["Link"])) == 2
    for rel in ("previous", "next"):
        address, there, cursor = links(answer)[rel]
        assert there is False
        assert (
            address
            == f"https://tocsin.example.org/api/0/projects/acme/shop/issues/?query=a+b&cursor={cursor}"
        )


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("/projects/acme/shop/issues/?query=Error", "7"),
        ("/projects/acme/shop/issues/?per_page=2", "5"),
        ("/organizations/acme/issues/?per_page=2&query=", "5"),
        ("/projects/acme/shop/issues/?per_page=2&query=is:resolved", "0"),
        ("/projects/acme/shop/issues/?per_page=2&query=Error", None),
        (f"/projects/acme/shop/issues/?cursor={Cursor(0, 1).encode()}", None),
        ("/projects/acme/shop/issues/?per_page=2&query=!is:resolved", None),
        ("/projects/acme/shop/issues/?per_page=2&statsPeriod=90d", None),
        ("/projects/acme/shop/issues/?per_page=2&environment=production", None),
        ("/organizations/acme/members/", "4"),
        ("/organizations/acme/members/?per_page=2", None),
        ("/organizations/acme/members/?per_page=3&cursor=0:3:0", "4"),
        ("/organizations/acme/members/?cursor=0:90:0", None),
    ],
)
def test_how_many_there_are_is_said_where_that_is_cheap_and_up_to_a_limit(
    api, issues, session, now, monkeypatch, query, hits
):
    for issue in issues:
        issue.last_seen = datetime.now(UTC)
    tag = {"key": "environment", "value": "production", "count": 1, "last_seen": now}
    session.add_all(IssueTag(issue_id=issue.id, **tag) for issue in issues)
    monkeypatch.setattr("app.services.issues.finding.COUNTED_UP_TO", 5)
    headers = api.get(query).headers
    assert headers.get("X-Hits") == hits
    assert ("X-Max-Hits" in headers) == ("/issues/" in query and hits is not None)


@pytest.mark.parametrize("name", ["per_page", "limit"])
def test_the_client_chooses_how_many(api, issues, name):
    assert len(api.read(f"/projects/acme/shop/issues/?{name}=2")) == 2


@pytest.mark.parametrize("count", ["0", "101", "-1", "many", "1.5"])
def test_a_number_out_of_range_is_refused(api, shop, count):
    answer = api.get(f"/projects/acme/shop/events/?per_page={count}")
    assert (answer.status_code, answer.json) == (400, {"detail": "per_page must be a number from 1 to 100."})


@pytest.mark.parametrize("path", ["/projects/acme/shop/issues/", "/projects/acme/shop/events/", "/projects/"])
@pytest.mark.parametrize("cursor", ["nonsense", "0:0", "0:x:0", "🛎️", "1:2:3:4"])
def test_a_bad_cursor_is_refused(api, shop, path, cursor):
    answer = api.get(f"{path}?cursor={cursor}")
    assert (answer.status_code, answer.json) == (400, {"detail": "Invalid cursor."})
