"""The engine beneath all integrations, with a channel that pages: opened once, closed once, in order."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.channels import CHANNELS
from app.channels.base import Answer
from app.channels.base import Outcome as Came
from app.domain.routing import Outcome
from app.models import Attempt, Delivery, Destination, DestinationIssue, Issue, Notice, TeamMember, Verdict
from app.services.integrations import connecting, destinations
from app.services.integrations.connecting import Vault, Wishes
from app.services.sealing import Seal
from tests.support.pager import Pager
from tests.support.receiver import answer, hang_up

pytestmark = pytest.mark.both_databases

LATER = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def at_once(cast):
    """Mails of the project do not wait for each other."""
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0


@pytest.fixture
def pager(cast, session, settings, receiver, monkeypatch, now) -> Destination:
    """Pages for new issues. Nobody has to switch on that it is told of resolutions."""
    monkeypatch.setitem(CHANNELS, "pager", Pager)
    vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
    wishes = Wishes("Pager", ["new", "regression", "again"], {"url": receiver.url, "key": "open-sesame-1234"})
    made, _ = connecting.add(session, cast.shop, "pager", wishes, vault, by=cast.alice, now=now)
    return made


@pytest.fixture
def pages(receiver):
    def look():
        return [json.loads(request.body)["action"] for request in receiver.taken]

    return look


@pytest.fixture
def the_issue(session):
    def look():
        session.commit()
        return session.scalars(select(Verdict).where(Verdict.subject == "destination")).first().notice.issue

    return look


@pytest.fixture
def standing(session):
    def look():
        session.commit()
        return session.scalar(select(DestinationIssue).execution_options(populate_existing=True))

    return look


def test_what_was_opened_is_closed_though_nobody_asked_for_it(
    cast, make, pager, report, run_jobs, pages, acts, the_issue, receiver
):
    make.rule_to(pager)
    report()
    run_jobs()
    acts.resolve(the_issue(), by=cast.bob)
    run_jobs()
    assert pages() == ["trigger", "resolve"]
    opened, closed = (json.loads(request.body) for request in receiver.taken)
    assert opened["key"] == closed["key"]
    assert (opened["was"], closed["was"]) == (None, "T-1")


def test_what_was_never_opened_is_not_closed(cast, pager, issue, acts, run_jobs, pages, session):
    acts.resolve(issue, by=cast.bob)
    run_jobs()
    assert pages() == []
    session.commit()
    assert session.scalar(select(Verdict).where(Verdict.subject == "destination")) is None


@pytest.mark.parametrize(
    "way",
    [
        lambda acts, issue, other, by: acts.ignore(issue, by=by),
        lambda acts, issue, other, by: acts.bulk([issue], "delete", by=by, sure="yes"),
        lambda acts, issue, other, by: acts.bulk([issue], "discard", by=by, sure="yes"),
        lambda acts, issue, other, by: acts.bulk([issue, other], "merge", by=by, sure="yes"),
    ],
    ids=["ignored", "deleted", "discarded", "merged into another"],
)
def test_what_was_opened_is_closed_however_the_issue_leaves(
    way, cast, make, pager, report, run_jobs, pages, acts, the_issue, receiver
):
    make.rule_to(pager)
    report()
    run_jobs()
    other = make.issue(cast.shop, title="Bigger: one", events=9)
    way(acts, the_issue(), other, cast.alice)
    run_jobs.sweep(after=LATER)
    assert pages() == ["trigger", "resolve"]
    opened, closed = (json.loads(request.body) for request in receiver.taken)
    assert opened["key"] == closed["key"]


def test_a_merge_closes_nothing_of_the_issue_that_stays(
    cast, make, pager, report, run_jobs, pages, acts, the_issue
):
    make.rule_to(pager)
    report()
    run_jobs()
    the_issue().times_seen = 5
    small = make.issue(cast.shop, title="Smaller: one")
    acts.bulk([the_issue(), small], "merge", by=cast.alice, sure="yes")
    run_jobs.sweep(after=LATER)
    assert pages() == ["trigger"]


@pytest.mark.parametrize("leaves", ["ignore", "delete"])
def test_of_what_only_integrations_are_told_no_person_is(
    leaves, cast, make, pager, issue, acts, run_jobs, session, mailbox
):
    """And where there is no integration, there is not even a notice."""
    acts.ignore(issue, by=cast.bob) if leaves == "ignore" else acts.bulk(
        [issue], "delete", by=cast.bob, sure="yes"
    )
    run_jobs.sweep(after=LATER)
    session.commit()
    assert mailbox() == []
    assert set(session.scalars(select(Verdict.subject))) <= {"destination"}
    [notice] = session.scalars(select(Notice).where(Notice.kind.in_(["ignored", "deleted"])))
    assert notice.planned_at is not None


def test_a_project_without_integrations_makes_no_notice_for_them(cast, issue, acts, session):
    acts.ignore(issue, by=cast.bob)
    session.commit()
    assert session.scalars(select(Notice)).all() == []


def test_closed_while_it_is_still_to_be_opened_neither_is_sent(
    cast, make, pager, report, run_jobs, receiver, pages, acts, the_issue, session
):
    """The provider was down and certainly took nothing; the issue is resolved by now."""
    make.rule_to(pager)
    receiver.script(answer(500))
    report()
    run_jobs()
    acts.resolve(the_issue(), by=cast.bob)
    run_jobs()
    run_jobs.sweep(after=LATER)
    session.commit()
    states = session.scalars(select(Delivery.state).where(Delivery.destination_id == pager.id)).all()
    assert states[0] == "cancelled"
    assert pages()[0] == "trigger"
    assert pages().count("trigger") == 1


def test_what_may_have_been_opened_is_closed(
    cast, make, pager, report, run_jobs, receiver, pages, acts, the_issue, standing
):
    """The connection was cut after the page was sent: nobody knows whether it rang."""
    make.rule_to(pager)
    receiver.script(hang_up)
    report()
    run_jobs()
    assert standing().is_open
    acts.resolve(the_issue(), by=cast.bob)
    run_jobs()
    run_jobs.sweep(after=LATER)
    assert pages() == ["trigger", "resolve"]


def test_what_is_refused_as_it_is_goes_out_once_more_in_a_bare_form(
    cast, make, pager, report, run_jobs, receiver, session
):
    make.rule_to(pager)
    receiver.script(answer(422))
    report()
    run_jobs()
    run_jobs.sweep(after=timedelta(seconds=1))
    full, bare = (json.loads(request.body) for request in receiver.taken)
    assert "title" in full
    assert "title" not in bare
    session.refresh(pager)
    assert pager.state == "ok"


def test_a_fault_of_ours_never_switches_anything_off(
    cast, make, pager, report, run_jobs, receiver, session, standing, mailbox
):
    make.rule_to(pager)
    receiver.usual = answer(400)
    for number in range(6):
        report(f"Error{number}: cart")
    run_jobs()
    run_jobs.sweep(after=timedelta(hours=2))
    session.commit()
    session.refresh(pager)
    assert pager.state == "ok"
    assert not standing().is_open
    states = session.scalars(select(Delivery.state).where(Delivery.destination_id == pager.id)).all()
    assert set(states) == {"failed"}
    assert len([mail for mail in mailbox(to=cast.alice) if mail["X-Tocsin-Kind"] == "alert.new"]) == 6


def test_a_doubtful_answer_is_believed_after_five_in_an_hour(
    cast, make, pager, report, run_jobs, receiver, session
):
    make.rule_to(pager)
    receiver.usual = answer(401)
    report()
    run_jobs()
    for minutes in (5, 20, 50, 120):
        session.refresh(pager)
        assert pager.enabled
        run_jobs.sweep(after=timedelta(minutes=minutes))
        session.commit()
    run_jobs.sweep(after=timedelta(minutes=300))
    session.commit()
    session.refresh(pager)
    assert not pager.enabled


def test_two_workers_send_a_message_once(cast, make, pager, report, run_jobs, app, session, receiver):
    from app.jobs import notify, post
    from app.models import Notice
    from tests.support.threads import at_once

    make.rule_to(pager)
    for number in range(4):
        report(f"Error{number}: cart")
    run_jobs.digest()
    session.commit()
    with app.app_context():
        notify.run(*session.scalars(select(Notice.id)))
    session.commit()
    at_once(app, post.run, [pager.id])
    run_jobs()
    assert len(receiver.taken) == 4


@pytest.fixture
def says(monkeypatch):
    """`says(answer)`: what comes of each message to the pager."""
    return lambda said: monkeypatch.setattr(Pager, "send", lambda *_, **__: said)


@pytest.mark.parametrize("came", [Came.DELIVERED, Came.BROKEN])
def test_the_issue_says_whether_the_pager_was_told(cast, make, pager, report, run_jobs, says, session, came):
    make.rule_to(pager)
    says(Answer(came, "200", "fine"))
    session.execute(delete(TeamMember))
    report()
    run_jobs()
    assert session.scalars(select(Issue.told)).all() == [came is Came.DELIVERED]


def tried(session, pager):
    session.commit()
    session.refresh(pager)
    found = select(Attempt.code, Attempt.response, Delivery.state).join(Delivery)
    return [tuple(row) for row in session.execute(found.where(Delivery.destination_id == pager.id))]


def test_what_its_service_repeats_of_a_secret_is_masked(cast, make, pager, report, run_jobs, says, session):
    make.rule_to(pager)
    says(Answer(Came.BROKEN, "403", "open-sesame-1234?", advice="No: open-sesame-1234"))
    report()
    run_jobs()
    assert tried(session, pager) == [("403", "••••1234?", "failed")]
    assert pager.detail == "No: ••••1234"


def test_an_answer_with_signs_that_no_database_keeps_is_recorded_without_them(
    cast, make, pager, report, run_jobs, says, session
):
    make.rule_to(pager)
    wild = "a\x00b\ud800\x1b[2J\nc"
    references = {"ticket": wild, "more": [{wild: wild}]}
    changes = {"nickname": wild}
    says(Answer(Came.DELIVERED, wild[:2], wild, wild, advice=wild, references=references, changes=changes))
    report()
    run_jobs()
    clear = "ab?[2J\nc"
    assert tried(session, pager) == [("a", clear, "accepted")]
    assert (pager.settings["nickname"], pager.detail) == (clear, clear)
    standing = session.scalar(select(DestinationIssue))
    assert standing.references == {"ticket": clear, "more": [{clear: clear}]}


def test_what_arrived_is_not_sent_again_although_its_answer_cannot_be_recorded(
    cast, make, pager, report, run_jobs, says, session
):
    make.rule_to(pager)
    says(Answer(Came.DELIVERED, "200", "fine", references={"ticket": object()}))
    report()
    run_jobs()
    [(code, response, state)] = tried(session, pager)
    assert (code, state) == ("record", "accepted")
    assert response.startswith("Tocsin could not keep the answer")


def test_secrets_under_a_key_that_is_gone_fail_and_switch_nothing_off(
    cast, make, pager, report, run_jobs, session, receiver
):
    make.rule_to(pager)
    session.refresh(pager)
    pager.secrets = Seal(["another key of sixteen"]).close({"key": "x"})
    report()
    run_jobs()
    session.commit()
    session.refresh(pager)
    assert pager.state == "failing"
    assert "CREDENTIAL_KEYS" in pager.detail
    assert receiver.taken == []


def test_keys_are_changed_by_encrypting_anew(cast, pager, session, settings):
    from app.services.integrations import channel_settings

    session.commit()
    before = pager.secrets
    old = settings.credential_keys[0]
    channel_settings.reseal(session, Seal([old]))
    assert pager.secrets == before
    channel_settings.reseal(session, Seal(["a new key of sixteen", old]))
    assert pager.secrets != before
    assert Seal(["a new key of sixteen"]).open(pager.secrets)["key"] == "open-sesame-1234"


def test_those_that_want_a_kind(cast, make, pager, hook, issue, session):
    def told(kind):
        notice = make.notice(issue, kind)
        answers = destinations.decide(session, [notice], {})[notice]
        return [each.destination for each in answers if each.outcome == Outcome.SEND]

    assert destinations.enabled(session, cast.shop.id) == [hook, pager]
    assert told("comment") == [hook]
    assert told("alert.new") == []
    assert told("resolved") == [hook]
    session.add(
        DestinationIssue(
            destination_id=pager.id,
            lane=issue.id,
            is_open=True,
            is_dropped=False,
            references={},
            changed_at=make.now,
        )
    )
    assert told("resolved") == [hook, pager]


def test_a_dedup_key_is_one_for_an_issue_and_differs_between_instances(session):
    from app.services.integrations import messages

    first = messages.instance_name(session, "https://a.example.org")
    assert messages.instance_name(session, "https://a.example.org") == first
    assert messages.instance_name(session, "https://b.example.org") != first
