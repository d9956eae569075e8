"""The number of queries does not grow with a list."""

import pytest

from app.services.issues import commenting, resolving, seeing
from app.services.releases import deploying
from app.services.releases.deploying import Wishes

LISTS = [
    "/organizations/",
    "/organizations/acme/teams/",
    "/organizations/acme/members/",
    "/projects/",
    "/organizations/acme/projects/",
    "/projects/acme/shop/keys/",
    "/projects/acme/shop/issues/?query=",
    "/organizations/acme/issues/?query=",
    "/organizations/acme/issues/?per_page=1&query=",  # not all of them, so that they are counted
    "/organizations/acme/issues/?project=shop&project=shop-1&project=shop-2",
    "/organizations/acme/issues/SHOP-1/",
    "/issues/SHOP-1/comments/",
    "/issues/SHOP-1/events/?full=1",
    "/issues/SHOP-1/tags/",
    "/issues/SHOP-1/hashes/",
    "/projects/acme/shop/user-feedback/",
    "/projects/acme/shop/events/",
    "/users/me/notification-settings/",
    "/organizations/acme/releases/",
    "/projects/acme/shop/releases/",
    "/notices/",
    "/notices/?project=shop&issue=SHOP-1",
    "/notices/why/?issue=SHOP-1&user=bob@example.org",
]
MOST = 24
MOST_OF_A_LIST = 8  # with that of whose requests are counted together


@pytest.fixture
def more(make, cast, issue):
    """Adds to every list: people and teams of their own to each issue, notice, comment and project."""

    def grow(number: int) -> None:
        owner = make.organization(f"guild-{number}", owner=cast.alice)
        make.project(owner, f"tools-{number}", teams=[make.team(owner, "all", members=[cast.alice])])
        person = make.member(cast.acme)
        team = make.team(cast.acme, f"team-{number}", members=[cast.alice, person])
        made = make.project(cast.acme, f"shop-{number}", teams=[team])
        released = make.release(cast.shop, f"shop@{number}")
        make.commit(cast.acme, release=released)
        deploying.deploy(make.session, released, Wishes("production"), [cast.shop], by=cast.bob, now=make.now)
        make.feedback(cast.shop, f"Words {number}", event_id=make.event(issue).event_id)
        for where in (cast.shop, made):
            assigned = make.issue(where, assignee_user_id=person.id, events=1)
            make.issue(where, assignee_team_id=team.id)
            make.delivery(make.notice(assigned, actor_id=person.id), cast.bob)
        make.delivery(make.notice(issue, actor_id=person.id), cast.bob)
        commenting.comment(make.session, issue, text=f"Comment {number}", by=person, now=make.now)
        issue.assignee_user_id = person.id
        resolving.resolve(make.session, issue, by=cast.bob, now=make.now)
        seeing.note(make.session, issue.id, person.id, seen_at=make.now)

    return grow


@pytest.mark.both_databases
def test_twice_as_much_takes_as_many_queries(api, more, queries, unlimited):
    for number in range(1, 3):
        more(number)
    before = {path: queries(api.get, path) for path in LISTS}
    for number in range(3, 7):
        more(number)
    unlimited()
    assert {path: queries(api.get, path) for path in LISTS} == before
    assert max(before.values()) <= MOST, before
    counted = ("/issues/?query=", "&query=", "/SHOP-1/", "/releases/")
    lists = {path: count for path, count in before.items() if path.endswith(counted)}
    assert max(lists.values()) <= MOST_OF_A_LIST, lists
