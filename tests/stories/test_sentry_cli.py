"""A whole release with the real sentry-cli: the fix resolves its issue, and the right people are told."""

import re
import shutil

import pytest
from sqlalchemy import select

from app.domain.scopes import SCOPES
from app.ingest import middleware
from app.models import Issue, Release
from tests.support import sentry_cli
from tests.support.sentry_cli import Repository, SentryCli

V1, V2 = "shop@1.0.0", "shop@1.1.0"


@pytest.fixture(params=[2, 3], ids=["version 2", "version 3"])
def cli(request, app, session, make, cast, tmp_path):
    program = sentry_cli.find(request.param)
    if program is None:
        pytest.skip(f"sentry-cli {request.param} is not here: put it on PATH, or name it in SENTRY_CLI")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    token = make.token(cast.alice, SCOPES)
    session.commit()
    with sentry_cli.served(middleware.wrap(app)) as url:
        yield SentryCli(program, url, token, tmp_path)


@pytest.fixture
def repository(tmp_path, cast):
    return Repository(tmp_path, author="Bob", email=cast.bob.email)


@pytest.fixture
def status(session):
    def of_the_issue():
        session.commit()
        return session.scalars(select(Issue.status)).one()

    return of_the_issue


@pytest.mark.usefixtures("unlimited")
def test_from_the_fix_to_the_deploy(cli, repository, report, run_jobs, told, status, session, cast, mailbox):
    report(release=V1)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    repository.commit("Sell things")
    cli("releases", "new", V1)
    cli("releases", "set-commits", V1, "--local")
    cli("releases", "finalize", V1)

    fix = repository.commit("Guard against an empty cart\n\nFixes SHOP-1")
    cli("releases", "new", V2)
    cli("releases", "set-commits", V2, "--local")
    run_jobs()
    assert status() == "resolved"
    assert told("resolved") == ["bob", "cy"]  # it is Alice’s token
    cli("releases", "finalize", V2)
    run_jobs()
    assert session.scalars(select(Release.date_released).where(Release.version == V2)).one()
    assert told() == []

    deploys(cli, V2, "new", "-e", "production")
    run_jobs()
    assert told("deploy") == ["bob"]  # with a commit of his in it; the others get none, by default
    [mail] = [each for each in mailbox(cast.bob) if each["X-Tocsin-Kind"] == "deploy"]
    assert mail.subject == "Deployed 1.1.0 to production · Shop"
    assert fix[:7] in mail.text
    assert "SHOP-1" in mail.text

    report(release=V1)
    run_jobs()
    assert (status(), told()) == ("resolved", [])
    report(release=V2)
    run_jobs()
    assert status() == "unresolved"
    assert set(told()) == {"alice", "bob", "cy"}


def deploys(cli, version, word, *options):
    """Version 2 says it another way."""
    if " 2." in cli("--version"):
        return cli("releases", "deploys", version, word, *options)
    return cli("deploys", word, "-r", version, *options)


@pytest.mark.usefixtures("unlimited")
def test_every_call_about_releases_is_understood(cli, repository):
    repository.commit("Sell things")
    cli("info")
    assert "acme" in cli("organizations", "list")
    assert "shop" in cli("projects", "list")
    cli("releases", "new", V1, "--url", "https://ci.example.com/7")
    cli("releases", "set-commits", V1, "--local")
    assert "origin" in cli("repos", "list")  # all that it knows of a git it has no integration with
    cli("releases", "set-commits", V1, "--auto")
    cli("releases", "set-commits", V1, "--commit", "origin@abc1234")
    cli("releases", "finalize", V1)
    assert "1.0.0" in cli("releases", "list")
    assert V1 in cli("releases", "info", V1, "-P", "-C")
    cli("releases", "archive", V1)
    cli("releases", "restore", V1)
    deploys(cli, V1, "new", "-e", "staging", "-n", "rollout")
    assert "staging" in deploys(cli, V1, "list")
    cli("releases", "delete", V1)
    assert not re.search(re.escape("1.0.0"), cli("releases", "list"))


@pytest.fixture
def statuses(session):
    def of_all():
        session.commit()
        return {name: status for name, status in session.execute(select(Issue.short_id, Issue.status))}

    return of_all


@pytest.mark.usefixtures("unlimited")
def test_issues_are_listed_and_moved(cli, report, run_jobs, session, statuses):
    for title in ("KeyError: cart", "ValueError: price", "OSError: disk"):
        report(title)
    run_jobs.digest()
    session.commit()
    first = str(session.scalar(select(Issue.id).where(Issue.short_id == "SHOP-1")))
    listed = cli("issues", "list")
    assert all(name in listed for name in ("SHOP-1", "SHOP-2", "SHOP-3", "KeyError: cart"))
    cli("issues", "resolve", "-i", first)
    assert statuses() == {"SHOP-1": "resolved", "SHOP-2": "unresolved", "SHOP-3": "unresolved"}
    assert "SHOP-1" in cli("issues", "list")  # without a search: whatever their status
    assert "SHOP-1" not in cli("issues", "list", "--query", "is:unresolved")
    cli("issues", "mute", "--status", "unresolved")
    assert statuses() == {"SHOP-1": "resolved", "SHOP-2": "ignored", "SHOP-3": "ignored"}
    cli("issues", "unresolve", "--status", "muted")
    assert statuses() == {"SHOP-1": "resolved", "SHOP-2": "unresolved", "SHOP-3": "unresolved"}
    cli("issues", "resolve", "--all")
    assert set(statuses().values()) == {"resolved"}
    assert cli.run("issues", "resolve", "-i", "999999").returncode != 0


@pytest.mark.usefixtures("unlimited")
def test_an_event_that_it_sends_is_listed(cli, run_jobs, make, cast, session):
    key = make.key(cast.shop)
    session.commit()
    where = cli.environment["SENTRY_URL"].removeprefix("http://")
    cli.environment["SENTRY_DSN"] = f"http://{key.public}@{where}/{cast.shop.id}"
    cli("send-event", "-m", "Sent by hand", "-t", "by:hand", "-u", "email:ann@example.net", "--no-environ")
    run_jobs.digest()
    listed = cli("events", "list", "--show-user", "--show-tags")
    assert all(said in listed for said in ("Sent by hand", "ann@example.net", "by: hand"))
    assert "No logs" in cli("logs", "list")
    reported = cli.run("releases", "delete", "no-such")
    assert (reported.returncode, "nothing" in reported.stdout.lower()) == (0, True)
