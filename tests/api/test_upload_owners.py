"""Whose uploads are: files and bundles are for the projects they came for, whoever guesses their names."""

import hashlib
import shutil

import pytest
from sqlalchemy import select

from app.models import ArtifactBundle, ArtifactBundleProject, ArtifactChunk
from tests.support.minified_shop import bundle, form, sha1

RELEASES = "/organizations/acme/releases/"
ASSEMBLE = "/organizations/acme/artifactbundle/assemble/"
V1 = "shop@1.0.0"
FILES = f"{RELEASES}{V1}/files/"


@pytest.fixture(autouse=True)
def directory(settings):
    made = settings.tocsin_data_dir / "artifacts"
    shutil.rmtree(made, ignore_errors=True)
    return made


@pytest.fixture
def tools(make, cast):
    """A project of Dee's, who does not see shop."""
    return make.project(cast.acme, "tools", teams=[make.team(cast.acme, "tools-team", members=[cast.dee])])


@pytest.fixture
def bob(program, cast):
    return program(cast.bob)


@pytest.fixture
def dee(program, cast, tools):
    return program(cast.dee)


def put(by, content=b"SECRET", path=FILES, name="app.js.map"):
    answer = by("POST", path, None, **form([("file", name, content)]))
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


def send(by, content):
    parts = form([("file", sha1(content), content)])
    assert by("POST", "/organizations/acme/chunk-upload/", None, **parts).status_code == 200


def ask(by, content, *projects, **members):
    sent = {"checksum": sha1(content), "chunks": [sha1(content)], "projects": projects}
    return by.post(ASSEMBLE, sent | members).json


def names(by, path=FILES):
    return [each["name"] for each in by.read(path)]


@pytest.fixture
def release(bob):
    assert bob.post(RELEASES, {"version": V1, "projects": ["shop"]}).status_code == 201


@pytest.fixture
def stored(run_jobs, bob):
    """A bundle of shop's."""
    send(bob, bundle())
    ask(bob, bundle(), "shop")
    run_jobs()
    assert ask(bob, bundle(), "shop")["state"] == "ok"


# Single files


def test_no_bundle_can_be_named_that_single_files_are_in(release, session, bob, dee):
    put(bob)
    assert dee.post(RELEASES, {"version": "tools@1", "projects": ["tools"]}).status_code == 201
    known = {
        hashlib.sha1(f"{V1}\n".encode()).hexdigest(),
        session.scalars(select(ArtifactBundle.checksum)).one(),
    }
    for checksum in known:
        asked = {"checksum": checksum, "chunks": [], "projects": ["tools"], "version": "tools@1"}
        answer = dee.post(ASSEMBLE, asked)
        assert answer.status_code == 400 or answer.json["state"] == "not_found"
    assert dee.read(f"{RELEASES}tools@1/files/") == []
    assert names(bob) == ["app.js.map"]


def test_no_bundle_is_ever_where_single_files_go(release, session, bob, dee):
    send(dee, b"junk")
    guessed = hashlib.sha1(f"{V1}\n".encode()).hexdigest()
    assert ask(dee, b"junk", "tools", checksum=guessed)["state"] == "created"
    put(bob)
    assert names(bob) == ["app.js.map"]
    of_files = select(ArtifactBundle.state).where(ArtifactBundle.is_archive.is_(False))
    assert session.scalars(of_files).all() == ["ok"]


def test_projects_that_share_a_release_share_no_files(release, api, bob, dee):
    api.post(RELEASES, {"version": V1, "projects": ["tools"]})
    own, secret = put(dee, b"OWN"), put(bob)
    assert [each["id"] for each in dee.read(FILES)] == [own]
    assert [each["id"] for each in bob.read(FILES)] == [secret]
    for answer in (dee.get(f"{FILES}{secret}/?download=1"), dee.delete(f"{FILES}{secret}/")):
        assert answer.status_code == 404
    assert len(api.read(FILES)) == 2


def test_a_file_for_several_projects_is_deleted_by_who_sees_them_all(release, api, bob, dee):
    api.post(RELEASES, {"version": V1, "projects": ["tools"]})
    both = put(api)
    assert dee.delete(f"{FILES}{both}/").status_code == 403
    assert dee.delete(f"/projects/acme/tools/files/source-maps/?name={V1}").status_code == 204
    assert (names(dee), names(bob)) == ([], ["app.js.map"])
    assert api.delete(f"{FILES}{both}/").status_code == 204


def test_files_of_an_organization_are_for_owners_and_not_for_guests(release, program, cast, session, dee):
    dee.post(RELEASES, {"version": V1, "projects": ["tools"]})
    put(program(cast.acme))
    assert session.scalars(select(ArtifactBundleProject.project_id)).all() == [cast.shop.id]


def test_with_a_release_its_files_go(release, session, directory, bob, dee):
    secret = put(bob)
    assert bob.delete(f"{RELEASES}{V1}/").status_code == 204
    assert [each for each in directory.rglob("*") if each.is_file()] == []
    dee.post(RELEASES, {"version": V1, "projects": ["tools"]})
    assert dee.read(FILES) == []
    assert dee.get(f"{FILES}{secret}/?download=1").status_code == 404


# Bundles


def test_who_knows_the_checksum_of_a_bundle_gets_nothing_of_it(stored, session, cast, dee):
    assert ask(dee, bundle(), "tools") == {
        "state": "not_found",
        "missingChunks": [sha1(bundle())],
        "detail": None,
    }
    assert ask(dee, bundle(), "tools", chunks=[])["state"] == "not_found"
    assert session.scalars(select(ArtifactBundleProject.project_id)).all() == [cast.shop.id]


def test_nor_who_names_it_with_something_else_of_theirs(stored, session, cast, dee):
    send(dee, b"junk")
    said = ask(dee, bundle(), "tools", chunks=[sha1(b"junk")])
    assert (said["state"], "do not see" in said["detail"]) == ("error", True)
    assert session.scalars(select(ArtifactBundleProject.project_id)).all() == [cast.shop.id]


def test_who_has_the_bundle_uploads_it_and_it_is_theirs_too(stored, session, cast, tools, dee):
    send(dee, bundle())
    assert ask(dee, bundle(), "tools")["state"] == "ok"
    assert set(session.scalars(select(ArtifactBundleProject.project_id))) == {cast.shop.id, tools.id}
    assert session.scalars(select(ArtifactChunk.sha1)).all() == []  # the next one has to upload it, too
    assert ask(dee, bundle(), "tools")["state"] == "ok"


def test_chunks_that_another_bundle_waits_for_stay(run_jobs, session, bob):
    whole = bundle()
    first, second = whole[:500], whole[500:]
    for each in (first, second):
        send(bob, each)
    ask(bob, whole, "shop", chunks=[sha1(first), sha1(second)])
    ask(bob, first + first, "shop", chunks=[sha1(first), sha1(first)])
    [made, _] = session.scalars(select(ArtifactBundle).order_by(ArtifactBundle.id))
    run_jobs()
    session.expire_all()
    assert made.state == "ok"
    assert session.scalars(select(ArtifactChunk.sha1)).all() == [sha1(first)]
