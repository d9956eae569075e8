"""Comments and mentions: who follows an issue hears what is said about it."""

import pytest

from app.models import Activity, Subscription, TeamMember, Verdict

pytestmark = pytest.mark.both_databases


def code_of(session, user):
    return session.query(Verdict).filter_by(subject_id=user.id).one().code


def test_everybody_hears_of_a_comment_but_its_author(issue, cast, acts, run_jobs, told):
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert told("comment") == ["bob", "cy"]


def test_the_mail_carries_the_words(issue, cast, acts, run_jobs, mailbox):
    acts.comment(issue, "It began with <b>release 4</b>.", by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "It began with <b>release 4</b>." in mail.text
    assert "It began with &lt;b&gt;release 4&lt;/b&gt;." in mail.html


CHOICES = {
    "only subscribed": ([("workflow", "participating", None, "")], "not_subscribed"),
    "never": ([("workflow", "never", None, "")], "workflow_never"),
    "never, but always here": ([("workflow", "never", None, ""), ("workflow", "always", "shop", "")], "send"),
    "always, but never here": (
        [("workflow", "always", None, ""), ("workflow", "never", "shop", "")],
        "workflow_never",
    ),
    "no comments": ([("workflow", "off", None, "comments")], "kind_off"),
    "no alerts": ([("alerts", "off", None, "")], "send"),
}


@pytest.mark.parametrize(("choices", "code"), CHOICES.values(), ids=CHOICES)
def test_what_bob_chose_decides(choices, code, issue, cast, make, acts, run_jobs, told, session):
    for category, value, project, kind in choices:
        make.choice(cast.bob, category, value, project=project and cast.shop, kind=kind)
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert ("bob" in told()) == (code == "send")
    assert code_of(session, cast.bob) == code


def test_a_subscription_counts_for_nothing_where_the_choice_is_never(issue, cast, make, acts, run_jobs, told):
    make.choice(cast.bob, "workflow", "never", project=cast.shop)
    make.subscription(issue, cast.bob, "subscribed")
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert told() == ["cy"]


def test_who_subscribed_hears_and_is_told_that_this_is_why(issue, cast, make, acts, run_jobs, mailbox):
    make.choice(cast.bob, "workflow", "participating")
    acts.subscribe(issue, by=cast.bob)
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "because you subscribed to this issue" in mail.text


def test_who_unsubscribed_hears_nothing_of_this_issue_and_all_of_the_others(
    issue, cast, make, acts, report, run_jobs, told
):
    acts.unsubscribe(issue, by=cast.bob)
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    acts.resolve(issue, by=cast.alice)
    run_jobs()
    assert told() == ["cy", "cy"]
    acts.comment(make.issue(cast.shop, title="ValueError: price"), "This one too.", by=cast.alice)
    run_jobs()
    assert told() == ["bob", "cy"]


def test_who_unsubscribed_hears_no_alert_of_this_issue(cast, make, acts, report, run_jobs, told):
    issue = make.issue(cast.shop, status="resolved", events=1)
    acts.unsubscribe(issue, by=cast.bob)
    report()
    run_jobs()
    assert told() == ["alice", "cy"]


def test_a_mention_subscribes_again_and_says_so(issue, cast, acts, run_jobs, mailbox, session):
    acts.unsubscribe(issue, by=cast.bob)
    acts.comment(issue, "@bob what do you think?", by=cast.alice)
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "being mentioned subscribed you to this issue again" in mail.text
    row = session.query(Subscription).filter_by(user_id=cast.bob.id).one()
    assert (row.state, row.reasons) == ("subscribed", ["mention"])


def test_a_comment_alone_never_subscribes_again(issue, cast, acts, run_jobs, told):
    acts.unsubscribe(issue, by=cast.bob)
    acts.comment(issue, "And another thing.", by=cast.bob)
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert "bob" not in told()


def test_a_mention_is_heard_though_comments_are_off(issue, cast, make, acts, run_jobs, told):
    make.choice(cast.cy, "workflow", "off", kind="comments")
    acts.comment(issue, "@cy what do you think?", by=cast.alice)
    run_jobs()
    assert told() == ["bob", "cy"]


def test_a_team_can_be_mentioned_and_a_person_in_it_by_name(issue, cast, acts, run_jobs, told, session):
    acts.comment(issue, "#shop-team and above all @bob: look.", by=cast.alice)
    run_jobs()
    assert told("comment") == ["bob", "cy"]
    reasons = {row.user_id: row.reasons for row in session.query(Subscription)}
    assert reasons[cast.bob.id] == ["mention"]
    assert reasons[cast.cy.id] == ["team_mention"]


def test_mentioning_a_stranger_tells_them_nothing(issue, cast, acts, run_jobs, mailbox):
    acts.comment(issue, "@dee @charlie @charlie@example.org look.", by=cast.alice)
    run_jobs()
    assert mailbox(to=cast.dee) == mailbox(to=cast.charlie) == []


def test_who_left_the_team_hears_nothing_however_subscribed(issue, cast, make, acts, run_jobs, told, session):
    make.subscription(issue, cast.dee, "commented")
    make.subscription(issue, cast.cy, "subscribed")
    session.query(TeamMember).filter_by(user_id=cast.cy.id).delete()
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert told() == ["bob"]


def test_the_same_comment_twice_is_refused(issue, cast, acts, run_jobs, told, session):
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    acts.comment(issue, "It began with the last release.", by=cast.alice, status=422)
    run_jobs()
    assert told() == ["bob", "cy"]
    assert session.query(Activity).count() == 1
