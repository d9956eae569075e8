"""Issues that are one and the same become one: what moves, what stays, and where the old names lead."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.errors import NotFound, Refused
from app.domain.ignoring import Condition
from app.domain.resolutions import in_commit
from app.models import (
    Activity,
    Bookmark,
    Delivery,
    Event,
    Issue,
    IssueCommit,
    IssueHash,
    IssueHour,
    IssueMute,
    IssueSight,
    IssueTag,
    IssueUser,
    Notice,
    RuleFiring,
    Subscription,
)
from app.services import access, pruning
from app.services.issues import clearing, commenting, ignoring, merging, resolving, seeing

pytestmark = pytest.mark.both_databases
ONE, OTHER = "KeyError: cart", "ValueError: total"


@pytest.fixture
def two(make, cast, now):
    """Issues of three events and of two, one of which somebody met who had met the other one as well."""
    for n in range(3):
        make.arrival(cast.shop, ONE, at=now + timedelta(hours=n), user={"id": str(n)}, release="shop@2")
    for n in range(2):
        make.arrival(cast.shop, OTHER, at=now - timedelta(hours=n), user={"id": str(n * 7)}, release="shop@1")
    first, second = make.session.scalars(select(Issue).order_by(Issue.id))
    return first, second


@pytest.fixture
def merge(session, cast, now):
    def merged(*issues: Issue) -> Issue:
        primary = merging.merge(session, issues, by=cast.alice, now=now)
        session.expire_all()
        return primary

    return merged


def test_the_one_with_the_most_events_stays_and_has_them_all(session, two, merge):
    """Case 25."""
    first, second = two
    assert merge(second, first) is first
    assert (first.times_seen, first.users_seen, first.status) == (5, 4, "unresolved")
    assert session.scalars(select(Event.issue_id).distinct()).all() == [first.id]
    assert session.scalars(select(IssueHash.issue_id).distinct()).all() == [first.id]


def test_of_equals_the_newest_stays(make, shop, merge):
    older, newer = make.issue(shop, events=2), make.issue(shop, events=2)
    assert merge(newer, older) is newer


def test_first_and_last_come_from_all_of_them(two, merge, now):
    first, second = two
    merge(first, second)
    assert (first.first_seen, first.last_seen) == (now - timedelta(hours=1), now + timedelta(hours=2))
    assert (first.first_release, first.last_release) == ("shop@1", "shop@2")


def test_hours_tags_and_people_add_up_exactly(session, two, merge):
    hours = dict(
        session.execute(select(IssueHour.hour, func.sum(IssueHour.count)).group_by(IssueHour.hour)).all()
    )
    tags = select(IssueTag.key, IssueTag.value, func.sum(IssueTag.count)).group_by(
        IssueTag.key, IssueTag.value
    )
    before = set(session.execute(tags).all())
    people = set(session.scalars(select(IssueUser.ident)))
    primary = merge(*two)
    mine = IssueHour.issue_id == primary.id
    assert dict(session.execute(select(IssueHour.hour, IssueHour.count).where(mine)).all()) == hours
    found = select(IssueTag.key, IssueTag.value, IssueTag.count).where(IssueTag.issue_id == primary.id)
    assert set(session.execute(found).all()) == before
    assert set(session.scalars(select(IssueUser.ident).where(IssueUser.issue_id == primary.id))) == people


def test_a_later_event_of_either_is_one_of_the_primary(make, cast, two, merge, now):
    primary = merge(*two)
    later = now + timedelta(days=1)
    assert make.arrival(cast.shop, OTHER, at=later) is primary
    assert primary.times_seen == 6


def test_its_history_and_comments_come_along(session, two, merge, cast, now):
    first, second = two
    commenting.comment(session, second, text="Look", by=cast.bob, now=now)
    merge(first, second)
    rows = session.scalars(select(Activity).order_by(Activity.id)).all()
    assert [(row.type, row.issue_id) for row in rows] == [("note", first.id), ("merge", first.id)]
    assert rows[1].data == {"merged": [{"id": second.id, "short_id": "SHOP-2"}]}
    assert (rows[1].actor_id, first.comment_count) == (cast.alice.id, 1)


def test_nobody_is_told(session, two, merge):
    before = session.scalar(select(func.count()).select_from(Notice))
    merge(*two)
    assert session.scalar(select(func.count()).select_from(Notice)) == before
    assert session.scalars(select(Delivery)).all() == []


def test_notices_lead_to_the_primary_under_their_old_name(session, two, merge):
    primary = merge(*two)
    rows = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert {row.issue_id for row in rows} == {primary.id}
    assert {row.issue_short_id for row in rows} == {"SHOP-1", "SHOP-2"}


def test_a_rule_rests_as_long_as_after_its_later_firing(session, two, merge, now):
    first, second = two
    rule_id = session.scalar(select(RuleFiring.rule_id).limit(1))
    session.get_one(RuleFiring, (rule_id, second.id)).last_fired = now + timedelta(hours=5)
    session.flush()
    merge(first, second)
    assert session.get_one(RuleFiring, (rule_id, first.id)).last_fired == now + timedelta(hours=5)


def test_a_persons_own_word_for_the_primary_stays(make, session, cast, two, merge):
    """Case 25."""
    first, second = two
    make.subscription(first, cast.bob, state="unsubscribed")
    make.subscription(second, cast.bob, "subscribed")
    make.subscription(second, cast.cy, "commented")
    merge(first, second)
    rows = session.scalars(select(Subscription).where(Subscription.issue_id == first.id)).all()
    states = {row.user_id: (row.state, row.reasons) for row in rows}
    assert states == {cast.bob.id: ("unsubscribed", []), cast.cy.id: ("subscribed", ["commented"])}


@pytest.mark.parametrize("has_one", [False, True])
def test_an_assignee_comes_along_where_nobody_has_the_primary(make, session, cast, two, merge, has_one):
    first, second = two
    first.assignee_user_id = cast.bob.id if has_one else None
    second.assignee_user_id = cast.cy.id
    make.subscription(second, cast.cy, "assigned")
    merge(first, second)
    rows = session.scalars(select(Subscription).where(Subscription.issue_id == first.id)).all()
    assert first.assignee_user_id == (cast.bob if has_one else cast.cy).id
    assert [row.user_id for row in rows] == ([] if has_one else [cast.cy.id])


def test_bookmarks_and_mutes_are_united(session, cast, two, merge, now):
    first, second = two
    for issue, person in ((first, cast.bob), (second, cast.bob), (second, cast.cy)):
        session.add(Bookmark(issue_id=issue.id, user_id=person.id, created_at=now))
        session.add(
            IssueMute(issue_id=issue.id, user_id=person.id, until=None, event_limit=issue.id, created_at=now)
        )
    session.flush()
    merge(first, second)
    mine = select(IssueMute.user_id, IssueMute.event_limit).where(IssueMute.issue_id == first.id)
    assert dict(session.execute(mine).all()) == {cast.bob.id: first.id, cast.cy.id: second.id}
    marked = session.scalars(select(Bookmark.user_id).where(Bookmark.issue_id == first.id)).all()
    assert set(marked) == {cast.bob.id, cast.cy.id}


@pytest.mark.parametrize("ties", [("resolves", "refuted"), ("refuted", "resolves")])
def test_a_commit_that_does_not_fix_one_of_them_does_not_fix_what_is_left(
    session, make, cast, two, merge, now, ties
):
    commit = make.commit(cast.acme)
    for issue, tie in zip(two, ties, strict=True):
        session.add(IssueCommit(issue_id=issue.id, commit_id=commit.id, tie=tie, created_at=now))
    session.flush()
    left = merge(*two)
    tie = select(IssueCommit.tie).where(IssueCommit.issue_id == left.id)
    assert session.scalars(tie).all() == ["refuted"]


def test_the_commit_that_resolved_what_is_left_still_does(session, make, cast, two, merge, now):
    first, second = two
    commit = make.commit(cast.acme, key="1f0c3aa")
    session.add(IssueCommit(issue_id=second.id, commit_id=commit.id, tie="refuted", created_at=now))
    resolving.resolve(session, first, by=cast.alice, now=now, into=in_commit("acme/shop", "1f0c3aa"))
    assert merge(first, second).status == "resolved"
    tie = select(IssueCommit.tie).where(IssueCommit.issue_id == first.id)
    assert session.scalars(tie).all() == ["resolves"]


def test_who_saw_any_of_them_saw_what_is_left(session, cast, two, merge, now):
    first, second = two
    later = now + timedelta(hours=1)
    for issue, person, at in ((first, cast.bob, now), (second, cast.bob, later), (second, cast.cy, now)):
        seeing.note(session, issue.id, person.id, seen_at=at)
    merge(first, second)
    sights = select(IssueSight.user_id, IssueSight.seen_at).where(IssueSight.issue_id == first.id)
    assert dict(session.execute(sights).all()) == {cast.bob.id: later, cast.cy.id: now}


@pytest.mark.parametrize(("own", "left"), [(None, "low"), ("high", "high")])
def test_a_priority_comes_along_where_none_was_chosen_for_the_primary(two, merge, own, left):
    first, second = two
    first.importance, second.importance = own, "low"
    assert merge(first, second).importance == left


def test_the_status_of_the_primary_stays(session, cast, two, merge, now):
    first, second = two
    resolving.resolve(session, second, by=cast.bob, now=now)
    assert merge(first, second).status == "unresolved"


def test_what_comes_along_does_not_end_an_ignore(make, session, cast, two, merge, now):
    first, second = two
    ignoring.ignore(session, first, by=cast.bob, now=now, until=Condition(event_count=3))
    merge(first, second)
    for n in range(2):
        make.arrival(cast.shop, ONE, at=now + timedelta(minutes=n + 1))
    assert first.status == "ignored"
    make.arrival(cast.shop, ONE, at=now + timedelta(minutes=4))
    assert first.status == "unresolved"


def test_old_names_lead_to_the_primary(session, cast, two, merge):
    first, second = two
    merge(first, second)
    assert access.visible_issue(session, cast.bob, second.id) is first
    assert access.visible_issue_by_short_id(session, cast.bob, cast.acme, "shop-2") is first
    with pytest.raises(NotFound):
        access.visible_issue(session, cast.charlie, second.id)


def test_names_lead_on_through_a_second_merge(make, session, cast, two, merge):
    first, second = two
    merge(first, second)
    biggest = make.issue(cast.shop, times_seen=100)
    merge(first, biggest)
    assert access.visible_issue(session, cast.bob, second.id) is biggest
    assert access.visible_issue(session, cast.bob, first.id) is biggest


def test_issues_of_two_projects_are_not_merged(make, cast, merge, session):
    """Case 26."""
    other = make.project(cast.acme, "till", teams=[cast.team])
    issues = make.issue(cast.shop, events=1), make.issue(other, events=1)
    with pytest.raises(Refused, match="different projects"):
        merge(*issues)
    with pytest.raises(Refused, match="two issues"):
        merge(issues[0], issues[0])
    assert {issue.status for issue in issues} == {"unresolved"}


def test_many_events_follow_in_chunks_and_the_rows_last(make, session, cast, merge, monkeypatch):
    monkeypatch.setattr(pruning, "CHUNK", 2)
    issues = make.issue(cast.shop, events=7), make.issue(cast.shop, title=OTHER, events=6)
    about = select(Event.event_id).where(Event.issue_id == issues[1].id)
    words = make.feedback(cast.shop, event_id=session.scalar(about.limit(1)))
    primary = merge(*issues)
    assert words.issue_id == primary.id
    newer = make.issue(cast.shop)
    moved = select(func.count()).where(Event.issue_id == primary.id)
    assert (primary.times_seen, session.scalar(moved)) == (13, 9)
    assert clearing.clear(session, issues[1].id)
    assert session.scalar(moved) == 11
    while clearing.clear(session, issues[1].id):
        pass
    assert session.scalar(moved) == 13
    assert set(session.scalars(select(Issue.id))) == {primary.id, newer.id}
    assert access.visible_issue(session, cast.bob, issues[1].id) is primary
