"""Commits that name issues: what they are tied to, what their release settles (`notifications.md` 11)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from app.domain.errors import NotFound
from app.domain.resolutions import in_commit, in_next_release, in_release
from app.models import (
    Activity,
    Issue,
    IssueCommit,
    IssueRedirect,
    Notice,
    ReleaseCommit,
    Resolution,
    Subscription,
    User,
)
from app.services.issues import issue_lists, resolving, timeline
from app.services.issues.timeline import Batch
from app.services.releases import fixing, releases

pytestmark = pytest.mark.both_databases

HOME = "https://tocsin.example.org"


@pytest.fixture
def arrive(session, make, cast, now):
    """A commit of acme arrives with this message; the activities that it leaves."""

    def act(message, **columns):
        commit = make.commit(cast.acme, message, **columns)
        return fixing.refer(session, [(commit, commit.message)], base_url=HOME, now=now)

    return act


@pytest.fixture
def released(session, make, shop, now):
    """Commits become part of a release of shop; the activities that it leaves."""

    def act(version, *commits, project=None, at=None, **kwargs):
        release = make.release(project or shop, version, at=at)
        for commit in commits:
            make.in_release(commit, release)
        return fixing.release_commits(session, release, commits, now=now, **kwargs)

    return act


@pytest.fixture
def linked(session, make, cast, issue, now):
    """A commit by Bob that fixes the issue."""
    commit = make.commit(cast.acme, f"Guard the cart. Fixes {issue.short_id}", key="1f0c3aa", author=cast.bob)
    fixing.refer(session, [(commit, commit.message)], base_url=HOME, now=now)
    return commit


def types(session) -> list[str]:
    return list(session.scalars(select(Activity.type).order_by(Activity.id)))


def kinds(session) -> list[str]:
    return list(session.scalars(select(Notice.kind).order_by(Notice.id)))


# A commit arrives


def test_both_issues_that_it_names_show_it_and_stay_as_they_are(session, make, cast, shop, arrive):
    one, two = make.issue(shop), make.issue(shop, status="ignored")  # case 111
    activities = arrive("Fixes SHOP-1, shop-2", author=cast.bob, key="1f0c3aa")
    assert [(each.issue_id, each.type, each.actor_id) for each in activities] == [
        (issue.id, "referenced_in_commit", cast.bob.id) for issue in (one, two)
    ]
    assert (activities[0].data["commit"], activities[0].data["line"]) == ("1f0c3aa", "Fixes SHOP-1, shop-2")
    assert (one.status, two.status) == ("unresolved", "ignored")
    assert kinds(session) == []
    ties = session.execute(select(IssueCommit.issue_id, IssueCommit.tie).order_by(IssueCommit.issue_id))
    assert ties.all() == [(one.id, "resolves"), (two.id, "resolves")]


def test_its_author_follows_the_issues_unless_they_asked_to_be_left_alone(session, make, cast, shop, arrive):
    one, two = make.issue(shop), make.issue(shop)
    make.subscription(two, cast.bob, state="unsubscribed")
    arrive("Fixes SHOP-1 and SHOP-2", author=cast.bob)
    rows = session.scalars(select(Subscription).order_by(Subscription.issue_id)).all()
    assert [(row.issue_id, row.user_id, row.state, row.reasons) for row in rows] == [
        (one.id, cast.bob.id, "subscribed", ["committer"]),
        (two.id, cast.bob.id, "unsubscribed", []),
    ]


@pytest.mark.parametrize(
    ("by", "why"),
    [(None, {"Bob": "committer"}), ("bob", {"Bob": "committer"}), ("cy", {"Cy": "participated"})],
)
def test_who_wrote_the_fix_follows_for_that_and_who_only_sent_it_for_what_they_did(
    session, make, cast, shop, issue, now, by, why
):
    sender = getattr(cast, by) if by else None
    commit = make.commit(cast.acme, "Fixes SHOP-1", author=cast.bob)
    fixing.refer(session, [(commit, commit.message)], base_url=HOME, now=now, by=sender)
    release = make.release(shop, "4.2.2")
    make.in_release(commit, release)
    assert fixing.release_commits(session, release, [commit], now=now, by=sender)
    rows = session.execute(
        select(User.name, Subscription.reasons).join(User, User.id == Subscription.user_id)
    )
    assert {name: reason for name, [reason] in rows} == why


@pytest.mark.parametrize(
    "message", ["Refs SHOP-1", "prefix SHOP-1", "Fixes SHOP-9", "Fixes OTHER-SHOP-1", ""]
)
def test_a_commit_that_fixes_no_issue_of_ours_leaves_nothing(session, make, cast, issue, arrive, message):
    make.issue(cast.other_shop)  # case 112
    assert arrive(message) == []
    assert session.scalars(select(IssueCommit)).all() == []


def test_the_list_ends_with_its_line(make, shop, arrive):
    one, _ = make.issue(shop), [make.issue(shop) for _ in range(9)]  # case 113
    assert [each.issue_id for each in arrive("Fixes SHOP-1\nSee SHOP-9")] == [one.id]


def test_an_issue_of_another_project_of_the_organization_counts(make, cast, arrive):
    elsewhere = make.issue(make.project(cast.acme, "site"))
    assert [each.issue_id for each in arrive("Closes SITE-1")] == [elsewhere.id]


def test_the_address_of_an_issue_names_it(make, cast, issue, arrive):
    foreign = make.issue(cast.other_shop)
    message = f"Fixes {HOME}/acme/shop/issues/{issue.id}/\nFixes {HOME}/rivals/x/issues/{foreign.id}/"
    assert [each.issue_id for each in arrive(message)] == [issue.id]


def test_a_merged_issue_stands_for_the_one_that_it_went_into(session, make, shop, arrive):
    kept, gone = make.issue(shop), make.issue(shop, status="merging")
    session.add(IssueRedirect(from_id=gone.id, project_id=shop.id, short_id=gone.short_id, to_id=kept.id))
    session.flush()
    assert [each.issue_id for each in arrive("Fixes SHOP-2 and SHOP-1")] == [kept.id]


def test_what_is_being_deleted_is_left_alone(make, shop, arrive):
    make.issue(shop, status="deleting")
    assert arrive("Fixes SHOP-1") == []


def test_of_two_that_had_one_name_the_newest_is_meant(session, make, cast, shop, arrive):
    make.issue(shop)
    newest = make.issue(make.project(cast.acme, "site"))
    newest.short_id = "SHOP-1"
    session.flush()
    assert [each.issue_id for each in arrive("Fixes SHOP-1")] == [newest.id]


def test_the_same_commit_again_is_not_said_again(session, issue, linked, now):
    assert fixing.refer(session, [(linked, linked.message)], base_url=HOME, now=now) == []
    assert types(session) == ["referenced_in_commit"]


@pytest.fixture
def arrive_together(session, make, cast, now):
    """Commits by these people arrive in one list, each of which fixes SHOP-1."""

    def act(*authors):
        commits = [make.commit(cast.acme, "Fixes SHOP-1", author=author) for author in authors]
        said = [(commit, commit.message) for commit in commits]
        return commits, fixing.refer(session, said, base_url=HOME, now=now)

    return act


def test_all_commits_of_a_list_that_fix_it_are_tied_and_said_at_once(session, cast, issue, arrive_together):
    commits, [activity] = arrive_together(cast.bob, cast.cy)
    ties = session.scalars(select(IssueCommit.commit_id).order_by(IssueCommit.commit_id))
    assert ties.all() == [commit.id for commit in commits]
    assert (activity.actor_id, activity.data["commit"]) == (cast.bob.id, commits[0].key)
    assert set(session.scalars(select(Subscription.user_id))) == {cast.bob.id, cast.cy.id}


def test_of_too_many_the_first_of_each_issue_are_tied(session, make, cast, shop, monkeypatch, now, caplog):
    monkeypatch.setattr(fixing, "MOST_TIES", 3)
    one, two = make.issue(shop), make.issue(shop)
    a, b, c = (make.commit(cast.acme) for _ in range(3))
    said = [(a, "Fixes SHOP-1"), (b, "Fixes SHOP-1"), (c, "Fixes SHOP-1, SHOP-2")]
    fixing.refer(session, said, base_url=HOME, now=now)
    ties = select(IssueCommit.issue_id, IssueCommit.commit_id).order_by(IssueCommit.commit_id)
    assert session.execute(ties).all() == [(one.id, a.id), (one.id, b.id), (two.id, c.id)]
    assert [record.left_out for record in caplog.records] == [1]


@pytest.mark.parametrize("case", ["unverified", "unknown", "elsewhere", "inactive", "none"])
def test_without_a_known_author_it_is_by_nobody(session, make, cast, issue, arrive, case):
    author = {
        "unverified": make.member(cast.acme, make.user("Una", verified=False)),
        "unknown": "Ana Lima",
        "elsewhere": cast.charlie,
        "inactive": make.member(cast.acme, make.user("Ina", is_active=False)),
        "none": "",
    }[case]
    [activity] = arrive("Fixes SHOP-1", author=author)
    assert activity.actor_id is None
    assert activity.data["author"]
    assert session.scalars(select(Subscription)).all() == []


# It becomes part of a release


@pytest.mark.parametrize("status", ["unresolved", "ignored", "resolved"])
def test_its_release_resolves_what_it_fixes_whatever_its_state(
    session, make, cast, issue, linked, released, status
):
    issue.status = status
    session.flush()
    [activity] = released("4.2.2", linked)  # case 111
    assert (activity.type, activity.actor_id) == ("set_resolved_in_release", cast.bob.id)
    assert (activity.data["version"], activity.data["commit"]) == ("4.2.2", "1f0c3aa")
    assert activity.data["was"] == status
    assert issue.status == "resolved"
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release.version, row.commit_id) == (
        "in_release",
        "resolved",
        "4.2.2",
        linked.id,
    )
    assert kinds(session) == ["resolved"]
    assert session.scalars(select(Subscription.user_id)).all() == [cast.bob.id]


@pytest.mark.parametrize("into", ["release", "commit", "the same release by the commit"])
def test_what_is_resolved_in_it_already_stays_so(
    session, make, cast, shop, issue, linked, released, now, into
):
    release = make.release(shop, "4.2.2")
    if into == "release":
        resolving.resolve(session, issue, by=cast.alice, now=now, into=in_release("4.2.2"))
    else:
        make.in_release(linked, release)
        resolving.resolve(session, issue, by=cast.alice, now=now, into=in_commit("acme/shop", "1f0c3aa"))
    before = types(session)
    assert fixing.release_commits(session, release, [linked], now=now) == []
    assert types(session) == before


@pytest.mark.parametrize("into", [None, in_release("4.0"), in_commit("acme/shop", "1f0c3aa")])
def test_what_was_resolved_otherwise_is_resolved_in_it_from_then_on(
    session, make, cast, shop, issue, linked, released, now, into
):
    make.release(shop, "4.0", at=now - timedelta(days=1))
    resolving.resolve(session, issue, by=cast.alice, now=now, into=into)
    assert [each.type for each in released("4.2.2", linked)] == ["set_resolved_in_release"]
    row = resolving.of(session, issue.id)
    assert (row.kind, row.release.version) == ("in_release", "4.2.2")


def test_what_waited_for_the_next_release_is_settled_by_that_alone(
    session, make, cast, shop, issue, linked, released, now
):
    make.release(shop, "4.0", at=now - timedelta(days=1))
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_next_release())
    assert released("4.2.2", linked) == []
    session.expire_all()
    assert resolving.of(session, issue.id).release.version == "4.2.2"


def test_a_release_of_another_project_resolves_it_too(session, make, cast, issue, linked, released):
    released("site@7", linked, project=make.project(cast.acme, "site"))
    assert issue.status == "resolved"
    assert resolving.of(session, issue.id).release.version == "site@7"


def test_of_two_commits_that_fix_it_the_first_is_named(session, make, cast, issue, linked, released, now):
    other = make.commit(cast.acme, "Fixes SHOP-1 again", key="2222222")
    fixing.refer(session, [(other, other.message)], base_url=HOME, now=now)
    [activity] = released("4.2.2", other, linked)
    assert (activity.data["commit"], activity.actor_id) == ("2222222", None)


def test_commits_that_fix_nothing_resolve_nothing(make, cast, issue, released):
    assert released("4.2.2", make.commit(cast.acme), make.commit(cast.acme)) == []
    assert issue.status == "unresolved"


def test_what_came_back_is_not_resolved_by_the_release_that_was_wrong(
    session, make, cast, issue, linked, released, now
):
    released("4.2.2", linked)
    issue.status = "unresolved"
    session.flush()
    other = make.commit(cast.acme)
    assert released("4.2.2", other) == []
    assert issue.status == "unresolved"


@pytest.mark.parametrize("version", ["4.2.1", "4.3"])
@pytest.mark.parametrize("since", [None, "resolved"])
def test_what_came_back_from_a_commit_is_not_resolved_by_it_in_another_release(
    session, issue, linked, released, now, version, since
):
    released("4.2.2", linked)
    timeline.record(session, issue, "set_regression", by=None, now=now)
    issue.status = since or "unresolved"
    session.flush()
    assert released(version, linked) == []
    assert issue.status == (since or "unresolved")


@pytest.mark.parametrize(
    ("said", "added"), [(0, 0), (0, -2), (-2, 0)], ids=["at all", "was said to", "was in one"]
)
def test_what_came_back_before_a_commit_fixed_it_is_resolved_by_it(
    session, issue, linked, released, now, said, added
):
    session.execute(update(IssueCommit).values(created_at=now + timedelta(hours=said)))
    timeline.record(session, issue, "set_regression", by=None, now=now - timedelta(hours=1))
    at = now + timedelta(hours=added)
    assert [each.type for each in released("4.2.2", linked, at=at)] == ["set_resolved_in_release"]
    assert [each.type for each in released("4.2.3", linked)] == ["set_resolved_in_release"]


@pytest.mark.parametrize(
    ("wrong", "of", "resolves"),
    [
        ("site@1", "shop", True),
        ("site@1", "site", False),
        ("site@1", "both", False),
        ("shop@1", "site", False),
        ("shop@1", "shop", False),
    ],
)
def test_what_came_back_from_another_projects_release_is_resolved_by_one_of_its_own(
    session, make, cast, shop, issue, linked, released, now, wrong, of, resolves
):
    site = make.project(cast.acme, "site")
    assert released(wrong, linked, project=site if wrong == "site@1" else shop)
    timeline.record(session, issue, "set_regression", by=None, now=now)
    if of == "both":
        make.release(site, "2")
    left = released("2", linked, project=site if of == "site" else shop)
    assert bool(left) is resolves


def _take_back(session, cast, issue, commit, now):
    fixing.refute(session, issue, commit.id, by=cast.cy, now=now)
    fixing.withdraw(session, issue, commit.id, by=cast.bob, now=now)


def _resolve_by_it(session, cast, issue, commit, now):
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_commit("acme/shop", commit.key))


@pytest.mark.parametrize("vouch", [_take_back, _resolve_by_it])
def test_who_says_again_that_a_commit_fixes_what_came_back_is_believed_by_the_next_release(
    session, cast, issue, linked, released, now, vouch
):
    released("4.2.2", linked)
    timeline.record(session, issue, "set_regression", by=None, now=now)
    issue.status = "unresolved"
    session.execute(delete(Resolution))
    assert released("4.2.3", linked) == []
    vouch(session, cast, issue, linked, now + timedelta(seconds=1))
    assert [each.data["version"] for each in released("4.3", linked)] == ["4.3"]
    timeline.record(session, issue, "set_regression", by=None, now=now + timedelta(hours=1))
    assert released("4.4", linked) == []


@pytest.fixture
def steps(session, engine):
    """How many steps of SQLite an act takes: nobody else writes meanwhile."""

    def act(do):
        if engine.dialect.name != "sqlite":
            pytest.skip("about the write lock of SQLite")
        taken, driver = [], session.connection().connection.driver_connection
        driver.set_progress_handler(lambda: taken.append(1), 10)
        do()
        driver.set_progress_handler(None, 0)
        return len(taken)

    return act


def test_much_that_happened_and_many_releases_do_not_multiply_what_a_list_costs(
    session, make, cast, shop, released, steps, now
):
    def costs(many):
        issues = [make.issue(shop) for _ in range(10)]
        commits = [make.commit(cast.acme, f"Fixes {each.short_id}") for each in issues]
        fixing.refer(session, [(each, each.message) for each in commits], base_url=HOME, now=now)
        others = [make.release(shop, f"{many}.{number}") for number in range(many)]
        has = [{"release_id": each.id, "commit_id": commit.id} for each in others for commit in commits]
        session.execute(insert(ReleaseCommit), has)
        happened = {"project_id": shop.id, "type": "assigned", "data": {}, "created_at": now}
        session.execute(
            insert(Activity), [{**happened, "issue_id": each.id} for each in issues for _ in range(many)]
        )
        return steps(lambda: released(f"{many}", *commits))

    few, many = costs(10), costs(80)
    assert many < 3 * few


def test_what_came_back_from_one_commit_is_resolved_by_the_next_of_the_same_list(
    session, make, cast, issue, linked, released, now
):
    released("4.2.2", linked)
    timeline.record(session, issue, "set_regression", by=None, now=now)
    issue.status = "unresolved"
    other = make.commit(cast.acme, "Fixes SHOP-1 for good", key="2222222")
    fixing.refer(session, [(other, other.message)], base_url=HOME, now=now)
    [activity] = released("4.3", linked, other)
    assert activity.data["commit"] == "2222222"


def test_what_nobody_has_becomes_the_authors_who_asked_for_that(session, make, cast, issue, linked, released):
    make.choice(cast.bob, "claim", "on")
    released("4.2.2", linked)
    assert issue.assignee_user_id == cast.bob.id


def test_a_release_that_settles_many_is_one_batch(session, make, cast, shop, released, arrive, now):
    [make.issue(shop) for _ in range(3)]
    commit = make.commit(cast.acme, "Fixes SHOP-1, SHOP-2, SHOP-3")
    fixing.refer(session, [(commit, commit.message)], base_url=HOME, now=now)
    assert len(released("4.2.2", commit, batch=Batch("b_1"))) == 3
    assert set(session.scalars(select(Notice.batch))) == {"b_1"}


# It turns out not to


@pytest.fixture
def edit(session, linked, now):

    def act(message):
        said, where = [(linked, message)], {"base_url": HOME, "now": now}
        return fixing.edit(session, said, **where) + fixing.refer(session, said, **where)

    return act


def test_a_commit_that_no_longer_names_it_reopens_what_it_resolved(session, issue, linked, released, edit):
    released("4.2.2", linked)
    [activity] = edit("Guard the cart")
    assert (activity.type, activity.actor_id) == ("set_unresolved", None)
    assert (activity.data["was"], activity.data["ident"]) == ("resolved", str(issue.id))
    assert activity.data["commit"] == "1f0c3aa"
    assert issue.status == "unresolved"
    assert session.scalars(select(Resolution)).all() == []
    assert session.scalars(select(IssueCommit)).all() == []
    assert kinds(session) == ["resolved", "reopened"]


@pytest.mark.parametrize(
    ("messages", "status"),
    [(["Tidy up", "Fixes SHOP-1"], "resolved"), (["Tidy up", "Tidy up"], "unresolved")],
)
def test_it_is_reopened_when_none_of_a_list_names_it_any_more(
    session, cast, issue, arrive_together, released, now, messages, status
):
    commits, _ = arrive_together(cast.bob, cast.cy)
    released("4.2.2", *commits)
    reopened = fixing.edit(session, list(zip(commits, messages, strict=True)), base_url=HOME, now=now)
    assert (issue.status, len(reopened)) == (status, 1 if status == "unresolved" else 0)
    assert len(session.scalars(select(IssueCommit)).all()) == messages.count("Fixes SHOP-1")


def test_a_commit_that_still_names_it_changes_nothing(session, issue, linked, released, edit):
    released("4.2.2", linked)
    assert edit("Another story. Closes shop-1") == []
    assert issue.status == "resolved"


def test_a_commit_that_names_another_one_now_is_tied_to_that(session, make, shop, issue, linked, edit):
    other = make.issue(shop)
    assert [(each.issue_id, each.type) for each in edit("Fixes SHOP-2")] == [
        (other.id, "referenced_in_commit")
    ]
    assert session.scalars(select(IssueCommit.issue_id)).all() == [other.id]


def test_a_link_that_somebody_made_by_hand_outlives_the_message(session, make, cast, shop, linked, edit, now):
    other = make.issue(shop)
    resolving.resolve(session, other, by=cast.alice, now=now, into=in_commit("acme/shop", "1f0c3aa"))
    edit("Guard the cart")
    assert session.scalars(select(IssueCommit.issue_id)).all() == [other.id]
    assert other.status == "resolved"


@pytest.mark.parametrize("into", [None, in_release("4.0"), in_next_release()])
def test_what_something_else_resolved_stays_resolved(
    session, make, cast, shop, issue, linked, released, now, into
):
    make.release(shop, "4.0")
    released("4.2.2", linked)
    resolving.resolve(session, issue, by=cast.alice, now=now, into=into)
    assert fixing.unlink(session, issue, linked, now=now) is None
    assert issue.status == "resolved"
    assert session.scalars(select(IssueCommit)).all() == []


def test_what_another_commit_of_that_release_fixes_too_stays_resolved_by_that_one(
    session, make, cast, issue, linked, released, now
):
    other = make.commit(cast.acme, "Fixes SHOP-1 again")
    fixing.refer(session, [(other, other.message)], base_url=HOME, now=now)
    released("4.2.2", linked, other)
    assert fixing.unlink(session, issue, linked, now=now) is None
    assert resolving.of(session, issue.id).commit_id == other.id
    assert fixing.unlink(session, issue, other, now=now).type == "set_unresolved"


@pytest.mark.parametrize("status", ["unresolved", "ignored"])
def test_what_is_not_resolved_stays_as_it_is(session, issue, linked, now, status):
    issue.status = status
    session.flush()
    assert fixing.unlink(session, issue, linked, now=now) is None
    assert issue.status == status


def test_taking_the_link_away_twice_reopens_once(session, issue, linked, released, now):
    released("4.2.2", linked)
    assert fixing.unlink(session, issue, linked, now=now)
    assert fixing.unlink(session, issue, linked, now=now) is None
    assert types(session).count("set_unresolved") == 1


# Somebody says that it does not


@pytest.fixture
def refute(session, cast, issue, now):
    return lambda commit: fixing.refute(session, issue, commit.id, by=cast.cy, now=now)


def test_who_says_that_a_commit_does_not_fix_it_reopens_it_and_does_not_follow_it(
    session, cast, issue, linked, released, refute
):
    released("4.2.2", linked)
    activity = refute(linked)
    assert (activity.type, activity.actor_id, issue.status) == ("set_unresolved", cast.cy.id, "unresolved")
    assert (activity.data["was"], activity.data["commit"]) == ("resolved", "1f0c3aa")
    assert activity.data["version"] == "4.2.2"
    assert session.scalars(select(Resolution)).all() == []
    assert kinds(session) == ["resolved", "reopened"]
    assert cast.cy.id not in session.scalars(select(Subscription.user_id)).all()
    assert refute(linked) is None


def test_a_commit_that_was_refuted_does_not_fix_it_when_it_comes_again(
    session, issue, linked, released, refute, edit
):
    assert refute(linked).type == "commit_refuted"
    for said in ("Fixes SHOP-1, really", "Guard the cart", "Fixes SHOP-1 after all"):
        assert edit(said) == []
    assert session.scalars(select(IssueCommit.tie)).all() == ["refuted"]
    assert released("4.2.2", linked) == []
    assert (issue.status, kinds(session)) == ("unresolved", [])


def test_who_resolves_it_by_that_commit_takes_back_that_it_does_not(
    session, cast, issue, linked, refute, now
):
    refute(linked)
    resolving.resolve(session, issue, by=cast.alice, now=now, into=in_commit("acme/shop", "1f0c3aa"))
    assert session.scalars(select(IssueCommit.tie)).all() == ["resolves"]
    assert refute(linked).type == "set_unresolved"


def test_who_takes_back_that_it_does_not_makes_it_a_fix_for_the_next_release(
    session, cast, issue, linked, released, refute, now
):
    released("4.2.2", linked)
    refute(linked)
    before = kinds(session)
    activity = fixing.withdraw(session, issue, linked.id, by=cast.bob, now=now)
    assert (activity.type, activity.actor_id) == ("refutation_withdrawn", cast.bob.id)
    assert (activity.data["commit"], issue.status) == ("1f0c3aa", "unresolved")
    assert session.scalars(select(IssueCommit.tie)).all() == ["resolves"]
    assert kinds(session) == before
    assert fixing.withdraw(session, issue, linked.id, by=cast.bob, now=now) is None
    assert [each.type for each in released("4.2.3", linked)] == ["set_resolved_in_release"]


@pytest.mark.parametrize("is_released", [True, False])
def test_who_said_last_that_a_commit_does_not_fix_it_is_named_below_what_does(
    session, cast, issue, linked, released, refute, arrive, now, is_released
):
    if is_released:
        released("4.2.2", linked)
    fixing.refute(session, issue, linked.id, by=cast.alice, now=now)
    fixing.withdraw(session, issue, linked.id, by=cast.bob, now=now)
    refute(linked)
    arrive("Fixes SHOP-1", key="2222222")
    said = [(fix.key, fix.is_refuted, fix.refuted_by) for fix in issue_lists.fixes(session, issue)]
    assert said == [("2222222", False, ""), ("1f0c3aa", True, cast.cy.name)]


def test_who_said_it_of_that_commit_is_named_and_not_of_one_of_the_same_name_elsewhere(
    session, make, cast, issue, linked, refute, now
):
    fork = make.commit(cast.acme, "Fixes SHOP-1", repository="acme/fork", key=linked.key)
    fixing.refer(session, [(fork, fork.message)], base_url=HOME, now=now)
    refute(linked)
    fixing.refute(session, issue, fork.id, by=cast.alice, now=now)
    told = {"was": "resolved", **releases.told(linked)}
    timeline.record(session, issue, "set_unresolved", by=None, now=now, data=told)
    said = {fix.commit_id: fix.refuted_by for fix in issue_lists.fixes(session, issue)}
    assert said == {linked.id: cast.cy.name, fork.id: cast.alice.name}


def test_what_was_refuted_last_is_shown_however_many_others_there_are(
    session, make, cast, issue, linked, arrive, now
):
    others = [make.commit(cast.acme, "Fixes SHOP-1") for _ in range(15)]
    fixing.refer(session, [(each, each.message) for each in others], base_url=HOME, now=now)
    wrong = [*others[4:0:-1], linked]
    for later, each in enumerate(wrong):
        fixing.refute(session, issue, each.id, by=cast.cy, now=now + timedelta(minutes=later))
    shown = issue_lists.fixes(session, issue)
    assert [fix.commit_id for fix in shown if fix.is_refuted] == [each.id for each in wrong[:-4:-1]]
    assert [fix.is_refuted for fix in shown] == [False] * 10 + [True] * 3
    assert issue_lists.of(session, issue, now=now).fixes == shown


def test_nobody_says_of_an_issue_that_went_what_fixes_it(session, issue, linked, refute):
    session.execute(update(Issue).values(status="deleting").execution_options(synchronize_session=False))
    with pytest.raises(NotFound):
        refute(linked)


def test_the_commit_that_resolved_it_is_shown_however_many_came_later(
    session, issue, linked, released, arrive, now
):
    released("4.2.2", linked)
    for _ in range(11):
        arrive("Fixes SHOP-1")
    shown = issue_lists.fixes(session, issue)
    assert (shown[0].commit_id, len(shown)) == (linked.id, 10)
    assert issue_lists.of(session, issue, now=now).fixes == shown


def test_what_another_commit_of_its_release_fixes_stays_resolved_when_one_is_refuted(
    cast, issue, arrive_together, released, refute
):
    [one, other], _ = arrive_together(cast.bob, cast.cy)
    released("4.2.2", one, other)
    assert (refute(one).type, issue.status) == ("commit_refuted", "resolved")
    assert (refute(other).type, issue.status) == ("set_unresolved", "unresolved")
