"""Whom an alert reaches: owners of the event, teams, members, assignees, and what people said about it."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.rule_content import Content
from app.models import (
    AlertRule,
    EmailAddress,
    EmailRoute,
    Issue,
    Notice,
    OwnershipVersion,
    RuleMute,
    Verdict,
)
from app.services.people import workspaces
from app.services.rules import rule_muting, ruling
from tests.conftest import NOON
from tests.make import payload

USUAL = "Tell issue owners about new issues"
HOURS = timedelta(hours=3)


@pytest.fixture
def at(report):
    """Reports an error in a file: `at("src/pay/a.py")`."""

    def send(path, title="KeyError: cart", **members):
        frame = {"filename": path, "abs_path": f"/app/{path}", "function": "pay", "lineno": 7, "in_app": True}
        event = payload(title, **members)
        [exception] = event["exception"]["values"]
        exception["stacktrace"] = {"frames": [frame]}
        return report(title, exception=event["exception"], **members)

    return send


@pytest.fixture
def the_rule(session, cast):
    """The one that the project begins with, with other actions or columns."""

    def change(*actions, **columns):
        rule = session.scalars(select(AlertRule).where(AlertRule.project_id == cast.shop.id)).one()
        if actions:
            rule.actions = list(actions)
        for name, value in columns.items():
            setattr(rule, name, value)
        session.flush()
        return rule

    return change


def mail(target, id_=None, fallback="project"):
    return {"id": "mail", "target": target, "targetId": id_, "fallback": fallback}


def why(mail):
    """The sentence at its foot, on one line."""
    flat = " ".join(mail.text.split())
    return re.search(r"You're getting this because (.*?)\. (?=Also|The rule|Alerts for)", flat)[1]


def the_notice(session):
    session.commit()
    return session.scalars(select(Notice).order_by(Notice.id.desc())).first()


# Owners of the event


def test_without_owners_every_member_is_told_and_nobody_else(cast, at, run_jobs, told):
    at("src/pay/a.py")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_a_line_that_names_one_person_tells_them_alone(cast, make, at, run_jobs, told, mailbox, session):
    make.owners(cast.shop, f"# pay\npath:src/pay/* {cast.bob.email}")
    at("src/pay/a.py")
    run_jobs()
    assert told("alert.new") == ["bob"]
    [mail] = mailbox(to=cast.bob)
    assert why(mail) == f"issue owners line 2, path:src/pay/* {cast.bob.email}, names you"
    assert [each.subject_id for each in session.scalars(select(Verdict))] == [cast.bob.id]


def test_all_matching_lines_count_and_nobody_gets_two(cast, make, at, run_jobs, told, mailbox):
    make.owners(cast.shop, f"path:src/pay/* {cast.bob.email}\nurl:*/checkout #{cast.team.slug}")
    at("src/pay/a.py", request={"url": "https://shop.example.com/checkout"})
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    assert why(mailbox(to=cast.cy)[0]).endswith(f"names #{cast.team.slug}, your team")
    assert why(mailbox(to=cast.bob)[0]).endswith("names you")


def test_two_events_of_one_issue_can_have_different_owners(cast, make, at, the_rule, run_jobs, told):
    the_rule(conditions=[{"id": "every_event"}], frequency_minutes=0)
    make.owners(cast.shop, f"tags.area:pay {cast.bob.email}\ntags.area:cart {cast.cy.email}")
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at("src/a.py", tags={"area": "pay"})
    run_jobs()
    at("src/a.py", tags={"area": "cart"})
    run_jobs()
    assert told() == ["bob", "cy"]


def test_where_nobody_owns_it_a_project_may_tell_nobody(cast, make, at, run_jobs, told, session, as_user):
    make.owners(cast.shop, f"path:lib/* {cast.bob.email}", fallthrough=False)
    at("src/pay/a.py")
    run_jobs()
    assert told() == []
    notice = the_notice(session)
    assert notice.gate_code == "no_owner"
    version = session.scalars(select(OwnershipVersion.version)).all()[-1]
    assert (notice.rule_version, notice.owners_version) == (1, version)
    words = as_user(cast.bob).page(f"/notices/{notice.public_id}/").text
    assert "No owner rule matched, and the project tells nobody then." in words


def test_owners_who_want_nothing_are_no_reason_to_tell_others(cast, make, at, run_jobs, told, session):
    make.owners(cast.shop, f"path:src/* {cast.bob.email}")
    make.choice(cast.bob, "alerts", "off", project=cast.shop)
    at("src/pay/a.py")
    run_jobs()
    assert told() == []
    assert [each.code for each in session.scalars(select(Verdict))] == ["alerts_off"]


def test_a_choice_for_the_project_goes_before_that_of_the_account(cast, make, at, run_jobs, told):
    make.choice(cast.bob, "alerts", "off")
    make.choice(cast.bob, "alerts", "on", project=cast.shop)
    at("src/pay/a.py")
    run_jobs()
    assert "bob" in told()


def test_owners_without_access_are_as_good_as_none(cast, make, at, run_jobs, told, session):
    make.owners(cast.shop, f"path:src/* {cast.bob.email}", fallthrough=False)
    cast.team.projects.remove(cast.shop)
    other = make.team(cast.acme, "others", members=[cast.alice])
    other.projects.append(cast.shop)
    at("src/pay/a.py")
    run_jobs()
    assert told() == []
    assert "line 1 names nobody who has access" in the_notice(session).data["gate"]["nobody"]


def test_once_somebody_has_the_issue_its_owners_may_be_spared(cast, make, at, acts, the_rule, run_jobs, told):
    make.owners(cast.shop, f"path:src/* {cast.bob.email}", only_assignee=True)
    the_rule(conditions=[{"id": "every_event"}], frequency_minutes=0)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at("src/a.py")
    run_jobs()
    assert told() == ["bob"]
    issue = make.session.scalars(select(Issue)).one()
    acts.assign(issue, to=cast.cy, by=cast.alice)
    run_jobs()
    told()
    at("src/a.py")
    run_jobs()
    assert told() == ["cy"]


# Other targets


def test_a_team_is_its_people_and_a_member_one(cast, make, at, the_rule, run_jobs, told, mailbox):
    pair = make.team(cast.acme, "pair", members=[cast.alice, cast.bob])
    pair.projects.append(cast.shop)
    the_rule(mail("team", pair.id), mail("member", cast.bob.id))
    at("src/a.py")
    run_jobs()
    assert told("alert.new") == ["alice", "bob"]
    rule = f"the alert rule “{USUAL}”"
    assert why(mailbox(to=cast.alice)[0]) == f"{rule} sends to #pair, your team"
    assert why(mailbox(to=cast.bob)[0]) == f"{rule} sends to you"
    assert f"Also because {rule} sends to #pair" in " ".join(mailbox(to=cast.bob)[0].text.split())


def test_a_member_who_switched_alerts_off_is_not_told(cast, make, at, the_rule, run_jobs, told):
    the_rule(mail("member", cast.bob.id))
    make.choice(cast.bob, "alerts", "off")
    at("src/a.py")
    run_jobs()
    assert told() == []


def test_the_assignee_is_told_or_whom_the_rule_falls_back_to(cast, make, at, the_rule, acts, run_jobs, told):
    the_rule(mail("assignee", fallback="none"), conditions=[{"id": "every_event"}], frequency_minutes=0)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at("src/a.py")
    run_jobs()
    assert told() == []
    issue = make.session.scalars(select(Issue)).one()
    acts.assign(issue, to=cast.team, by=cast.alice)
    run_jobs()
    told()
    at("src/a.py")
    run_jobs()
    assert told("alert.again") == ["alice", "bob", "cy"]


def test_members_who_were_here_last_can_stand_in(cast, make, at, now, the_rule, run_jobs, told, mailbox):
    for person in [make.user() for _ in range(20)]:
        make.member(cast.acme, person)
        person.last_active_at = now
        workspaces.add_to_team(make.session, cast.team, person, now=now)
    the_rule(mail("owners", fallback="active"))
    at("src/a.py")
    run_jobs()
    names = told("alert.new")
    assert len(names) == 20
    assert not {"alice", "bob", "cy"} & set(names)
    everyone = "the 20 members of Shop who were here last were told"
    assert everyone in " ".join(mailbox()[0].text.split())


def test_a_team_that_lost_the_project_tells_nobody_and_breaks_the_rule(
    cast, make, at, the_rule, run_jobs, told, session
):
    payments = make.team(cast.acme, "payments", members=[cast.bob])
    rule = the_rule(mail("team", payments.id))
    at("src/a.py")
    run_jobs()
    assert told() == []
    session.refresh(rule)
    assert rule.trouble == "It tells #payments, which has no access to Shop any more."
    payments.projects.append(cast.shop)
    at("src/b.py", "ValueError: price")
    run_jobs()
    assert told() == ["bob"]
    session.refresh(rule)
    assert rule.trouble is None


# What people said


def test_who_left_an_issue_hears_of_others(cast, make, at, the_rule, issue, run_jobs, told):
    the_rule(conditions=[{"id": "every_event"}], frequency_minutes=0)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    make.subscription(issue, cast.bob, state="unsubscribed")
    at("shop/cart.py", fingerprint=["other"])
    run_jobs()
    assert told() == ["alice", "bob", "cy"]
    first = make.session.scalars(select(Issue).order_by(Issue.id.desc())).first()
    make.subscription(first, cast.bob, state="unsubscribed")
    at("shop/cart.py", fingerprint=["other"])
    run_jobs()
    assert told() == ["alice", "cy"]


def test_a_rule_that_somebody_muted_rings_for_the_others(cast, make, at, the_rule, run_jobs, told, session):
    rule_muting.mute(session, the_rule(), user=cast.bob, until=None, by=cast.bob, via="page", now=make.now)
    at("src/a.py")
    run_jobs()
    assert told() == ["alice", "cy"]
    [verdict] = session.scalars(select(Verdict).where(Verdict.subject_id == cast.bob.id))
    assert verdict.code == "rule_muted_me"


def test_a_muted_rule_is_not_in_a_digest_either(cast, make, at, the_rule, run_jobs, mailbox, session):
    make.quiet_now(cast.bob)
    at("src/a.py")
    run_jobs()
    rule = the_rule()
    rule_muting.mute(session, rule, user=cast.bob, until=None, by=cast.bob, via="page", now=make.now)
    run_jobs.sweep(after=HOURS)
    assert mailbox(to=cast.bob) == []
    session.expire_all()
    [verdict] = session.scalars(select(Verdict).where(Verdict.subject_id == cast.bob.id))
    assert (verdict.outcome, verdict.code) == ("skip", "rule_muted_me")


def test_what_another_rule_tells_is_told_though_the_first_is_muted(
    cast, make, at, the_rule, run_jobs, mailbox, session
):
    make.quiet_now(cast.bob)
    make.rule(cast.shop, "Everything in pay")
    at("src/a.py")
    run_jobs()
    rule_muting.mute(
        session, first(session), user=cast.bob, until=None, by=cast.bob, via="page", now=make.now
    )
    run_jobs.sweep(after=HOURS)
    assert len(mailbox(to=cast.bob)) == 1


def test_a_rule_that_was_muted_for_everyone_since_it_fired_tells_nobody(
    cast, make, at, the_rule, run_jobs, told, session
):
    at("src/a.py")
    run_jobs.digest()
    rule_muting.mute(session, the_rule(), user=None, until=None, by=cast.alice, via="page", now=make.now)
    run_jobs()
    assert told() == []
    assert the_notice(session).gate_code == "rule_muted"


def test_a_required_rule_ignores_off_and_says_who_wants_that(
    cast, make, at, run_jobs, told, mailbox, session, as_user
):
    rule = required(session, cast)
    make.choice(cast.bob, "alerts", "off", project=cast.shop)
    session.add(RuleMute(rule_id=rule.id, user_id=cast.cy.id, created_at=make.now))
    at("src/a.py")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    [mail] = mailbox(to=cast.bob)
    assert (
        why(mail) == "admins of Shop require the alert rule “Payments down”, so it ignores your Off for Shop"
    )
    flat = " ".join(mail.text.split())
    assert "The rule is required since 20 Nov 2026 by Alice: somebody has to look" in flat
    assert "Mute the rule “Payments down”" not in flat
    assert mail["X-Tocsin-Reason"] == "required"
    session.commit()
    codes = {(each.subject_id, each.code) for each in session.scalars(select(Verdict))}
    assert (cast.bob.id, "alerts_off") in codes  # of the rule that is not required
    public_id = mail["X-Tocsin-Notice"].rstrip("/").rpartition("/")[2]
    own = as_user(cast.bob).page(f"/notices/{public_id}/").text
    assert "yes, but the rule is required" in own
    assert "somebody has to look" in own
    assert "ignores their Off" not in as_user(cast.cy).page(f"/notices/{public_id}/").text


def test_a_required_rule_still_honours_that_somebody_left_the_issue(
    cast, make, at, the_rule, run_jobs, told, session
):
    the_rule(required_reason="somebody has to look", conditions=[{"id": "every_event"}], frequency_minutes=0)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at("src/a.py")
    run_jobs()
    told()
    make.subscription(session.scalars(select(Issue)).one(), cast.bob, state="unsubscribed")
    at("src/a.py")
    run_jobs()
    assert told() == ["alice", "cy"]


def test_a_rule_that_may_interrupt_wakes_people_and_one_mail_tells_all(
    cast, make, at, run_jobs, mailbox, session
):
    make.quiet_now(cast.bob)
    make.rule(cast.shop, "Payments down", interrupt_reason="money")
    at("src/a.py")
    run_jobs()
    [mail] = mailbox(to=cast.bob)
    assert "Rules: Payments down and Tell issue owners about new issues" in " ".join(mail.text.split())


# One mail a person


def test_two_rules_that_both_name_somebody_are_one_mail_naming_both(
    cast, make, at, the_rule, run_jobs, told, mailbox
):
    the_rule(mail("member", cast.bob.id))
    make.rule(cast.shop, "Everything in pay", actions=[mail("team", cast.team.id)])
    at("src/a.py")
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    [mine], [other] = mailbox(to=cast.bob), mailbox(to=cast.alice)
    assert "Rules: Tell issue owners about new issues and Everything in pay" in mine.text
    assert "Rule: Everything in pay" in other.text
    flat = " ".join(mine.text.split())
    assert "the alert rule “Everything in pay” fired: the alert rule “Everything in pay” sends to" not in flat
    assert "/mute-rule/" in flat
    assert flat.count("Mute the rule") == 2


def test_an_assignment_by_its_owners_line_comes_with_the_alert(cast, make, at, run_jobs, told, mailbox):
    make.owners(cast.shop, f"path:src/* {cast.bob.email}", auto_assign=True)
    at("src/a.py")
    run_jobs()
    assert told("alert.new") == ["bob"]
    [mail] = mailbox(to=cast.bob)
    flat = " ".join(mail.text.split())
    assert f"It was assigned to you: issue owners line 1, path:src/* {cast.bob.email}." in flat
    assert "Also because this issue is assigned to you." in flat


# Addresses


def test_a_project_may_go_to_another_address_until_that_is_gone(
    cast, make, at, run_jobs, mailbox, session, smtp_server
):
    home = EmailAddress(user_id=cast.bob.id, address="bob@home.example.org", verified_at=make.now)
    session.add(home)
    session.flush()
    session.add(EmailRoute(user_id=cast.bob.id, project_id=cast.shop.id, address_id=home.id))
    at("src/a.py")
    run_jobs()
    assert "bob@home.example.org" in {mail.to for mail in mailbox()}
    session.delete(home)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    at("src/b.py", "ValueError: price")
    run_jobs()
    assert mailbox()[-1].to != "bob@home.example.org"
    assert len(mailbox(to=cast.bob)) == 1


def first(session):
    return session.scalars(select(AlertRule).order_by(AlertRule.id)).first()


def required(session, cast, now=NOON):
    """A rule that Alice made required, as its page does it."""
    owners = {"id": "mail", "target": "owners", "targetId": None, "fallback": "project"}
    content = Content(
        "Payments down", [{"id": "first_seen"}], [owners], required_reason="somebody has to look"
    )
    return ruling.create(session, cast.shop, content, by=cast.alice, via="page", now=now)


# What else says so


@pytest.mark.parametrize("who", ["bob", "cy"])
def test_all_views_say_the_same_of_an_owner_and_of_everybody_else(
    who, cast, make, at, run_jobs, session, as_user, app
):
    make.owners(cast.shop, f"path:src/* {cast.bob.email}")
    at("src/a.py")
    run_jobs()
    notice, person = the_notice(session), getattr(cast, who)
    options = ["--issue", "SHOP-1", "--user", person.email, "--json"]
    asked = app.test_cli_runner().invoke(args=["notices", "why", *options])
    [reply] = json.loads(asked.output)["answers"]
    words = as_user(person).page(f"/notices/{notice.public_id}/").text
    assert "1 member of Shop, because the rule tells the issue’s owners: issue owners line 1" in words
    assert "version 1 of the rule" in words
    if who == "bob":
        because = f"ssue owners line 1, path:src/* {cast.bob.email}, names"
        assert f"I{because} you." in words
        assert f"i{because} them." in reply["sentence"]
    else:
        assert (reply["answer"], reply["code"]) == ("refused", None)
        assert reply["sentence"] == "The rule told others: the issue’s owners: issue owners line 1."


def test_a_preview_asks_rules_and_owners_of_an_error_like_the_newest(cast, make, at, run_jobs, as_user):
    at("src/a.py")
    run_jobs()
    make.owners(cast.shop, f"path:src/* {cast.bob.email}")
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0
    make.session.commit()
    address = f"/settings/account/notifications/what-if?kind=alert.new&project={cast.shop.id}"
    mine, other = (as_user(each).page(address).text for each in (cast.bob, cast.cy))
    because = f"email at once, because issue owners line 1, path:src/* {cast.bob.email}, names you."
    assert because in mine
    assert "Asked of an error like SHOP-1, the newest one." in mine
    assert f"no email. “{USUAL}” would tell others." in other


def test_without_a_rule_that_fires_a_preview_says_so(cast, make, the_rule, as_user):
    the_rule(is_active=False)
    make.session.commit()
    address = f"/settings/account/notifications/what-if?kind=alert.new&project={cast.shop.id}"
    assert "no email. No alert rule fires for it." in as_user(cast.bob).page(address).text


# Where nobody owns it


SET_OWNER = "Set an owner for errors like this"


def test_whoever_looks_after_the_project_is_shown_where_to_set_an_owner_where_nobody_is_one(
    cast, at, run_jobs, mailbox, as_user
):
    at("src/pay/a.py")
    run_jobs()
    [to_alice], [to_bob] = mailbox(to=cast.alice), mailbox(to=cast.bob)
    address = "settings/issue-owners/?add=path%3Asrc%2Fpay%2F%2A"
    assert re.search(rf"{SET_OWNER}: \S*/acme/shop/{re.escape(address)}", to_alice.text)
    assert f'{address}">{SET_OWNER}</a>' in to_alice.html
    assert SET_OWNER not in to_bob.text + to_bob.html
    page = as_user(cast.alice).get(f"/acme/shop/{address}").text
    assert "path:src/pay/* </textarea>" in page


NOT_SHOWN = {
    "an owner was told": ("src/* alice@example.org", mail("owners")),
    "nobody has the issue": ("", mail("assignee", fallback="all")),
    "a team was named": ("", "team"),
}


@pytest.mark.parametrize(("lines", "action"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_an_owner_is_not_asked_for_where_none_was_missed(
    cast, make, at, run_jobs, mailbox, the_rule, lines, action
):
    make.owners(cast.shop, lines)
    the_rule(mail("team", cast.team.id) if action == "team" else action)
    at("src/pay/a.py")
    run_jobs()
    [sent] = mailbox(to=cast.alice)
    assert SET_OWNER not in sent.text + sent.html


def test_the_way_to_an_owner_tells_nothing_of_the_error_where_mails_may_not(
    cast, at, run_jobs, mailbox, session
):
    cast.acme.enhanced_privacy = True
    session.flush()
    at("src/pay/a.py")
    run_jobs()
    [sent] = mailbox(to=cast.alice)
    assert re.search(rf"{SET_OWNER}: \S*/acme/shop/settings/issue-owners/\s", sent.text)
    assert "src" not in sent.text
