"""Settings: each wrong value is one line; each right one is documented."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.settings import ROOT, TABLE, SettingsError, load

HIDDEN = "hunter2hunter2hunter2"

WRONG = {
    "a port that is no number": ("PORT", "abc", "PORT is abc: allowed is a whole number from 1 to 65535."),
    "a port out of range": ("PORT", "65536", "PORT is 65536"),
    "a host with a blank": ("HOST", "a b", "HOST is a b"),
    "an address with a path": ("TOCSIN_URL", "https://a.example/x", "TOCSIN_URL is https://a.example/x"),
    "another scheme": ("TOCSIN_URL", "ftp://a.example", "without a path."),
    "a short key": ("SECRET_KEY", "short", "SECRET_KEY is (not shown) (too short): allowed is at least 16"),
    "one short key of two": ("MAIL_TOKEN_KEYS", f"{HIDDEN},x", "MAIL_TOKEN_KEYS is (not shown)"),
    "another database": (
        "DATABASE_URL",
        f"mysql://me:{HIDDEN}@h/x",
        "DATABASE_URL is mysql://me:***@h/x: allowed",
    ),
    "a database without a name": ("DATABASE_URL", "postgresql://h", "DATABASE_URL is postgresql://h"),
    "a database in memory": ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL is sqlite:///:memory:"),
    "another store": ("REDIS_URL", f"amqp://:{HIDDEN}@h", "REDIS_URL is amqp://:***@h"),
    "a mail server without a sender": ("MAIL_SERVER", "smtp.example.org", "MAIL_DEFAULT_SENDER is missing"),
    "a sender that is none": ("MAIL_DEFAULT_SENDER", "Tocsin", "MAIL_DEFAULT_SENDER is Tocsin"),
    "neither yes nor no": ("MAIL_USE_TLS", "maybe", "MAIL_USE_TLS is maybe: allowed is true or false."),
    "an unknown choice": (
        "DEFAULT_WORKFLOW_NOTIFICATIONS",
        "all",
        "allowed is always, participating or never",
    ),
    "no workers": ("WORKERS", "0", "WORKERS is 0: allowed is a whole number from 1 to 64."),
    "no host to call": ("OUTBOUND_ALLOW", "10.0.0.0/99", "OUTBOUND_ALLOW is 10.0.0.0/99"),
    "no network": ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES is 10.0.0.0/99"),
    "an unknown log format": ("LOG_FORMAT", "xml", "LOG_FORMAT is xml: allowed is text or json."),
    "a directory in a file": (
        "TOCSIN_DATA_DIR",
        f"{__file__}/var",
        "(Not a directory): allowed is a directory",
    ),
}


@pytest.mark.parametrize(("name", "value", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_one_line_with_variable_value_and_what_is_allowed(name, value, said, tmp_path):
    with pytest.raises(SettingsError) as error:
        load({"TOCSIN_DATA_DIR": str(tmp_path), name: value})
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert HIDDEN not in str(error.value)


DERIVED = {
    "the address follows the port": ({"PORT": "9000"}, "tocsin_url", "http://127.0.0.1:9000"),
    "a listener on all sides is reached here": ({"HOST": "0.0.0.0"}, "tocsin_url", "http://127.0.0.1:8000"),
    "blank is not set": ({"PORT": " "}, "port", 8000),
    "a closing slash goes": ({"TOCSIN_URL": "https://T.example/"}, "tocsin_url", "https://t.example"),
    "STARTTLS has its port": ({"MAIL_USE_TLS": "1"}, "mail_port", 587),
    "TLS has its port": ({"MAIL_USE_SSL": "yes"}, "mail_port", 465),
    "the sender follows the address": (
        {"TOCSIN_URL": "https://t.example.org", "MAIL_SERVER": "s"},
        "mail_default_sender",
        "Tocsin <tocsin@t.example.org>",
    ),
    "the domain follows the sender": ({"MAIL_DEFAULT_SENDER": "a <b@c.example>"}, "mail_domain", "c.example"),
    "the driver is added": ({"DATABASE_URL": "postgres://h/x"}, "database_url", "postgresql+psycopg://h/x"),
    "the first key first": (
        {"MAIL_TOKEN_KEYS": "a" * 16 + ", " + "b" * 16},
        "mail_token_keys",
        ("a" * 16, "b" * 16),
    ),
}


@pytest.mark.parametrize(("environ", "attribute", "value"), DERIVED.values(), ids=DERIVED)
def test_defaults_follow_what_is_set(environ, attribute, value, tmp_path):
    assert getattr(load({"TOCSIN_DATA_DIR": str(tmp_path), **environ}), attribute) == value


def test_a_plain_and_an_encrypted_mail_connection_exclude_each_other(tmp_path):
    with pytest.raises(SettingsError, match="allowed is one of the two"):
        load({"TOCSIN_DATA_DIR": str(tmp_path), "MAIL_USE_TLS": "1", "MAIL_USE_SSL": "1"})


def test_the_database_lies_in_the_data_directory_whatever_its_name(tmp_path):
    directory = tmp_path / "odd ?#% name"
    url = make_url(load({"TOCSIN_DATA_DIR": str(directory)}).database_url)
    assert url.database == f"{directory}/tocsin.db"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777])
def test_a_data_directory_that_others_may_enter_is_made_private(tmp_path, mode):
    directory = tmp_path / "var"
    directory.mkdir()
    directory.chmod(mode)
    load({"TOCSIN_DATA_DIR": str(directory)})
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_data_directory_and_its_secrets_are_private(tmp_path):
    directory = tmp_path / "var"
    load({"TOCSIN_DATA_DIR": str(directory)})
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {file.name for file in directory.iterdir()} == {"secret_key", "mail_token_key", "credential_key"}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in directory.iterdir())


def test_processes_that_start_together_agree_on_the_secrets(tmp_path):
    code = "from app.settings import load; s = load(); print(s.secret_key, s.mail_token_keys)"
    environ = {"TOCSIN_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1


def test_secrets_do_not_show_where_settings_are_printed(tmp_path):
    given = {"DATABASE_URL": f"postgresql://me:{HIDDEN}@h/x", "SECRET_KEY": HIDDEN, "MAIL_PASSWORD": HIDDEN}
    assert HIDDEN not in repr(load({"TOCSIN_DATA_DIR": str(tmp_path), **given}))


def test_every_setting_is_documented_as_it_is():
    documented = (ROOT / "docs/settings.md").read_text()
    for row in TABLE:
        assert f"| `{row.name}` | {row.shown_default} | {row.allowed} | {row.help} |" in documented
    assert documented.count("\n| `") == len(TABLE)


def test_every_setting_is_in_the_example():
    lines = Path(ROOT / ".env.example").read_text().splitlines()
    assert [line.removeprefix("#").partition("=")[0] for line in lines if "=" in line] == [
        r.name for r in TABLE
    ]
