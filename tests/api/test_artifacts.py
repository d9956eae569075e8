"""What sentry-cli uploads: chunks, bundles made of them, and single files of releases."""

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.jobs import assemble
from app.models import (
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactChunk,
    ArtifactFile,
)
from app.services.releases import assembling, chunking
from tests.support.minified_shop import CODE, MAP, bundle, form, packed, sha1

UPLOAD = "/organizations/acme/chunk-upload/"
ASSEMBLE = "/organizations/acme/artifactbundle/assemble/"
DONE = {"state": "ok", "missingChunks": [], "detail": None}


@pytest.fixture(autouse=True)
def directory(settings):
    made = settings.tocsin_data_dir / "artifacts"
    shutil.rmtree(made, ignore_errors=True)
    return made


@pytest.fixture
def send(api):
    """Uploads contents as chunks, under their hashes or other names."""

    def sent(*contents: bytes, part: str = "file_gzip", names: Sequence[str] = (), by=api):
        ready = [packed(content) if part == "file_gzip" else content for content in contents]
        named = zip(names or map(sha1, contents), ready, strict=True)
        return by("POST", UPLOAD, None, **form([(part, name, content) for name, content in named]))

    return sent


@pytest.fixture
def ask(api):
    """Asks for a bundle of these chunks."""

    def asked(*chunks: bytes, by=api, **members):
        whole = {"checksum": sha1(b"".join(chunks)), "chunks": [*map(sha1, chunks)], "projects": ["shop"]}
        return by.post(ASSEMBLE, whole | members)

    return asked


def test_the_address_to_upload_to_is_absolute(api):
    how = api.read(UPLOAD)
    assert how["url"] == f"https://tocsin.example.org/api/0{UPLOAD}"
    assert (how["hashAlgorithm"], how["compression"]) == ("sha1", ["gzip"])
    assert "artifact_bundles" in how["accept"]
    assert how["chunkSize"] <= how["maxRequestSize"] <= how["maxFileSize"]


@pytest.mark.parametrize("part", ["file", "file_gzip"])
def test_chunks_are_kept_by_hash_and_repeats_are_fine(send, session, directory, cast, part):
    for _ in range(2):
        answer = send(b"one", b"two", part=part)
        assert (answer.status_code, answer.data) == (200, b"")
    assert set(session.scalars(select(ArtifactChunk.sha1))) == {sha1(b"one"), sha1(b"two")}
    place = directory / str(cast.shop.organization_id) / "chunks" / sha1(b"one")[:2] / sha1(b"one")
    assert place.read_bytes() == b"one"


HASH = "0" * 40
BAD = {
    "another content": [("file", HASH, b"x")],
    "no hash": [("file", "../../x", b"x")],
    "no gzip": [("file_gzip", sha1(b"x"), b"x")],
    "cut off": [("file_gzip", sha1(b"x"), packed(b"x")[:-4])],
    "too many": [("file", HASH, b"x")] * 65,
    "none": [("other", HASH, b"x")],
}


@pytest.mark.parametrize("parts", BAD.values(), ids=BAD)
def test_what_is_no_chunk_is_refused_with_a_reason(api, session, parts):
    answer = api("POST", UPLOAD, None, **form(parts))
    assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert isinstance(answer.json["error"], str)
    assert session.scalar(select(func.count(ArtifactChunk.sha1))) == 0


def test_a_bomb_is_not_unpacked_to_its_end(send, directory):
    bomb = b"\0" * (300 << 20)
    answer = send(bomb)
    assert (answer.status_code, answer.json["error"][:20]) == (400, "A chunk is larger th")
    assert list((directory / "drafts").iterdir()) == []


def test_a_request_that_is_too_large_is_refused(api):
    answer = api("POST", UPLOAD, None, **form([("file", HASH, b"\0" * (34 << 20))]))
    assert answer.status_code == 413


def test_a_bundle_is_asked_for_uploaded_made_and_done(send, ask, run_jobs, session, cast):
    whole = bundle(release="shop@1", dist="7")
    first, second = whole[:500], whole[500:]
    assert ask(first, second).json == {
        "state": "not_found",
        "missingChunks": [sha1(first), sha1(second)],
        "detail": None,
    }
    send(first, second)
    assert ask(first, second).json["state"] == "created"
    run_jobs()
    assert ask(first, second, version="shop@1.0.1").json == DONE
    assert session.scalars(select(ArtifactBundleProject.project_id)).all() == [cast.shop.id]
    builds = select(ArtifactBundleRelease.version, ArtifactBundleRelease.dist)
    assert set(session.execute(builds)) == {("shop@1", "7"), ("shop@1.0.1", "")}
    assert session.scalar(select(func.count(ArtifactFile.id))) == 2


def test_a_bundle_that_was_made_is_not_made_again(send, ask, run_jobs, session):
    send(bundle())
    ask(bundle())
    run_jobs()
    [made] = session.scalars(select(ArtifactBundle.id))
    ask(bundle())
    run_jobs()
    assert session.scalars(select(ArtifactBundle.id)).all() == [made]


WRONG = {
    "not a bundle": (b"MZ", "does not begin with SYSB"),
    "a way out": (bundle({"files": {"../x": {"url": "~/x"}, "files/_/_/app.min.js.map": {}}}), "leads out"),
}


@pytest.mark.parametrize(("content", "because"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_bundle_is_said(send, ask, run_jobs, content, because):
    send(content)
    ask(content)
    run_jobs()
    said = ask(content).json
    assert said["state"] == "error"
    assert because in said["detail"]


def test_chunks_that_make_something_else_are_an_error(send, api, run_jobs):
    send(b"one")
    asked = {"checksum": sha1(b"two"), "chunks": [sha1(b"one")], "projects": ["shop"]}
    api.post(ASSEMBLE, asked)
    run_jobs()
    assert api.post(ASSEMBLE, asked).json["detail"].startswith("The chunks together have another SHA-1")


def test_chunks_whose_files_are_gone_are_asked_for_again(send, ask, run_jobs, directory, cast):
    send(bundle())
    ask(bundle())
    for file in (directory / str(cast.shop.organization_id) / "chunks").rglob("*"):
        if file.is_file():
            file.unlink()
    run_jobs()
    assert ask(bundle()).json["state"] == "not_found"


@pytest.mark.parametrize(
    "members",
    [
        {"projects": []},
        {"projects": ["nothing"]},
        {"projects": ["other-shop"]},
        {"checksum": "x"},
        {"chunks": "x"},
        {"chunks": [1]},
        {"chunks": ["0" * 40] * 2000},
        {"version": "v" * 201},
        {"dist": 7},
    ],
)
def test_what_cannot_be_assembled_is_refused(ask, members):
    assert ask(b"x", **members).status_code == 400


def test_chunks_of_others_are_no_chunks_of_ones_own(send, ask, program, charlie):
    send(bundle())
    elsewhere = program(charlie)
    path = "/organizations/rivals/artifactbundle/assemble/"
    asked = {"checksum": sha1(bundle()), "chunks": [sha1(bundle())], "projects": ["other-shop"]}
    assert elsewhere.post(path, asked).json["state"] == "not_found"


@pytest.mark.parametrize("scope", ["org:ci", "project:releases", "project:write", "project:admin"])
def test_build_servers_may_upload(program, alice, send, ask, scope):
    server = program(alice, [scope])
    assert send(b"one", by=server).status_code == 200
    assert ask(b"one", by=server).json["state"] == "created"


def test_readers_may_not(program, alice, send):
    assert send(b"one", by=program(alice, ["project:read", "org:read"])).status_code == 403


def test_bundles_that_a_worker_died_over_are_made_by_the_next(send, ask, app, session, run_jobs):
    send(bundle())
    ask(bundle())
    long_ago = datetime.now(UTC) - 2 * assembling.CLAIM
    session.execute(update(ArtifactBundle).values(state="assembling", claimed_at=long_ago))
    session.commit()
    with app.app_context():
        run_jobs.queue.empty()
        assemble.sweep(datetime.now(UTC))
    run_jobs()
    assert ask(bundle()).json == DONE


def files_in(directory) -> int:
    return sum(len(files) for _, _, files in os.walk(directory))


def test_chunks_are_forgotten_after_a_day_and_bundles_after_the_events(
    send, ask, app, session, run_jobs, directory, settings
):
    before = files_in(directory)
    send(bundle(), b"of no bundle")
    ask(bundle())
    run_jobs()
    assert files_in(directory) == before + 2  # the bundle’s own chunk went with its making
    with app.app_context():
        assemble.forget(datetime.now(UTC) + chunking.KEPT + timedelta(minutes=1))
    assert session.scalar(select(func.count(ArtifactChunk.sha1))) == 0
    assert files_in(directory) == before + 1
    assert ask(bundle()).json == DONE
    with app.app_context():
        assemble.forget(datetime.now(UTC) + timedelta(days=settings.event_retention_days, minutes=1))
    session.expire_all()
    assert session.scalar(select(func.count(ArtifactBundle.id))) == 0
    assert files_in(directory) == before


def test_what_is_left_of_organizations_that_are_gone_is_taken_away(app, directory):
    left = directory / "987654" / "bundles" / "ab"
    left.mkdir(parents=True)
    (left / "abc").write_bytes(b"x")
    with app.app_context():
        assemble.forget(datetime.now(UTC))
    assert not (directory / "987654").exists()


# Single files, as sentry-cli 2 uploads them

FILES = "/projects/acme/shop/releases/shop@1/files/"


@pytest.fixture
def upload(api, make, shop):
    api.post("/organizations/acme/releases/", {"version": "shop@1", "projects": ["shop"]})

    def sent(content: bytes, name: str, path: str = FILES, **fields: str):
        parts = [(field, None, value.encode()) for field, value in {"name": name, **fields}.items()]
        return api("POST", path, None, **form([("file", "app.min.js", content), *parts]))

    return sent


def test_single_files_are_kept_and_listed(upload, api):
    answer = upload(CODE, "~/static/app.min.js", header="Sourcemap: app.min.js.map", dist="7")
    assert answer.status_code == 201
    assert answer.json | {"id": "", "dateCreated": ""} == {
        "id": "",
        "name": "~/static/app.min.js",
        "sha1": sha1(CODE),
        "size": len(CODE),
        "dist": "7",
        "headers": {"Sourcemap": "app.min.js.map"},
        "dateCreated": "",
    }
    upload(MAP, "~/static/app.min.js.map", path="/organizations/acme/releases/shop@1/files/")
    assert [each["name"] for each in api.read(FILES)] == ["~/static/app.min.js", "~/static/app.min.js.map"]
    [found] = api.read(f"{FILES}?checksum={sha1(MAP)}")
    assert found["name"] == "~/static/app.min.js.map"


def test_a_file_of_the_same_name_is_replaced(upload, api, directory):
    upload(b"one", "~/a.js")
    count = files_in(directory)
    upload(b"two", "~/a.js")
    assert [each["sha1"] for each in api.read(FILES)] == [sha1(b"two")]
    assert files_in(directory) == count


@pytest.mark.parametrize(("name", "dist"), [("x" * 501, ""), ("a\nb", ""), ("~/a.js", "d" * 65)])
def test_files_with_odd_names_are_refused(upload, name, dist):
    assert upload(b"x", name, dist=dist).status_code == 400


def test_a_file_that_is_too_large_is_refused(upload):
    assert upload(b"\0" * (42 << 20), "~/a.js").status_code == 413


def test_files_of_unknown_releases_are_refused(upload):
    assert upload(b"x", "~/a.js", path=FILES.replace("shop@1", "shop@9")).status_code == 404


def test_a_single_file_is_read_and_deleted(upload, api, directory):
    upload(CODE, "~/static/app.min.js", dist="7")
    upload(CODE, "~/static/copy.js")
    first, second = api.read(FILES)
    path = f"{FILES}{first['id']}/"
    assert api.read(path) == first
    with api.get(f"{path}?download=1") as answer:
        assert answer.data == CODE
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    with api.get(f"{FILES}{second['id']}/?download") as answer:
        assert answer.data == CODE  # another build consists of it, too
    assert api.delete(f"/organizations/acme/releases/shop@1/files/{second['id']}/").status_code == 204
    assert (api.read(FILES), files_in(directory)) == ([], 0)


def test_all_single_files_of_a_release_are_deleted_at_once(upload, api, directory):
    for name, dist in (("~/a.js", "7"), ("~/b.js", "")):
        upload(name.encode(), name, dist=dist)
    assert api.delete("/projects/acme/shop/files/source-maps/").status_code == 400
    assert api.delete("/projects/acme/shop/files/source-maps/?name=shop@9").status_code == 404
    assert api.delete("/projects/acme/shop/files/source-maps/?name=shop@1").status_code == 204
    assert (api.read(FILES), files_in(directory)) == ([], 0)
