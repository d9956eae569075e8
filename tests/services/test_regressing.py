"""A resolved issue and the events that reopen it, or do not (`notifications.md` 2.4)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.resolutions import in_commit, in_next_release, in_release
from app.models import Activity, AlertRule, Issue, Notice, Release, Resolution, Subscription
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.issues import assigning, resolving
from tests.make import envelope, payload

pytestmark = pytest.mark.both_databases


@pytest.fixture
def issue(make, shop):
    """An issue that an event without a release brought; its alert has been rung."""
    return make.arrival(shop, release=None)


@pytest.fixture
def resolve(session, issue, cast, now):
    """Alice resolves the issue a minute after it was seen."""

    def act(into=None, *, issue=issue):
        at = now + timedelta(minutes=1)
        return resolving.resolve(session, issue, by=cast.alice, now=at, into=into)

    return act


@pytest.fixture
def arrive(session, shop, now):
    """Events of these releases come in one batch, later; the kinds of notices that they leave."""

    def act(*releases, minutes=60, title="KeyError: cart", received=None):
        at = now + timedelta(minutes=minutes)
        entries = []
        for release in releases:
            sent = payload(title, release=release, timestamp=at.timestamp())
            body = envelope(sent)
            entries.append(Entry(shop.id, ENVELOPE, received or at, body, event_id=sent["event_id"]))
        done = digesting.digest(session, entries, now=at)
        session.expire_all()
        found = select(Notice.kind).where(Notice.id.in_(done.notice_ids)).order_by(Notice.id)
        return list(session.scalars(found))

    return act


def last(session, type_="set_regression") -> Activity:
    return session.scalars(select(Activity).where(Activity.type == type_)).one()


NOTHING, BACK = [], ["regression"]


# Resolved now


@pytest.mark.parametrize("release", [None, "0.1", "9.0"])
def test_whatever_comes_in_after_it_was_resolved_reopens_it(session, issue, resolve, arrive, release):
    resolve()
    assert arrive(release) == BACK  # case 4
    assert issue.status == "unresolved"
    assert last(session).data["version"] == (release or "")
    assert "than" not in last(session).data


def test_what_was_on_its_way_when_somebody_resolved_proves_nothing(session, issue, resolve, arrive, now):
    resolve()  # case 12
    assert arrive(None, minutes=2, received=now + timedelta(seconds=59)) == NOTHING
    assert (issue.status, issue.times_seen) == ("resolved", 2)


def test_who_has_it_and_who_follows_it_stay(session, issue, cast, resolve, arrive, now):
    assigning.assign(session, issue, to=cast.bob, by=cast.alice, now=now)
    resolve()
    arrive(None)
    assert issue.assignee_user_id == cast.bob.id
    followers = session.scalars(select(Subscription.user_id))
    assert set(followers) == {cast.alice.id, cast.bob.id}


# In the next release


@pytest.mark.parametrize("release", ["1.0", "0.9", None])
def test_events_of_what_was_out_already_do_not_reopen_it(
    session, make, shop, issue, resolve, arrive, release
):
    make.release(shop, "1.0")
    resolve(in_next_release())  # case 5
    assert arrive(release) == NOTHING
    assert (issue.status, issue.times_seen) == ("resolved", 2)
    assert last(session, "set_resolved_in_release").data["version"] == ""


def test_the_next_release_settles_it_without_a_word(session, make, shop, issue, resolve, now):
    make.release(shop, "1.0")
    resolve(in_next_release())
    notices = len(session.scalars(select(Notice)).all())
    make.release(shop, "1.1", at=now + timedelta(hours=1))  # case 6
    session.expire_all()
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release.version) == ("in_release", "resolved", "1.1")
    told = last(session, "set_resolved_in_release").data
    assert (told["version"], told["after"]) == ("1.1", "1.0")
    assert issue.status == "resolved"
    assert len(session.scalars(select(Notice)).all()) == notices


def test_its_own_release_reopens_it_then(session, make, shop, issue, resolve, arrive, now):
    make.release(shop, "1.0")
    resolve(in_next_release())
    make.release(shop, "1.1", at=now + timedelta(hours=1))
    assert arrive("1.0", minutes=120) == NOTHING
    assert arrive("1.1", minutes=121) == BACK  # case 7
    assert last(session).data["version"] == "1.1"
    assert last(session).data["than"] == "1.1"
    assert session.scalars(select(Resolution)).all() == []


def test_an_event_that_brings_the_next_release_reopens_it_and_names_that_release(
    session, make, shop, issue, resolve, arrive
):
    make.release(shop, "1.0")
    resolve(in_next_release())
    assert arrive("1.1") == BACK
    assert last(session, "set_resolved_in_release").data["version"] == "1.1"
    assert last(session).data["version"] == "1.1"


def test_an_event_of_another_issue_can_bring_the_next_release(session, make, shop, issue, resolve, arrive):
    make.release(shop, "1.0")
    resolve(in_next_release())
    arrive("1.1", title="ValueError: other")
    assert issue.status == "resolved"
    assert last(session, "set_resolved_in_release").data["version"] == "1.1"


def test_a_release_that_is_only_seen_late_is_not_the_next_one(
    session, make, shop, issue, resolve, arrive, now
):
    make.release(shop, "1.0")
    resolve(in_next_release())
    make.release(shop, "0.9", at=now + timedelta(hours=1))
    assert arrive("0.9") == NOTHING
    assert resolving.of(session, issue.id).state == "pending"


def test_of_several_new_releases_the_first_after_it_counts(session, make, shop, issue, resolve, arrive):
    make.release(shop, "1.0")
    resolve(in_next_release())
    arrive("1.3", "1.1", "0.8", "1.2", title="ValueError: other")
    assert resolving.of(session, issue.id).release.version == "1.1"


def test_releases_of_other_projects_settle_nothing(session, make, cast, shop, issue, resolve, now):
    make.release(shop, "1.0")
    resolve(in_next_release())
    site = make.project(cast.acme, "site")
    make.release(site, "1.1", at=now + timedelta(hours=1))
    assert resolving.of(session, issue.id).state == "pending"
    make.release(shop, "1.1")
    session.expire_all()
    assert resolving.of(session, issue.id).state == "resolved"


def test_hashes_go_by_the_moment_they_were_first_seen(session, make, shop, issue, resolve, arrive, now):
    make.release(shop, "9c1d2e7", at=now)
    resolve(in_next_release())
    make.release(shop, "1f0c3aa", at=now - timedelta(days=1))
    assert arrive("1f0c3aa") == NOTHING
    assert arrive("2222222") == BACK


# In a release


@pytest.mark.parametrize(
    ("release", "kinds"), [("1.9", NOTHING), ("2.0", BACK), ("2.1", BACK), (None, NOTHING)]
)
def test_that_release_and_newer_ones_reopen_it_and_older_ones_do_not(
    session, make, shop, issue, resolve, arrive, release, kinds
):
    make.release(shop, "2.0")
    resolve(in_release("2.0"))  # cases 8 and 9
    assert arrive(release) == kinds
    assert issue.status == ("unresolved" if kinds else "resolved")


def test_versions_count_more_than_the_order_in_which_they_came(
    session, make, shop, issue, resolve, arrive, now
):
    make.release(shop, "shop@2.10.0", at=now)  # case 10
    make.release(shop, "shop@2.9.0", at=now + timedelta(minutes=10))
    resolve(in_release("shop@2.10.0"))
    assert arrive("shop@2.9.0") == NOTHING
    assert arrive("shop@2.10.1") == BACK


def test_a_finished_release_is_as_new_as_the_day_it_was_finished(
    session, make, shop, issue, resolve, arrive, now
):
    make.release(shop, "aaaaaaa", at=now)
    early = make.release(shop, "bbbbbbb", at=now - timedelta(days=1))
    resolve(in_release("aaaaaaa"))
    assert arrive("bbbbbbb") == NOTHING
    early.date_released = now + timedelta(days=1)
    assert arrive("bbbbbbb") == BACK


def test_once_its_release_is_deleted_later_ones_reopen_it(session, make, shop, issue, resolve, arrive, now):
    release = make.release(shop, "2.0")
    make.release(shop, "1.0", at=now - timedelta(days=1))
    resolve(in_release("2.0"))
    session.delete(release)
    session.flush()
    assert arrive("1.0") == NOTHING
    assert arrive("3.0") == BACK


# By a commit


def test_until_a_release_has_the_commit_nothing_reopens_it(session, make, cast, issue, resolve, arrive):
    make.commit(cast.acme, key="1f0c3aa")
    resolve(in_commit("acme/shop", "1f0c3aa"))
    assert arrive("9.0", None) == NOTHING


def test_a_release_of_the_project_with_the_commit_and_newer_ones_reopen_it(
    session, make, cast, shop, issue, resolve, arrive
):
    release = make.release(shop, "2.0")
    make.commit(cast.acme, key="1f0c3aa", release=release)
    resolve(in_commit("acme/shop", "1f0c3aa"))
    assert arrive("1.9", None) == NOTHING
    assert arrive("2.0") == BACK


def test_a_commit_that_got_into_a_release_at_the_same_moment_counts(
    session, make, cast, shop, issue, resolve, arrive
):
    commit = make.commit(cast.acme, key="1f0c3aa")
    resolve(in_commit("acme/shop", "1f0c3aa"))
    make.in_release(commit, make.release(shop, "2.0"))
    assert arrive("1.9") == NOTHING
    assert arrive("2.0") == BACK


# Many at once


def test_several_events_of_one_batch_reopen_it_once(session, issue, resolve, arrive):
    resolve()
    assert arrive(None, None, None) == BACK
    assert issue.times_seen == 4


def test_the_events_before_the_one_that_reopened_it_ring_nothing(session, make, shop, issue, resolve, arrive):
    """They came while it was resolved, though the batch that holds them all has reopened it since."""
    make.release(shop, "2.0")
    rule = session.scalars(select(AlertRule).where(AlertRule.project_id == shop.id)).one()
    rule.conditions, rule.frequency_minutes = [{"id": "every_event"}], 0
    resolve(in_release("2.0"))
    assert arrive("1.9", "1.9", "2.0") == ["regression", "alert.regression"]


@pytest.mark.parametrize(
    ("into", "minutes"),
    [(None, 0), (in_next_release(), 60), (in_release("2.0"), 60), (in_commit("acme/shop", "1f0c3aa"), 60)],
    ids=["on their way", "before the next release", "before the release", "before the commit's release"],
)
def test_a_larger_batch_that_reopens_nothing_asks_no_more_questions(
    session, make, cast, shop, resolve, count_statements, into, minutes
):
    make.release(shop, "2.0", at=make.now + timedelta(days=1))
    make.commit(cast.acme, key="1f0c3aa")
    at = make.now + timedelta(minutes=minutes)

    def asked(size: int) -> int:
        entries = []
        for n in range(size):
            title = f"E{size}n{n}: x"
            resolve(into, issue=make.arrival(shop, title, release="1.0"))
            sent = payload(title, release=f"1.0.{n}", timestamp=at.timestamp())
            entries.append(Entry(shop.id, ENVELOPE, at, envelope(sent), event_id=sent["event_id"]))
        session.flush()
        with count_statements() as statements:
            digesting.digest(session, entries, now=at)
        return len(statements)

    of_one = asked(1)
    assert asked(12) <= of_one
    assert set(session.scalars(select(Issue.status).where(Issue.title.like("E%")))) == {"resolved"}


def test_pending_resolutions_of_many_issues_are_settled_with_as_many_statements_as_of_a_few(
    session, make, shop, resolve, arrive, count_statements, now
):
    make.release(shop, "1.0")

    def settled(size: int, version: str) -> int:
        for n in range(size):
            resolve(in_next_release(), issue=make.arrival(shop, f"E{version}n{n}: x", release="1.0"))
        with count_statements() as statements:
            make.release(shop, version, at=now + timedelta(hours=size))
        return len(statements)

    assert settled(20, "1.2") <= settled(2, "1.3")
    assert {row.state for row in session.scalars(select(Resolution))} == {"resolved"}
    assert len(session.scalars(select(Release)).all()) == 3
    assert session.scalars(select(Issue.status).where(Issue.status != "resolved")).all() == ["unresolved"]
