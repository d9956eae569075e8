"""First now, rest together: how often alerts come, to the minute. Cases 93 to 98 of the specification."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import now
from app.jobs import digests, notify
from app.models import AlertPace, Delivery, Digest, Issue, Notice, Verdict
from app.services.calm import quieting
from app.services.issues import resolving
from app.services.issues.timeline import Batch
from app.services.notices import explaining, notifying
from app.services.preferences import muting, preferring
from tests.support.dying import survives
from tests.support.jobs import Jobs
from tests.support.telling import TELLS
from tests.support.threads import at_once

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INSTANCE = preferring.Defaults({})


def moment(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


class Day:
    """A clock that stands still until somebody says how late it is, in minutes after nine."""

    def __init__(self, report, run_jobs: Jobs) -> None:
        self.report, self.run_jobs = report, run_jobs

    def at(self, minute: float, *titles: str, **members) -> None:
        """These errors happen then, and all is done that is due by then."""
        with time_machine.travel(moment(minute), tick=False):
            for title in titles:
                self.report(title, **members)
            self.run_jobs()
            swept = self.run_jobs.app.test_cli_runner().invoke(args=["sweep"])
        assert swept.exit_code == 0, swept.output


@pytest.fixture
def day(report, run_jobs):
    return Day(report, run_jobs)


@pytest.fixture
def alone(cast, session):
    """Bob is the only member of shop."""
    for person in (cast.alice, cast.cy):
        person.is_active = False
    session.commit()
    return cast.bob


@pytest.fixture
def noisy(make, shop):
    """A rule that fires for every event."""
    return make.rule(shop, "Everything", conditions=[{"id": "every_event"}], frequency_minutes=0)


@pytest.fixture
def subjects(mailbox, cast):
    """The subjects of what arrived at a person, in their order."""
    return lambda person: [mail.subject for mail in mailbox(to=person)]


@pytest.fixture
def verdicts(session):
    """What was decided about a person: outcome, code, and the state of what told them."""

    def look(person):
        session.commit()
        found = select(Verdict.outcome, Verdict.code, Delivery.state).outerjoin(Delivery, TELLS)
        found = found.where(Verdict.subject == "user", Verdict.subject_id == person.id).order_by(Verdict.id)
        return [tuple(row) for row in session.execute(found)]

    return look


TOLD, HELD = ("send", "send", "accepted"), ("defer", "batched", None)
TOGETHER = ("defer", "batched", "accepted")


# The cases


def test_93_the_first_alert_comes_at_once_and_alone(alone, day, subjects, verdicts):
    day.at(0, "KeyError: one")
    assert subjects(alone) == ["SHOP-1 - KeyError: one"]
    assert verdicts(alone) == [TOLD]


def test_94_each_alert_that_waits_puts_the_rest_off_by_half_a_minute(
    alone, shop, day, mailbox, session, verdicts
):
    shop.digest_minimum, shop.digest_maximum = 5, 30
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    session.commit()
    assert session.scalar(select(Digest.send_at)) == moment(6)
    day.at(5.95)
    assert len(mailbox(to=alone)) == 1
    day.at(6)
    [_, mail] = mailbox(to=alone)
    assert mail.subject == "2 more issues in Shop · 09:00 to 09:06"
    assert verdicts(alone) == [TOLD, TOGETHER, TOGETHER]


def test_95_an_alert_every_ten_seconds_cannot_put_it_off_for_ever(alone, make, shop, day, mailbox, session):
    shop.digest_minimum, shop.digest_maximum = 5, 30
    day.at(0, "KeyError: one")
    for second in range(10, 1800, 10):
        at = moment(second / 60)
        notice = make.notice(make.issue(shop), "alert.again", occurred_at=at)
        notifying.plan(session, [notice.id], now=at, instance=INSTANCE)
    session.commit()
    day.at(29.95)
    assert len(mailbox(to=alone)) == 1
    day.at(30)
    [_, mail] = mailbox(to=alone)
    assert mail.subject == "179 more issues in Shop · 09:00 to 09:30"
    listed = len(re.findall("Unsubscribe from SHOP", mail.text))
    assert 20 <= listed <= 50
    assert f"and {179 - listed} more" in mail.text


@pytest.mark.usefixtures("noisy")
def test_96_two_alerts_of_one_issue_are_the_usual_mail_for_the_later_event(alone, shop, day, mailbox):
    shop.digest_minimum = shop.digest_maximum = 5
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: earlier")
    day.at(2, "ValueError: later")
    day.at(5)
    [_, mail] = mailbox(to=alone)
    assert mail["X-Tocsin-Kind"] == "alert.again"
    assert mail.subject == "SHOP-2 - ValueError: earlier"  # the thread's
    assert "later" in mail.text
    assert all(rule in mail.text for rule in ("Everything", "Tell issue owners about new issues"))


def test_97_of_two_issues_the_one_that_was_resolved_meanwhile_is_left_out(
    alone, day, mailbox, session, verdicts
):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    _resolve(session, "SHOP-2", alone)
    day.at(5)
    [_, mail] = mailbox(to=alone)
    assert (mail.subject, mail["X-Tocsin-Kind"]) == ("SHOP-3 - TypeError: three", "alert.new")
    assert ("skip", "no_longer_open", None) in verdicts(alone)


def test_97_if_both_were_resolved_nothing_is_sent_and_the_next_alert_is_a_first_one(
    alone, day, mailbox, session
):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    for name in ("SHOP-2", "SHOP-3"):
        _resolve(session, name, alone)
    day.at(5)
    assert len(mailbox(to=alone)) == 1
    day.at(5.5, "RuntimeError: four")
    assert len(mailbox(to=alone)) == 2


def _resolve(session, short_id, by):
    issue = session.scalars(select(Issue).where(Issue.short_id == short_id)).one()
    issue.status, issue.resolved_at = "resolved", now()
    session.commit()


def test_98_each_gets_what_is_theirs(cast, make, shop, day, subjects):
    line = "tags.part:{} {}"
    raw = [line.format("one", "alice@example.org"), line.format("*", "bob@example.org")]
    make.owners(shop, "\n".join(raw))
    day.at(0, "KeyError: zero", tags={"part": "one"})
    day.at(1, "ValueError: one", tags={"part": "one"})
    day.at(2, "TypeError: two", tags={"part": "two"})
    day.at(6)
    assert subjects(cast.alice) == ["SHOP-1 - KeyError: zero", "SHOP-2 - ValueError: one"]
    assert subjects(cast.bob) == ["SHOP-1 - KeyError: zero", "2 more issues in Shop · 09:00 to 09:06"]
    assert subjects(cast.cy) == []


# What is paced, and what is not


def test_the_window_never_stretches_by_default(alone, day, mailbox):
    day.at(0, "KeyError: one")
    for second in range(1, 5):
        day.at(second, f"Error{second}: more")
    day.at(5)
    assert [mail["Subject"] for mail in mailbox(to=alone)][1:] == ["4 more issues in Shop · 09:00 to 09:05"]


def test_after_a_digest_the_next_window_begins(alone, day, subjects):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    day.at(5)
    day.at(6, "RuntimeError: four")
    assert len(subjects(alone)) == 2
    day.at(10)
    assert subjects(alone)[2:] == ["SHOP-4 - RuntimeError: four"]
    day.at(15, "OSError: five")
    assert subjects(alone)[3:] == ["SHOP-5 - OSError: five"]


def test_a_project_at_zero_sends_every_alert_at_once(alone, make, shop, day, subjects):
    shop.digest_minimum = shop.digest_maximum = 0
    make.choice(alone, "batching", "60")
    day.at(0, "KeyError: one", "ValueError: two")
    assert len(subjects(alone)) == 2


def test_projects_have_windows_of_their_own(alone, cast, make, day, subjects):
    other = make.project(cast.acme, "pay", teams=[cast.team])
    day.at(0, "KeyError: one")
    day.at(1, "KeyError: one", project=other)
    assert subjects(alone) == ["SHOP-1 - KeyError: one", "PAY-1 - KeyError: one"]


def test_workflow_does_not_wait(alone, make, cast, day, acts, subjects, session):
    day.at(0, "KeyError: one")
    cast.alice.is_active = True
    issue = session.scalars(select(Issue)).one()
    with time_machine.travel(moment(1), tick=False):
        acts.comment(issue, "Have a look, please", by=cast.alice)
    day.at(1)
    assert len(subjects(alone)) == 2


def test_a_regression_that_carries_an_alert_comes_at_once(alone, day, mailbox, session):
    day.at(0, "KeyError: one")
    _resolve(session, "SHOP-1", alone)
    issue = session.scalars(select(Issue)).one()
    issue.resolved_at = moment(1)
    day.at(2, "KeyError: one")
    assert [mail["X-Tocsin-Kind"] for mail in mailbox(to=alone)] == ["alert.new", "regression"]


def test_the_same_event_and_two_rules_is_one_entry_that_names_both(alone, make, shop, day, mailbox, verdicts):
    make.rule(shop, "Second")
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    day.at(5)
    [_, mail] = mailbox(to=alone)
    assert "“Second” · 2 issues" in mail.text
    assert "“Tell issue owners about new issues” · 2 issues" in mail.text
    assert verdicts(alone)[2:] == [TOGETHER, ("collapse", "merged", None)] * 2


def test_two_rules_in_a_storm_are_one_storm(alone, make, shop, day, mailbox):
    make.rule(shop, "Second")
    day.at(0, *(f"Error{number}: more" for number in range(25)))
    assert sorted(mail["X-Tocsin-Kind"] for mail in mailbox(to=alone)) == ["alert.new", "storm"]


# A person's own window


def test_a_person_can_have_a_longer_window(alone, make, day, subjects):
    make.choice(alone, "batching", "15")
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    day.at(14)
    assert len(subjects(alone)) == 1
    day.at(15)
    assert subjects(alone)[1:] == ["2 more issues in Shop · 09:00 to 09:15"]


def test_a_window_that_is_made_shorter_ends_sooner(alone, make, day, subjects):
    make.choice(alone, "batching", "60")
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    make.choice(alone, "batching", None)
    day.at(5)
    assert len(subjects(alone)) == 2


def test_who_is_on_call_waits_for_nothing(alone, day, subjects, session):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    quieting.on_call(session, alone, moment(600), now=moment(2), via="web")
    day.at(2, "OSError: four")
    assert sorted(subjects(alone)) == [
        "2 more issues in Shop · 09:00 to 09:02",
        "SHOP-1 - KeyError: one",
        "SHOP-4 - OSError: four",
    ]


# What changed while it waited


def test_who_mutes_an_issue_meanwhile_is_not_told_of_it(alone, day, subjects, session, verdicts):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three", "OSError: four")
    muted = session.scalars(select(Issue).where(Issue.short_id == "SHOP-2")).one()
    muting.mute(session, muted, user=alone, until=moment(600), event_limit=None, now=moment(2))
    day.at(5)
    assert subjects(alone)[1:] == ["2 more issues in Shop · 09:00 to 09:05"]
    assert verdicts(alone)[1] == ("skip", "issue_muted", None)


def test_the_digest_says_what_is_not_in_it(alone, day, mailbox, session):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three", "OSError: four")
    _resolve(session, "SHOP-3", alone)
    day.at(5)
    text = " ".join(mailbox(to=alone)[1].text.split())
    assert "Not in this list: SHOP-1 (already sent on its own), SHOP-3 (resolved)." in text


def test_what_waits_as_quiet_hours_begin_waits_for_the_morning(alone, make, day, subjects, session, verdicts):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    with time_machine.travel(moment(3), tick=False):
        make.quiet_now(alone, begins=timedelta(0))
    day.at(5)
    assert len(subjects(alone)) == 1
    assert verdicts(alone)[1:] == [("defer", "quiet_hours", None)] * 2
    day.at(190)
    [_, subject] = subjects(alone)
    assert subject.startswith("While you were quiet: 2 issues")


def test_a_mail_server_that_is_down_loses_nothing(alone, day, smtp_server, subjects, verdicts):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    with smtp_server.down():
        day.at(5)
    day.at(20)
    assert subjects(alone)[1:] == ["2 more issues in Shop · 09:00 to 09:05"]
    assert verdicts(alone)[1:] == [TOGETHER] * 2


def test_of_very_many_the_older_ones_are_only_counted(alone, day, mailbox, monkeypatch, verdicts):
    monkeypatch.setattr("app.services.calm.holding.MOST_KEPT", 2)
    day.at(0, "KeyError: one")
    day.at(1, *(f"Error{number}: more" for number in range(5)))
    day.at(5)
    [_, mail] = mailbox(to=alone)
    assert mail.subject.startswith("2 more issues in Shop")
    assert "And 3 older alerts that are only counted" in mail.text
    assert verdicts(alone)[1:] == [("collapse", "batched", None)] * 3 + [TOGETHER] * 2


# What the mail says


def test_the_digest_counts_what_happened_in_its_time(alone, make, shop, day, mailbox):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three", *["TypeError: three"] * 3)
    day.at(5)
    [_, mail] = mailbox(to=alone)
    sections = [line for line in mail.text.splitlines() if "issues" in line and "“" in line]
    assert sections == ["“Tell issue owners about new issues” · 2 issues"]
    assert mail.text.index("TypeError: three") < mail.text.index("ValueError: two")
    assert "4 events · 1 user" in mail.text
    assert "Error · first seen 09:01, last seen 09:01 · assigned to nobody" in mail.text
    assert "shop.cart.checkout" in mail.text


def test_an_event_that_waited_its_turn_counts_for_its_entry(alone, shop, day, mailbox, report):
    shop.digest_minimum = shop.digest_maximum = 5
    with time_machine.travel(moment(-0.5), tick=False):
        for title in ("KeyError: one", "ValueError: two", "TypeError: three"):
            report(title)
    day.at(0)
    day.at(5)
    [_, mail] = mailbox(to=alone)
    assert "2 more issues in Shop" in mail.subject
    assert "0 events" not in mail.text
    assert mail.text.count("1 event · 1 user") == 2


def test_each_issue_of_it_can_be_left_alone(alone, day, mailbox, client, verdicts):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    day.at(5)
    links = dict(re.findall(r"Unsubscribe from (SHOP-\d): \S+?(/u/\S+)", mailbox(to=alone)[1].text))
    assert set(links) == {"SHOP-2", "SHOP-3"}
    answer = client.post(links["SHOP-2"], data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200


def test_a_project_that_sends_links_only_names_issues_and_nothing_of_them(alone, shop, day, mailbox):
    shop.mail_detail = "link"
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    day.at(5)
    [_, mail] = mailbox(to=alone)
    for said in ("ValueError", "shop.cart", "event ", "09:01"):
        assert said not in mail.text
    assert "SHOP-2" in mail.text


# The cap


@pytest.fixture
def told_a_lot(make, alone, shop, session):
    """Bob was sent thirty mails at nine."""
    issue = make.issue(shop)
    for _ in range(30):
        make.delivery(make.notice(issue, planned_at=NINE), alone, state="accepted", created_at=NINE)
    session.commit()
    return alone


@pytest.mark.usefixtures("told_a_lot")
def test_after_thirty_mails_within_an_hour_the_rest_comes_every_quarter(alone, shop, day, subjects, verdicts):
    shop.digest_minimum = shop.digest_maximum = 0
    day.at(1, "KeyError: one")
    day.at(10, "ValueError: two")
    assert subjects(alone) == []
    assert verdicts(alone)[-1] == ("defer", "recipient_cap", None)
    day.at(16)
    assert subjects(alone) == ["2 more messages · 09:01 to 09:16"]
    day.at(17, "TypeError: three")
    day.at(31)
    assert len(subjects(alone)) == 1
    day.at(32)
    assert len(subjects(alone)) == 2
    day.at(61, "OSError: four")
    assert subjects(alone)[2:] == ["SHOP-5 - OSError: four"]


@pytest.mark.usefixtures("told_a_lot")
def test_a_fatal_alert_passes_the_cap(alone, shop, day, subjects):
    shop.digest_minimum = shop.digest_maximum = 0
    day.at(1, "MemoryError: everything", level="fatal")
    assert len(subjects(alone)) == 1


@pytest.mark.usefixtures("told_a_lot")
def test_one_mail_less_is_not_too_much(alone, shop, day, session, subjects):
    session.delete(session.scalars(select(Delivery).limit(1)).one())
    session.commit()
    day.at(1, "KeyError: one", "ValueError: two")
    assert len(subjects(alone)) == 1


def test_alerts_that_waited_together_wait_on_if_there_was_too_much(
    alone, make, shop, day, subjects, session, verdicts
):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two", "TypeError: three")
    issue = make.issue(shop)
    for _ in range(30):
        make.delivery(make.notice(issue, planned_at=NINE), alone, state="accepted", created_at=moment(2))
    session.commit()
    day.at(5)
    assert verdicts(alone)[1:3] == [("defer", "recipient_cap", None)] * 2
    day.at(20)
    assert subjects(alone)[1:] == ["2 more messages · 09:05 to 09:20"]


@pytest.mark.usefixtures("told_a_lot")
def test_a_summary_of_one_action_waits_too(alone, cast, make, shop, day, subjects, session):
    cast.alice.is_active = True
    for _ in range(3):
        resolving.resolve(session, make.issue(shop), by=cast.alice, now=moment(1), batch=Batch("b_1"))
    session.commit()
    day.at(1)
    assert subjects(alone) == []
    day.at(16)
    assert subjects(alone) == ["3 more messages · 09:01 to 09:16"]


# What Explain says


@pytest.fixture
def lines(session, cast):
    """What the newest notice's page says about a person, as somebody reads it: `lines(bob, to=alice)`."""

    def look(person, *, to):
        session.commit()
        notice = session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).one()
        with time_machine.travel(moment(2), tick=False):
            explained = explaining.explain(session, notice, to, now=now())
        return next(line for line in explained.lines if line.person == person.name), explained.reach.sentence

    return look


def test_what_waits_says_until_when_and_why(alone, day, lines):
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two")
    line, reach = lines(alone, to=alone)
    assert line.decided_by == "Held until Mon 23 Nov 2026 09:05 UTC: batching, 5 min (project)."
    assert line.ladder[-1].question == "Alerts of the project sent just now?"
    assert line.ladder[-1].answer == "yes, until Mon 23 Nov 2026 09:05 UTC, 5 min (project)"
    assert reach == "Held 1 until 09:05"


def test_how_long_somebody_elses_own_window_is_only_admins_read(alone, cast, make, day, lines, session):
    make.choice(alone, "batching", "60")
    day.at(0, "KeyError: one")
    day.at(1, "ValueError: two")
    cast.cy.is_active = cast.alice.is_active = True
    assert "batching, 60 min (account)" in lines(alone, to=alone)[0].decided_by
    assert "batching, 60 min (account)" in lines(alone, to=cast.alice)[0].decided_by
    assert lines(alone, to=cast.cy)[0].decided_by == "Held until Mon 23 Nov 2026 10:00 UTC: batching."


@pytest.mark.usefixtures("told_a_lot")
def test_what_the_cap_holds_says_so(alone, shop, day, lines):
    shop.digest_minimum = shop.digest_maximum = 0
    day.at(1, "KeyError: one")
    line, reach = lines(alone, to=alone)
    assert line.decided_by.startswith("Held until Mon 23 Nov 2026 09:16 UTC: 30 messages within an hour")
    assert reach == "Held 1 until 09:16"


# Workers side by side, and killed


def test_two_workers_at_many_alerts_tell_first_of_one(cast, make, shop, app, run_jobs, told, session):
    ids = [make.notice(make.issue(shop)).id for _ in range(6)]
    session.commit()
    at_once(app, notify.run, ids)
    run_jobs()
    assert told() == ["alice", "bob", "cy"]
    session.commit()
    assert session.scalar(select(func.count()).where(Verdict.code == "batched")) == 15


def test_a_worker_that_is_killed_at_any_line_of_planning_makes_nobody_first_twice(
    alone, make, shop, app, run_jobs, told, session
):
    first, second = (make.notice(make.issue(shop)).id for _ in range(2))
    session.commit()
    for statements in range(100):
        if survives(app, notify.run, first, statements=statements):
            break
        session.commit()
        assert session.scalar(select(func.count()).select_from(AlertPace)) == 0
    assert statements > 10
    with app.app_context():
        notify.run(second)
    run_jobs()
    assert told() == ["bob"]


def test_a_worker_that_is_killed_at_any_line_of_sending_leaves_the_window_open(
    alone, make, shop, app, run_jobs, session, subjects
):
    for _ in range(3):
        make.notice(make.issue(shop))
    session.commit()
    run_jobs()
    [digest] = session.scalars(select(Digest))
    was = session.scalar(select(AlertPace.sent_at))
    session.execute(Digest.__table__.update().values(send_at=now()))
    session.commit()
    for statements in range(100):
        if survives(app, digests.run, digest.id, statements=statements):
            break
        session.commit()
        assert session.get_one(Digest, digest.id).closed_at is None
        assert session.scalar(select(AlertPace.sent_at)) == was
    assert statements > 10
    run_jobs()
    run_jobs.sweep()
    assert [subject.partition(" ·")[0] for subject in subjects(alone)][1:] == ["2 more issues in Shop"]


# Nobody is told twice of the first


def test_nothing_waits_for_somebody_who_was_told_of_nothing(cast, make, shop, day, session, subjects):
    """Alice muted the issue: its alert is not the first one for her."""
    day.at(0, "KeyError: one")
    make.choice(cast.alice, "alerts", "off")
    day.at(10, "ValueError: two")
    make.choice(cast.alice, "alerts", "on")
    day.at(11, "TypeError: three")
    assert len(subjects(cast.alice)) == 2
    session.commit()
    assert session.scalar(select(func.count()).select_from(Digest)) == 2
