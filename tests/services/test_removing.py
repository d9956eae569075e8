"""Deleting and discarding issues: gone for everybody at once, their data little by little."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain import search
from app.domain.errors import NotFound, Refused
from app.models import (
    Activity,
    Attachment,
    Event,
    Feedback,
    IngestCount,
    Issue,
    IssueCount,
    IssueEnvironmentUser,
    IssueHash,
    IssueHour,
    IssueTag,
    IssueText,
    IssueTrait,
    IssueUser,
    Notice,
    RuleFiring,
    Subscription,
    Tombstone,
)
from app.services import access, pruning
from app.services.issues import clearing, commenting, finding, merging, overview, removing, resolving
from app.services.issues.finding import Scope
from app.services.notices import answering

pytestmark = pytest.mark.both_databases
SAME = "KeyError: cart"


@pytest.fixture
def settled(session):
    """Everything is taken away that can be, chunk by chunk; how many chunks it took."""

    def clear() -> int:
        chunks = 0
        for issue_id in clearing.waiting(session, limit=100):
            while clearing.clear(session, issue_id):
                chunks += 1
        session.expire_all()
        return chunks

    return clear


def stream(session, alice, shop, text="", *, now):
    scope = Scope(alice, shop.organization, shop)
    found = finding.find(session, scope, search.parse(text, me=alice.id), now=now)
    return [row.issue for row in found.rows]


def test_a_deleted_issue_is_gone_for_everybody_at_once(session, cast, make, now):
    issue = make.issue(cast.shop, events=2, assignee_user_id=cast.alice.id)
    name = issue.short_id
    assert removing.delete(session, [issue], by=cast.bob, now=now) == [issue.id]
    for look in (
        lambda: access.visible_issue(session, cast.alice, issue.id),
        lambda: access.visible_issue_by_short_id(session, cast.alice, cast.acme, name),
        lambda: answering.find_issue(session, name, None),
    ):
        with pytest.raises((NotFound, Refused)):
            look()
    assert finding.visible(session, cast.alice, [issue.id]) == []
    for text in ("", "is:unresolved", "assigned:me", f"issue:{name}"):
        assert stream(session, cast.alice, cast.shop, text, now=now) == []
    assert finding.counts(session, Scope(cast.alice, cast.acme), ["", "is:unresolved"], now=now) == {
        "": 0,
        "is:unresolved": 0,
    }
    assert overview.yours(session, cast.alice) == []
    assert overview.of_projects(session, [cast.shop.id], now=now)[cast.shop.id].unresolved == 0


def test_nothing_more_happens_to_an_issue_that_was_deleted_meanwhile(session, cast, make, now):
    issue = make.issue(cast.shop)
    removing.delete(session, [issue], by=cast.bob, now=now)
    assert resolving.resolve(session, issue, by=cast.bob, now=now) is None
    with pytest.raises(NotFound):
        commenting.comment(session, issue, text="Hello", by=cast.bob, now=now)
    assert session.scalars(select(Activity)).all() == []


def test_the_same_error_makes_a_new_issue(session, cast, make, now):
    first = make.arrival(cast.shop, SAME)
    removing.delete(session, [first], by=cast.bob, now=now)
    second = make.arrival(cast.shop, SAME, at=now + timedelta(minutes=1))
    assert (first.short_id, second.short_id) == ("SHOP-1", "SHOP-2")
    assert second.times_seen == 1
    kinds = session.scalars(select(Notice.kind).where(Notice.issue_id == second.id)).all()
    assert kinds == ["alert.new"]


def test_the_data_goes_in_chunks_and_the_row_last(session, cast, make, settled, now, monkeypatch):
    monkeypatch.setattr(pruning, "CHUNK", 2)
    issue = make.arrival(cast.shop, SAME)
    for n in range(4):
        make.arrival(cast.shop, SAME, at=now + timedelta(hours=n), user={"id": str(n)})
    event_id = session.scalar(select(Event.event_id).order_by(Event.id))
    session.add(
        Attachment(
            project_id=cast.shop.id, event_id=event_id, name="a", content_type="", type="", size=0, sha1="",
            created_at=now, body=b"",
        )
    )  # fmt: skip
    make.subscription(issue, cast.bob, "subscribed")
    make.feedback(cast.shop, event_id=event_id)
    removing.delete(session, [issue], by=cast.bob, now=now)
    kept = make.issue(cast.shop, title="ValueError: other", events=1)
    assert settled() > 3
    assert session.scalars(select(Issue)).all() == [kept]
    assert session.scalars(select(Event.issue_id)).all() == [kept.id]
    assert session.scalars(select(IssueText.issue_id)).all() == [kept.id]
    counts = (IssueTag, IssueTrait, IssueHour, IssueCount, IssueUser, IssueEnvironmentUser)
    for model in (Attachment, Feedback, *counts, Subscription, RuleFiring, Activity):
        assert session.scalar(select(func.count()).select_from(model)) == 0, model


def test_the_id_of_the_newest_issue_is_not_given_again(session, cast, make, settled, now):
    issue = make.issue(cast.shop, events=1)
    old_id = issue.id
    removing.delete(session, [issue], by=cast.bob, now=now)
    settled()
    newer = make.arrival(cast.shop, SAME)
    assert newer.id != old_id
    settled()
    assert session.get(Issue, old_id) is None


def test_its_notices_stay_and_lead_nowhere(session, cast, make, now):
    issue = make.arrival(cast.shop, SAME)
    removing.delete(session, [issue], by=cast.bob, now=now)
    notice = session.scalars(select(Notice)).one()
    assert (notice.issue_id, notice.issue_short_id, notice.issue_title) == (None, "SHOP-1", SAME)


def test_deleting_twice_deletes_once(session, cast, make, now):
    issue = make.issue(cast.shop)
    assert removing.delete(session, [issue], by=cast.bob, now=now) == [issue.id]
    assert removing.delete(session, [issue], by=cast.alice, now=now) == []


def test_a_discarded_issue_does_not_come_back(session, cast, make, settled, now):
    """Case 24."""
    issue = make.arrival(cast.shop, SAME)
    removing.discard(session, [issue], by=cast.alice, now=now)
    settled()
    counted = select(Notice.id), select(Event.id), select(IssueHash.issue_id)
    before = [session.scalars(each).all() for each in counted]
    from app.services.events import digesting
    from app.services.events.stream_entry import ENVELOPE, Entry
    from tests.make import envelope, payload

    entries = []
    for n in range(50):
        sent = payload(SAME)
        entries.append(
            Entry(cast.shop.id, ENVELOPE, now, envelope(sent), event_id=sent["event_id"], id=f"{n}-0")
        )
    assert digesting.digest(session, entries, now=now).events == 0
    assert [session.scalars(each).all() for each in counted] == before
    outcomes = {row.outcome: row.count for row in session.scalars(select(IngestCount))}
    assert outcomes == {"accepted": 1, "discarded": 50}


def test_a_tombstone_says_what_was_discarded_and_by_whom(session, cast, make, now):
    issue = make.issue(cast.shop, level="fatal", events=1)
    removing.discard(session, [issue], by=cast.alice, now=now)
    assert removing.discard(session, [issue], by=cast.alice, now=now) == []
    [stone] = removing.tombstones(session, cast.shop)
    assert (stone.short_id, stone.title, stone.level, stone.actor) == ("SHOP-1", SAME, "fatal", cast.alice)
    assert stone.created_at == now


def test_without_its_tombstone_an_error_makes_a_new_issue(session, cast, make, now):
    issue = make.arrival(cast.shop, SAME)
    removing.discard(session, [issue], by=cast.alice, now=now)
    [stone] = removing.tombstones(session, cast.shop)
    with pytest.raises(NotFound):
        removing.restore_tombstone(session, cast.other_shop, stone.id, by=cast.charlie)
    assert removing.restore_tombstone(session, cast.shop, stone.id, by=cast.alice) == "SHOP-1"
    assert make.arrival(cast.shop, SAME).short_id == "SHOP-2"
    assert session.scalars(select(Tombstone)).all() == []


@pytest.mark.parametrize(
    ("who", "may"), [("alice", True), ("bob", False), ("dee", False), ("charlie", False)]
)
def test_only_admins_discard(session, cast, make, now, who, may):
    issue, person = make.issue(cast.shop), getattr(cast, who)
    assert removing.may_discard(session, person, [issue]) == may
    if not may:
        with pytest.raises(Refused, match="Only admins"):
            removing.discard(session, [issue], by=person, now=now)
        assert removing.tombstones(session, cast.shop) == []


def test_what_is_still_being_merged_into_a_deleted_issue_goes_with_it(session, cast, make, settled, now):
    issues = [make.issue(cast.shop, events=n) for n in (2, 1)]
    primary = merging.merge(session, issues, by=cast.bob, now=now)
    removing.delete(session, [primary], by=cast.bob, now=now)
    with pytest.raises(NotFound):
        access.visible_issue(session, cast.bob, issues[1].id)
    make.issue(cast.shop)
    settled()
    assert session.scalar(select(func.count()).select_from(Issue)) == 1
    assert session.scalars(select(Event)).all() == []
