"""Whether anybody was told of an issue's latest notice is known where lists look for what reached nobody."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import Issue
from app.services import pruning
from app.services.issues import merging
from app.services.issues.matching_notices import UNREACHED
from app.services.notices import telling

pytestmark = pytest.mark.both_databases


@pytest.fixture
def told(session):
    """What is noted of an issue; only what is not is worth a look, and that decides."""

    def asked(issue):
        session.flush()
        session.refresh(issue)
        unreached = session.scalar(select(Issue.id).where(Issue.id == issue.id, UNREACHED))
        return issue.told, unreached is None

    return asked


@pytest.fixture
def note(session):
    """As after a delivery was sent."""
    return lambda delivery: telling.note(session, telling.untold(session, [delivery.id]))


@pytest.fixture
def tell(make, note, cast, now):
    """A notice of an issue, planned and accepted for somebody."""

    def made(issue, **columns):
        notice = make.notice(issue, **{"planned_at": now, **columns})
        delivery = make.delivery(notice, cast.bob, state="accepted")
        note(delivery)
        return notice, delivery

    return made


def test_what_was_told_is_known_until_the_next_notice_is_planned(make, shop, session, told, tell, note, now):
    issue = make.issue(shop)
    assert told(issue) == (False, False)
    notice, delivery = tell(issue, planned_at=None)
    assert told(issue) == (False, True)  # nobody decided yet, so it is on its way
    notice.planned_at = now
    note(delivery)
    assert told(issue) == (True, True)
    make.notice(issue, planned_at=now, gate_code="undone")
    telling.look_again(session, [issue.id])
    assert told(issue) == (True, True)  # what was taken back is no news
    make.notice(issue, planned_at=now)
    telling.begin_anew(session, [issue.id])
    note(delivery)  # the older message was tried once more
    assert told(issue) == (False, False)


@pytest.mark.parametrize("state", ["queued", "deferred", "failed", "expired", "cancelled"])
def test_only_what_was_accepted_was_told(make, shop, session, told, tell, state):
    issue = make.issue(shop)
    _, delivery = tell(issue)
    delivery.state = state
    telling.look_again(session, [issue.id])
    assert told(issue) == (False, state in ("queued", "deferred"))


def test_notices_that_are_forgotten_tell_nothing_any_more(make, shop, session, told, tell, now):
    old, both = make.issue(shop), make.issue(shop)
    for issue in (old, both):
        tell(issue, occurred_at=now - timedelta(days=91))
    tell(both)
    pruning.prune_notices(session, before=now - timedelta(days=90))
    assert told(old) == (False, False)
    assert told(both) == (True, True)


def test_a_merged_issue_brings_its_notices(make, cast, shop, session, told, tell, now):
    primary, other = make.issue(shop, times_seen=2), make.issue(shop)
    tell(primary)
    make.notice(other, planned_at=now)
    merging.merge(session, [primary, other], by=cast.bob, now=now)
    assert told(primary) == (False, False)
