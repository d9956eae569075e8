"""Pages of releases: what is new and resolved in each, its commits, its deploys, where it is in use."""

import html
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.domain.cursor import decode
from app.domain.resolutions import in_next_release, in_release
from app.models import Release, ReleaseEnvironment, Resolution
from app.services.issues import moving, resolving, timeline
from app.services.releases import deploying, release_lists, release_pages
from app.services.releases.deploying import Wishes


@pytest.fixture
def release(make, cast):
    made = make.release(cast.shop, "shop@1.1")
    make.commit(cast.acme, "Guard the cart\n\nFixes it", author=cast.bob, release=made)
    return made


def test_a_release_shows_all_that_is_known_of_it(as_user, session, make, cast, release, now):
    new = make.issue(cast.shop, title="KeyError: fresh", first_release=release.version)
    old = make.issue(cast.shop, title="KeyError: settled")
    resolving.resolve(session, old, by=cast.alice, now=now, into=in_release(release.version))
    deploying.deploy(session, release, Wishes("production", name="rollout"), [], by=cast.bob, now=now)
    page = as_user(cast.alice).get("/acme/shop/releases/shop@1.1/")
    assert page.status_code == 200
    for said in (new.short_id, "KeyError: fresh", "KeyError: settled", "Guard the cart", "production"):
        assert said in page.text
    assert "rollout" in page.text
    assert "Deciding whom to tell" in page.text


def test_where_a_newer_one_is_seen_that_is_said(as_user, session, make, cast, release):
    newer = make.release(cast.shop, "shop@1.2", at=release.date_added + timedelta(hours=1))
    for row, environments in ((release, ("production", "staging")), (newer, ("staging",))):
        for environment in environments:
            key = {"release_id": row.id, "project_id": cast.shop.id, "environment": environment}
            session.add(ReleaseEnvironment(**key))
    session.flush()
    found = release_pages.shown(session, release, cast.shop, cast.alice).environments
    assert [(each.environment, each.newest) for each in found] == [
        ("production", "shop@1.1"),
        ("staging", "shop@1.2"),
    ]
    assert "Newest there" in as_user(cast.alice).get("/acme/shop/releases/shop@1.1/").text


def test_a_release_of_another_project_is_not_here(as_user, make, cast, release):
    make.project(cast.acme, "billing", teams=[cast.team])
    assert as_user(cast.alice).get("/acme/billing/releases/shop@1.1/").status_code == 404
    assert as_user(cast.charlie).get("/acme/shop/releases/shop@1.1/").status_code == 404
    assert as_user(cast.dee).get("/acme/shop/releases/shop@1.1/").status_code == 404


def test_a_version_may_hold_slashes_and_markup(as_user, make, cast):
    make.release(cast.shop, "feature/<b>cart</b>")
    browser = as_user(cast.alice)
    assert "/acme/shop/releases/feature/%3Cb%3Ecart%3C/b%3E/" in browser.get("/acme/shop/releases/").text
    page = browser.get("/acme/shop/releases/feature/%3Cb%3Ecart%3C/b%3E/")
    assert (page.status_code, "<b>cart" in page.text) == (200, False)


def test_latest_leads_to_the_newest(as_user, make, cast, release):
    answer = as_user(cast.alice).get("/acme/shop/releases/latest/")
    assert answer.headers["Location"].endswith("/acme/shop/releases/shop@1.1/")


@pytest.mark.both_databases
def test_pages_of_the_list_hold_every_release_once(session, make, cast):
    for number in range(60):
        make.release(cast.shop, f"1.{number}", at=make.now + timedelta(minutes=number // 3))
    seen, cursor = [], None
    while True:
        found = release_lists.listed(session, cast.acme, cast.alice, project=cast.shop, cursor=cursor)
        seen += [row.release.id for row in found.rows]
        if found.following is None:
            break
        cursor = decode(found.following)
    everyone = select(Release.id).order_by(Release.date_added.desc(), Release.id.desc())
    assert seen == list(session.scalars(everyone))
    back = release_lists.listed(
        session, cast.acme, cast.alice, project=cast.shop, cursor=decode(found.previous)
    )
    assert [row.release.id for row in back.rows] == seen[25:50]


def test_numbers_are_of_the_projects_that_one_sees(session, make, cast, release):
    secret = make.project(cast.acme, "secret", teams=[make.team(cast.acme, "others", members=[cast.dee])])
    make.release(secret, release.version)
    make.issue(secret, first_release=release.version)
    make.issue(cast.shop, first_release=release.version)
    for person, new in ((cast.alice, 2), (cast.bob, 1), (cast.dee, 1)):
        [row] = release_lists.listed(session, cast.acme, person).rows
        assert row.new == new


def test_the_organization_lists_the_releases_of_all_projects(as_user, make, cast, release):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    make.release(billing, "billing@9")
    page = as_user(cast.alice).get("/acme/releases/")
    assert "billing@9" in page.text
    assert "shop@1.1" in page.text
    assert "shop@1.1" not in as_user(cast.alice).get("/acme/releases/?q=billing").text
    assert as_user(cast.charlie).get("/acme/releases/").status_code == 404


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("shop@1", True),
        ("SHOP@1.1-rc", True),
        ("1.1", True),
        ("1.1-rc1", True),
        ("@1.1", True),
        ("op@1.1", False),
        (".1", False),
        ("1_1", False),
        ("%", False),
    ],
)
def test_a_release_is_found_by_the_beginning_of_its_name_or_version(as_user, make, cast, typed, is_found):
    make.release(cast.shop, "shop@1.1-RC1")
    page = as_user(cast.alice).page(f"/acme/shop/releases/?q={quote(typed)}")
    assert bool(page.select("tbody tr")) is is_found


def test_archived_ones_are_apart(as_user, session, make, cast, release):
    release.status = "archived"
    assert "shop@1.1" not in as_user(cast.alice).get("/acme/shop/releases/").text
    assert "shop@1.1" in as_user(cast.alice).get("/acme/shop/releases/?status=archived").text


@pytest.mark.parametrize("query", ["cursor=x", "cursor=PjkyMjMzNzIwMzY4NTQ3NzU4MDcuMQ", "status=gone"])
def test_strange_questions_are_no_errors(as_user, cast, query):
    assert as_user(cast.alice).get(f"/acme/shop/releases/?{query}").status_code == 200


def test_the_issue_leads_to_its_releases(as_user, make, cast, release):
    issue = make.issue(cast.shop, first_release=release.version, last_release=release.version)
    page = as_user(cast.alice).get(f"/acme/shop/issues/{issue.id}/").text
    assert "/acme/shop/releases/shop@1.1/" in page


def test_the_list_says_what_came_back_and_who_was_told(as_user, session, make, cast, release, now, run_jobs):
    for status in ("unresolved", "deleting"):  # what is on its way out is not counted
        issue = make.issue(cast.shop, status=status)
        timeline.record(session, issue, "set_regression", by=None, now=now, data={"version": release.version})
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    make.release(billing, release.version)
    deploying.deploy(session, release, Wishes("production"), [cast.shop, billing], by=cast.bob, now=now)
    session.commit()
    run_jobs()
    [row] = release_lists.listed(session, cast.acme, cast.alice).rows
    assert (row.regressed, list(row.told)) == (1, ["Billing", "Shop"])
    [row] = release_lists.listed(session, cast.acme, cast.alice, project=cast.shop).rows
    [notice] = row.told.values()
    page = as_user(cast.alice).get("/acme/shop/releases/").text
    assert f"/notices/{notice.public_id}/" in page
    assert "Told 1" in page  # Bob, whose commit is in it
    [row] = release_lists.listed(session, cast.acme, cast.alice, project=billing).rows
    assert row.regressed == 0


def test_a_deploy_of_another_project_is_not_the_last_one_of_this(session, make, cast, release, now):
    billing = make.project(cast.acme, "billing", teams=[cast.team])
    make.release(billing, release.version)
    deploying.deploy(session, release, Wishes("production"), [billing], by=cast.bob, now=now)
    [row] = release_lists.listed(session, cast.acme, cast.alice, project=cast.shop).rows
    assert (row.deploys, row.last_deploy) == (0, None)


def test_what_is_new_within_minutes_of_a_deploy_stands_under_it(session, make, cast, release, now):
    for minutes, first in ((-1, release.version), (1, release.version), (1, "shop@9"), (3, release.version)):
        at = now + timedelta(minutes=minutes)
        make.issue(cast.shop, title=f"{minutes} {first}", first_release=first, first_seen=at)
    deploying.deploy(session, release, Wishes("production"), [cast.shop], by=cast.bob, now=now)
    [deployed] = release_pages.shown(session, release, cast.shop, cast.alice).deploys
    assert [issue.title for issue in deployed.new] == ["1 shop@1.1"]


@pytest.fixture
def settled(session, make, cast, release, now):
    """An issue that is resolved in the release."""
    issue = make.issue(cast.shop, title="KeyError: settled")
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_release(release.version))
    return issue


def came_back(session, issue, version, now):
    """What is left of it when an event of that version contradicts its resolution."""
    than = session.get(Resolution, issue.id).release.version
    moving.forget_details(session, issue)
    issue.status = "unresolved"
    data = {"version": version, "than": than, "pending": False}
    timeline.record(session, issue, "set_regression", by=None, now=now, data=data)


def test_what_was_resolved_in_it_counts_though_it_came_back(
    as_user, session, make, cast, release, settled, now
):
    came_back(session, settled, "shop@1.2", now)
    [row] = release_lists.listed(session, cast.acme, cast.alice).rows
    assert (row.resolved, row.undone) == (1, 1)
    page = as_user(cast.alice).get("/acme/shop/releases/shop@1.1/").text
    assert settled.title in page
    assert "came back in" in page
    assert "shop@1.2" in page
    resolving.resolve(session, settled, by=cast.alice, now=now, into=in_release(release.version))
    [row] = release_lists.listed(session, cast.acme, cast.alice).rows
    assert (row.resolved, row.undone) == (1, 0), "it is resolved in it again, and counted once"


def test_what_waits_for_the_next_release_is_not_resolved_in_the_one_before(session, make, cast, release, now):
    waiting = make.issue(cast.shop)
    resolving.resolve(session, waiting, by=cast.alice, now=now, into=in_next_release())
    [row] = release_lists.listed(session, cast.acme, cast.alice).rows
    assert (row.resolved, row.undone) == (0, 0)
    assert release_pages.shown(session, release, cast.shop, cast.alice).resolved_count == 0


def test_its_numbers_lead_to_the_stream(as_user, session, make, cast, release):
    release.version = 'shop "1" *'
    inside = make.issue(cast.shop, title="KeyError: inside", first_release=release.version)
    make.issue(cast.shop, title="KeyError: outside", first_release='shop "1" 2')
    browser = as_user(cast.alice)
    page = browser.get(f"/acme/shop/releases/{quote(release.version)}/")
    [link] = set(re.findall(r'href="([^"]*query=first-release[^"]*)"', page.text))
    shown = browser.get(html.unescape(link)).text
    assert (inside.title in shown, "KeyError: outside" in shown) == (True, False)
