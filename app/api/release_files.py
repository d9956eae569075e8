"""Files that sentry-cli 2 uploads for a release one by one (`web-api.md` 3)."""

from collections.abc import Sequence

from flask import jsonify, request, send_file

from app.api.artifacts import ENVELOPE
from app.api.blueprint import Answer, Denied, Invalid, bp
from app.api.credentials import actor, needs, viewer
from app.api.describing import File, Form, Page, Query, describes
from app.api.paging import page_of
from app.api.places import shelf, visible_organization, visible_project
from app.api.releases import RELEASES, own, own_in_project, uploaded_for
from app.api.shapes import moment
from app.api.types.releases import FileForm, ReleaseFileJson
from app.clock import now
from app.db import begin_writing, db
from app.domain.bundles import MAX_URL
from app.domain.errors import NotFound
from app.domain.ids import parse_id
from app.models import ArtifactFile, Project, Release
from app.services.releases import artifacts, release_owners
from app.services.releases import shelf as shelves
from app.services.releases.shelf import TooLarge

MAX_NAME, MAX_DIST = MAX_URL, 64
DOWNLOAD = Query("download", "Present: the file itself.")
RELEASE = Query("name", "The release.", example="shop@1.0.0")
CHECKSUM = Query("checksum", "Those with this SHA-1; several: with any of them.", list[str])


@bp.get("/organizations/<org>/releases/<version>/files/")
@needs("project:read", RELEASES)
@describes({200: Page[ReleaseFileJson]}, query=[CHECKSUM])
def files(org: str, version: str) -> Answer:
    """The files of a release."""
    return _list(own(visible_organization(org), version))


@bp.get("/projects/<org>/<proj>/releases/<version>/files/")
@needs("project:read", RELEASES)
@describes({200: Page[ReleaseFileJson]}, query=[CHECKSUM])
def files_of_project(org: str, proj: str, version: str) -> Answer:
    """The files of a release of a project."""
    return _list(own_in_project(org, proj, version))


def _list(release: Release) -> Answer:
    found = artifacts.files_of(release, viewer(), request.args.getlist("checksum"))

    return page_of(found, _shown)


def _shown(rows: Sequence[ArtifactFile]) -> list[ReleaseFileJson]:
    dists = artifacts.dists_of(db.session, rows)
    return [_file(row, dists.get(row.bundle_id, "")) for row in rows]


def _file(row: ArtifactFile, dist: str) -> ReleaseFileJson:
    return {
        "id": str(row.id),
        "name": row.url,
        "sha1": row.sha1,
        "size": row.size,
        "dist": dist or None,
        "headers": row.headers,
        "dateCreated": moment(row.created_at),
    }


@bp.post("/organizations/<org>/releases/<version>/files/")
@needs(RELEASES)
@describes({201: ReleaseFileJson}, body=Form(FileForm))
def upload_file(org: str, version: str) -> Answer:
    """Upload a file for a release."""
    row = own(visible_organization(org), version)
    return _upload(row, uploaded_for(row))


@bp.post("/projects/<org>/<proj>/releases/<version>/files/")
@needs(RELEASES)
@describes({201: ReleaseFileJson}, body=Form(FileForm))
def upload_file_of_project(org: str, proj: str, version: str) -> Answer:
    """Upload a file for a release of a project."""
    return _upload(own_in_project(org, proj, version), [visible_project(org, proj)])


@bp.get("/organizations/<org>/releases/<version>/files/<file_id>/")
@needs("project:read", RELEASES)
@describes({200: ReleaseFileJson | File}, query=[DOWNLOAD])
def file(org: str, version: str, file_id: str) -> Answer:
    """One file of a release."""
    return _one(own(visible_organization(org), version), file_id)


@bp.get("/projects/<org>/<proj>/releases/<version>/files/<file_id>/")
@needs("project:read", RELEASES)
@describes({200: ReleaseFileJson | File}, query=[DOWNLOAD])
def file_of_project(org: str, proj: str, version: str, file_id: str) -> Answer:
    """One file of a release of a project."""
    return _one(own_in_project(org, proj, version), file_id)


def _one(release: Release, file_id: str) -> Answer:
    row = _find(release, file_id)
    if "download" not in request.args:
        return jsonify(_shown([row])[0])
    place = shelf().where(release.organization_id, shelves.FILES, row.sha1 or "")
    if not place.is_file():
        raise NotFound
    return send_file(place, mimetype="application/octet-stream", as_attachment=True, download_name="file")


def _find(release: Release, file_id: str) -> ArtifactFile:
    found = db.session.scalar(
        artifacts.files_of(release, viewer()).where(ArtifactFile.id == parse_id(file_id))
    )
    if found is None:
        raise NotFound
    return found


@bp.delete("/organizations/<org>/releases/<version>/files/<file_id>/")
@needs(RELEASES)
@describes({204: None})
def delete_file(org: str, version: str, file_id: str) -> Answer:
    """Delete a file of a release."""
    return _delete(own(visible_organization(org), version), file_id)


@bp.delete("/projects/<org>/<proj>/releases/<version>/files/<file_id>/")
@needs(RELEASES)
@describes({204: None})
def delete_file_of_project(org: str, proj: str, version: str, file_id: str) -> Answer:
    """Delete a file of a release of a project."""
    return _delete(own_in_project(org, proj, version), file_id)


def _delete(release: Release, file_id: str) -> Answer:
    artifacts.delete_file(db.session, shelf(), _find(release, file_id), by=viewer())
    db.session.commit()
    return "", 204


@bp.delete("/projects/<org>/<proj>/files/source-maps/")
@needs(RELEASES)
@describes({204: None}, query=[RELEASE])
def delete_files_of_project(org: str, proj: str) -> Answer:
    """Delete a project’s single files of a release: `releases files delete --all` of sentry-cli."""
    version = request.args.get("name") or ""
    project = visible_project(org, proj)
    if not version:
        raise Invalid("Name the release.", "name")
    release = own_in_project(org, proj, version)
    artifacts.delete_files(db.session, shelf(), release, of=project)
    db.session.commit()
    return "", 204


def _upload(release: Release, projects: Sequence[Project]) -> Answer:
    """201 with the file. It is written before the database is asked to write."""
    release_id, project_ids = release.id, [project.id for project in projects]
    db.session.rollback()
    request.max_content_length = artifacts.MAX_FILE + ENVELOPE
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("Send the file as the part `file`.")
    name, dist = request.form.get("name") or sent.filename or "", request.form.get("dist") or ""
    _check_names(name, dist)
    headers = _headers(request.form.getlist("header"))
    try:
        with shelf().draft(iter(lambda: sent.stream.read(1 << 16), b""), limit=artifacts.MAX_FILE) as draft:
            begin_writing()
            again = db.session.get(Release, release_id)
            if again is None:
                raise NotFound
            rows = [row for id_ in project_ids if (row := db.session.get(Project, id_))]
            release_owners.claim(db.session, actor(), again)
            made = artifacts.add_file(
                db.session, shelf(), again, rows, draft, name=name, dist=dist, headers=headers, now=now()
            )
            db.session.commit()
    except TooLarge:
        raise Denied(413, f"A file of a release is at most {artifacts.MAX_FILE >> 20} MB.") from None
    return jsonify(_file(made, dist)), 201


def _check_names(name: str, dist: str) -> None:
    if not 0 < len(name) <= MAX_NAME or any(each in name for each in "\x00\n\r\t"):
        raise Invalid(f"The name of a file has 1 to {MAX_NAME} characters, and is on one line.")
    if len(dist) > MAX_DIST or "\x00" in dist:
        raise Invalid(f"A dist has at most {MAX_DIST} characters.")


def _headers(lines: Sequence[str]) -> dict[str, str]:
    """`Name: value`, as sentry-cli sends them; other lines mean nothing."""
    found = {}
    for line in lines[:20]:
        name, colon, value = line.partition(":")
        if colon and "\x00" not in line and len(line) <= MAX_NAME:
            found[name.strip()] = value.strip()
    return found
