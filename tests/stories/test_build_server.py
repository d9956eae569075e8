"""A build server with nothing but its organization's own token: sentry-cli takes the rest from that."""

import shutil

import pytest
from sqlalchemy import select, update

from app.ingest import middleware
from app.models import ApiToken, ArtifactBundle, Issue, Release
from tests.support import sentry_cli
from tests.support.minified_shop import CODE, MAP
from tests.support.sentry_cli import Late, Repository, SentryCli

VERSION = "shop@1.1.0"


@pytest.fixture(params=[2, 3], ids=["version 2", "version 3"])
def cli(request, app_with, app, session, make, cast, tmp_path):
    program = sentry_cli.find(request.param)
    if program is None:
        pytest.skip(f"sentry-cli {request.param} is not here: put it on PATH, or name it in SENTRY_CLI")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    late = Late()
    with sentry_cli.served(late) as url:
        late.application = middleware.wrap(app_with(TOCSIN_URL=url))
        made = SentryCli(program, "", make.organization_token(cast.acme, url), tmp_path)
        session.commit()
        for name in ("SENTRY_URL", "SENTRY_ORG"):
            del made.environment[name]
        yield made


@pytest.fixture
def status(session):
    def of_the_issue():
        session.commit()
        return session.scalars(select(Issue.status)).one()

    return of_the_issue


@pytest.mark.usefixtures("unlimited")
def test_a_whole_release_by_nobody(cli, report, run_jobs, told, status, session, cast, now, tmp_path):
    report()
    run_jobs()
    told()
    cast.alice.is_active = False  # who made the token has left
    session.commit()
    assert "org:ci" in cli("info")

    repository = Repository(tmp_path, author="Bob", email=cast.bob.email)
    repository.commit("Guard against an empty cart\n\nFixes SHOP-1")
    cli("releases", "new", VERSION)
    cli("releases", "set-commits", VERSION, "--auto")
    run_jobs()
    assert (status(), told("resolved")) == ("resolved", ["cy"])  # Bob wrote the commit

    (tmp_path / "app.min.js").write_bytes(CODE)
    (tmp_path / "app.min.js.map").write_bytes(MAP)
    cli("sourcemaps", "upload", "--release", VERSION, "app.min.js", "app.min.js.map")
    run_jobs()
    session.commit()
    assert session.scalars(select(ArtifactBundle.state)).one() == "ok"

    cli("releases", "finalize", VERSION)
    old = " 2." in cli("--version")
    deploy = ("releases", "deploys", VERSION, "new") if old else ("deploys", "new", "-r", VERSION)
    cli(*deploy, "-e", "production")
    run_jobs()
    assert told("deploy") == ["bob"]
    assert session.scalars(select(Release.date_released).where(Release.version == VERSION)).one()
    assert "1.1.0" in cli("releases", "list")
    cli("releases", "archive", VERSION)
    cli("releases", "delete", VERSION)

    assert "permission" in refused(cli, "issues", "list")
    session.commit()
    session.execute(update(ApiToken).values(revoked_at=now))
    session.commit()
    assert "Invalid token" in refused(cli, "releases", "list")


def refused(cli, *words):
    said = cli.run(*words)
    assert said.returncode != 0
    return said.stdout + said.stderr
