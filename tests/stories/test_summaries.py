"""One action on several issues: each is changed, and each person hears of it once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.clock import now
from app.jobs import notify, states
from app.models import Activity, Delivery, Issue, Notice, Verdict
from app.services.issues import auto_resolving, resolving
from app.services.issues.timeline import Batch
from app.services.notices import notifying
from tests.support.telling import TELLS
from tests.support.threads import at_once

UNDO = timedelta(seconds=15)


@pytest.fixture
def issues(make, shop):
    """Makes so many: `issues(3)`."""
    return lambda count: [make.issue(shop, title=f"Error{number}: cart") for number in range(count)]


@pytest.fixture
def resolve(session, cast):
    """Alice resolves these with one click: `resolve(issues, hold=UNDO)`."""

    def all_of(chosen: list[Issue], *, name: str = "b_1", hold: timedelta | None = None) -> None:
        batch = Batch(name, plan_after=now() + hold if hold else None)
        for issue in chosen:
            resolving.resolve(session, issue, by=cast.alice, now=now(), batch=batch)
        session.commit()

    return all_of


def outcomes(session, person):
    """Outcome and code of every verdict about a person, and the kind of message that told them."""
    session.commit()
    found = (
        select(Verdict.outcome, Verdict.code, Delivery.kind)
        .outerjoin(Delivery, TELLS)
        .where(Verdict.subject_id == person.id)
        .order_by(Verdict.id)
    )
    return [tuple(row) for row in session.execute(found)]


def test_everybody_gets_one_summary(cast, issues, resolve, run_jobs, mailbox, session):
    chosen = issues(3)
    resolve(chosen)
    run_jobs()
    assert len(session.scalars(select(Activity.id)).all()) == 3
    for person in (cast.bob, cast.cy):
        [mail] = mailbox(to=person)
        assert mail["X-Tocsin-Kind"] == "digest"
        assert [issue.short_id in mail.text for issue in chosen] == [True] * 3
        assert outcomes(session, person) == [("defer", "batched", "digest")] * 3
    assert mailbox(to=cast.alice) == []


def test_one_issue_is_told_as_always(cast, issues, resolve, run_jobs, told, session):
    resolve(issues(1))
    run_jobs()
    assert told("resolved") == ["bob", "cy"]
    assert outcomes(session, cast.bob) == [("send", "send", "resolved")]


def test_who_hears_of_one_of_them_gets_its_own_mail(cast, make, issues, resolve, run_jobs, mailbox, session):
    chosen = issues(3)
    for issue in chosen[:2]:
        make.subscription(issue, cast.cy, state="unsubscribed")
    resolve(chosen)
    run_jobs()
    [mail] = mailbox(to=cast.cy)
    assert (mail["X-Tocsin-Kind"], mail.subject) == ("resolved", f"{chosen[2].short_id} - Error2: cart")
    codes = sorted(code for _, code, _ in outcomes(session, cast.cy))
    assert codes == ["issue_unsubscribed", "issue_unsubscribed", "send"]


def test_what_was_claimed_with_it_is_no_news_of_its_own(cast, make, issues, resolve, run_jobs, mailbox):
    make.choice(cast.alice, "claim", "on")
    chosen = issues(3)
    chosen[0].assignee_user_id = cast.bob.id
    resolve(chosen)
    run_jobs()
    for person in (cast.bob, cast.cy):
        [mail] = mailbox(to=person)
        assert mail.subject == "Alice resolved 3 issues in Shop"
        assert "Nobody had 2 of them; now Alice has." in mail.text
        assert "other change" not in mail.text


def test_of_one_issue_that_was_claimed_one_mail_is_sent_however_it_is_planned(
    cast, make, issues, resolve, run_jobs, told, monkeypatch
):
    monkeypatch.setattr(notifying, "MOST_VERDICTS", 1)
    make.choice(cast.alice, "claim", "on")
    resolve(issues(1))
    run_jobs()
    assert told("resolved") == ["bob", "cy"]


def test_two_actions_are_two_summaries(cast, issues, resolve, run_jobs, mailbox):
    chosen = issues(4)
    resolve(chosen[:2], name="b_1")
    resolve(chosen[2:], name="b_2")
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 2


def test_nobody_is_told_while_it_can_be_undone(cast, issues, resolve, run_jobs, told):
    resolve(issues(3), hold=UNDO)
    run_jobs()
    assert run_jobs.sweep(after=timedelta(seconds=10)) == {"planned": 0, "sent": 0}
    assert told() == []
    assert run_jobs.sweep(after=timedelta(seconds=20)) == {"planned": 3, "sent": 2}
    assert told("digest") == ["bob", "cy"]


def test_of_what_was_undone_nobody_hears(cast, issues, resolve, run_jobs, told, session):
    resolve(issues(3), hold=UNDO)
    session.execute(update(Notice).values(planned_at=now(), gate_code="undone"))
    session.commit()
    run_jobs.sweep(after=timedelta(seconds=20))
    assert told() == []


def test_a_batch_waits_for_its_last_notice(cast, issues, resolve, run_jobs, told):
    """As of a sweep that takes several transactions."""
    chosen = issues(4)
    resolve(chosen[:2], hold=timedelta(seconds=5))
    resolve(chosen[2:], hold=UNDO)
    assert run_jobs.sweep(after=timedelta(seconds=10)) == {"planned": 0, "sent": 0}
    run_jobs.sweep(after=timedelta(seconds=20))
    assert told("digest") == ["bob", "cy"]


def test_whoever_has_quiet_hours_gets_it_in_the_morning(cast, issues, resolve, run_jobs, mailbox, make):
    make.quiet_now(cast.bob)
    chosen = issues(3)
    resolve(chosen)
    run_jobs()
    assert (len(mailbox(to=cast.bob)), len(mailbox(to=cast.cy))) == (0, 1)
    run_jobs.sweep(after=timedelta(hours=3))
    [mail] = mailbox(to=cast.bob)
    assert [issue.short_id in mail.text for issue in chosen] == [True] * 3


def test_thirty_that_were_silent_for_two_weeks_are_one_mail_that_lists_twenty(
    cast, issues, app, run_jobs, mailbox, session
):
    cast.shop.resolve_age_hours = 14 * 24
    old = issues(30)
    for issue in old:
        issue.last_seen = now() - timedelta(days=14, hours=1)
    session.commit()
    with app.app_context():
        states.resolve_old(now())
    run_jobs()
    assert set(session.scalars(select(Issue.status))) == {"resolved"}
    for person in (cast.alice, cast.bob, cast.cy):
        [mail] = mailbox(to=person)
        assert sum(issue.short_id in mail.text.split() for issue in old) == 20
        assert "10 more" in mail.text


def test_a_slow_sweep_tells_nobody_before_it_has_ended(
    cast, issues, app, run_jobs, told, session, monkeypatch
):
    """Whatever the scheduler plans between two of its transactions."""
    cast.shop.resolve_age_hours = 24
    for issue in issues(3):
        issue.last_seen = now() - timedelta(days=2)
    session.commit()
    monkeypatch.setattr(auto_resolving, "CHUNK", 1)
    resolve_old, planned = auto_resolving.resolve_old, []

    def and_then_the_scheduler_looks(*args, **named):
        planned.append(run_jobs.sweep(after=timedelta(minutes=2))["planned"])
        return resolve_old(*args, **named)

    monkeypatch.setattr(auto_resolving, "resolve_old", and_then_the_scheduler_looks)
    with app.app_context():
        states.resolve_old(now())
    assert planned == [0, 0, 0, 0]
    run_jobs()
    assert told("digest") == ["alice", "bob", "cy"]


def test_a_large_batch_is_planned_in_parts_and_told_once(
    cast, issues, resolve, run_jobs, mailbox, session, monkeypatch
):
    monkeypatch.setattr(notifying, "MOST_VERDICTS", 6)
    resolve(issues(7))
    run_jobs()
    assert (len(mailbox(to=cast.bob)), len(mailbox(to=cast.cy))) == (1, 1)
    assert outcomes(session, cast.bob) == [("defer", "batched", "digest")] * 7


@pytest.mark.both_databases
def test_two_workers_at_one_batch_tell_everybody_once(
    cast, issues, resolve, app, run_jobs, told, session, monkeypatch
):
    monkeypatch.setattr(notifying, "MOST_VERDICTS", 6)
    resolve(issues(9))
    notice_ids = session.scalars(select(Notice.id)).all()
    session.commit()
    at_once(app, notify.run, notice_ids)
    run_jobs()
    run_jobs.sweep()
    assert told("digest") == ["bob", "cy"]
