"""An issue that comes back again and again is marked, and told of at most every six hours."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.models import Issue, Notice, Verdict
from app.services.issues import resolving

pytestmark = [pytest.mark.usefixtures("at_once")]

HOUR = timedelta(hours=1)


@pytest.fixture
def comes_back(make, shop, session, report, run_jobs):
    """Resolved by age, and met again, so many hours from now."""
    began = datetime.now(UTC)

    def again(hours, how="set_resolved_by_age"):
        at = began + hours * HOUR
        with time_machine.travel(at):
            issue = session.scalars(select(Issue)).one()
            resolving.move(
                session,
                issue,
                "resolve",
                by=None,
                now=at - timedelta(minutes=1),
                activity=how,
                data={"hours": 24},
            )
            report(timestamp=at.timestamp())
            run_jobs()
        session.expire_all()
        return issue

    return again


@pytest.fixture(autouse=True)
def known(report, run_jobs, told):
    report()
    run_jobs()
    told()


def regressions(mailbox, person):
    return sum(mail["X-Tocsin-Kind"] == "regression" for mail in mailbox(to=person))


def test_twice_in_a_day_it_is_marked_and_told_seldom(comes_back, mailbox, cast, session, as_user):
    assert comes_back(1).flapping_until is None
    issue = comes_back(2)
    assert issue.flapping_until is not None
    assert regressions(mailbox, cast.bob) == 1
    comes_back(5)
    assert regressions(mailbox, cast.bob) == 1
    comes_back(8)
    assert regressions(mailbox, cast.bob) == 2
    notices = session.scalars(select(Notice).where(Notice.kind == "regression").order_by(Notice.id)).all()
    verdicts = [
        session.scalars(
            select(Verdict).where(Verdict.notice == each, Verdict.subject_id == cast.bob.id)
        ).one()
        for each in notices
    ]
    assert [(each.outcome, each.code) for each in verdicts] == [
        ("send", "send"),
        ("collapse", "flapping"),
        ("collapse", "flapping"),
        ("send", "send"),
    ]
    assert verdicts[1].params["notice"] == verdicts[2].params["notice"] == notices[0].public_id
    page = as_user(cast.bob).page(f"/notices/{notices[1].public_id}/")
    assert f"/notices/{notices[0].public_id}/" in str(page)


def test_after_twelve_hours_of_calm_it_is_not_flapping_any_more(comes_back, mailbox, cast):
    comes_back(1)
    comes_back(2)
    assert regressions(mailbox, cast.bob) == 1
    comes_back(27)
    comes_back(28)
    assert regressions(mailbox, cast.bob) == 2


def test_what_a_person_resolved_is_not_flapping(comes_back, mailbox, cast):
    comes_back(1, "set_resolved")
    assert comes_back(2, "set_resolved").flapping_until is None
    assert regressions(mailbox, cast.bob) == 2


def test_its_page_says_so(comes_back, as_user, cast, session):
    issue = comes_back(-3)
    issue = comes_back(-2)
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert "Flapping" in page.get_text()


def test_whoever_was_not_told_before_is_told(comes_back, mailbox, make, cast):
    make.choice(cast.bob, "workflow", "never")
    comes_back(1)
    make.choice(cast.bob, "workflow", "always")
    comes_back(2)
    assert (regressions(mailbox, cast.bob), regressions(mailbox, cast.cy)) == (1, 1)
