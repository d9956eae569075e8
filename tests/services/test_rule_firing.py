"""Which event a rule fires for: counts, people, age, releases, assignees, mutes, and how often."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models import AlertRule, Event, Issue, Notice, Project, RuleFiring, RuleMute
from app.services.events import cursors, digesting
from app.services.events.stream_entry import ENVELOPE, STREAM, Entry
from app.services.issues import assigning, ignoring, merging, resolving, snapshots
from app.services.rules import alerting
from tests.make import envelope, payload
from tests.support.ringing import Digester, make_rule

pytestmark = pytest.mark.both_databases

ALERT, AGAIN = "alert.new", "alert.again"
COUNT = {"id": "event_count", "value": 3, "interval": "1h"}
USERS = {"id": "user_count", "value": 2, "interval": "1d"}


@pytest.fixture
def shop(make, session):
    shop = make.project(slug="shop")
    session.execute(update(AlertRule).values(is_active=False))
    return shop


@pytest.fixture
def rule(session, shop, now):
    return lambda *conditions, **columns: make_rule(session, shop, *conditions, now=now, **columns)


@pytest.fixture
def digest(session, shop, now):
    return Digester(session, shop, now)


@pytest.fixture
def rung(session) -> Callable[[], list[str]]:
    """The events for which something rang."""
    return lambda: list(session.scalars(select(Notice.event_id).order_by(Notice.id)))


def test_more_than_three_is_the_fourth(rule, digest):
    rule(COUNT)
    assert [digest(payload(), minutes=minute) for minute in range(5)] == [[], [], [], [AGAIN], []]


def test_the_fourth_of_a_batch_is_the_one_that_rings(rule, digest, rung):
    rule(COUNT)
    events = [payload() for _ in range(6)]
    digest(*events)
    assert rung() == [events[3]["event_id"]]


def test_a_window_moves_on(rule, digest):
    rule(COUNT)
    assert [digest(payload(), minutes=minute) for minute in (0, 10, 20, 61, 70.1, 79)] == [
        [], [], [], [], [], [AGAIN]
    ]  # fmt: skip


def test_the_third_person_rings_and_nobody_in_particular_never(rule, digest, rung):
    rule(USERS)
    people = [payload(user={"id": number}) for number in ("1", "2", "1", "3", "4")]
    digest(*(payload(user=None) for _ in range(5)))
    digest(*people)
    assert rung() == [people[3]["event_id"]]


def test_windows_go_by_when_events_came_in(rule, digest, now):
    rule(COUNT)
    late = [(payload(timestamp=(now - timedelta(days=2)).isoformat()), now) for _ in range(4)]
    assert digest.received(late) == [AGAIN]


def test_what_is_new_was_never_seen_often(rule, digest):
    rule("first_seen", {**COUNT, "value": 10})
    assert digest(*(payload() for _ in range(30))) == []


@pytest.mark.parametrize(("level", "expected"), [("warning", [ALERT]), ("error", [])])
def test_none_of_means_not_any_of(rule, digest, level, expected):
    rule({"id": "level", "match": "gte", "level": "error"}, condition_match="none")
    assert digest(payload(level=level)) == expected


def test_twice_as_many_as_a_day_earlier(rule, digest):
    rule({**COUNT, "value": 100, "comparison": "percent", "earlier": "1d"})
    digest(payload(), payload())
    assert digest(*(payload() for _ in range(4)), minutes=1440 + 30) == []
    assert digest(payload(), minutes=1440 + 31) == [AGAIN]


def test_issues_of_an_age(rule, digest):
    rule("every_event", filters=[{"id": "age", "match": "older", "value": 7, "unit": "day"}])
    assert [digest(payload(), minutes=1440 * day) for day in (0, 7, 8)] == [[], [], [AGAIN]]


def test_a_rule_waits_for_so_many_events(rule, digest, rung):
    rule("every_event", filters=[{"id": "occurrences", "value": 3}])
    events = [payload() for _ in range(5)]
    digest(*events)
    assert rung() == [events[2]["event_id"]]


def test_whoever_is_assigned(session, rule, digest, make, shop, now):
    bob = make.user("Bob")
    shop.teams.append(make.team(shop.organization, members=[make.member(shop.organization, bob)]))
    session.flush()
    rule("every_event", filters=[{"id": "assigned_to", "target": "none"}], frequency_minutes=0)
    rule(
        "every_event",
        filters=[{"id": "assigned_to", "target": "member", "targetId": bob.id}],
        frequency_minutes=0,
        name="Bob's",
    )
    assert digest(payload()) == [ALERT]
    issue = session.scalars(select(Issue)).one()
    assigning.assign(session, issue, to=bob, by=None, now=now)
    session.flush()
    assert digest(payload(), minutes=1) == [AGAIN]
    newest = select(Notice.data).where(Notice.rule_id.is_not(None)).order_by(Notice.id.desc()).limit(1)
    assert session.scalar(newest) == {"rule": "Bob's"}


LATEST = [{"id": "latest_release"}]


def test_the_latest_release_and_none_before_it(rule, digest, rung):
    rule("every_event", filters=LATEST, frequency_minutes=0)
    digest(payload(release="shop@2.9"))
    digest(payload(release="shop@3.0"), minutes=1)
    assert digest(payload(release="shop@3.0"), minutes=2) == [AGAIN]
    assert digest(payload(release="shop@2.9"), payload(release=None), minutes=3) == []


def test_the_latest_release_of_an_environment(rule, digest):
    rule("every_event", filters=LATEST, environment="production", frequency_minutes=0)
    digest(payload(release="shop@3.0", environment="production"))
    digest(payload(release="shop@3.1", environment="staging"), minutes=1)
    assert digest(payload(release="shop@3.0", environment="production"), minutes=2) == [AGAIN]
    assert digest(payload(release="shop@3.1", environment="production"), minutes=3) == [AGAIN]
    assert digest(payload(release="shop@3.0", environment="production"), minutes=4) == []


def test_the_latest_release_goes_by_its_date(session, rule, digest, make, shop, now):
    rule("every_event", filters=LATEST, frequency_minutes=0)
    make.release(shop, "shop@9.0", at=now - timedelta(days=1)).date_released = now + timedelta(days=1)
    session.flush()
    assert digest(payload(release="shop@10.0")) == []
    assert digest(payload(release="shop@9.0"), minutes=1) == [AGAIN]


def test_in_a_batch_a_release_is_the_latest_until_the_next_one_comes(rule, digest, now):
    rule("every_event", filters=LATEST, frequency_minutes=0)
    sent = [
        (payload(release=f"shop@{number}"), now + timedelta(minutes=minute))
        for minute, number in enumerate(("2.9", "3.0", "2.9"))
    ]
    sent = [({**event, "timestamp": at.isoformat()}, at) for event, at in sent]
    assert digest.received(sent) == [ALERT, AGAIN]


@pytest.mark.parametrize(
    ("filters", "match", "expected"),
    [
        ([{"id": "tag", "key": "Browser", "match": "ne", "value": "IE"}], "all", [ALERT]),
        ([{"id": "tag", "key": "browser", "match": "eq", "value": "firefox 128"}], "none", []),
        ([{"id": "attribute", "attribute": "user.email", "match": "ew", "value": "@X.NET"}], "all", [ALERT]),
        ([{"id": "attribute", "attribute": "http.url", "match": "ns"}], "any", []),
        ([{"id": "level", "match": "lte", "level": "warning"}], "all", []),
    ],
)  # fmt: skip
def test_filters_look_at_the_event(rule, digest, filters, match, expected):
    rule("every_event", filters=filters, filter_match=match)
    assert digest(payload(user={"email": "ann@x.net"})) == expected


def mute(session, rule, *, now, until=None, user=None) -> None:
    session.add(RuleMute(rule_id=rule.id, user_id=user and user.id, until=until, created_at=now))
    session.flush()


def test_a_rule_that_is_muted_for_everyone_is_not_evaluated_until_its_end(session, rule, digest, now):
    made = rule("every_event", frequency_minutes=0)
    mute(session, made, now=now, until=now + timedelta(minutes=60))
    assert digest(payload(), minutes=59) == []
    assert session.scalars(select(RuleFiring)).all() == []
    assert digest(payload(), minutes=61) == [AGAIN]


def test_a_mute_goes_by_when_the_event_came_in(session, rule, digest, now):
    mute(session, rule("every_event", frequency_minutes=0), now=now, until=now + timedelta(minutes=60))
    sent = [(payload(), now + timedelta(minutes=minute)) for minute in (59, 61)]
    assert digest.received(sent) == [AGAIN]


def test_a_mute_without_an_end_has_none(session, rule, digest, now):
    mute(session, rule("every_event"), now=now)
    assert digest(payload(), minutes=99_999) == []


def test_one_persons_mute_stops_nothing_here(session, rule, digest, make, now):
    mute(session, rule("every_event"), now=now, user=make.user())
    assert digest(payload()) == [ALERT]


def settle(session, make, now, minutes=0) -> None:
    issue = session.scalars(select(Issue)).one()
    resolving.resolve(session, issue, by=make.user(), now=now + timedelta(minutes=minutes))
    session.flush()


def test_once_until_it_is_resolved(session, rule, digest, make, now):
    rule("every_event", repeats="until_resolved")
    assert [digest(payload(), minutes=minutes) for minutes in (0, 600, 9000)] == [[ALERT], [], []]
    settle(session, make, now, 9001)
    assert digest(payload(), minutes=9002) == ["regression", "alert.regression"]
    assert digest(payload(), minutes=99_999) == []


def test_a_resolution_that_was_taken_back_never_was(session, rule, digest, make, now):
    rule("every_event", repeats="until_resolved")
    digest(payload())
    issue = session.scalars(select(Issue)).one()
    before = snapshots.take(session, issue.id)
    settle(session, make, now, 1)
    snapshots.put_back(session, issue, before)
    assert digest(payload(), minutes=2) == []


def test_once_and_never_again(session, rule, digest, make, now):
    rule("every_event", repeats="once")
    assert [digest(payload(), payload(), minutes=minutes) for minutes in (0, 99_999)] == [[ALERT], []]
    settle(session, make, now, 100_000)
    assert digest(payload(), minutes=100_001) == ["regression"]


def test_resolving_does_not_start_an_interval_anew(session, rule, digest, make, now):
    rule("every_event", frequency_minutes=60)
    digest(payload())
    settle(session, make, now, 1)
    assert digest(payload(), minutes=2) == ["regression"]


def test_an_ignored_issue_rings_nothing(session, rule, digest, make, now):
    rule("every_event", frequency_minutes=0)
    digest(payload())
    ignoring.ignore(session, session.scalars(select(Issue)).one(), by=make.user(), now=now)
    session.flush()
    assert digest(payload(), minutes=5) == []


def test_the_same_events_twice_ring_once(session, shop, rule, now):
    rule("every_event", frequency_minutes=0)
    event = payload()
    entry = Entry(shop.id, ENVELOPE, now, envelope(event), event_id=event["event_id"])
    first, second = (digesting.digest(session, [entry], now=now).notice_ids for _ in range(2))
    assert (len(first), second) == (1, [])


def test_why_a_rule_could_not_be_evaluated_is_kept_with_it(session, rule, digest, now, caplog):
    caplog.set_level(logging.CRITICAL)
    made = rule("every_event", {**COUNT, "interval": "2h"}, condition_match="any")
    rule("every_event", name="sound")
    assert digest(payload()) == [ALERT]
    session.refresh(made)
    assert made.trouble.startswith("Condition 2 makes no sense: ")
    assert made.trouble_at == now


def test_history_keeps_the_name_of_a_rule_that_is_gone(session, rule, digest):
    made = rule("every_event", name="Anything in checkout", version=7)
    digest(payload())
    session.execute(delete(AlertRule).where(AlertRule.id == made.id))
    session.expire_all()
    notice = session.scalars(select(Notice)).one()
    assert (notice.data["rule"], notice.rule_version) == ("Anything in checkout", 7)


def test_a_merged_issue_has_fired_when_the_last_of_both_did(session, rule, digest, make, now):
    rule("every_event")
    digest(payload("A: a"), payload("A: a"))
    digest(payload("B: b"), minutes=20)
    merging.merge(session, session.scalars(select(Issue)).all(), by=make.user(), now=now)
    session.flush()
    assert digest(payload("A: a"), minutes=45) == []
    assert digest(payload("A: a"), minutes=51) == [AGAIN]


def test_a_batch_costs_the_same_number_of_questions_whatever_its_size(
    session, rule, digest, count_statements
):
    for number in range(10):
        rule({**COUNT, "value": 10**6}, {**USERS, "value": 10**6}, name=str(number))
    digest(payload())

    def cost(size: int) -> int:
        with count_statements() as sent:
            digest(*(payload() for _ in range(size)), minutes=size)
        return len(sent)

    assert cost(2) == cost(40)


def side_by_side(engine, *works: Callable[[Session], object]) -> None:
    """Each in a thread and a transaction of its own."""
    failed: list[Exception] = []

    def run(work: Callable[[Session], object]) -> None:
        try:
            with Session(engine.execution_options(writes=True)) as session, session.begin():
                work(session)
        except Exception as error:
            failed.append(error)

    threads = [Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def digesting_one(shop: Project, at, title: str = "KeyError: cart") -> Callable[[Session], object]:
    """As a worker does: under the stream's cursor."""
    event = payload(title, timestamp=at.isoformat())
    entry = Entry(shop.id, ENVELOPE, at, envelope(event), event_id=event["event_id"])

    def digest(own: Session) -> None:
        batch = digesting.read_all(own, [entry])
        cursors.lock(own, STREAM)
        digesting.keep(own, batch, now=at)

    return digest


def test_of_two_workers_one_claims_a_firing(engine, session, shop, rule, digest, now):
    made = rule("every_event")
    digest(payload())
    session.commit()
    at, won = now + timedelta(minutes=31), []
    issue = session.scalars(select(Issue)).one()

    def claim(own: Session) -> None:
        row = own.get_one(AlertRule, made_id)
        won.append(alerting.claim(own, row, [issue_id], at))

    made_id, issue_id = made.id, issue.id
    side_by_side(engine, *[claim] * 4)
    assert sorted(won, key=len) == [set(), set(), set(), {issue_id}]


@pytest.mark.parametrize("repeats", ["once", "until_resolved"])
def test_of_two_workers_one_claims_what_rings_once(engine, session, rule, make, digest, now, repeats):
    made_id, won = rule("regression", repeats=repeats).id, []
    digest(payload())
    issue_id = session.scalars(select(Issue.id)).one()
    session.commit()

    def claim(own: Session) -> None:
        won.append(alerting.claim(own, own.get_one(AlertRule, made_id), [issue_id], now))

    side_by_side(engine, *[claim] * 4)
    assert sorted(won, key=len) == [set(), set(), set(), {issue_id}]


def test_several_workers_count_as_one(engine, session, shop, rule, now):
    rule({**COUNT, "value": 11})
    session.commit()
    side_by_side(engine, *(digesting_one(shop, now + timedelta(seconds=number)) for number in range(20)))
    session.rollback()  # or SQLite would go on showing what was there before
    events = session.scalars(select(Event.event_id).order_by(Event.id)).all()
    assert len(events) == 20
    assert session.scalars(select(Notice.event_id)).all() == [events[11]]
