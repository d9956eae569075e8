"""An issue goes while something happens to it: nothing is lost, and nothing is counted twice."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models import Activity, Event, IngestCount, Issue, IssueHash, IssueHour, IssueRedirect, Notice, User
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import clearing, commenting, merging, removing
from app.services.notices import notifying, telling
from app.services.preferences.preferring import Defaults
from tests.make import envelope, payload

pytestmark = pytest.mark.on_postgresql
SAME, OTHER = "KeyError: cart", "ValueError: total"


@pytest.fixture
def one_waits(engine: Engine, session) -> Callable[..., Exception | None]:
    """The first act is done, and the second begun in a transaction of its own before the first commits."""

    def run(first: Callable[[Session], Any], second: Callable[[Session], Any]) -> Exception | None:
        session.commit()
        raised: list[Exception] = []

        def act() -> None:
            try:
                with Session(engine) as own, own.begin():
                    second(own)
            except Exception as error:
                raised.append(error)

        thread = Thread(target=act)
        with Session(engine) as own, own.begin():
            first(own)
            thread.start()
            time.sleep(0.3)
            assert thread.is_alive()
        thread.join(20)
        session.expire_all()
        return raised[0] if raised else None

    return run


@pytest.fixture
def known(make, cast):
    """Issues of two errors that came in before."""
    return [make.arrival(cast.shop, title) for title in (SAME, SAME, SAME, OTHER)][2:]


@pytest.fixture
def acts(cast, known, now):
    """What can happen to the first issue, or to both."""
    ids, shop_id, alice_id = [issue.id for issue in known], cast.shop.id, cast.alice.id

    def issues(own, ids=ids):
        return [own.get_one(Issue, issue_id) for issue_id in ids]

    class Acts:
        def arrive(self, own, title=SAME):
            sent = payload(title)
            entry = Entry(shop_id, ENVELOPE, now, envelope(sent), event_id=sent["event_id"], id="9-0")
            return digesting.digest(own, [entry], now=now)

        def delete(self, own):
            removing.delete(own, issues(own)[:1], by=own.get_one(User, alice_id), now=now)

        def discard(self, own):
            removing.discard(own, issues(own)[:1], by=own.get_one(User, alice_id), now=now)

        def merge(self, own):
            merging.merge(own, issues(own), by=own.get_one(User, alice_id), now=now)

        def merge_backwards(self, own):
            merging.merge(own, issues(own)[::-1], by=own.get_one(User, alice_id), now=now)

        def comment(self, own):
            commenting.comment(own, issues(own)[1], text="Look", by=own.get_one(User, alice_id), now=now)

    return Acts()


def test_what_is_planned_once_a_merge_is_through_was_told_to_nobody_yet(
    one_waits, acts, make, cast, known, session, now
):
    primary, other = known
    told = make.delivery(make.notice(primary, planned_at=now), cast.bob, state="accepted")
    telling.note(session, telling.untold(session, [told.id]))
    notice_id = make.notice(other).id

    def plan(own):
        notifying.plan(own, [notice_id], now=now, instance=Defaults({}))

    session.refresh(primary)
    assert primary.told
    assert one_waits(acts.merge, plan) is None
    assert session.get_one(Notice, notice_id).issue_id == primary.id
    assert not session.get_one(Issue, primary.id).told


def test_an_event_that_waits_for_a_deletion_makes_a_new_issue(one_waits, acts, known, session):
    assert one_waits(acts.delete, acts.arrive) is None
    made = session.scalars(select(Issue).order_by(Issue.id.desc())).first()
    assert (made.status, made.times_seen, made.short_id) == ("unresolved", 1, "SHOP-3")
    assert session.scalars(select(Notice.kind).where(Notice.issue_id == made.id)).all() == ["alert.new"]


def test_an_event_that_waits_for_a_discard_is_dropped(one_waits, acts, known, session):
    events = session.scalar(select(func.count()).select_from(Event))
    assert one_waits(acts.discard, acts.arrive) is None
    assert session.scalar(select(func.count()).select_from(Event)) == events
    outcomes = {row.outcome for row in session.scalars(select(IngestCount))}
    assert "discarded" in outcomes


def test_an_event_that_waits_for_a_merge_is_one_of_the_primary(one_waits, acts, known, session):
    primary, merged = known
    assert one_waits(acts.merge, lambda own: acts.arrive(own, OTHER)) is None
    assert (primary.times_seen, merged.times_seen) == (5, 1)
    assert set(session.scalars(select(Event.issue_id))) == {primary.id}


def test_a_deletion_that_waits_for_an_event_takes_it_along(one_waits, acts, known, session):
    assert one_waits(acts.arrive, acts.delete) is None
    gone = known[0]
    assert (gone.status, gone.times_seen) == ("deleting", 4)
    assert session.scalars(select(Notice).where(Notice.issue_id == gone.id)).all() == []
    assert session.scalars(select(IssueHash).where(IssueHash.issue_id == gone.id)).all() == []


def test_a_merge_that_waits_for_an_event_counts_it(one_waits, acts, known, session):
    primary, _merged = known
    assert one_waits(lambda own: acts.arrive(own, OTHER), acts.merge) is None
    hours = select(func.sum(IssueHour.count)).where(IssueHour.issue_id == primary.id)
    events = select(func.count()).where(Event.issue_id == primary.id)
    assert (primary.times_seen, session.scalar(hours), session.scalar(events)) == (5, 5, 5)


def test_of_two_who_delete_it_one_does(one_waits, acts, known, session):
    assert one_waits(acts.delete, acts.delete) is None
    assert known[0].status == "deleting"


@pytest.mark.parametrize("first", ["merge", "merge_backwards"])
def test_of_two_who_merge_the_same_issues_one_does(one_waits, acts, known, session, first):
    assert isinstance(one_waits(getattr(acts, first), acts.merge), NotFound)
    assert len(session.scalars(select(IssueRedirect)).all()) == 1
    assert session.scalars(select(Activity.type)).all() == ["merge"]


def test_a_comment_on_what_is_merged_at_that_moment_is_not_lost_in_silence(one_waits, acts, known, session):
    assert isinstance(one_waits(acts.merge, acts.comment), NotFound)
    assert session.scalars(select(Activity.type)).all() == ["merge"]


def test_two_workers_who_take_the_same_issue_away_do_not_wait_for_one_another(engine, acts, known, session):
    session.commit()
    with Session(engine) as own, own.begin():
        acts.delete(own)
    with Session(engine) as one, Session(engine) as other, one.begin(), other.begin():
        assert clearing.clear(one, known[0].id)
        assert not clearing.clear(other, known[0].id)


def test_planning_a_notice_and_deleting_its_issue_do_not_lock_one_another(side_by_side, acts, known, session):
    from app.services.notices import notifying
    from app.services.preferences import preferring

    session.commit()
    notice_ids = list(session.scalars(select(Notice.id)))
    session.commit()

    def plan(own: Session) -> None:
        instance = preferring.defaults(own, workflow="always")
        notifying.plan(own, notice_ids, now=session_now, instance=instance)

    session_now = known[0].last_seen
    session.commit()
    assert side_by_side(plan, acts.delete, meeting="UPDATE") == [None, None]
