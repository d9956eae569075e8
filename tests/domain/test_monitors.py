"""What clients say of jobs: settings and check-ins, and what follows for how a job stands."""

import json

import pytest

from app.domain import check_ins, monitors
from app.domain.monitors import FAILING, OK, WAITING, Config, Standing
from app.domain.rejections import Malformed
from app.domain.schedules import Schedule

NIGHTLY = Schedule("crontab", "0 3 * * *", "Europe/Berlin")
KNOWN = Config(NIGHTLY, margin=5, max_runtime=60, failures=2, recoveries=3)
CRON = {"type": "crontab", "value": "0 4 * * *"}

CONFIGS = {
    "all of it": (
        {
            "schedule": {"type": "interval", "value": 2, "unit": "hour"},
            "timezone": "Asia/Tokyo",
            "checkin_margin": 1,
            "max_runtime": 2,
            "failure_issue_threshold": 3,
            "recovery_threshold": 4,
        },
        Config(Schedule("interval", "2 hour", "Asia/Tokyo"), 1, 2, 3, 4),
        0,
    ),
    "what is left out stays": (
        {"schedule": CRON},
        Config(Schedule("crontab", "0 4 * * *", "Europe/Berlin"), 5, 60, 2, 3),
        0,
    ),
    "nulls are left out": ({"schedule": None, "checkin_margin": None, "timezone": None}, KNOWN, 0),
    "a text is a crontab": (
        {"schedule": "0 4 * * *"},
        Config(Schedule("crontab", "0 4 * * *", "Europe/Berlin"), 5, 60, 2, 3),
        0,
    ),
    "an older form": (
        {"schedule_type": "interval", "schedule": [3, "day"]},
        Config(Schedule("interval", "3 day", "Europe/Berlin"), 5, 60, 2, 3),
        0,
    ),
    "a bad schedule": ({"schedule": {"type": "crontab", "value": "x"}}, KNOWN, 1),
    "a bad zone": ({"schedule": CRON, "timezone": "Mars/Base"}, KNOWN, 1),
    "bad numbers": ({"checkin_margin": "5", "max_runtime": -1, "recovery_threshold": True}, KNOWN, 3),
    "huge numbers": ({"failure_issue_threshold": 10**30, "checkin_margin": 5.5}, KNOWN, 2),
    "junk for a schedule": ({"schedule": [1, 2, 3]}, KNOWN, 1),
    "no object": ([], KNOWN, 1),
}


@pytest.mark.parametrize(("given", "config", "notes"), CONFIGS.values(), ids=CONFIGS)
def test_of_settings_that_are_sent_whatever_can_be_used_holds(given, config, notes):
    found, said = monitors.read_config(given, KNOWN)
    assert (found, len(said)) == (config, notes)


SLUGS = {
    "nightly-backup": "nightly-backup",
    "Nightly Backup!": "nightly-backup",
    "Übersicht_2": "ubersicht_2",
    "a" * 80: "a" * 50,
    "new": "new-job",
    "🛎️": "",
    "--": "",
}


@pytest.mark.parametrize(("text", "slug"), SLUGS.items())
def test_a_slug_is_made_of_what_is_plain_in_a_name(text, slug):
    assert monitors.slug_of(text) == slug


STEPS = {
    "one failure is enough": (Config(NIGHTLY), "f", [FAILING]),
    "and one success ends it": (Config(NIGHTLY), "fs", [FAILING, OK]),
    "failures must follow each other": (Config(NIGHTLY, failures=2), "fsff", [WAITING, OK, OK, FAILING]),
    "successes too": (
        Config(NIGHTLY, recoveries=2),
        "fsfss",
        [FAILING, FAILING, FAILING, FAILING, OK],
    ),
}


@pytest.mark.parametrize(("config", "steps", "states"), STEPS.values(), ids=STEPS)
def test_it_fails_and_recovers_with_as_many_in_a_row_as_it_asks_for(config, steps, states):
    standing, seen = Standing(), []
    for step in steps:
        standing = standing.after_failure(config) if step == "f" else standing.after_success(config)
        seen.append(standing.status)
    assert seen == states


UNREADABLE = [
    b"",
    b"[]",
    b"{",
    b'{"status":"ok"}',
    b'{"monitor_slug":"x"}',
    b'{"monitor_slug":"x","status":"missed"}',
    b'{"monitor_slug":7,"status":"ok"}',
    b'{"monitor_slug":"x","status":["ok"]}',
]


@pytest.mark.parametrize("payload", UNREADABLE)
def test_nothing_is_made_of_nonsense(payload):
    assert check_ins.read(payload) is None


MEMBERS = {
    "seconds": ({"duration": 1.5}, "duration", 1500),
    "seconds as text": ({"duration": "2"}, "duration", 2000),
    "no time": ({"duration": -1}, "duration", None),
    "no number": ({"duration": {}}, "duration", None),
    "endless": ({"duration": 1e300}, "duration", check_ins.LONGEST_DURATION),
    "dashes": (
        {"check_in_id": "83a7c03e-d0ff-4063-97e2-e2be3ee1c4bd"},
        "key",
        "83a7c03ed0ff406397e2e2be3ee1c4bd",
    ),
    "no id": ({"check_in_id": "7"}, "key", None),
    "an environment": ({"environment": "eu-1"}, "environment", "eu-1"),
    "no environment": ({"environment": "a/b"}, "environment", "production"),
    "a long one": ({"environment": "x" * 65}, "environment", "production"),
    "a release": ({"release": "jobs@1"}, "release", "jobs@1"),
    "no release": ({"release": ["a"]}, "release", ""),
}


@pytest.mark.parametrize(("members", "name", "value"), MEMBERS.values(), ids=MEMBERS)
def test_what_makes_no_sense_in_a_check_in_is_as_if_it_were_not_said(members, name, value):
    found = check_ins.read(json.dumps({"monitor_slug": "x", "status": "ok", **members}).encode())
    assert getattr(found, name) == value


REQUESTS = {
    "nothing said": ("", b"", {"status": "ok"}),
    "query": (
        "status=error&duration=3&environment=eu",
        b"",
        {"status": "error", "duration": "3", "environment": "eu"},
    ),
    "form": ("", b"status=in_progress", {"status": "in_progress"}),
    "json": (
        "",
        b'{"status":"error","monitor_config":{"a":1}}',
        {"status": "error", "monitor_config": {"a": 1}},
    ),
    "the query goes first": ("status=ok", b'{"status":"error"}', {"status": "ok"}),
    "unknown members": ("status=ok&monitor_slug=other&x=y", b"", {"status": "ok"}),
}


@pytest.mark.parametrize(("query", "body", "said"), REQUESTS.values(), ids=REQUESTS)
def test_a_check_in_by_address_says_what_an_sdk_would(query, body, said):
    assert check_ins.from_request("job", query, body) == {"monitor_slug": "job", **said}


@pytest.mark.parametrize(
    ("slug", "query", "body"),
    [("job", "status=fine", b""), ("!", "", b""), ("job", "check_in_id=7", b""), ("job", "", b"{")],
)
def test_a_person_is_told_what_is_wrong_with_an_address(slug, query, body):
    with pytest.raises(Malformed):
        check_ins.from_request(slug, query, body)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0 ms"), (350, "350 ms"), (12_000, "12 s"), (250_000, "4 min 10 s"), (7_500_000, "2 h 5 min")],
)
def test_how_long_a_run_took_is_told_in_its_two_largest_units(milliseconds, words):
    assert check_ins.length(milliseconds) == words
