"""Logs: a line a fact, and no secret in any of them."""

import json
import logging
import sys

import pytest

from app.logs import JsonLines, TextLines, without_secrets

SECRET = "0123456789abcdef0123456789abcdef"

LINES = {
    "a bearer": f"GET / Authorization: Bearer {SECRET}",
    "a bearer in a mapping": f"{{'Authorization': 'Bearer {SECRET}'}}",
    "an SDK's header": f"X-Sentry-Auth: Sentry sentry_secret={SECRET}, sentry_version=7",
    "a secret in a query": f"POST /api/1/store/?sentry_secret={SECRET}&x=1",
    "a DSN": f"dsn http://public:{SECRET}@localhost/1",
    "a database": f"postgresql+psycopg://tocsin:{SECRET}@db/tocsin",
    "a token of the API": f"token sntryu_{SECRET}{SECRET} refused",
    "an unsubscribe link": f"GET /u/{SECRET} 200",
    "a set-up link": f"GET /auth/setup/{SECRET}/ 200",
    "a password link": f"GET /auth/password/{SECRET}/ 200",
    "a cookie": f"Cookie: session={SECRET}",
    "a password": f"password='{SECRET}'",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_no_secret_gets_out(line):
    assert SECRET not in without_secrets(line)


PLAIN = [
    "GET /issues/12/",
    "issue TOC-1 assigned to user 5",
    "http://public@localhost:8000/1",
    "told 4, held 2",
]


@pytest.mark.parametrize("line", PLAIN)
def test_other_lines_stay_as_they_are(line):
    assert without_secrets(line) == line


def _record(message: str, *args: object, **facts: object) -> logging.LogRecord:
    record = logging.makeLogRecord(
        {"name": "app.jobs", "levelname": "INFO", "msg": message, "args": args, "created": 0}
    )
    vars(record).update(facts)
    return record


def test_text_is_one_line_with_its_ids():
    line = TextLines().format(_record("planned %d", 3, notice=12))
    assert line == "1970-01-01T00:00:00.000Z INFO app.jobs: planned 3 notice=12"


def test_json_is_one_object_with_its_ids():
    line = json.loads(JsonLines().format(_record("planned %d", 3, notice=12, token=SECRET)))
    assert line == {
        "at": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "logger": "app.jobs",
        "message": "planned 3",
        "notice": 12,
        "token": "***",
    }


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()], ids=["text", "json"])
def test_an_exception_is_told_without_its_secrets(lines):
    record = _record("failed")
    try:
        raise OSError(f"no route to http://me:{SECRET}@host/")
    except OSError:
        record.exc_info = sys.exc_info()
    assert "no route to http://me:***@host/" in lines.format(record)
    assert SECRET not in lines.format(record)
