"""Issues resolved now, in a release, with the next one, or by a commit (`notifications.md` 2.1, 2.2)."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.resolutions import in_commit, in_next_release, in_release
from app.models import Activity, IgnoreCondition, IssueCommit, Notice, Resolution, Subscription
from app.services.issues import assigning, reopening, resolving
from app.services.issues.timeline import Batch

pytestmark = pytest.mark.both_databases

SHA = "1f0c3aa" + "0" * 33


@pytest.fixture
def resolve(session, issue, cast, now):
    """Alice resolves the issue; the activity, or None."""

    def act(into=None, *, by=None, **kwargs):
        by = by or cast.alice
        return resolving.resolve(session, issue, by=by, now=now, into=into, **kwargs)

    return act


@pytest.fixture
def release(make, shop):
    return make.release(shop, "4.2.1")


def activities(session) -> list[str]:
    return list(session.scalars(select(Activity.type).order_by(Activity.id)))


# Now


def test_resolving_says_who_and_subscribes_them(session, issue, cast, resolve, now):  # case 2
    activity = resolve()
    assert (issue.status, issue.resolved_at) == ("resolved", now)
    assert (activity.type, activity.actor_id, activity.data) == (
        "set_resolved",
        cast.alice.id,
        {"was": "unresolved"},
    )
    assert session.scalars(select(Notice.kind)).all() == ["resolved"]
    row = session.scalars(select(Subscription)).one()
    assert (row.user_id, row.reasons) == (cast.alice.id, ["participated"])
    assert resolving.of(session, issue.id) is None


def test_resolving_again_changes_nothing(session, cast, resolve):  # case 3
    resolve()
    assert resolve() is None
    assert resolve(by=cast.bob) is None
    assert activities(session) == ["set_resolved"]
    assert session.scalars(select(Subscription.user_id)).all() == [cast.alice.id]


def test_what_was_ignored_can_be_resolved_and_its_condition_goes(session, issue, cast, resolve, release, now):
    issue.status = "ignored"
    session.add(IgnoreCondition(issue_id=issue.id, event_count=10, created_at=now))
    session.flush()
    assert resolve(in_release("4.2.1")).data["was"] == "ignored"
    assert session.scalars(select(IgnoreCondition)).all() == []


@pytest.mark.parametrize("status", ["merging", "deleting"])
def test_what_is_on_its_way_out_is_left_alone(session, issue, resolve, release, status):
    issue.status = status
    session.flush()
    assert resolve() is None
    assert resolve(in_release("4.2.1")) is None
    assert issue.status == status


# In a release


def test_in_the_next_release(session, issue, resolve, release):
    activity = resolve(in_next_release())
    assert activity.type == "set_resolved_in_release"
    assert activity.data == {"was": "unresolved", "ident": str(issue.id), "version": "", "after": "4.2.1"}
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release.version) == ("in_next_release", "pending", "4.2.1")


def test_in_a_given_release(session, issue, make, shop, resolve, release, now):
    make.release(shop, "4.2.2", at=now + timedelta(hours=1))
    activity = resolve(in_release("4.2.1"))
    assert activity.data == {"was": "unresolved", "ident": str(issue.id), "version": "4.2.1"}
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release.version) == ("in_release", "resolved", "4.2.1")


def test_latest_is_the_release_that_was_finished_last_not_the_highest(
    make, shop, resolve, now, session, issue
):
    make.release(shop, "4.9.0", at=now)
    finished = make.release(shop, "4.2.2", at=now - timedelta(days=2))
    make.release(shop, "4.3.0", at=now - timedelta(days=1))
    finished.date_released = now + timedelta(hours=1)
    assert resolve(in_release("latest")).data["version"] == "4.2.2"


def test_without_any_release_there_is_no_next_one(session, issue, resolve):  # case 11
    for into in (in_next_release(), in_release("latest"), in_release("4.2.1")):
        with pytest.raises(Refused, match="Shop has no release yet: one exists as soon as an event names it"):
            resolve(into)
    assert issue.status == "unresolved"
    assert activities(session) == []


@pytest.mark.parametrize("version", ["4.2.2", "9", " 4.2.10 "])
def test_an_unknown_release_is_refused(session, issue, resolve, release, version):
    with pytest.raises(Refused, match=f"Shop has no release “{version.strip()}”"):
        resolve(in_release(version))
    assert activities(session) == []


def test_a_release_has_to_be_named(resolve, release):
    with pytest.raises(Refused, match="Name the release"):
        resolve(in_release(" "))


def test_a_release_of_another_project_is_unknown_here(make, cast, resolve, release):
    make.release(make.project(cast.acme, "site"), "5.0")
    make.release(cast.other_shop, "6.0")
    for version in ("5.0", "6.0"):
        with pytest.raises(Refused, match="has no release"):
            resolve(in_release(version))


# By a commit


def test_by_a_commit_that_is_in_no_release_yet(session, issue, make, cast, resolve):
    repository = make.repository(cast.acme, url="https://git.example.org/acme/shop", provider="gitlab")
    commit = make.commit(cast.acme, "Guard the cart\n\nIt was empty.", key=SHA, author=cast.bob)
    activity = resolve(in_commit("acme/shop", SHA))
    assert activity.type == "set_resolved_in_commit"
    assert activity.data == {
        "was": "unresolved",
        "ident": str(issue.id),
        "version": "",
        "commit": SHA,
        "line": "Guard the cart",
        "author": "Bob",
        "repository": repository.name,
        "url": f"https://git.example.org/acme/shop/-/commit/{SHA}",
    }
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release_id, row.commit_id) == ("in_commit", "pending", None, commit.id)
    tie = session.scalars(select(IssueCommit)).one()
    assert (tie.issue_id, tie.commit_id, tie.tie) == (issue.id, commit.id, "resolves")


def test_by_a_commit_that_is_released_in_the_newest_release_that_has_it(
    session, issue, make, cast, shop, resolve, now
):
    older, newer = (make.release(shop, v, at=now + timedelta(hours=n)) for n, v in enumerate(("1.0", "1.1")))
    make.release(shop, "1.2", at=now + timedelta(hours=2))
    elsewhere = make.release(make.project(cast.acme, "site"), "site@9")
    commit = make.commit(cast.acme, key=SHA, release=older)
    make.in_release(commit, newer, elsewhere)
    assert resolve(in_commit("acme/shop", SHA)).data["version"] == "1.1"
    row = resolving.of(session, issue.id)
    assert (row.kind, row.state, row.release.version) == ("in_commit", "resolved", "1.1")


@pytest.mark.parametrize("sha", [SHA, SHA.upper(), "1f0c3aa", " 1f0c "])
def test_the_beginning_of_a_hash_names_its_commit(make, cast, resolve, sha):
    make.commit(cast.acme, key=SHA)
    make.commit(cast.acme, key="2" + SHA[1:])
    assert resolve(in_commit("acme/shop", sha)).data["commit"] == SHA


@pytest.mark.parametrize(
    ("repository", "sha", "problem"),
    [
        ("acme/shop", "9c1d2e7", "No commit 9c1d2e7 of acme/shop is known here"),
        ("acme/shop", "1f0c", "Several commits of acme/shop begin with 1f0c"),
        ("acme/shop", "1f", "at least its first four characters"),
        ("acme/shop", "", "at least its first four characters"),
        ("acme/shop", "1f0c%", "at least its first four characters"),
        ("acme/site", SHA, "There is no repository “acme/site” here"),
        ("rivals/shop", SHA, "There is no repository “rivals/shop” here"),
        ("", SHA, "Name the repository"),
    ],
)
def test_an_unknown_commit_is_refused(session, make, cast, resolve, repository, sha, problem):
    make.commit(cast.acme, key=SHA)
    make.commit(cast.acme, key="1f0c3ab" + "0" * 33)
    make.commit(cast.rivals, key=SHA, repository="rivals/shop")
    with pytest.raises(Refused, match=problem):
        resolve(in_commit(repository, sha))
    assert activities(session) == []


# Another kind, another target


WAYS = {
    "now": None,
    "in the next release": in_next_release(),
    "in 1.0": in_release("1.0"),
    "in 1.1": in_release("1.1"),
    "by a commit": in_commit("acme/shop", SHA),
    "by another commit": in_commit("acme/shop", "2" * 40),
}


@pytest.fixture
def targets(make, cast, shop, now):
    make.release(shop, "1.0", at=now - timedelta(days=1))
    make.release(shop, "1.1")
    make.commit(cast.acme, key=SHA)
    make.commit(cast.acme, key="2" * 40)


@pytest.mark.parametrize("into", WAYS.values(), ids=WAYS)
def test_the_same_again_changes_nothing(session, cast, resolve, targets, into):
    resolve(into)
    before = session.scalars(select(Resolution.created_at)).all()
    assert resolve(into, by=cast.bob) is None
    assert len(activities(session)) == len(session.scalars(select(Notice)).all()) == 1
    assert session.scalars(select(Resolution.created_at)).all() == before


@pytest.mark.parametrize(("first", "then"), list(permutations(WAYS, 2)))
def test_another_way_is_a_new_change_that_people_hear_of(
    session, issue, cast, resolve, targets, now, first, then
):
    resolve(WAYS[first])
    activity = resolving.resolve(session, issue, by=cast.bob, now=now + timedelta(minutes=1), into=WAYS[then])
    assert (activity.actor_id, activity.data["was"]) == (cast.bob.id, "resolved")
    assert (issue.status, issue.resolved_at) == ("resolved", now + timedelta(minutes=1))
    assert len(session.scalars(select(Notice)).all()) == 2
    rows = session.scalars(select(Resolution)).all()
    assert [row.actor_id for row in rows] == ([cast.bob.id] if WAYS[then] else [])


@pytest.mark.parametrize("into", WAYS.values(), ids=WAYS)
def test_reopening_by_hand_forgets_how_it_was_resolved(session, issue, cast, resolve, targets, now, into):
    resolve(into)
    reopening.reopen(session, issue, by=cast.bob, now=now)
    assert session.scalars(select(Resolution)).all() == []
    assert resolve(into) is not None


def test_the_notice_belongs_to_the_batch_of_its_action(session, resolve, targets, now):
    resolve(in_next_release(), batch=Batch("b_1", plan_after=now + timedelta(seconds=15)))
    notice = session.scalars(select(Notice)).one()
    assert (notice.batch, notice.plan_after) == ("b_1", now + timedelta(seconds=15))


def test_releases_are_chosen_for_one_project_at_a_time():
    resolving.refuse_several_projects([1, 1], in_next_release())
    resolving.refuse_several_projects([1, 2], None)
    with pytest.raises(Refused, match="several projects"):
        resolving.refuse_several_projects([1, 2], in_next_release())


# Claiming


@pytest.mark.parametrize("into", WAYS.values(), ids=WAYS)
def test_what_nobody_has_becomes_theirs_who_asked_for_that(
    session, issue, make, cast, resolve, targets, into
):
    make.choice(cast.alice, "claim", "on")  # case 48
    resolve(into)
    assert issue.assignee_user_id == cast.alice.id
    assigned = session.scalars(select(Activity).order_by(Activity.id.desc())).first()
    assert (assigned.type, assigned.actor_id) == ("assigned", cast.alice.id)


def test_whoever_has_it_keeps_it(session, issue, make, cast, resolve, now):
    make.choice(cast.alice, "claim", "on")  # case 48
    assigning.assign(session, issue, to=cast.bob, by=cast.bob, now=now)
    resolve()
    assert issue.assignee_user_id == cast.bob.id
    assert activities(session) == ["assigned", "set_resolved"]


def test_a_teams_issue_stays_the_teams(session, issue, make, cast, resolve):
    make.choice(cast.alice, "claim", "on")
    issue.assignee_team_id = cast.team.id
    session.flush()
    resolve()
    assert (issue.assignee_user_id, issue.assignee_team_id) == (None, cast.team.id)


def test_by_itself_nobody_claims(issue, resolve, make, cast):
    make.choice(cast.bob, "claim", "on")
    resolve()
    assert issue.assignee_user_id is None


def test_resolving_it_again_claims_nothing(session, issue, make, cast, resolve):
    resolve()
    make.choice(cast.alice, "claim", "on")
    resolve()
    assert issue.assignee_user_id is None


def test_who_is_in_no_team_of_the_project_cannot_claim(session, issue, make, resolve):
    root = make.user("Root", is_superuser=True)
    make.choice(root, "claim", "on")
    resolve(by=root)
    assert (issue.status, issue.assignee_user_id) == ("resolved", None)
