"""Uploads of sentry-cli: chunks, and the artifact bundles that are made of them (`web-api.md` 3)."""

from collections.abc import Sequence
from typing import Any

from flask import current_app, jsonify, request
from werkzeug.datastructures import FileStorage

from app.api.blueprint import Answer, Invalid, bp
from app.api.credentials import needs, viewer
from app.api.describing import Form, describes
from app.api.places import shelf, visible_organization
from app.api.reading import body, text
from app.api.releases import RELEASES, projects_named, reachable, uploaded_for
from app.api.types.releases import (
    AssembledJson,
    BundleJson,
    ChunksForm,
    HowToUploadJson,
    ProjectsBundleJson,
    UploadErrorJson,
)
from app.clock import now
from app.db import begin_writing, db
from app.domain.errors import Refused
from app.models import Organization, Project
from app.services.releases import assembling, chunking
from app.services.releases.assembling import State, Upload
from app.services.releases.shelf import TooLarge

MAX_REQUEST = 32 << 20
# What surrounds the chunks of a request.
ENVELOPE = 1 << 20
PARTS = ("file", "file_gzip")
# Without bundles here sentry-cli 2 uploads file by file. Debug files are answered 404 when assembled.
ACCEPTED = [
    *("artifact_bundles", "artifact_bundles_v2", "release_files"),
    *("debug_files", "sources", "pdbs", "proguard"),
]


@bp.get("/organizations/<org>/chunk-upload/")
@needs(RELEASES)
@describes({200: HowToUploadJson})
def how_to_upload(org: str) -> Answer:
    """How to upload: what sentry-cli asks first."""
    slug, url = visible_organization(org).slug, current_app.config["SETTINGS"].tocsin_url
    return jsonify(
        {
            "url": f"{url}/api/0/organizations/{slug}/chunk-upload/",
            "chunkSize": chunking.MAX_CHUNK,
            "chunksPerRequest": chunking.MAX_CHUNKS_OF_REQUEST,
            "maxRequestSize": MAX_REQUEST,
            "maxFileSize": assembling.MAX_BUNDLE,
            "concurrency": 8,
            "hashAlgorithm": "sha1",
            "compression": ["gzip"],
            "accept": ACCEPTED,
        }
    )


@bp.post("/organizations/<org>/chunk-upload/")
@needs(RELEASES)
@describes({200: None, 400: UploadErrorJson}, body=Form(ChunksForm))
def upload_chunks(org: str) -> Answer:
    """Upload chunks.

    Any order, any repetition.
    """
    organization = visible_organization(org)
    organization_id = organization.id
    try:
        chunking.check_room(db.session, organization)
        for name, part in _sent():
            _take(organization_id, part, is_packed=name == "file_gzip")
    except TooLarge:
        return _wrong(f"A chunk is larger than {chunking.MAX_CHUNK} bytes.")
    except Refused as refused:
        return _wrong(refused.message)
    return "", 200


def _sent() -> list[tuple[str, FileStorage]]:
    """The chunks of the request, in files. No connection is held while they come in."""
    db.session.rollback()
    request.max_content_length = MAX_REQUEST + ENVELOPE
    parts = [(name, part) for name in PARTS for part in request.files.getlist(name)]
    if not 0 < len(parts) <= chunking.MAX_CHUNKS_OF_REQUEST:
        raise Refused(f"Send 1 to {chunking.MAX_CHUNKS_OF_REQUEST} chunks.")
    return parts


def _wrong(message: str) -> Answer:
    db.session.rollback()
    return jsonify({"error": message}), 400


def _take(organization_id: int, part: FileStorage, *, is_packed: bool) -> None:
    """Each chunk is written to its file before the database is asked to write, and committed by itself."""
    name = (part.filename or "").lower()
    if not chunking.SHA1.fullmatch(name):
        raise Refused("The filename of a chunk is the SHA-1 of its content.")
    db.session.rollback()
    content = chunking.pieces(part.stream, is_packed=is_packed)
    with shelf().draft(content, limit=chunking.MAX_CHUNK) as draft:
        begin_writing()
        chunking.keep(db.session, shelf(), organization_id, draft, name=name, now=now())
        db.session.commit()


@bp.post("/organizations/<org>/artifactbundle/assemble/")
@needs(RELEASES)
@describes({200: AssembledJson}, body=ProjectsBundleJson)
def assemble_bundle(org: str) -> Answer:
    """Make an artifact bundle of chunks.

    For projects, and for a release if one is named. Asked again, it tells how far it is.
    """
    organization, given = visible_organization(org), body()
    projects = projects_named(given, organization)
    if not projects:
        raise Invalid("Name the projects that it is for.")
    return _assemble(organization, projects, given, text(given, "version"))


@bp.post("/organizations/<org>/releases/<version>/assemble/")
@needs(RELEASES)
@describes({200: AssembledJson}, body=BundleJson)
def assemble_files(org: str, version: str) -> Answer:
    """Make an artifact bundle of chunks, for a release.

    As old versions of sentry-cli ask: for all projects that own it.
    """
    organization = visible_organization(org)
    row = reachable(organization, version)
    return _assemble(organization, uploaded_for(row), body(), version)


def _assemble(
    organization: Organization, projects: Sequence[Project], given: dict[str, Any], version: str
) -> Answer:
    chunks, dist = given.get("chunks"), text(given, "dist")
    if not isinstance(chunks, list) or not all(_is_hash(each) for each in chunks):
        raise Invalid("chunks is a list of SHA-1 hashes.")
    if len(chunks) > assembling.MAX_CHUNKS:
        raise Invalid(f"A bundle has at most {assembling.MAX_CHUNKS} chunks.")
    if not _is_hash(given.get("checksum")):
        raise Invalid("checksum is the SHA-1 of the bundle.")
    if len(version) > 200 or len(dist) > 64 or "\x00" in version + dist:
        raise Invalid("No release or dist has such a name.")
    upload = Upload(given["checksum"], chunks, projects, version, dist)
    state = assembling.ask(db.session, shelf(), organization, upload, by=viewer(), now=now())
    db.session.commit()
    return _shown(state)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and chunking.SHA1.fullmatch(value) is not None


def _shown(state: State) -> Answer:
    return jsonify({"state": state.state, "missingChunks": list(state.missing), "detail": state.detail})
