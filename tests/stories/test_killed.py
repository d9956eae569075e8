"""A worker is killed at each statement in turn: what it was about to do is done later, once and whole."""

import pytest
from sqlalchemy import func, select

from app.clock import now
from app.jobs import digests, notify
from app.models import Delivery, Digest, Notice, Verdict
from app.services.calm import holding
from app.services.issues import resolving
from app.services.issues.timeline import Batch
from app.services.notices import notifying, outbox
from tests.support.dying import survives

MOST = 200  # statements of any one job


def test_sending_what_was_held(cast, make, report, run_jobs, app, session, mailbox):
    make.quiet_now(cast.bob)
    report("KeyError: one")
    report("ValueError: two")
    run_jobs()
    digest = holding.held_for(session, cast.bob)
    holding.release(session, digest, now())
    session.commit()
    for statements in range(MOST):
        if survives(app, digests.run, digest.id, statements=statements):
            break
        session.commit()
        assert session.get(Digest, digest.id).closed_at is None
        assert session.scalar(select(Delivery).where(Delivery.digest_id == digest.id)) is None
    assert statements > 8
    run_jobs()
    run_jobs.sweep()
    assert len(mailbox(to=cast.bob)) == 1


@pytest.mark.both_databases
def test_planning_the_notices_of_an_event(cast, make, report, run_jobs, app, session, told):
    make.rule(cast.shop)
    make.quiet_now(cast.cy)
    report()
    run_jobs.digest()
    notice_ids = session.scalars(select(Notice.id)).all()
    assert len(notice_ids) == 2
    session.commit()
    for statements in range(MOST):
        if survives(app, notify.run, *notice_ids, statements=statements):
            break
        session.commit()
        assert session.scalar(select(func.count()).select_from(Verdict)) == 0
        assert session.scalar(select(func.count()).select_from(Digest)) == 0
    assert statements > 10
    run_jobs()
    assert told("alert.new") == ["alice", "bob"]


@pytest.mark.both_databases
def test_planning_a_flood_in_lots(cast, make, issue, run_jobs, app, session, mailbox, monkeypatch):
    """Those lots that were written when it happens are not planned again, and no other is lost."""
    monkeypatch.setattr(outbox, "MOST_VERDICTS", 9)  # of three people: three events
    events = [make.event(issue) for _ in range(7)]
    ids = [make.notice(issue, "alert.again", event_id=event.event_id).id for event in events]
    session.commit()
    kills = 0
    for statements in (*range(5, 60), *[MOST] * 3):
        if survives(app, notify.run, *ids, statements=statements):
            break
        kills += 1
        session.commit()
        planned = session.scalar(select(func.count()).where(Notice.planned_at.is_not(None)))
        assert session.scalar(select(func.count()).select_from(Verdict)) == 3 * planned
    assert kills > 10
    run_jobs()
    run_jobs.sweep()
    session.commit()
    assert session.scalar(select(func.count()).where(Notice.planned_at.is_(None))) == 0
    told = select(Verdict.subject_id, Verdict.outcome, func.count())
    told = session.execute(told.group_by(Verdict.subject_id, Verdict.outcome)).all()
    people = (cast.alice, cast.bob, cast.cy)
    counts = {"send": 1, "defer": 6}
    assert sorted(told) == sorted((who.id, outcome, counts[outcome]) for who in people for outcome in counts)
    assert [len(mailbox(to=person)) for person in people] == [1, 1, 1]


def test_planning_a_batch_in_parts(cast, make, run_jobs, app, session, mailbox, monkeypatch):
    """Some parts are written when it happens; the next worker goes on from there."""
    monkeypatch.setattr(notifying, "MOST_VERDICTS", 6)
    issues = [make.issue(cast.shop, title=f"Error{number}: cart") for number in range(6)]
    batch = Batch("b_1")
    for issue in issues:
        resolving.resolve(session, issue, by=cast.alice, now=now(), batch=batch)
    session.commit()
    notice_ids = session.scalars(select(Notice.id)).all()
    session.commit()
    kills = 0
    for statements in (*range(10, 40), *[MOST] * 9):
        if survives(app, notify.run, *notice_ids, statements=statements):
            break
        kills += 1
    assert kills > 10
    run_jobs()
    run_jobs.sweep()
    for person in (cast.bob, cast.cy):
        [mail] = mailbox(to=person)
        assert [issue.short_id in mail.text for issue in issues] == [True] * 6
    session.commit()
    assert session.scalar(select(func.count()).where(Notice.planned_at.is_(None))) == 0
