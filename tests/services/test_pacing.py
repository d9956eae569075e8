"""Pacing side by side: of two workers only one tells somebody first, and nothing that waits is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.clock import now
from app.domain.routing import Outcome
from app.models import AlertPace, Delivery, Digest, Verdict
from app.services.calm import holding, pacing
from app.services.notices import notifying
from app.services.preferences import preferring

INSTANCE = preferring.Defaults({})
SOON = timedelta(minutes=5, seconds=1)


def planning(notice_id, at=timedelta()):
    return lambda session: notifying.plan(session, [notice_id], now=now() + at, instance=INSTANCE)


def closing(digest_id):
    return lambda session: holding.send_due(session, digest_id, now=now() + SOON, instance=INSTANCE)


@pytest.fixture
def bob(cast):
    """The only member of shop."""
    cast.alice.is_active = cast.cy.is_active = False
    return cast.bob


@pytest.fixture
def outcomes(session):
    def look():
        session.commit()
        return sorted(session.scalars(select(Verdict.outcome).where(Verdict.subject == "user")))

    return look


@pytest.mark.on_postgresql
@pytest.mark.parametrize("meeting", ["SELECT alert_paces", "INSERT INTO alert_paces", "INSERT INTO verdicts"])
def test_of_two_workers_one_tells_first_and_the_other_waits(
    session, make, bob, shop, side_by_side, outcomes, meeting
):
    first, second = (make.notice(make.issue(shop)) for _ in range(2))
    session.commit()
    raised = side_by_side(planning(first.id), planning(second.id), meeting=meeting)
    assert raised == [None, None]
    assert outcomes() == ["defer", "send"]
    assert session.scalar(select(func.count(Delivery.id))) == 1


@pytest.mark.on_postgresql
def test_of_two_workers_one_tells_first_once_the_window_is_over(
    session, make, bob, shop, side_by_side, outcomes
):
    session.add(AlertPace(user_id=bob.id, project_id=shop.id, sent_at=now() - timedelta(minutes=6)))
    first, second = (make.notice(make.issue(shop)) for _ in range(2))
    session.commit()
    assert side_by_side(planning(first.id), planning(second.id), meeting="SELECT alert_paces") == [None, None]
    assert outcomes() == ["defer", "send"]


@pytest.fixture
def held(session, make, bob, shop):
    """A digest that holds two alerts for Bob, after a first one."""
    for _ in range(3):
        planning(make.notice(make.issue(shop)).id)(session)
    session.execute(Delivery.__table__.delete())
    session.commit()
    return session.scalar(select(Digest.id))


@pytest.mark.both_databases
def test_two_workers_at_one_digest_make_one_message(session, held, side_by_side):
    raised = side_by_side(closing(held), closing(held), meeting="UPDATE digests")
    session.commit()
    assert session.scalar(select(func.count(Delivery.id))) == 1
    assert raised.count(None) >= 1


@pytest.mark.on_postgresql
@pytest.mark.parametrize("meeting", ["SELECT alert_paces", "UPDATE digests", "INSERT INTO digests"])
def test_what_comes_as_a_digest_is_closed_is_in_it_or_in_the_next(
    session, make, shop, held, side_by_side, meeting
):
    late = make.notice(make.issue(shop))
    session.commit()
    assert side_by_side(closing(held), planning(late.id, at=SOON), meeting=meeting) == [None, None]
    session.commit()
    digest_of = session.scalars(
        select(Verdict.digest_id).where(Verdict.outcome == Outcome.DEFER).order_by(Verdict.id)
    ).all()
    assert digest_of[:2] == [held, held]
    assert session.get_one(Digest, digest_of[2]).closed_at is None or digest_of[2] == held
    assert session.scalar(select(func.count(Delivery.id))) == 1


@pytest.mark.on_postgresql
def test_of_two_projects_at_once_the_thirtieth_mail_is_the_last(
    session, make, bob, cast, shop, side_by_side, outcomes
):
    pay = make.project(cast.acme, "pay", teams=[cast.team])
    earlier = make.notice(make.issue(shop), planned_at=now())
    for _ in range(pacing.MOST_IN_AN_HOUR - 1):
        make.delivery(make.notice(earlier.issue, planned_at=now()), bob, created_at=now())
    here, there = make.notice(make.issue(shop)), make.notice(make.issue(pay))
    session.execute(Verdict.__table__.update().values(outcome="skip"))
    session.commit()
    raised = side_by_side(planning(here.id), planning(there.id), meeting="SELECT deliveries.user_id")
    assert raised == [None, None]
    assert [each for each in outcomes() if each != "skip"] == ["defer", "send"]


@pytest.mark.both_databases
def test_planning_for_more_people_takes_no_more_statements(session, make, cast, shop, count_statements):
    def statements_for(people):
        team = make.team(cast.acme, members=[make.member(cast.acme) for _ in range(people)])
        team.projects.append(shop)
        notice = make.notice(make.issue(shop))
        session.commit()
        with count_statements() as statements:
            planning(notice.id)(session)
        session.commit()
        return len(statements)

    statements_for(1)
    assert statements_for(3) == statements_for(20)
