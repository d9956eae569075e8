"""How many times a page asks the database, however much there is to show.

The list and the page of an issue are counted with their own tests.
"""

import pytest

from app.services.releases import deploying
from app.services.releases.deploying import Wishes
from tests.support.browser import HTMX

ACCOUNT = "/settings/account/notifications/"
MOST = {
    "/": 8,
    "/notices/{notice}/": 8,
    "/notices/{notice}/panel": 8,
    "/issues/{issue}/participants": 8,
    "/issues/{issue}/reach?kind=resolved": 8,
    "/acme/shop/issues/{issue}/events/": 8,
    "/acme/shop/issues/{issue}/users/": 8,
    "/acme/shop/settings/": 12,
    "/acme/shop/settings/keys/": 12,
    "/acme/shop/settings/discarded/": 12,
    "/acme/shop/releases/": 8,
    "/acme/shop/feedback/": 8,
    "/acme/releases/": 8,
    "/acme/shop/releases/1.0/": 16,
    "/acme/settings/repositories/": 12,
    "/acme/settings/": 12,
    "/acme/settings/members/": 12,
    "/acme/settings/teams/": 12,
    ACCOUNT: 12,
    f"{ACCOUNT}alerts/": 12,
    f"{ACCOUNT}workflow/": 12,
    f"{ACCOUNT}issues/": 12,
    f"{ACCOUNT}history/": 12,
    f"{ACCOUNT}quiet-hours/": 12,
}


@pytest.fixture
def notice(make, issue, cast):
    made = make.notice(issue, planned_at=make.now)
    for person in (cast.alice, cast.bob, cast.cy):
        make.delivery(made, person, state="accepted", finished_at=make.now)
        make.subscription(issue, person, "commented")
    return made


@pytest.mark.parametrize(("path", "most"), MOST.items(), ids=MOST)
def test_a_page_asks_no_more_often_than_it_may(as_user, cast, make, issue, notice, queries, path, most):
    for number in range(5):
        make.feedback(cast.shop, event_id=make.event(issue).event_id)
        make.project(cast.acme, f"p{number}", teams=[cast.team])
        make.commit(cast.acme, release=make.release(cast.shop, "1.0"))
        made = make.release(cast.shop, f"1.{number}")
        deploying.deploy(make.session, made, Wishes("production"), [cast.shop], by=cast.bob, now=make.now)
    browser, here = as_user(cast.alice), path.format(notice=notice.public_id, issue=issue.id)
    headers = HTMX if path.endswith("/panel") or path.startswith("/issues/") else {}
    browser.page(here, headers=headers)  # which also looks up what the process then knows
    with queries() as sent:
        browser.page(here, headers=headers)
    assert len(sent) <= most, "\n".join(sent)
