"""A minified error arrives, and its page shows the source that its developers wrote."""

import shutil

import pytest
from sqlalchemy import select, update

from app.domain import source_maps
from app.ingest import middleware
from app.models import ArtifactBundle, Event, Issue
from app.services.events import event_body
from tests.support import sentry_cli
from tests.support.minified_shop import (
    CODE,
    DEBUG_ID,
    MAP,
    ORIGINAL,
    STACK,
    URL,
    bundle,
    form,
    manifest,
    sha1,
    thrown,
)
from tests.support.sentry_cli import Late, SentryCli

OTHER_ID = "00000000-0000-0000-0000-000000000001"
BUILD = {"release": "shop@1", "dist": "7"}


@pytest.fixture(autouse=True)
def directory(settings):
    made = settings.tocsin_data_dir / "artifacts"
    shutil.rmtree(made, ignore_errors=True)
    return made


@pytest.fixture
def server(app, session, make, cast):
    """Asks the API as a build server does."""
    headers = {"Authorization": f"Bearer {make.token(cast.alice, ['org:ci'])}"}

    def post(path, **options):
        session.commit()
        answer = app.test_client(use_cookies=False).post(f"/api/0{path}", headers=headers, **options)
        assert answer.status_code in (200, 201, 208), answer.text
        return answer.json if answer.data else None

    return post


@pytest.fixture
def upload(server, run_jobs):
    """A bundle for shop, all the way."""

    def uploaded(content: bytes | None = None, **more):
        content = bundle(**more) if content is None else content
        server("/organizations/acme/chunk-upload/", **form([("file", sha1(content), content)]))
        asked = {"checksum": sha1(content), "chunks": [sha1(content)], "projects": ["shop"]}
        server("/organizations/acme/artifactbundle/assemble/", json=asked)
        run_jobs()
        assert server("/organizations/acme/artifactbundle/assemble/", json=asked)["state"] == "ok"

    return uploaded


@pytest.fixture
def digested(report, run_jobs, session):
    """Sends an event, and gives its regular data."""

    def sent(**members):
        event_id = report(**members)
        run_jobs()
        return event_body.unpack(session.scalars(select(Event.body).where(Event.event_id == event_id)).one())

    return sent


def places(data):
    frames = data["exception"][0]["stacktrace"]["frames"]
    return [(frame["filename"], frame.get("function"), frame["lineno"]) for frame in frames]


def problems(data):
    return [(note["type"], note["name"]) for note in data.get("errors", ()) if source_maps.is_problem(note)]


MINIFIED = [("/static/app.min.js", function, 1) for _, function in STACK]


@pytest.mark.parametrize(
    ("about", "event"),
    [
        ({}, {"debug_id": DEBUG_ID}),
        ({"prefix": "~/elsewhere"}, {"debug_id": DEBUG_ID.upper()}),
        ({**BUILD, "debug_id": None}, {}),
        ({"release": "shop@1", "debug_id": None}, {}),
        ({**BUILD, "debug_id": None}, {"debug_id": DEBUG_ID}),
    ],
    ids=["debug id", "debug id alone", "name", "name without dist", "name, without a debug id to differ"],
)
def test_frames_say_where_they_are_in_the_original_source(upload, digested, about, event):
    upload(**about)
    data = digested(**thrown(**event) | BUILD)
    assert places(data) == ORIGINAL
    assert problems(data) == []
    newest = data["exception"][0]["stacktrace"]["frames"][-1]
    assert newest["context_line"] == "    throw new TypeError(`no price for ${item.name}`);"
    assert (len(newest["pre_context"]), len(newest["post_context"])) == (5, 5)
    assert newest["raw"]["abs_path"] == URL


def test_the_api_has_both(upload, digested, app, make, cast, session):
    upload()
    digested(**thrown(debug_id=DEBUG_ID))
    headers = {"Authorization": f"Bearer {make.token(cast.alice)}"}
    session.commit()
    latest = app.test_client().get("/api/0/issues/SHOP-1/events/latest/", headers=headers).json
    [entry] = [each for each in latest["entries"] if each["type"] == "exception"]
    [raised] = entry["data"]["values"]
    assert raised["stacktrace"]["frames"][-1]["filename"] == "src/cart.ts"
    frames = raised["rawStacktrace"]["frames"]
    assert [(each["filename"], each["function"], each["lineNo"]) for each in frames] == MINIFIED


def test_the_issue_is_grouped_and_called_by_the_original_source(upload, digested, session):
    """Two builds, in which the minified names differ, and the file's."""
    upload()
    digested(**thrown(debug_id=DEBUG_ID))
    upload(bundle(manifest(debug_id=OTHER_ID), code=CODE + b"//"))
    renamed = [(column, f"{function}x") for column, function in STACK]
    digested(**thrown(debug_id=OTHER_ID, stack=renamed, url="https://shop.example.org/v2/x.min.js"))
    issue = session.scalars(select(Issue)).one()
    assert (issue.times_seen, issue.culprit) == (2, "priceOf(src/cart.ts)")


def test_the_page_shows_the_source_and_what_it_was(upload, report, run_jobs, as_user, alice, session):
    upload()
    report(**thrown(debug_id=DEBUG_ID))
    run_jobs()
    page = (
        as_user(alice).get(f"/i/{session.scalars(select(Issue.short_id)).one()}", follow_redirects=True).text
    )
    assert "src/cart.ts:6" in page
    assert "throw new TypeError(`no price for ${item.name}`);" in page
    assert f"Minified: {URL}:1:45 in o" in page
    assert "still minified" not in page


WRONG = {
    "map_missing": ({}, {"debug_id": OTHER_ID}, {}),
    "map_debug_id_differs": (BUILD, {"debug_id": OTHER_ID}, BUILD),
    "map_name_missing": ({**BUILD, "prefix": "~/js", "debug_id": None}, {}, BUILD),
    "map_no_link": ({}, {}, {"release": "shop@2"}),
    "map_reference_missing": ({"source_map": None}, {"debug_id": DEBUG_ID}, {}),
    "map_malformed": ({"source_map": b"<html>"}, {"debug_id": DEBUG_ID}, {}),
    "map_too_large": ({"source_map": b" " * (41 << 20)}, {"debug_id": DEBUG_ID}, {}),
    "map_position": ({}, {"debug_id": DEBUG_ID, "line": 40}, {}),
}


@pytest.mark.parametrize(("problem", "case"), WRONG.items(), ids=WRONG)
def test_what_keeps_an_event_minified_is_said_with_what_to_do(
    upload, digested, as_user, alice, session, problem, case
):
    about, event, members = case
    upload(**about)
    data = digested(**thrown(**event) | members)
    assert [each for each, _ in problems(data)] == [problem]
    assert {place[0] for place in places(data)} == {"/static/app.min.js"}
    page = (
        as_user(alice).get(f"/i/{session.scalars(select(Issue.short_id)).one()}", follow_redirects=True).text
    )
    assert "still minified" in page
    assert source_maps.PROBLEMS[problem].split(".")[0] in page


def test_a_project_without_uploads_is_not_told_of_missing_ones(digested):
    data = digested(**thrown() | BUILD)
    assert (places(data), problems(data)) == (MINIFIED, [])


def test_files_that_are_gone_from_the_disk_are_said_to_be(upload, digested, directory):
    upload()
    shutil.rmtree(directory)
    assert problems(digested(**thrown(debug_id=DEBUG_ID))) == [("map_file_lost", URL)]


def test_bundles_of_other_projects_are_not_used(upload, digested, cast, session):
    upload()
    session.execute(update(ArtifactBundle).values(state="error"))
    assert problems(digested(**thrown(debug_id=DEBUG_ID))) == [("map_missing", URL)]


def test_single_files_of_a_release_are_used(server, digested):
    server("/organizations/acme/releases/", json={"version": "shop@1", "projects": ["shop"]})
    for name, content in {"app.min.js": CODE, "app.min.js.map": MAP}.items():
        parts = [("file", name, content), ("name", None, f"~/static/{name}".encode())]
        server("/projects/acme/shop/releases/shop@1/files/", **form(parts))
    assert places(digested(**thrown() | {"release": "shop@1"})) == ORIGINAL


def test_what_events_use_is_kept(upload, digested, session, now):
    upload()
    session.execute(update(ArtifactBundle).values(used_at=now))
    digested(**thrown(debug_id=DEBUG_ID))
    session.expire_all()
    assert session.scalars(select(ArtifactBundle.used_at)).one() > now


def test_the_first_use_is_noted_at_once(upload, digested, session):
    upload()
    row = session.scalars(select(ArtifactBundle)).one()
    assert not row.is_used
    digested(**thrown(debug_id=DEBUG_ID))
    session.expire_all()
    assert row.is_used


@pytest.fixture(params=[2, 3], ids=["version 2", "version 3"])
def cli(request, app_with, app, session, make, cast, tmp_path):
    program = sentry_cli.find(request.param)
    if program is None:
        pytest.skip(f"sentry-cli {request.param} is not here: put it on PATH, or name it in SENTRY_CLI")
    token, late = make.token(cast.alice, ["org:ci"]), Late()
    session.commit()
    with sentry_cli.served(late) as url:
        late.application = middleware.wrap(app_with(TOCSIN_URL=url))
        yield SentryCli(program, url, token, tmp_path)


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("by", ["debug id", "release"])
def test_what_sentry_cli_injects_and_uploads_is_used(cli, tmp_path, run_jobs, digested, by):
    (tmp_path / "app.min.js").write_bytes(CODE)
    (tmp_path / "app.min.js.map").write_bytes(MAP)
    words = ["--release", "shop@1", "--dist", "7", "--url-prefix", "~/static"]
    if by == "debug id":
        cli("sourcemaps", "inject", ".")
        words = []
    cli("sourcemaps", "upload", ".", *words)
    run_jobs()
    cli("sourcemaps", "upload", ".", *words, "--wait-for", "10")
    injected = (tmp_path / "app.min.js").read_text().splitlines()
    debug_id = next((line.partition("debugId=")[2] for line in injected if "//# debugId=" in line), None)
    line = next(number for number, text in enumerate(injected, 1) if text.startswith("(()=>"))
    data = digested(**thrown(debug_id=debug_id, line=line) | BUILD)
    assert (places(data), problems(data)) == (ORIGINAL, [])


@pytest.mark.usefixtures("unlimited")
def test_single_files_that_sentry_cli_uploads_are_listed_and_deleted(cli, tmp_path):
    if sentry_cli.major_of(cli.program) != 2:
        pytest.skip("only version 2 has single files")
    (tmp_path / "app.min.js").write_bytes(CODE)
    cli("releases", "new", "shop@1")
    for name in ("~/a.js", "~/b.js", "~/c.js"):
        cli("releases", "files", "shop@1", "upload", "app.min.js", name)
    cli("releases", "files", "shop@1", "delete", "~/b.js")
    listed = cli("releases", "files", "shop@1", "list")
    assert [name in listed for name in ("~/a.js", "~/b.js", "~/c.js")] == [True, False, True]
    cli("releases", "files", "shop@1", "delete", "--all")
    assert "~/a.js" not in cli("releases", "files", "shop@1", "list")
