"""Issues are handed to people and teams; they and those who lose them hear of it."""

import pytest
from sqlalchemy import insert

from app.models import Activity, Bookmark, Subscription, TeamMember, team_projects


@pytest.fixture(autouse=True)
def _only_subscribed(cast, make):
    """So that only those hear of a change whom it concerns."""
    for person in (cast.alice, cast.bob, cast.cy):
        make.choice(person, "workflow", "participating")


def reasons(session, issue, user):
    row = session.query(Subscription).filter_by(issue_id=issue.id, user_id=user.id).one_or_none()
    return row and row.reasons


def test_whoever_gets_it_hears_of_it(issue, cast, acts, run_jobs, told, mailbox):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob"]
    [mail] = mailbox()
    assert mail["X-Tocsin-Reason"] == "assigned"
    assert "because this issue is assigned to you" in mail.text


def test_never_is_never_but_the_subscription_is_kept(issue, cast, make, acts, run_jobs, told, session):
    make.choice(cast.bob, "workflow", "never", project=cast.shop)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told() == []
    assert reasons(session, issue, cast.bob) == ["assigned"]


def test_a_resolved_issue_can_be_handed_over_too(cast, make, acts, run_jobs, told):
    issue = make.issue(cast.shop, status="resolved")
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob"]


def test_a_team_is_told_but_not_the_member_who_chose_it(issue, cast, acts, run_jobs, told, session):
    acts.assign(issue, to=cast.team, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob", "cy"]
    for person in (cast.alice, cast.bob, cast.cy):
        assert reasons(session, issue, person) == ["team_assigned"]


def test_handing_it_on_tells_both_and_the_former_assignee_follows_no_more(
    issue, cast, acts, run_jobs, told, session
):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    told()
    acts.assign(issue, to=cast.cy, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob", "cy"]
    assert reasons(session, issue, cast.bob) is None


def test_the_former_assignee_is_told_who_changed_it(issue, cast, acts, run_jobs, mailbox):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    acts.assign(issue, to=cast.cy, by=cast.alice)
    run_jobs()
    mail = mailbox(to=cast.bob)[-1]
    assert mail["X-Tocsin-Reason"] == "unassigned"
    assert "you were assigned until Alice changed it" in mail.text


def test_who_commented_too_still_follows_after_losing_it(issue, cast, acts, run_jobs, session):
    acts.comment(issue, "Looking into it.", by=cast.bob)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    acts.assign(issue, to=cast.cy, by=cast.alice)
    assert reasons(session, issue, cast.bob) == ["commented"]


def test_assigning_twice_tells_no_one_twice(issue, cast, acts, run_jobs, told, session):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob"]
    assert session.query(Activity).count() == 1


def test_taking_it_away_tells_whoever_had_it(issue, cast, acts, run_jobs, told):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    told()
    acts.assign(issue, to=None, by=cast.alice)
    run_jobs()
    assert told("unassigned") == ["bob"]


def test_taking_it_oneself_tells_nobody(issue, cast, acts, run_jobs, told):
    acts.assign(issue, to=cast.alice, by=cast.alice)
    run_jobs()
    assert told() == []


def test_nobody_gets_what_they_cannot_see(issue, cast, acts, run_jobs, told, session):
    for stranger in (cast.dee, cast.charlie):
        acts.assign(issue, to=stranger, by=cast.alice, status=422)
    run_jobs()
    assert told() == []
    assert session.query(Activity).count() == 0


def test_nobody_gives_away_what_they_cannot_see(issue, cast, acts, session):
    for stranger in (cast.dee, cast.charlie):
        acts.assign(issue, to=stranger, by=stranger, status=404)
    assert session.query(Activity).count() == 0


def test_being_assigned_subscribes_again_and_says_so(issue, cast, acts, run_jobs, told, mailbox, session):
    acts.unsubscribe(issue, by=cast.bob)
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob"]
    [mail] = mailbox()
    assert mail["X-Tocsin-Reason"] == "resubscribed"
    assert "being assigned subscribed you to this issue again" in " ".join(mail.text.split())
    assert "assigned" in reasons(session, issue, cast.bob)


def test_the_former_team_loses_it_but_for_whom_the_new_one_covers(
    issue, cast, make, acts, run_jobs, told, session
):
    cast_off = make.team(cast.acme, "night-shift", members=[cast.cy])
    make.session.execute(insert(team_projects).values(team_id=cast_off.id, project_id=cast.shop.id))
    acts.assign(issue, to=cast.team, by=cast.alice)
    run_jobs()
    told()
    acts.assign(issue, to=cast_off, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob", "cy"]
    assert reasons(session, issue, cast.bob) is None
    assert reasons(session, issue, cast.cy) == ["team_assigned"]


def test_who_left_the_team_since_loses_it_too(issue, cast, make, acts, run_jobs, told, session):
    other = make.team(cast.acme, "night-shift", members=[cast.cy])
    make.session.execute(insert(team_projects).values(team_id=other.id, project_id=cast.shop.id))
    acts.assign(issue, to=cast.team, by=cast.alice)
    run_jobs()
    told()
    session.query(TeamMember).filter_by(team_id=cast.team.id, user_id=cast.cy.id).delete()
    acts.assign(issue, to=cast.bob, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["bob", "cy"]
    assert reasons(session, issue, cast.cy) is None


def test_losing_it_does_not_call_back_who_unsubscribed(issue, cast, acts, run_jobs, told):
    acts.assign(issue, to=cast.bob, by=cast.alice)
    acts.unsubscribe(issue, by=cast.bob)
    run_jobs()
    told()
    acts.assign(issue, to=cast.cy, by=cast.alice)
    run_jobs()
    assert told("assigned") == ["cy"]


# Bookmarks subscribe too


def test_who_bookmarked_it_hears_of_it_and_that_this_is_why(issue, cast, acts, run_jobs, mailbox):
    acts.bookmark(issue, by=cast.bob)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert mail["X-Tocsin-Reason"] == "bookmarked"


def test_who_takes_the_bookmark_away_stays_subscribed(issue, cast, acts, run_jobs, told, session):
    acts.bookmark(issue, by=cast.bob)
    acts.bookmark(issue, by=cast.bob, wanted="removed")
    assert session.query(Bookmark).count() == 0
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told("resolved") == ["bob"]


def test_a_bookmark_does_not_call_back_who_unsubscribed(issue, cast, acts, run_jobs, told):
    acts.unsubscribe(issue, by=cast.bob)
    acts.bookmark(issue, by=cast.bob)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told() == []
