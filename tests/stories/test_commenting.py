"""Comments and mentions: who follows an issue hears what is said about it."""

from datetime import timedelta

import pytest

from app.models import Activity, Notice, NotificationDefault, Subscription, TeamMember, Verdict


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
    assert "being mentioned subscribed you to this issue again" in " ".join(mail.text.split())
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


@pytest.mark.parametrize("text", ["@dee look.", "@DEE@example.org look.", "#billing and @bob: look."])
def test_who_has_no_part_in_the_project_cannot_be_mentioned(text, issue, cast, make, acts, run_jobs, told):
    """Or somebody would wait for an answer that never comes."""
    make.team(cast.acme, "billing", members=[cast.dee])
    answer = acts.comment(issue, text, by=cast.alice, status=422)
    assert "no part in Shop and would not be told. Give" in answer.text
    run_jobs()
    assert told() == []


def test_other_words_with_such_signs_are_words(issue, cast, acts, run_jobs, told, mailbox):
    acts.comment(issue, "@property, @charlie, @charlie@example.org, #412 and #rivals-team.", by=cast.alice)
    run_jobs()
    assert told() == ["bob", "cy"]
    assert mailbox(to=cast.charlie) == []


@pytest.mark.parametrize("text", ["`@bob` breaks.", "```\n@bob\n```", "> @bob said so.\n\nNo."])
def test_code_and_quotes_call_nobody(text, issue, cast, acts, make, run_jobs, told):
    make.choice(cast.bob, "workflow", "participating")
    acts.comment(issue, text, by=cast.alice)
    run_jobs()
    assert told() == ["cy"]


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


def test_the_same_words_are_a_new_comment_after_an_hour_or_from_somebody_else(issue, cast, acts, session):
    acts.comment(issue, "Same here.", by=cast.alice)
    acts.comment(issue, "Same here.", by=cast.bob)
    for said in session.query(Activity):
        said.created_at -= timedelta(minutes=61)
    acts.comment(issue, "Same here.", by=cast.alice)
    assert session.query(Activity).count() == 3


def test_who_wants_their_own_doings_hears_of_their_own_comment(issue, cast, make, acts, run_jobs, told):
    make.choice(cast.alice, "own_activity", "on")
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert told() == ["alice", "bob", "cy"]


def test_who_was_switched_off_hears_nothing_of_any_kind(issue, cast, make, acts, report, run_jobs, told):
    make.subscription(issue, cast.cy, "assigned")
    cast.cy.is_active = False
    acts.comment(issue, "#shop-team: look.", by=cast.alice)
    acts.resolve(issue, by=cast.alice)
    report("ValueError: new")
    run_jobs()
    assert "cy" not in told()


def test_with_an_instance_of_quiet_people_a_comment_reaches_nobody_and_the_page_offers_to_subscribe(
    issue, cast, make, acts, run_jobs, told, as_user, session
):
    session.add(
        NotificationDefault(category="workflow", kind="", value="participating", set_at=issue.first_seen)
    )
    acts.comment(issue, "It began with the last release.", by=cast.alice)
    run_jobs()
    assert told() == []
    page = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/")
    assert page.select_one(".follow button").text.strip() == "Subscribe"


# Changing and deleting one's own


@pytest.fixture
def written(session):
    """The last comment."""
    return lambda: session.query(Activity).order_by(Activity.id.desc()).populate_existing().first()


def address(issue, comment, more=""):
    return f"/issues/{issue.id}/comments/{comment.id}{more}"


def test_a_mail_that_has_not_gone_out_yet_says_the_new_words_and_there_is_no_other(
    issue, cast, acts, run_jobs, mailbox, as_user, written
):
    acts.comment(issue, "It is the databse.", by=cast.alice)
    as_user(cast.alice).post(address(issue, written()), data={"text": "It is the database."})
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "It is the database." in mail.text
    as_user(cast.alice).post(address(issue, written()), data={"text": "It is the **database**."})
    run_jobs()
    assert len(mailbox(to=cast.bob)) == 1


def test_who_is_mentioned_afterwards_is_neither_told_nor_marked(
    issue, cast, acts, make, run_jobs, told, as_user, written
):
    make.choice(cast.bob, "workflow", "participating")
    acts.comment(issue, "Look, @cy.", by=cast.alice)
    as_user(cast.alice).post(address(issue, written()), data={"text": "Look, @cy and @bob."})
    run_jobs()
    assert told() == ["cy"]
    page = as_user(cast.alice).page(f"/acme/shop/issues/{issue.id}/")
    assert [name.text for name in page.select(".comment .mention")] == ["@cy"]
    assert "Edited since" in page.select_one(".timeline").text


def test_of_a_comment_deleted_at_once_nobody_is_told(issue, cast, acts, run_jobs, told, as_user, written):
    acts.comment(issue, "Wrong issue, sorry.", by=cast.alice)
    as_user(cast.alice).post(address(issue, written(), "/deletion"))
    run_jobs()
    assert told() == []


def test_a_mail_that_waits_for_the_relay_does_not_tell_of_a_deleted_comment(
    issue, cast, acts, make, run_jobs, told, as_user, written, session
):
    acts.comment(issue, "Wrong issue, sorry.", by=cast.alice)
    notice = session.query(Notice).one()
    notice.planned_at = notice.occurred_at
    make.delivery(notice, cast.bob)
    as_user(cast.alice).post(address(issue, written(), "/deletion"))
    run_jobs()
    assert told() == []


def test_a_deleted_comment_leaves_a_trace_and_is_not_counted(issue, cast, acts, as_user, written, session):
    acts.comment(issue, "One.", by=cast.alice)
    acts.comment(issue, "Two.", by=cast.alice)
    one_too_many = written()
    for _ in range(2):
        as_user(cast.alice).post(address(issue, one_too_many, "/deletion"))
    session.refresh(issue)
    assert issue.comment_count == 1
    timeline = as_user(cast.bob).page(f"/acme/shop/issues/{issue.id}/").select_one(".timeline")
    assert "The comment was deleted." in timeline.text
    assert "Two." not in timeline.text


@pytest.mark.parametrize("more", ["", "/deletion"])
@pytest.mark.parametrize("who", ["bob", "dee", "charlie"])
def test_only_who_wrote_a_comment_can_change_it(issue, cast, acts, as_user, written, who, more):
    acts.comment(issue, "Mine.", by=cast.alice)
    browser = as_user(getattr(cast, who))
    assert browser.post(address(issue, written(), more), data={"text": "Yours."}).status_code == 404
    assert browser.get(address(issue, written(), "/edit")).status_code == 404
    assert written().data["text"] == "Mine."


def test_a_comment_cannot_be_made_empty(issue, cast, acts, as_user, written):
    acts.comment(issue, "Mine.", by=cast.alice)
    answer = as_user(cast.alice).post(address(issue, written()), data={"text": "  "})
    assert answer.status_code == 422
    assert "Write something first" in answer.text
    assert written().data["text"] == "Mine."
