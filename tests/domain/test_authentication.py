from __future__ import annotations

import base64

import pytest

from app.domain.authentication import (
    Credentials,
    Dsn,
    agreed,
    credentials,
    parse_dsn,
    project_id,
)
from app.domain.rejections import Forbidden, Malformed, Unauthenticated

KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
OTHER = "f" * 32


def read(*, x=None, authorization=None, query=""):
    return credentials(x_sentry_auth=x, authorization=authorization, query=query)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


FOUND = {
    "header": ({"x": f"Sentry sentry_version=7, sentry_key={KEY}, sentry_client=py/2"}, "py/2"),
    "header without blanks": ({"x": f"Sentry sentry_key={KEY},sentry_version=7,sentry_client=py/2"}, "py/2"),
    "header in other letters": ({"x": f"SENTRY sentry_key={KEY}"}, None),
    "header with quotes": ({"x": f'sentry sentry_key="{KEY}", sentry_version="7"'}, None),
    "header with a secret": ({"x": f"Sentry sentry_key={KEY}, sentry_secret=0, sentry_timestamp=1.5"}, None),
    "header without a version": ({"x": f"Sentry sentry_key={KEY}"}, None),
    "Authorization": ({"authorization": f"Sentry sentry_key={KEY}, sentry_version=7"}, None),
    "Authorization by curl": ({"authorization": basic(f"{KEY}:")}, None),
    "query": ({"query": f"sentry_version=7&sentry_key={KEY}&sentry_client=js%2F11"}, "js/11"),
    "header and query agree": ({"x": f"Sentry sentry_key={KEY}", "query": f"sentry_key={KEY}"}, None),
    "another scheme beside the query": (
        {"authorization": "Bearer abc", "query": f"sentry_key={KEY}"},
        None,
    ),
}


@pytest.mark.parametrize(("given", "client"), FOUND.values(), ids=FOUND)
def test_where_the_key_is_found(given, client):
    assert read(**given) == Credentials(KEY, client)


REFUSED = {
    "header without a key": ({"x": "Sentry sentry_version=7"}, Unauthenticated),
    "header with an empty key": ({"x": "Sentry sentry_key="}, Unauthenticated),
    "query with an empty key": ({"query": "sentry_key="}, Unauthenticated),
    "broken base64": ({"authorization": "Basic *"}, Unauthenticated),
    "two keys": ({"x": f"Sentry sentry_key={KEY}", "query": f"sentry_key={OTHER}"}, Unauthenticated),
    "a later version": ({"x": f"Sentry sentry_key={KEY}, sentry_version=8"}, Malformed),
    "no version": ({"query": f"sentry_key={KEY}&sentry_version=x"}, Malformed),
}


@pytest.mark.parametrize(("given", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(given, why):
    with pytest.raises(why):
        read(**given)


@pytest.mark.parametrize("given", [{}, {"x": ""}, {"x": "Bearer abc"}, {"query": "a=b"}])
def test_silence_may_still_be_broken_by_a_dsn(given):
    assert read(**given) is None


DSNS = {
    "plain": (f"https://{KEY}@errors.example.org/7", 7),
    "with a secret": (f"https://{KEY}:{OTHER}@errors.example.org/7", 7),
    "with an empty secret": (f"https://{KEY}:@host/7", 7),
    "with port and prefix": (f"http://{KEY}@127.0.0.1:9700/tocsin/12/", 12),
}


@pytest.mark.parametrize(("text", "project"), DSNS.values(), ids=DSNS)
def test_dsn(text, project):
    assert parse_dsn(text) == Dsn(KEY, project)


@pytest.mark.parametrize(
    "text",
    ["", "x", None, 5, "https://host/7", f"https://{KEY}@host/", f"https://{KEY}@host/x", "http://[/7"],
)
def test_what_is_no_dsn(text):
    with pytest.raises(Malformed):
        parse_dsn(text)


def test_the_dsn_alone_is_enough():
    assert agreed(None, f"https://{KEY}@elsewhere/1", project_id=1) == Credentials(KEY)


def test_the_dsn_may_repeat_the_header_under_another_host():
    found = Credentials(KEY, "ruby/5")
    assert agreed(found, f"http://{KEY}@127.0.0.1:9700/1", project_id=1) == found


def test_no_dsn_leaves_what_was_found():
    assert agreed(Credentials(KEY), None, project_id=1) == Credentials(KEY)


DISAGREED = {
    "nothing at all": (None, None, Unauthenticated),
    "another project": (Credentials(KEY), f"https://{KEY}@host/2", Forbidden),
    "another key": (Credentials(KEY), f"https://{OTHER}@host/1", Unauthenticated),
    "no DSN at all": (Credentials(KEY), "nonsense", Malformed),
}


@pytest.mark.parametrize(("found", "dsn", "why"), DISAGREED.values(), ids=DISAGREED)
def test_a_dsn_that_disagrees(found, dsn, why):
    with pytest.raises(why):
        agreed(found, dsn, project_id=1)


def test_project_id():
    assert project_id("7") == 7


@pytest.mark.parametrize("text", ["", "x", "-1", "7x", "1" * 19, "٣", " 7"])
def test_what_is_no_project_id(text):
    with pytest.raises(Malformed):
        project_id(text)
