from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.scrubbing import NO_SCRUBBER, scrubber
from app.domain.secrets import FILTERED, without_secrets
from tests.domain.sdk import RECEIPT, frame, raised, regular, stack

RULES = scrubber((), ("author", "authors"))
SENSITIVE = [
    "password", "PASSWORD", "user_password", "secret", "client_secret", "passwd", "api_key", "API-KEY",
    "apikey", "Authorization", "auth", "credentials", "mysql_pwd", "private_key", "private-key", "privatekey",
    "token", "access_token", "otp", "OTP", "two-factor", "two_factor_code",
]  # fmt: skip
HARMLESS = ["author", "Authors", "option", "optional", "pass", "key", "name", "user", "pwd"]


@pytest.mark.parametrize("key", SENSITIVE)
def test_a_sensitive_key_hides_its_value(key):
    assert RULES.clean({key: "x"}, 999) == {key: FILTERED}


@pytest.mark.parametrize("key", HARMLESS)
def test_other_keys_do_not(key):
    assert RULES.clean({key: "x"}, 999) == {key: "x"}


DEPTHS = {
    "nested": ({"a": {"b": [{"token": "x"}]}}, {"a": {"b": [{"token": FILTERED}]}}),
    "an object": ({"credentials": {"user": "a"}}, {"credentials": FILTERED}),
    "a list": ({"tokens": ["a", "b"]}, {"tokens": FILTERED}),
    "a number": ({"token": 5}, {"token": FILTERED}),
    "nothing": ({"token": None}, {"token": None}),
    "a pair": ({"form": [["password", "x"], ["a", "b"]]}, {"form": [["password", FILTERED], ["a", "b"]]}),
    "a URL": (
        {"url": "http://h/?token=x&a=1#auth=y"},
        {"url": f"http://h/?token={FILTERED}&a=1#auth={FILTERED}"},
    ),
    "a query": ({"query_string": "token=x&a=1"}, {"query_string": f"token={FILTERED}&a=1"}),
    "a cookie header": ({"Cookie": "a=b", "Set-Cookie": "c=d"}, {"Cookie": FILTERED, "Set-Cookie": FILTERED}),
    "an agent": ({"User-Agent": "Bearer abcdefgh"}, {"User-Agent": "Bearer abcdefgh"}),
    "a card as number": ({"card": 4111111111111111}, {"card": FILTERED}),
}


@pytest.mark.parametrize(("value", "cleaned"), DEPTHS.values(), ids=DEPTHS)
def test_at_any_depth(value, cleaned):
    assert RULES.clean(value, 9999) == cleaned


def test_below_the_deepest_level_too():
    value = {"token": "hush"}
    for _ in range(20):
        value = {"a": value}
    assert "hush" not in str(RULES.clean(value, 9999))


TEXTS = {
    "Visa": ("card 4111 1111 1111 1111!", f"card {FILTERED}!"),
    "Visa without blanks": ("'4111111111111111'", f"'{FILTERED}'"),
    "Mastercard": ("5500-0000-0000-0004", FILTERED),
    "American Express": ("378282246310005", FILTERED),
    "a number that is no card": ("4111 1111 1111 1112", "4111 1111 1111 1112"),
    "an order number": ("order 1234567890123", "order 1234567890123"),
    "digits within a hash": ("a4111111111111111f", "a4111111111111111f"),
    "bearer": ("Authorization: Bearer abc.def.ghi, next", f"Authorization: Bearer {FILTERED}, next"),
    "upper-case bearer": ("BEARER abc", f"BEARER {FILTERED}"),
    "user information": ("postgres://ana:pw@db/shop", f"postgres://{FILTERED}@db/shop"),
    "a URL without": ("see http://h:80/a@b", "see http://h:80/a@b"),
    "a private key": (
        "x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y",
        f"x {FILTERED} y",
    ),
    "half a private key": ("-----BEGIN PRIVATE KEY-----\nMII", FILTERED),
    "a certificate": ("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII"),
    "a social security number": ("ssn 123-45-6789.", f"ssn {FILTERED}."),
    "a date": ("2026-11-23 03:47:38", "2026-11-23 03:47:38"),
    "an address": ("from 10.0.0.5", "from 10.0.0.5"),
}


@pytest.mark.parametrize(("text", "cleaned"), TEXTS.values(), ids=TEXTS)
def test_secrets_within_text(text, cleaned):
    assert without_secrets(text) == cleaned


CARD = "4111 1111 1111 1111"
EVERYWHERE = {
    "extra": {"extra": {"password": "hush"}},
    "contexts": {"contexts": {"a": {"password": "hush"}}},
    "a context as such": {"contexts": {"auth": {"a": "hush"}}},
    "variables": {"stacktrace": stack(frame(vars={"password": "hush"}))},
    "variables of an exception": {"exception": [raised("E", "v", frame(vars={"password": "hush"}))]},
    "variables of a thread": {"threads": [{"stacktrace": stack(frame(vars={"password": "hush"}))}]},
    "breadcrumb": {"breadcrumbs": [{"data": {"password": "hush"}}]},
    "breadcrumb's text": {"breadcrumbs": [{"message": "Bearer hush"}]},
    "header": {"request": {"headers": {"Authorization": "hush"}}},
    "header as pair": {"request": {"headers": [["X-Token", "hush"]]}},
    "raw cookies": {"request": {"headers": {"Cookie": "a=hush"}}},
    "session cookie": {"request": {"cookies": {"sessionid": "hush"}}},
    "session cookie as text": {"request": {"cookies": "connect.sid=hush; theme=dark"}},
    "body": {"request": {"data": {"password": "hush"}}},
    "body as JSON": {"request": {"data": '{"password":"hush"}'}},
    "body as JSON that was cut off": {"request": {"data": '{"password": "hush", "a": "b'}},
    "body as JSON that was cut off within": {"request": {"data": '{"a": 1, "password": "hush'}},
    "body as form": {"request": {"data": "a=1&password=hush"}},
    "environment": {"request": {"env": {"API_KEY": "hush"}}},
    "query": {"request": {"query_string": "password=hush"}},
    "query as pairs": {"request": {"query_string": [["password", "hush"]]}},
    "query as object": {"request": {"query_string": {"password": "hush"}}},
    "URL": {"request": {"url": "http://h/?password=hush"}},
    "URL's user": {"request": {"url": "http://a:hush@h/"}},
    "tags": {"tags": {"password": "hush"}},
    "message": {"message": "Bearer hush"},
    "message's arguments": {"logentry": {"message": "%s", "params": ["Bearer hush"]}},
    "value": {"exception": [raised("E", "Bearer hush")]},
    "value as object": {"exception": [raised("E", {"password": "hush"})]},
    "mechanism": {"exception": [raised("E", "v", mechanism={"data": {"password": "hush"}})]},
    "user": {"user": {"id": 1, "password": "hush"}},
}


@pytest.mark.parametrize("payload", EVERYWHERE.values(), ids=EVERYWHERE)
def test_everywhere(payload):
    made = regular(**payload)
    assert "hush" not in repr(made)
    assert "Filtered" in repr(made)


def test_prose_stays_readable():
    assert regular(message=f"password of {CARD} is wrong").message == f"password of {FILTERED} is wrong"


def test_names_of_session_cookies_stay():
    made = regular(request={"cookies": {"sessionid": "x", "theme": "dark"}})
    assert made.data["request"]["cookies"] == [["sessionid", FILTERED], ["theme", "dark"]]


def test_source_and_paths_are_not_touched():
    secretive = frame(filename="/token=1", context_line=f"password = '{CARD}'", pre_context=[CARD])
    [kept] = regular(stacktrace=stack(secretive)).data["stacktrace"]["frames"]
    assert (kept["context_line"], kept["pre_context"]) == (secretive["context_line"], [CARD])


def test_a_project_may_have_words_of_its_own_and_safe_ones():
    receipt = replace(RECEIPT, extra_sensitive=("IBAN",), safe_fields=("token_count",))
    kept = regular(receipt, extra={"my_iban": "x", "token_count": 5, "token": "x", "author": "x"}).data[
        "extra"
    ]
    assert kept == {"my_iban": FILTERED, "token_count": 5, "token": FILTERED, "author": FILTERED}


def test_a_project_may_switch_it_off():
    kept = regular(
        replace(RECEIPT, scrub=False), extra={"password": CARD}, request={"cookies": {"sid": "x"}}
    ).data
    assert (kept["extra"], kept["request"]["cookies"]) == ({"password": CARD}, [["sid", "x"]])
    assert NO_SCRUBBER.clean({"url": "http://h/?token=x"}, 999) == {"url": "http://h/?token=x"}
