"""Holding side by side with sending, and at what cost."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.clock import now
from app.domain.routing import Outcome
from app.models import Delivery, Digest, Notice, Verdict
from app.services.calm import holding
from app.services.issues import resolving
from app.services.issues.timeline import Batch
from app.services.notices import notifying, outbox
from app.services.preferences import preferring

INSTANCE = preferring.Defaults({})
LATER = timedelta(hours=3)


def planning(notice_id):
    return lambda session: notifying.plan(session, [notice_id], now=now(), instance=INSTANCE)


def closing(digest_id):
    return lambda session: holding.send_due(session, digest_id, now=now() + LATER, instance=INSTANCE)


def carried(session):
    """How many verdicts each closed digest has, and the kind of its delivery."""
    counted = (
        select(Delivery.kind, func.count(Verdict.id))
        .join(Verdict, Verdict.digest_id == Delivery.digest_id)
        .where(Verdict.outcome == Outcome.DEFER)
        .group_by(Delivery.id, Delivery.kind)
    )
    return [tuple(row) for row in session.execute(counted)]


@pytest.mark.on_postgresql
def test_what_is_held_while_a_digest_is_closed_is_in_it_or_in_the_next(session, make, cast, shop, engine):
    """One has chosen the digest and is about to write into it; the other closes it just then, if it can."""
    cast.alice.is_active = cast.cy.is_active = False
    make.quiet_now(cast.bob)
    first, second = (make.notice(make.issue(shop)) for _ in range(2))
    planning(first.id)(session)
    digest_id = session.scalar(select(Digest.id))
    session.commit()
    chosen, closed = Event(), Event()

    def pause(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO verdicts"):
            chosen.set()
            closed.wait(0.5)
        elif statement.startswith("UPDATE digests"):
            chosen.wait(5)

    def work(act, done):
        with Session(engine) as own, own.begin():
            act(own)
        done.set()

    jobs = ((planning(second.id), Event()), (closing(digest_id), closed))
    workers = [Thread(target=work, args=job) for job in jobs]
    event.listen(engine, "before_cursor_execute", pause)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
    event.remove(engine, "before_cursor_execute", pause)
    assert all(done.is_set() for _, done in jobs)
    open_ = select(func.count(Verdict.id)).join(Verdict.digest).where(Digest.closed_at.is_(None))
    held_on = session.scalar(open_)
    [(kind, count)] = carried(session)
    assert count + held_on == 2
    assert kind == ("digest" if count > 1 else "alert.new")


@pytest.mark.both_databases
def test_two_workers_at_one_digest_make_one_message(session, make, cast, issue, side_by_side):
    make.quiet_now(cast.bob)
    planning(make.notice(issue).id)(session)
    digest_id = session.scalar(select(Digest.id))
    session.execute(Delivery.__table__.delete())  # those to the others
    session.commit()
    raised = side_by_side(closing(digest_id), closing(digest_id), meeting="UPDATE digests")
    session.commit()
    assert session.scalar(select(func.count(Delivery.id))) == 1
    assert raised.count(None) >= 1


@pytest.mark.both_databases
def test_planning_a_batch_takes_no_more_statements_for_more_issues(
    session, make, cast, shop, count_statements
):
    def statements_for(count, name):
        batch = Batch(name)
        for _ in range(count):
            resolving.resolve(session, make.issue(shop), by=cast.alice, now=now(), batch=batch)
        session.commit()
        [*ids] = session.scalars(select(Notice.id).where(Notice.batch == name))
        [group] = outbox.groups(session, ids, now=now())
        told = notifying.survey(session, group, now=now(), instance=INSTANCE).told
        with count_statements() as statements:
            made = notifying.plan_part(session, name, ids, told, now=now(), instance=INSTANCE)
        session.commit()
        assert len(made) == 2
        return len(statements)

    assert statements_for(3, "b_1") == statements_for(30, "b_2")


@pytest.mark.both_databases
def test_looking_again_at_what_is_held_takes_no_more_statements_for_more(
    session, make, cast, shop, count_statements
):
    cast.alice.is_active = cast.cy.is_active = False
    make.quiet_now(cast.bob)

    def statements_for(count):
        for _ in range(count):
            planning(make.notice(make.issue(shop)).id)(session)
        digest_id = session.scalar(select(Digest.id).where(Digest.closed_at.is_(None)))
        session.commit()
        with count_statements() as statements:
            assert closing(digest_id)(session)
        session.commit()
        return len(statements)

    assert statements_for(3) == statements_for(30)
