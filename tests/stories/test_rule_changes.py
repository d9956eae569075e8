"""Who is told that an alert rule was changed, why, and what the mail says (`experience.md` 1.10, E19)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.domain import rule_content
from app.domain.errors import Refused
from app.models import Notice, RuleVersion, TeamMember, Verdict
from app.services.preferences import preferring
from app.services.rules import rule_templates, ruling

EVERYBODY = {"id": "mail", "target": "owners", "fallback": "all"}
LATER = timedelta(minutes=20)


def to_member(user):
    return {"id": "mail", "target": "member", "targetId": user.id}


def to_team(team):
    return {"id": "mail", "target": "team", "targetId": team.id}


@pytest.fixture
def rule(make, cast):
    """Bob's; it tells Cy."""
    return make.rule(cast.shop, "Fatal in checkout", created_by_id=cast.bob.id, actions=[to_member(cast.cy)])


@pytest.fixture
def change(session, cast, rule, now):
    """By Alice, at once or some time later."""

    def act(*, by=None, after=timedelta(), **columns):
        content = replace(rule_content.of(rule), **columns)
        made = ruling.change(session, rule, content, by=by or cast.alice, via="page", now=now + after)
        session.commit()
        return made

    return act


@pytest.fixture
def by_alice(cast, now):
    return {"by": cast.alice, "via": "page", "now": now}


def verdicts(session):
    found = select(Verdict).where(Verdict.subject == "user").order_by(Verdict.notice_id, Verdict.subject_id)
    return {(row.subject_id, row.code, tuple(row.reasons)) for row in session.scalars(found)}


def words(mail):
    return " ".join(mail.text.split())


def test_the_author_and_those_whom_it_names_are_told_and_nobody_else(session, cast, change, run_jobs, told):
    change(frequency_minutes=60)
    run_jobs.sweep()
    assert told("rule_changed") == ["bob", "cy"]
    assert verdicts(session) == {
        (cast.bob.id, "send", ("rule_author",)),
        (cast.cy.id, "send", ("rule_member",)),
    }


def test_who_did_it_is_not_told_unless_they_want_to_be(session, make, cast, change, run_jobs, told):
    change(by=cast.bob, frequency_minutes=60)
    run_jobs.sweep()
    assert told() == ["cy"]
    assert (cast.bob.id, "own_activity", ("rule_author",)) in verdicts(session)
    make.choice(cast.bob, "own_activity", "on")
    change(by=cast.bob, frequency_minutes=5)
    run_jobs.sweep()
    assert told() == ["bob", "cy"]


def test_who_was_named_before_is_told_and_who_is_named_now(cast, change, run_jobs, told, mailbox):
    change(actions=[to_member(cast.alice)], by=cast.bob)
    run_jobs.sweep()
    assert told() == ["alice", "cy"]
    assert "because the alert rule “Fatal in checkout” sends to you." in words(mailbox(cast.alice)[0])
    assert "because the alert rule “Fatal in checkout” sent to you." in words(mailbox(cast.cy)[0])


def test_a_team_is_told_that_has_the_project(session, make, cast, change, run_jobs, told, mailbox):
    """People of a team without access, and those who left it, are not."""
    outsiders = make.team(cast.acme, "outsiders", members=[cast.dee])
    change(actions=[to_team(cast.team), to_team(outsiders)])
    session.execute(delete(TeamMember).where(TeamMember.user_id == cast.cy.id))
    run_jobs.sweep()
    assert told() == ["bob"]
    [mail] = mailbox(cast.bob)
    assert "because you made the alert rule “Fatal in checkout”." in words(mail)
    assert "Also because the alert rule “Fatal in checkout” sends to #shop-team, your team." in words(mail)


def test_an_author_who_lost_the_project_is_not_told(session, cast, change, run_jobs, told):
    session.execute(delete(TeamMember).where(TeamMember.user_id == cast.bob.id))
    change(frequency_minutes=60)
    run_jobs.sweep()
    assert told() == ["cy"]


def test_the_mail_says_what_was_changed_and_what_follows(cast, rule, change, run_jobs, mailbox):
    change(actions=[EVERYBODY], frequency_minutes=60)
    run_jobs.sweep()
    [mail] = mailbox(cast.bob)
    assert mail.subject == "Alice changed “Fatal in checkout”"
    said = words(mail)
    assert "- Then: email Cy" in said
    assert "+ Then: email the issue's owners" in said
    assert "- How often: at most every 30 minutes per issue" in said
    assert "Of an error now: told 1 before, 3 now." in said
    place = f"https://tocsin.example.org/acme/shop/settings/alerts/{rule.id}/#versions"
    assert f"See the rule, undo or restore: {place}" in said
    assert "/settings/account/notifications/?show=kinds#kinds" in said
    assert mail["List-Id"] == "shop workflow <workflow.shop.acme.example.org>"


WAYS = {
    "switched off": lambda session, rule, how: ruling.switch(session, rule, on=False, **how),
    "deleted": lambda session, rule, how: ruling.remove(session, rule, **how),
}


@pytest.mark.parametrize("way", WAYS)
def test_switched_off_or_deleted_it_reaches_nobody(session, cast, rule, by_alice, run_jobs, mailbox, way):
    WAYS[way](session, rule, by_alice)
    run_jobs.sweep()
    assert [mail.subject for mail in mailbox()] == [f"Alice {way} “Fatal in checkout”"] * 2
    assert "told 1 before, nobody now." in words(mailbox(cast.cy)[0])


def test_a_deleted_rule_is_said_in_full_for_it_has_no_page_any_more(
    session, cast, rule, by_alice, run_jobs, mailbox
):
    ruling.remove(session, rule, **by_alice)
    run_jobs.sweep()
    said = words(mailbox(cast.cy)[0])
    assert "- Name: Fatal in checkout" in said
    assert "- Then: email Cy" in said
    assert "Open the alert rules of Shop: " in said
    assert "because the alert rule “Fatal in checkout” sent to you." in said


def test_a_version_that_is_restored_is_told_as_that(session, cast, rule, change, by_alice, run_jobs, mailbox):
    change(frequency_minutes=60)
    run_jobs.sweep()
    ruling.restore(session, rule, 1, **by_alice)
    run_jobs.sweep()
    subjects = [mail.subject for mail in mailbox(cast.cy)]
    assert subjects == ["Alice changed “Fatal in checkout”", "Alice restored “Fatal in checkout”"]


def test_several_saves_of_one_person_are_one_mail(session, cast, change, run_jobs, told, mailbox):
    change(frequency_minutes=60)
    change(frequency_minutes=1440, after=timedelta(minutes=2))
    change(name="Fatal", after=timedelta(minutes=4))
    run_jobs.sweep()
    assert told() == ["bob", "cy"]
    said = words(mailbox(cast.cy)[0])
    assert "- How often: at most every 30 minutes per issue" in said
    assert "every hour" not in said
    assert "+ Name: Fatal" in said
    assert len(session.scalars(select(RuleVersion)).all()) >= 4


APART = {
    "another person": (lambda cast: {"by": cast.cy}, 2),
    "after a while": (lambda cast: {"after": timedelta(minutes=4)}, 2),
    "at once": (lambda cast: {}, 1),
}


@pytest.mark.parametrize("apart", APART)
def test_what_others_save_and_what_comes_later_is_another_mail(session, cast, change, apart):
    how, count = APART[apart]
    change(frequency_minutes=60)
    change(frequency_minutes=5, **how(cast))
    assert len(session.scalars(select(Notice)).all()) == count


def test_who_saves_again_and_again_is_told_of_after_a_quarter_of_an_hour(session, change, now):
    for step in range(20):
        change(frequency_minutes=(5, 60)[step % 2], after=timedelta(minutes=step))
    first, second = session.scalars(select(Notice).order_by(Notice.id))
    assert first.plan_after == now + timedelta(minutes=15)
    assert second.occurred_at == now + timedelta(minutes=15)


def test_nobody_is_told_before_the_minutes_are_over(as_user, cast, rule, run_jobs, told):
    answer = as_user(cast.alice).post(f"/acme/shop/settings/alerts/{rule.id}/switch", data={"active": "no"})
    assert answer.status_code == 303
    run_jobs()
    run_jobs.sweep()
    assert told() == []
    run_jobs.sweep(after=LATER)
    assert told("rule_changed") == ["bob", "cy"]


def test_what_is_taken_back_in_time_is_told_to_nobody(session, cast, change, run_jobs, told):
    change(frequency_minutes=60)
    change(frequency_minutes=30)
    run_jobs.sweep()
    assert told() == []
    assert session.scalars(select(Notice)).one().gate_code == "undone"


NOT_TOLD = {
    "rules": ("rules", "off", "kind_off"),
    "workflow": ("", "never", "workflow_never"),
    "other kinds": ("comments", "off", "send"),
    "subscribed only": ("", "participating", "send"),
}


@pytest.mark.parametrize(("kind", "value", "code"), NOT_TOLD.values(), ids=NOT_TOLD)
def test_what_people_chose_decides(session, make, cast, change, run_jobs, kind, value, code):
    make.choice(cast.cy, "workflow", value, kind=kind)
    change(frequency_minutes=60)
    run_jobs.sweep()
    assert (cast.cy.id, code, ("rule_member",)) in verdicts(session)


def test_one_press_stops_such_mail_alone_and_undo_brings_it_back(
    session, client, cast, change, run_jobs, told, mailbox
):
    change(frequency_minutes=60)
    run_jobs.sweep()
    told()
    [mail] = mailbox(cast.cy)
    link = mail["List-Unsubscribe"].partition("<")[2].partition(">")[0]
    path = "/u/" + link.rpartition("/u/")[2]
    assert "Stop email about changed alert rules?" in client.get(path).text
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    chosen = preferring.setting_of(session, cast.cy, "workflow", kind="rules")
    assert chosen is not None
    assert chosen.value == "off"
    change(frequency_minutes=5)
    run_jobs.sweep()
    assert told() == ["bob"]


def test_a_rule_that_somebody_makes_is_no_change_nor_are_those_of_a_new_project(session, cast, make, now):
    content = rule_content.of(make.rule(cast.shop))
    ruling.create(session, cast.shop, content, by=cast.alice, via="page", now=now)
    rule_templates.start(session, make.project(cast.acme, "fresh", teams=[cast.team]), now=now)
    assert session.scalars(select(Notice)).all() == []


def test_a_save_that_is_refused_or_changes_nothing_is_no_news(session, cast, rule, change):
    assert change() is None
    with pytest.raises(Refused):
        ruling.change(
            session, rule, rule_content.of(rule), by=cast.alice, via="page", now=rule.created_at, seen=9
        )
    assert session.scalars(select(Notice)).all() == []


def test_a_change_is_no_firing_of_the_rule(session, as_user, cast, rule, change, run_jobs):
    change(frequency_minutes=60)
    run_jobs.sweep()
    assert "It has not fired" in as_user(cast.alice).get(f"/acme/shop/settings/alerts/{rule.id}/").text


def test_explain_says_why_each_was_told(as_user, session, cast, change, run_jobs):
    change(by=cast.cy, frequency_minutes=60)
    run_jobs.sweep()
    notice = session.scalars(select(Notice)).one()
    page = as_user(cast.bob).page(f"/notices/{notice.public_id}/")
    said = " ".join(page.text.split())
    assert "Cy changed “Fatal in checkout”." in said
    assert "2 members of Shop, because they made the rule, or it names them or their team" in said
    assert "How often: at most every hour per issue" in said
    assert "you made the alert rule “Fatal in checkout”" in said
    assert "Only subscribed issues" not in said


def test_where_nobody_is_concerned_the_record_says_so(as_user, session, cast, make, now, run_jobs):
    rule = make.rule(cast.shop, actions=[EVERYBODY])
    ruling.switch(session, rule, on=False, by=cast.alice, via="page", now=now)
    run_jobs.sweep()
    notice = session.scalars(select(Notice)).one()
    page = as_user(cast.bob).get(f"/notices/{notice.public_id}/")
    assert "nobody who is here made the rule, and it names no person or team" in page.text


def test_it_waits_in_quiet_hours_with_everything_else(make, cast, issue, change, run_jobs, told, mailbox):
    make.quiet_now(cast.cy)
    change(frequency_minutes=60)
    make.notice(issue)
    run_jobs.sweep()
    assert "cy" not in told()
    run_jobs.sweep(after=timedelta(hours=4))
    assert told() == ["cy"]
    [mail] = mailbox(cast.cy)
    assert mail.subject.startswith("While you were quiet: 1 issue, 1 changed rule")
    assert "RULE CHANGED Alice changed “Fatal in checkout”" in words(mail)


def test_where_mails_may_not_say_much_it_does_not_say_what_was_changed(cast, change, run_jobs, mailbox):
    cast.shop.mail_detail = "link"
    change(frequency_minutes=60)
    run_jobs.sweep()
    [mail] = mailbox(cast.cy)
    assert "every hour" not in mail.text
    assert "Sign in to see it." in words(mail)
