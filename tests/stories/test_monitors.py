"""Jobs that check in with sentry-cli, the Python SDK and curl. One that does not come is told of."""

from datetime import timedelta

import pytest
import sentry_sdk
from sentry_sdk.crons import monitor
from sqlalchemy import select

from app.domain.scopes import SCOPES
from app.ingest import middleware
from app.models import CheckIn, Issue, Monitor, MonitorEnvironment
from tests.support import sentry_cli
from tests.support.sentry_cli import SentryCli

HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "timezone": "Europe/Berlin"}


@pytest.fixture
def url(app, session, cast):
    session.commit()
    with sentry_cli.served(middleware.wrap(app)) as served:
        yield served


@pytest.fixture
def dsn(url, make, cast, session):
    host, key = url.removeprefix("http://"), make.key(cast.shop).public
    session.commit()
    return f"http://{key}@{host}/{cast.shop.id}"


@pytest.fixture
def cli(url, dsn, make, cast, session, tmp_path):
    program = sentry_cli.find(2) or sentry_cli.find(3)
    if program is None:
        pytest.skip("sentry-cli is not here: put it on PATH, or name it in SENTRY_CLI")
    token = make.token(cast.alice, SCOPES)
    session.commit()
    made = SentryCli(program, url, token, tmp_path)
    made.environment["SENTRY_DSN"] = dsn
    return made


def rows(session, *columns):
    session.commit()
    return [tuple(row) for row in session.execute(select(*columns).order_by(CheckIn.id))]


@pytest.mark.any_database
@pytest.mark.usefixtures("unlimited")
def test_sentry_cli_runs_a_job_and_says_how_it_went(cli, run_jobs, session):
    options = ("--schedule", "0 3 * * *", "--timezone", "Europe/Berlin", "--check-in-margin", "7")
    cli("monitors", "run", *options, "nightly-backup", "--", "true")
    assert cli.run("monitors", "run", "nightly-backup", "--", "false").returncode == 1
    run_jobs()
    assert [status for (status,) in rows(session, CheckIn.status)] == ["ok", "error"]
    assert all(length is not None for (length,) in rows(session, CheckIn.duration))
    [made] = session.scalars(select(Monitor))
    assert (made.schedule_text, made.timezone, made.margin) == ("0 3 * * *", "Europe/Berlin", 7)
    assert [each.title for each in session.scalars(select(Issue))] == ["nightly-backup is failing"]
    listed = cli("monitors", "list")
    assert "nightly-backup" in listed
    assert "active" in listed.lower()


@pytest.mark.any_database
def test_the_decorator_of_the_python_sdk(dsn, run_jobs, session):
    @monitor(monitor_slug="hourly-report", monitor_config=HOURLY)
    def job(*, fails):
        if fails:
            raise RuntimeError("disk full")

    with sentry_sdk.new_scope() as scope:
        client = sentry_sdk.Client(dsn=dsn, default_integrations=False, environment="staging")
        scope.set_client(client)
        job(fails=False)
        with pytest.raises(RuntimeError):
            job(fails=True)
        client.close()
    run_jobs()
    assert [status for (status,) in rows(session, CheckIn.status)] == ["ok", "error"]
    found = session.execute(select(MonitorEnvironment.name, MonitorEnvironment.status)).all()
    assert [tuple(row) for row in found] == [("staging", "failing")]


def test_a_missed_check_in_is_mailed_and_so_is_its_end(sdk, make, cast, session, run_jobs, told, mailbox):
    def check_in(status="ok"):
        path = f"/api/{cast.shop.id}/cron/nightly-backup/{key}/?status={status}"
        config = b'{"monitor_config":{"schedule":{"type":"interval","value":1,"unit":"day"}}}'
        assert sdk.post(path, data=config).status_code == 202
        run_jobs()

    key = make.key(cast.shop).public
    session.commit()
    check_in()
    assert told() == []
    run_jobs.sweep(after=timedelta(hours=25))
    assert told("alert.new") == ["alice", "bob", "cy"]
    mail = mailbox(cast.bob)[-1]
    assert mail.subject == "SHOP-1 - nightly-backup is failing"
    assert "nothing came within 1 minute" in " ".join(mail.text.replace("|", " ").split())
    assert "Schedule: Every day" in mail.text
    assert "Open the monitor: https://tocsin.example.org/acme/shop/monitors/nightly-backup/" in mail.text
    check_in()
    [issue] = session.scalars(select(Issue))
    assert issue.status == "resolved"
    assert "recovered" in mailbox(cast.bob)[-1].text.lower()
