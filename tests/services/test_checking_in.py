"""Check-ins kept, and what follows: who is missed, what fails, what rings, what recovers."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import CheckIn, Event, Issue, Monitor, MonitorEnvironment, Notice
from app.services.events import digesting, event_body
from app.services.events.digesting import Batch
from app.services.events.stream_entry import CHECK_IN, Entry
from app.services.monitors import checking_in, monitor_rows, monitoring
from app.services.monitors.monitoring import Wishes

pytestmark = pytest.mark.both_databases

HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "checkin_margin": 5, "max_runtime": 10}
TEN_MINUTES = {"schedule": {"type": "interval", "value": 10, "unit": "minute"}, "max_runtime": 30}
MINUTE = timedelta(minutes=1)
RUN, OTHER_RUN, LATEST = "a" * 32, "b" * 32, "0" * 32


DAILY = Wishes("Nightly", "crontab", "0 3 * * *", "UTC", "5", "30", "1", "1")


class Watched:
    """A project whose job checks in; `at` moves the clock, and with it the sweep."""

    def __init__(self, session, project, start: datetime):
        self.session, self.project, self.start = session, project, start
        self.now = start
        self.notices: list[int] = []

    def send(self, status="ok", *, slug="nightly", config=None, times=1, **members):
        said = {"monitor_slug": slug, "status": status, **members}
        if config:
            said["monitor_config"] = config
        name = f"{self.now.timestamp()} {said}"
        entry = Entry(self.project.id, CHECK_IN, self.now, json.dumps(said).encode(), event_id=key(name))
        made = digesting.digest(self.session, [entry] * times, now=self.now)
        self.notices += made.notice_ids

    def at(self, minutes: float):
        """So many minutes after the start: what is due by then is found."""
        self.now = self.start + minutes * MINUTE
        found = checking_in.lapse(self.session, self.now, now=self.now, most=100)
        self.notices += digesting.keep(self.session, Batch(reads=found.failures), now=self.now).notice_ids
        return self

    @property
    def statuses(self):
        return list(self.session.scalars(select(CheckIn.status).order_by(CheckIn.started_at, CheckIn.id)))

    @property
    def environment(self):
        self.session.flush()
        return self.session.scalars(select(MonitorEnvironment)).one()

    @property
    def issues(self):
        self.session.expire_all()
        return list(self.session.scalars(select(Issue).order_by(Issue.id)))

    @property
    def told(self):
        self.session.expire_all()
        return list(self.session.scalars(select(Notice.kind).order_by(Notice.id)))


def entry_of(watched, number, **said):
    """One of several that come in one batch."""
    body = json.dumps(said).encode()
    return Entry(watched.project.id, CHECK_IN, watched.now, body, event_id=key(f"entry {number}"))


def key(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def watched(session, cast, now):
    return Watched(session, cast.shop, now)


def test_a_missed_check_in_is_an_issue_that_rings(watched):
    watched.send(config=HOURLY)
    watched.at(64.9)
    assert (watched.statuses, watched.issues) == (["ok"], [])
    watched.at(65)
    assert watched.statuses == ["ok", "missed"]
    [issue] = watched.issues
    assert (issue.title, issue.culprit, issue.times_seen) == ("nightly is failing", "nightly", 1)
    assert "Missed check-in. Expected Fri 20 Nov 2026 13:00 UTC; nothing came within 5 min" in issue.message
    assert watched.told == ["alert.new"]
    assert len(watched.notices) == 1
    watched.at(125)
    [issue] = watched.issues
    assert (issue.times_seen, watched.told) == (2, ["alert.new"])


def test_what_runs_well_again_is_resolved_and_what_fails_again_is_a_regression(watched):
    watched.send(config=HOURLY)
    watched.at(70)
    watched.send()
    [issue] = watched.issues
    assert (issue.status, watched.told) == ("resolved", ["alert.new", "resolved"])
    watched.at(130)
    [issue] = watched.issues
    assert (issue.status, issue.times_seen) == ("unresolved", 2)
    assert sorted(watched.told) == ["alert.new", "regression", "resolved"]


def test_what_somebody_ignored_stays_ignored(watched, session):
    watched.send(config=HOURLY)
    watched.at(70)
    watched.issues[0].status = "ignored"
    session.flush()
    watched.send()
    assert watched.issues[0].status == "ignored"
    assert watched.environment.status == "ok"


@pytest.mark.parametrize("status", ["ok", "error"])
def test_a_run_is_paired_by_its_id(watched, status):
    watched.send("in_progress", config=HOURLY, check_in_id=RUN)
    watched.at(4)
    watched.send(status, check_in_id=RUN)
    [row] = watched.session.scalars(select(CheckIn))
    assert (row.status, row.duration) == (status, 4 * 60_000)
    assert len(watched.issues) == (status == "error")


def test_the_zero_id_stands_for_the_latest_open_run(watched):
    watched.send("in_progress", config=HOURLY, check_in_id=LATEST)
    watched.at(1)
    watched.send("in_progress", check_in_id=RUN)
    watched.at(2)
    watched.send("ok", check_in_id=LATEST, duration=1.5)
    assert watched.statuses == ["in_progress", "ok"]
    watched.at(3)
    watched.send("ok", check_in_id=LATEST)
    assert watched.statuses == ["ok", "ok"]


def test_a_run_without_an_end_times_out_and_its_late_end_changes_nothing(watched):
    watched.send("in_progress", config=HOURLY, check_in_id=RUN)
    watched.at(10)
    [issue] = watched.issues
    assert "Timed-out check-in. The run that started" in issue.message
    watched.at(12)
    watched.send("ok", check_in_id=RUN)
    [row] = watched.session.scalars(select(CheckIn))
    assert (row.status, row.duration) == ("timeout", 12 * 60_000)
    assert watched.environment.status == "failing"


def test_a_sign_of_life_puts_the_time_limit_off(watched):
    watched.send("in_progress", config=HOURLY, check_in_id=RUN)
    watched.at(9)
    watched.send("in_progress", check_in_id=RUN)
    watched.at(18)
    assert watched.statuses == ["in_progress"]
    watched.at(19)
    assert watched.statuses == ["timeout"]


def test_only_so_many_failures_in_a_row_are_an_issue_and_only_so_many_successes_its_end(watched):
    watched.send(config=HOURLY | {"failure_issue_threshold": 2, "recovery_threshold": 2})
    watched.at(1)
    watched.send("error")
    assert watched.issues == []
    watched.at(2)
    watched.send("error")
    assert [each.times_seen for each in watched.issues] == [1]
    watched.at(3)
    watched.send("ok")
    assert watched.issues[0].status == "unresolved"
    watched.at(4)
    watched.send("ok")
    assert watched.issues[0].status == "resolved"


def test_the_same_entry_read_twice_counts_once(watched):
    watched.send("error", config=HOURLY, times=2)
    watched.send("error", config=HOURLY)
    assert watched.statuses == ["error"]
    assert watched.environment.failures == 1
    assert [each.times_seen for each in watched.issues] == [1]


def test_what_is_digested_late_is_still_judged_by_when_it_came(watched):
    """The digester was away from 12:30 to 15:00: 13:00 was missed, 14:00 came in time."""
    watched.send(config=HOURLY)
    watched.now = watched.start + 121 * MINUTE
    watched.send()
    assert watched.statuses == ["ok", "missed", "ok"]
    assert watched.issues[0].status == "resolved"


def test_an_interval_counts_from_the_end_of_a_run(watched):
    watched.send("in_progress", config=TEN_MINUTES, check_in_id=RUN)
    watched.at(25)
    assert watched.statuses == ["in_progress"]
    watched.send("ok", check_in_id=RUN)
    watched.at(35)
    assert watched.statuses == ["ok"]
    watched.at(36)
    assert watched.statuses == ["ok", "missed"]


def test_each_environment_has_its_own_issue(watched):
    watched.send("error", config=HOURLY, environment="staging")
    watched.send("error", environment="production")
    assert len(watched.issues) == 2


def test_an_unknown_slug_is_remembered_and_nothing_is_expected_of_it(watched, session):
    watched.send("ok", slug="Nightly Backup!")
    watched.at(60 * 24 * 3)
    assert watched.issues == []
    monitor = session.scalars(select(Monitor)).one()
    assert (monitor.slug, monitor.name, monitor.schedule_kind) == ("nightly-backup", "Nightly Backup!", "")


def test_without_a_schedule_only_what_the_job_says_itself_is_a_failure(watched):
    watched.send("in_progress", check_in_id=RUN)
    watched.at(60 * 24 * 3)
    assert watched.statuses == ["timeout"]
    assert watched.issues == []
    watched.send("error")
    [issue] = watched.issues
    assert (issue.status, watched.told) == ("unresolved", ["alert.new"])
    watched.at(60 * 24 * 3 + 1)
    watched.send("ok")
    [issue] = watched.issues
    assert (issue.status, watched.told) == ("resolved", ["alert.new", "resolved"])


def test_the_title_of_its_issue_stays_true_whatever_fails_next(watched, session):
    watched.send("error", config=HOURLY)
    watched.at(65)
    watched.at(124)
    watched.send("in_progress", check_in_id=RUN)
    watched.at(134)
    bodies = [event_body.unpack(each) for each in session.scalars(select(Event.body).order_by(Event.id))]
    said = [each["logentry"]["formatted"].splitlines() for each in bodies]
    assert {watched.issues[0].title, *(title for title, _ in said)} == {"nightly is failing"}
    kinds = [sentences.partition(".")[0] for _, sentences in said]
    assert kinds == ["Failed check-in", "Missed check-in", "Timed-out check-in"]


def test_a_bad_configuration_is_noted_and_the_old_one_holds(watched, session):
    watched.send(config=HOURLY)
    watched.send(config={"schedule": {"type": "crontab", "value": "99 * * * *"}, "max_runtime": -3})
    monitor = session.scalars(select(Monitor)).one()
    assert monitor.schedule_text == "0 * * * *"
    assert monitor.max_runtime == 10
    assert len(monitor.notes) == 2
    watched.send(config=HOURLY)
    assert monitor.notes == []


@pytest.mark.parametrize("how", ["is_muted", "is_paused"])
def test_muted_and_paused_make_no_issue(watched, session, how):
    watched.send(config=HOURLY)
    monitor = session.scalars(select(Monitor)).one()
    setattr(monitor, how, True)
    watched.at(70)
    watched.send("error")
    assert watched.issues == []
    assert watched.statuses == (["ok", "missed", "error"] if how == "is_muted" else ["ok", "error"])


def test_of_many_that_were_missed_at_once_the_latest_are_kept(watched):
    watched.send(config={"schedule": {"type": "crontab", "value": "* * * * *"}})
    watched.at(60 * 24 * 30)
    assert watched.statuses.count("missed") == 10
    lost = watched.session.scalars(select(CheckIn.started_at).where(CheckIn.status == "missed"))
    assert sorted(lost) == [watched.now - minute * MINUTE for minute in range(10, 0, -1)]
    assert watched.environment.wake_at > watched.now


def test_what_goes_on_failing_is_an_event_once_an_hour(watched):
    watched.send("error", config=HOURLY)
    for minute in range(1, 120, 10):
        watched.at(minute)
        watched.send("error", environment="production")
    assert watched.statuses.count("error") == 13
    [issue] = watched.issues
    hours = {(watched.start + minute * MINUTE).hour for minute in range(1, 120, 10)}
    assert issue.times_seen == len(hours | {watched.start.hour})
    known = issue.times_seen
    watched.send("ok")
    watched.at(112)
    watched.send("error")
    assert watched.issues[0].times_seen == known + 1
    assert "regression" in watched.told


def test_of_settings_that_alternate_in_a_batch_the_last_hold(watched, session):
    several = [HOURLY, TEN_MINUTES] * 20 + [HOURLY | {"checkin_margin": 7}]
    entries = [
        entry_of(watched, number, monitor_slug="nightly", status="ok", monitor_config=config)
        for number, config in enumerate(several)
    ]
    digesting.digest(session, entries, now=watched.now)
    monitor = session.scalars(select(Monitor)).one()
    assert (monitor.schedule_text, monitor.margin, monitor.notes) == ("0 * * * *", 7, [])


def test_what_is_set_on_the_page_check_ins_may_not_change(watched, session):
    watched.send(config=HOURLY)
    monitor = session.scalars(select(Monitor)).one()
    watched.send(config=TEN_MINUTES)
    assert (monitor.schedule_kind, monitor.is_sent) == ("interval", True)
    assert "A check-in changed its settings Fri 20 Nov 2026" in monitor.notes[0]
    assert "At the start of every hour, UTC → Every 10 minutes; checkin_margin 5" not in monitor.notes[0]
    assert "At the start of every hour, UTC → Every 10 minutes; max_runtime 10 → 30" in monitor.notes[0]
    monitoring.change(session, monitor, DAILY, now=watched.now)
    assert (monitor.notes, monitor.is_sent) == ([], False)
    watched.send(config=TEN_MINUTES)
    assert (monitor.schedule_text, monitor.notes) == ("0 3 * * *", [monitor_rows.KEPT_AS_SET])
    assert watched.environment.expected_at.hour == 3
    monitoring.change(session, monitor, replace(DAILY, is_sent=True), now=watched.now)
    watched.send(config=TEN_MINUTES)
    assert monitor.schedule_text == "10 minute"


def test_check_ins_may_have_so_many_environments_watched_and_people_more(watched, session, monkeypatch):
    monkeypatch.setattr(monitor_rows, "MOST_WATCHED", 2)
    watched.send(config=HOURLY)
    watched.send(config=HOURLY, environment="staging")
    watched.send(config=HOURLY, environment="another")
    watched.send(config=HOURLY, slug="other")
    names = list(session.scalars(select(MonitorEnvironment.name)))
    assert sorted(names) == ["production", "production", "staging"]
    known, other = session.scalars(select(Monitor).order_by(Monitor.id))
    assert (known.notes, other.notes) == ([monitor_rows.TOO_MANY_WATCHED],) * 2
    assert other.schedule_kind == ""
    monitoring.change(session, other, DAILY, now=watched.now)
    watched.send(slug="other", environment="staging")
    assert len(list(session.scalars(select(MonitorEnvironment)))) == 4


def test_a_sweep_takes_no_more_environments_than_it_was_told(watched, session):
    for number in range(5):
        watched.send(config=HOURLY, environment=f"e{number}")
    later = watched.now + timedelta(hours=2)
    assert len(monitor_rows.due(session, later, 2)) == 2


def test_there_is_room_for_so_many_monitors_and_environments(watched, session, monkeypatch):
    monkeypatch.setattr(monitor_rows, "MOST_MONITORS", 1)
    monkeypatch.setattr(monitor_rows, "MOST_ENVIRONMENTS", 1)
    watched.send()
    watched.send(slug="another")
    watched.send(environment="staging")
    assert len(list(session.scalars(select(Monitor)))) == 1
    assert watched.statuses == ["ok"]
    assert "environments" in session.scalars(select(Monitor.notes)).one()[0]


def test_a_missed_check_in_is_found_once_however_often_somebody_looks(watched, session):
    watched.send(config=HOURLY)
    watched.at(65)
    watched.at(65)
    watched.environment.wake_at = watched.now
    watched.at(65.5)
    assert watched.statuses == ["ok", "missed"]
    assert len(list(session.scalars(select(Event)))) == 1
