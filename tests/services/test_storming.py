"""Storms side by side: one row, one summary, one verdict a person."""

import pytest
from sqlalchemy import func, select

from app.clock import now
from app.models import Notice, Storm, Verdict
from app.services.calm import storming
from app.services.notices import notifying
from app.services.preferences import preferring

pytestmark = pytest.mark.both_databases
INSTANCE = preferring.Defaults({})


@pytest.fixture
def alerts(session, make, shop):
    """Of the 21st and 22nd new issue within a minute."""
    issues = [make.issue(shop, title=f"Error{n}: cart", first_seen=now()) for n in range(22)]
    made = [make.notice(issue).id for issue in issues[-2:]]
    session.commit()
    return made


def planning(notice_id):
    return lambda session: notifying.plan(session, [notice_id], now=now(), instance=INSTANCE)


@pytest.mark.parametrize("meeting", ["INSERT INTO storms", "INSERT INTO verdicts"])
def test_two_workers_open_one_storm_and_tell_everybody_once(session, alerts, side_by_side, meeting):
    raised = side_by_side(*map(planning, alerts), meeting=meeting)
    session.expire_all()
    assert None in raised
    for notice_id in alerts:  # whoever could not write, on SQLite, tries again
        planning(notice_id)(session)
    assert session.scalar(select(func.count(Storm.id))) == 1
    [summary] = session.scalars(select(Notice).where(Notice.kind == "storm"))
    told = select(Verdict.subject_id).where(Verdict.notice_id == summary.id)
    assert len(session.scalars(told).all()) == 3
    collapsed = select(func.count(Verdict.id)).where(Verdict.code == "storm")
    assert session.scalar(collapsed) == 6


def test_two_schedulers_tell_of_it_once_more_together(session, alerts, side_by_side, make):
    planning(alerts[0])(session)
    storm = session.scalars(select(Storm)).one()
    storm.told_at, storm.latest_at = now() - storming.storms.UPDATE, now()
    storm_id = storm.id
    session.commit()

    def goes_on(session):
        answers = storming.go_on(session, storm_id, now=now(), instance=INSTANCE)
        notifying.store(session, answers, now=now())

    side_by_side(goes_on, goes_on, meeting="FROM storms")
    session.expire_all()
    assert session.scalar(select(func.count(Notice.id)).where(Notice.kind == "storm")) == 2


def test_alerts_that_are_planned_late_and_were_before_it_are_told(session, make, shop, cast):
    issues = [make.issue(shop, title=f"Error{n}: cart", first_seen=now()) for n in range(25)]
    notices = [make.notice(issue).id for issue in issues]
    for notice_id in reversed(notices):
        planning(notice_id)(session)
    found = select(Verdict.code, func.count()).where(Verdict.subject_id == cast.bob.id).group_by(Verdict.code)
    codes = dict(session.execute(found).all())
    assert codes["storm"] == 5
