"""What is planned together: further alerts in lots, with the answers that each would have got by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.clock import now
from app.models import AlertPace, AlertRule, Delivery, Destination, Digest, Notice, OnCall, RuleMute, Verdict
from app.services.notices import notifying, outbox
from app.services.preferences import preferring

INSTANCE = preferring.Defaults({})
FATAL = {"level": "fatal"}


@pytest.fixture
def rung(session, make, shop):
    """So many events of two issues, of which every third rang two rules: the notices of each event."""
    issues = [make.issue(shop, title=f"Error{n}: cart") for n in range(2)]
    other = make.rule(shop)

    def ring(number, **members):
        events = [make.event(issues[n % 2], **members) for n in range(number)]
        found = []
        for n, event in enumerate(events):
            first = make.notice(issues[n % 2], "alert.again", event_id=event.event_id)
            found.append([first.id])
            if n % 3 == 0:
                second = make.notice(issues[n % 2], "alert.again", event_id=event.event_id, rule_id=other.id)
                found[-1].append(second.id)
        return found

    return ring


@pytest.fixture
def answers(session):
    """All that planning writes down, by something that stays the same when it is done again."""

    def look():
        session.flush()
        session.expire_all()
        verdicts = select(Verdict).order_by(Verdict.notice_id, Verdict.subject, Verdict.subject_id)
        keys = dict(session.execute(select(Digest.id, Digest.key)).all())
        held = select(Digest.user_id, Digest.key, Digest.send_at).order_by(Digest.user_id, Digest.key)
        mails = select(Verdict.notice_id, Delivery.user_id, Delivery.destination_id, Delivery.kind)
        notices = select(Notice.id, Notice.gate_code, Notice.data, Notice.mail_epoch, Notice.planned_at)
        paces = select(AlertPace.user_id, AlertPace.sent_at)
        return (
            [
                (
                    each.notice_id,
                    each.subject,
                    each.subject_id,
                    each.outcome,
                    each.code,
                    each.reasons,
                    each.params,
                    keys.get(each.digest_id),
                )
                for each in session.scalars(verdicts)
            ],
            *(
                session.execute(rows).all()
                for rows in (
                    held,
                    mails.join(Delivery, Delivery.verdict_id == Verdict.id).order_by(Delivery.id),
                    notices.order_by(Notice.id),
                    paces.order_by(AlertPace.user_id),
                )
            ),
        )

    return look


def as_usual(session, make, cast):
    pass


def everything_at_once(session, make, cast):
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0


def stretching(session, make, cast):
    cast.shop.digest_minimum, cast.shop.digest_maximum = 5, 30


def told_a_minute_ago(session, make, cast):
    at = now() - timedelta(minutes=1)
    session.add(AlertPace(user_id=cast.bob.id, project_id=cast.shop.id, sent_at=at))


def many_mails_before(session, make, cast):
    everything_at_once(session, make, cast)
    for _ in range(25):
        make.delivery(
            make.notice(make.issue(cast.shop), planned_at=now()), cast.bob, created_at=now(), send_at=now()
        )


def on_call_and_quiet(session, make, cast):
    session.add(OnCall(user_id=cast.alice.id, since=now(), until=now() + timedelta(hours=1)))
    make.quiet_now(cast.bob)
    preferring.choose(session, cast.cy, "batching", "15", via="web", now=now())


def off_and_muted(session, make, cast):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now())
    rule = make.rule(cast.shop, "Muted")
    session.add(RuleMute(rule_id=rule.id, user_id=cast.cy.id, created_at=now()))


def an_owner(session, make, cast):
    make.owners(cast.shop, "*.py bob@example.org")


def an_integration(session, make, cast, **columns):
    given = {"name": "Ops hook", "kinds": ["again"], "settings": {}, "secrets": "", "created_at": now()}
    session.add(Destination(project_id=cast.shop.id, channel="webhook", **given, **columns))
    rule = session.scalars(select(AlertRule).where(AlertRule.project_id == cast.shop.id)).first()
    rule.actions = [*rule.actions, {"id": "integration", "integration": "all", "tags": []}]


def a_broken_integration(session, make, cast):
    an_owner(session, make, cast)
    an_integration(session, make, cast, enabled=False, disabled_reason="410 Gone")


SITUATIONS = (
    as_usual,
    everything_at_once,
    stretching,
    told_a_minute_ago,
    many_mails_before,
    on_call_and_quiet,
    off_and_muted,
    an_owner,
    an_integration,
    a_broken_integration,
)


@pytest.mark.parametrize("members", [{}, FATAL], ids=["error", "fatal"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=[each.__name__ for each in SITUATIONS])
def test_a_lot_gets_the_answers_that_its_events_would_get_one_by_one(
    session, make, cast, rung, answers, situation, members
):
    situation(session, make, cast)
    events = rung(20, **members)
    at = now()
    found = []
    for lots in ([[ids] for ids in events], [events]):
        with session.begin_nested() as savepoint:
            for lot in lots:
                notifying.plan_lot(session, lot, now=at, instance=INSTANCE)
            found.append(answers())
            savepoint.rollback()
        session.expire_all()
    one_by_one, together = found
    assert len(one_by_one[0]) >= 20
    assert together == one_by_one


def test_a_lot_of_a_hundred_events_needs_hardly_more_queries_than_one(session, cast, rung, count_statements):
    sent = {}
    for number in (1, 100):
        lot = rung(number)
        session.commit()
        with count_statements() as statements:
            notifying.plan_lot(session, lot, now=now(), instance=INSTANCE)
        session.commit()
        sent[number] = len(statements)
    assert sent[100] <= sent[1] + 10


def test_only_further_alerts_of_one_project_make_a_lot(session, make, cast, shop, rung):
    rung(5)
    issue, other = make.issue(shop), make.issue(cast.other_shop)
    for kind in ("alert.new", "alert.regression", "resolved"):
        make.notice(issue, kind, event_id=make.event(issue).event_id)
    mixed = make.event(issue).event_id
    make.notice(issue, "alert.again", event_id=mixed)
    make.notice(issue, "regression", event_id=mixed)
    make.notice(other, "alert.again", event_id=make.event(other).event_id)
    ids = session.scalars(select(Notice.id)).all()
    lots = outbox.lots(session, outbox.groups(session, ids, now=now()))
    assert sorted(len(lot) for lot in lots) == [1, 1, 1, 1, 1, 5]
    [lot] = [lot for lot in lots if len(lot) > 1]
    assert sum(len(group.notice_ids) for group in lot) == 7


def test_a_lot_ends_where_a_transaction_would_be_too_long(session, shop, rung, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_VERDICTS", 12)  # of three people: four notices
    ids = [notice_id for event in rung(10) for notice_id in event]
    lots = outbox.lots(session, outbox.groups(session, ids, now=now()))
    sizes = [sum(len(group.notice_ids) for group in lot) for lot in lots]
    assert sum(sizes) == len(ids)
    assert max(sizes) <= 4
    assert session.scalar(select(func.count()).where(Notice.planned_at.is_(None))) == len(ids)
