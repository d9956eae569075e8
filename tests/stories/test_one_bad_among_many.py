"""One notice or message that cannot be dealt with keeps nobody else from being told."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from app.clock import now
from app.jobs import deliver, doorbell, notify
from app.models import Attempt, Delivery, Event, Notice
from app.services.notices import telling


def test_a_notice_that_cannot_be_planned_holds_up_no_other(
    cast, make, shop, acts, app, session, run_jobs, told
):
    bad, good = make.issue(shop), make.issue(shop)
    acts.resolve(bad, by=cast.alice)
    acts.resolve(good, by=cast.alice)
    session.execute(update(Notice).where(Notice.issue_id == bad.id).values(kind="unheard.of"))
    session.commit()
    ids = session.scalars(select(Notice.id)).all()
    with app.app_context(), pytest.raises(notify.NotPlanned):
        notify.run(*ids)
    run_jobs.sweep()
    assert told("resolved") == ["bob", "cy"]


def test_an_event_of_a_flood_that_cannot_be_planned_holds_up_no_other(
    cast, make, issue, app, session, run_jobs
):
    """Further alerts are planned many at a time; where that fails, each is tried by itself."""
    events = [make.event(issue) for _ in range(5)]
    notices = [make.notice(issue, "alert.again", event_id=event.event_id) for event in events]
    make.owners(cast.shop, "*.py bob@example.org")
    session.execute(update(Event).where(Event.id == events[2].id).values(body=b"torn"))
    session.commit()
    ids = [notice.id for notice in notices]
    with app.app_context(), pytest.raises(notify.NotPlanned) as raised:
        notify.run(*ids)
    assert raised.value.args == ([ids[2]],)
    session.commit()
    planned = session.scalars(select(Notice.id).where(Notice.planned_at.is_not(None)).order_by(Notice.id))
    assert planned.all() == [*ids[:2], *ids[3:]]


def test_a_message_that_cannot_be_composed_is_tried_again_and_given_up_in_the_end(
    cast, make, issue, run_jobs, session, told
):
    bad = make.delivery(make.notice(issue, planned_at=make.now), cast.bob)
    good = make.delivery(make.notice(issue, planned_at=make.now), cast.cy)
    session.execute(update(Delivery).values(created_at=now(), send_at=now()))
    session.execute(update(Delivery).where(Delivery.id == bad.id).values(kind="digest"))  # and there is none
    session.commit()
    run_jobs.sweep()
    session.commit()
    [attempt] = session.scalars(select(Attempt).where(Attempt.delivery_id == bad.id))
    assert attempt.outcome == "deferred"
    assert "compose" in attempt.response
    run_jobs.sweep(after=timedelta(hours=25))
    session.expire_all()
    assert session.get(Delivery, bad.id).state == "expired"
    assert session.get(Delivery, good.id).state == "accepted"


def test_mails_and_doorbells_do_not_wait_for_the_mark_that_somebody_was_told(
    cast, make, issue, app, session, smtp_server, monkeypatch
):
    notice = make.notice(issue, planned_at=make.now)
    ids = [make.delivery(notice, person).id for person in (cast.alice, cast.bob, cast.cy)]
    session.execute(update(Delivery).values(created_at=now(), send_at=now()))
    session.commit()
    rung: list[int] = []

    def locked(*_):
        assert rung == [1]
        raise OperationalError("UPDATE issues", {}, Exception("database is locked"))

    monkeypatch.setattr(deliver, "BATCH", 1)
    monkeypatch.setattr(telling, "note", locked)
    monkeypatch.setattr(doorbell, "post", lambda _: rung.append(1))
    with app.app_context():
        deliver.run(*ids)
    assert set(session.scalars(select(Delivery.state))) == {"accepted"}


def test_a_delivery_deleted_while_it_is_sent_leaves_the_others_recorded(
    cast, report, app, session, run_jobs, smtp_server
):
    report()
    run_jobs.digest()
    with app.app_context():
        session.commit()
        notify.run(*session.scalars(select(Notice.id)))
        session.commit()
        ids = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()

        def vanish(mail):
            with session.get_bind().begin() as connection:
                connection.execute(delete(Delivery).where(Delivery.id == ids[0]))

        session.commit()
        smtp_server.answer = lambda mail: vanish(mail) if mail.number == 1 else None
        deliver.run(*ids)
    session.commit()
    assert set(session.scalars(select(Delivery.state).where(Delivery.id != ids[0]))) == {"accepted"}
