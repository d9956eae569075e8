"""An integration that is removed: what it was sent stays on record, under its name; nothing waits for it."""

import pytest
from sqlalchemy import select

from app.clock import now
from app.models import Attempt, Delivery, Verdict
from app.services.integrations import connecting
from tests.support.receiver import answer


@pytest.fixture
def remove(session, hook):
    def away():
        connecting.remove(session, hook, now=now())
        session.commit()

    return away


@pytest.fixture
def told(session):
    """The verdict about the integration, as it is now."""

    def look():
        session.commit()
        session.expire_all()
        return session.scalar(select(Verdict).where(Verdict.subject == "destination"))

    return look


def test_what_was_sent_stays_sent_under_its_old_name(
    cast, make, hook, report, run_jobs, remove, told, as_user, session
):
    make.rule_to(hook)
    report()
    run_jobs()
    remove()
    page = as_user(cast.alice).get(f"/notices/{told().notice.public_id}/").text
    assert "Told Ops hook" in page
    assert "this list refreshes" not in page
    assert "hx-trigger" not in page
    assert told().delivery.state == "accepted"
    tried = select(Attempt.code).where(Attempt.delivery_id == told().delivery.id)
    assert session.scalar(tried) == "204"
    timeline = as_user(cast.alice).get(f"/acme/shop/issues/{told().notice.issue_id}/").text
    assert "Told Ops hook" in timeline


def test_what_waited_is_called_off_and_never_sent(
    cast, make, hook, report, run_jobs, remove, told, as_user, receiver
):
    make.rule_to(hook)
    receiver.usual = answer(500)
    report()
    run_jobs()
    remove()
    tried = len(receiver.taken)
    run_jobs.sweep()
    assert (told().delivery.state, told().code) == ("cancelled", "integration_removed")
    assert len(receiver.taken) == tried
    page = as_user(cast.alice).get(f"/notices/{told().notice.public_id}/").text
    assert "The integration was removed." in page
    assert "Ops hook" in page


def test_another_integration_never_gets_the_number_of_a_removed_one(
    cast, make, hook, report, run_jobs, remove, told, receiver, settings, session
):
    """Rules and records name it by that number."""
    make.rule_to(hook)
    report()
    run_jobs()
    was = hook.id
    remove()
    assert make.webhook(cast.shop, receiver.url, settings, name="Newcomer").id != was
    report("Another: one")
    run_jobs()
    assert len(receiver.taken) == 1
    sent = select(Delivery.address).where(Delivery.channel == "webhook")
    assert session.scalars(sent).all() == ["Ops hook"]
