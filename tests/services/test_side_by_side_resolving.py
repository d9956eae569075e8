"""People, events, releases and commits that settle or reopen one issue at the same moment."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.resolutions import in_commit, in_next_release, in_release
from app.models import Activity, Commit, Issue, IssueCommit, Notice, Release, Resolution, Subscription, User
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import reopening, resolving
from app.services.releases import fixing, releases_seen
from tests.make import envelope, payload

pytestmark = pytest.mark.on_postgresql
HOUR = timedelta(hours=1)
# Where they meet: as they read the issue, or as they change it.
MEETINGS = pytest.mark.parametrize("meeting", ["SELECT issues", "UPDATE issues"])
TARGETS = {
    "now": None,
    "in the next release": in_next_release(),
    "in a release": in_release("1.0"),
    "by a commit": in_commit("acme/shop", "1f0c3aa"),
}


@pytest.fixture
def issue(make, cast, shop, session):
    made = make.arrival(shop, release="1.0")
    make.commit(cast.acme, "Guard the cart", key="1f0c3aa", author=cast.bob)
    session.commit()
    return made


@pytest.fixture
def resolves(issue, now):
    """An act: this person resolves the issue."""
    issue_id = issue.id

    def act(person, into=None):
        person_id = person.id
        return lambda own: resolving.resolve(
            own, own.get_one(Issue, issue_id), by=own.get_one(User, person_id), now=now, into=into
        )

    return act


@pytest.fixture
def arrives(shop, now):
    """An act: the issue's error comes in an hour later, from this release."""
    project_id = shop.id

    def act(release, title="KeyError: cart"):
        at = now + HOUR
        sent = payload(title, release=release, timestamp=at.timestamp())
        entry = Entry(project_id, ENVELOPE, at, envelope(sent), event_id=sent["event_id"])
        return lambda own: digesting.digest(own, [entry], now=at)

    return act


@pytest.fixture
def types(session):
    def of(issue):
        session.expire_all()
        found = select(Activity.type).where(Activity.issue_id == issue.id).order_by(Activity.id)
        return list(session.scalars(found))

    return of


@MEETINGS
@pytest.mark.parametrize("into", TARGETS.values(), ids=TARGETS)
def test_two_who_resolve_it_alike_write_one_activity(
    side_by_side, resolves, cast, issue, session, types, meeting, into
):
    raised = side_by_side(resolves(cast.alice, into), resolves(cast.bob, into), meeting=meeting)
    assert raised == [None, None]
    assert len(types(issue)) == 1
    assert session.scalars(select(Notice.kind).where(Notice.kind == "resolved")).all() == ["resolved"]
    assert len(session.scalars(select(Subscription)).all()) == 1


@MEETINGS
def test_two_who_resolve_it_in_different_ways_are_both_written_down_and_the_last_one_holds(
    side_by_side, resolves, cast, issue, session, types, meeting
):
    acts = resolves(cast.alice, in_next_release()), resolves(cast.bob, in_release("1.0"))
    assert side_by_side(*acts, meeting=meeting) == [None, None]
    assert types(issue) == ["set_resolved_in_release"] * 2
    last = session.scalars(select(Activity).order_by(Activity.id.desc())).first()
    row = session.scalars(select(Resolution)).one()
    assert row.actor_id == last.actor_id
    assert row.kind == ("in_release" if last.data["version"] else "in_next_release")


@MEETINGS
@pytest.mark.parametrize("into", [None, in_release("1.0")], ids=["now", "in a release"])
def test_two_events_reopen_it_once(
    side_by_side, resolves, arrives, cast, issue, session, types, now, meeting, into
):
    resolves(cast.alice, into)(session)
    session.commit()
    raised = side_by_side(arrives("1.0"), arrives("1.0"), meeting=meeting)  # case 13
    assert raised == [None, None]
    assert types(issue)[1:] == ["set_regression"]
    assert (issue.status, issue.times_seen) == ("unresolved", 3)
    assert len(session.scalars(select(Notice).where(Notice.kind == "regression")).all()) == 1
    assert session.scalars(select(Resolution)).all() == []


@MEETINGS
def test_somebody_who_reopens_it_while_it_regresses_is_quicker_or_too_late(
    side_by_side, resolves, arrives, cast, issue, session, types, now, meeting
):
    resolves(cast.alice)(session)
    session.commit()
    issue_id, bob_id = issue.id, cast.bob.id

    def reopens(own):
        reopening.reopen(own, own.get_one(Issue, issue_id), by=own.get_one(User, bob_id), now=now + HOUR)

    assert side_by_side(arrives("1.0"), reopens, meeting=meeting) == [None, None]
    assert types(issue) in (["set_resolved", "set_regression"], ["set_resolved", "set_unresolved"])
    assert issue.status == "unresolved"


@pytest.mark.parametrize("meeting", ["INSERT INTO releases", "INSERT INTO release_projects"])
def test_two_events_that_bring_the_next_release_settle_it_once(
    side_by_side, resolves, arrives, cast, issue, session, types, meeting
):
    resolves(cast.alice, in_next_release())(session)
    session.commit()
    acts = arrives("1.1", "ValueError: one"), arrives("1.1", "TypeError: other")
    assert side_by_side(*acts, meeting=meeting) == [None, None]
    assert types(issue) == ["set_resolved_in_release"]
    assert session.scalars(select(Activity)).one().data["version"] == "1.1"
    row = session.scalars(select(Resolution)).one()
    assert (row.kind, row.state, row.release.version) == ("in_release", "resolved", "1.1")


@pytest.mark.parametrize("meeting", ["SELECT resolutions", "UPDATE issues"])
def test_who_reopens_it_as_its_release_comes_is_not_held_up(
    side_by_side, resolves, cast, shop, issue, session, types, now, meeting
):
    resolves(cast.alice, in_next_release())(session)
    release = Release(organization_id=cast.acme.id, version="1.1", date_added=now + HOUR)
    session.add(release)
    session.commit()
    link = {"release_id": release.id, "project_id": shop.id}
    issue_id, bob_id = issue.id, cast.bob.id

    def reopens(own):
        reopening.reopen(own, own.get_one(Issue, issue_id), by=own.get_one(User, bob_id), now=now)

    raised = side_by_side(reopens, lambda own: releases_seen.add_to_projects(own, [link]), meeting=meeting)
    assert raised == [None, None]
    assert types(issue) == ["set_resolved_in_release", "set_unresolved"]
    assert session.scalars(select(Resolution)).all() == []


@MEETINGS
def test_a_person_and_a_release_settle_it_in_that_release_once(
    side_by_side, resolves, make, cast, shop, issue, session, types, now, meeting
):
    commit = session.scalars(select(Commit)).one()
    release = session.scalars(select(Release)).one()
    commit.message = f"Fixes {issue.short_id}"
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    session.commit()
    ids = release.id, commit.id

    def ships(own):
        fixing.release_commits(own, own.get_one(Release, ids[0]), [own.get_one(Commit, ids[1])], now=now)

    raised = side_by_side(resolves(cast.alice, in_release("1.0")), ships, meeting=meeting)
    assert raised == [None, None]
    assert types(issue) == ["referenced_in_commit", "set_resolved_in_release"]


@pytest.mark.parametrize("meeting", ["UPDATE issue_commits", "UPDATE issues"])
def test_a_commit_that_is_refuted_as_its_release_comes_does_not_resolve_it(
    side_by_side, cast, shop, issue, session, now, meeting
):
    commit, release = session.scalars(select(Commit)).one(), session.scalars(select(Release)).one()
    commit.message = f"Fixes {issue.short_id}"
    fixing.refer(session, [(commit, commit.message)], base_url="", now=now)
    session.commit()
    issue_id, commit_id, release_id, cy_id = issue.id, commit.id, release.id, cast.cy.id

    def refutes(own):
        fixing.refute(own, own.get_one(Issue, issue_id), commit_id, by=own.get_one(User, cy_id), now=now)

    def ships(own):
        fixing.release_commits(
            own, own.get_one(Release, release_id), [own.get_one(Commit, commit_id)], now=now
        )

    assert side_by_side(refutes, ships, meeting=meeting) == [None, None]
    session.expire_all()
    assert session.scalars(select(IssueCommit.tie)).all() == ["refuted"]
    assert issue.status == "unresolved"


@MEETINGS
def test_a_link_that_is_removed_twice_reopens_it_once(
    side_by_side, resolves, cast, issue, session, types, now, meeting
):
    resolves(cast.alice, in_commit("acme/shop", "1f0c3aa"))(session)
    session.commit()
    commit_id, issue_id = session.scalars(select(Commit.id)).one(), issue.id

    def unlinks(own):
        fixing.unlink(own, own.get_one(Issue, issue_id), own.get_one(Commit, commit_id), now=now)

    assert side_by_side(unlinks, unlinks, meeting=meeting) == [None, None]
    assert types(issue) == ["set_resolved_in_commit", "set_unresolved"]
