"""What build servers upload so that minified stack traces can be read: chunks, bundles, the files in them.

The bytes lie in files under the data directory, named by their hash (`services/releases/shelf.py`); here are
rows.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Keyed

WAITING, ASSEMBLING, OK, ERROR = "created", "assembling", "ok", "error"


class ArtifactChunk(Base):
    """A piece of a bundle, kept for a day. An organization's own: hashes of others tell it nothing."""

    __tablename__ = "artifact_chunks"
    __table_args__ = (Index("ix_artifact_chunks_uploaded", "uploaded_at"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    sha1: Mapped[str] = mapped_column(String(40), primary_key=True)
    size: Mapped[int]
    uploaded_at: Mapped[datetime]


class ArtifactBundle(Keyed):
    """An uploaded archive, or the files that were uploaded one by one for projects of a release."""

    __tablename__ = "artifact_bundles"
    __table_args__ = (
        UniqueConstraint("organization_id", "checksum"),
        Index("ix_artifact_bundles_state", "state", "uploaded_at"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    # SHA-1 of the archive; of single files something that is none, so that nobody can name them as one.
    checksum: Mapped[str] = mapped_column(String(40))
    is_archive: Mapped[bool]
    chunks: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(10))
    detail: Mapped[str] = mapped_column(String(500), default="")
    uploaded_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    # To within a day: what no event needs any more is forgotten in the end. At first, when it came.
    used_at: Mapped[datetime]

    @property
    def is_used(self) -> bool:
        return self.used_at > self.uploaded_at


class ArtifactBundleProject(Base):
    """Whose events a bundle is for."""

    __tablename__ = "artifact_bundle_projects"

    bundle_id: Mapped[int] = mapped_column(
        ForeignKey("artifact_bundles.id", ondelete="CASCADE"), primary_key=True
    )
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ArtifactBundleRelease(Base):
    """The builds that a bundle is of, for events that name no debug id. An empty `dist` is none."""

    __tablename__ = "artifact_bundle_releases"

    bundle_id: Mapped[int] = mapped_column(
        ForeignKey("artifact_bundles.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[str] = mapped_column(String(200), primary_key=True, index=True)
    dist: Mapped[str] = mapped_column(String(64), primary_key=True)


class ArtifactFile(Keyed):
    """A file of a bundle. `member` is its name in the archive; without one it lies alone, under `sha1`."""

    __tablename__ = "artifact_files"
    __table_args__ = (
        Index("ix_artifact_files_bundle_url", "bundle_id", "url"),
        Index("ix_artifact_files_debug", "debug_id"),
    )

    bundle_id: Mapped[int] = mapped_column(ForeignKey("artifact_bundles.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))  # minified_source, source_map, source…
    url: Mapped[str] = mapped_column(String(500))
    debug_id: Mapped[str | None] = mapped_column(String(32))
    source_map: Mapped[str] = mapped_column(String(500), default="")  # as a minified file refers to its map
    member: Mapped[str | None] = mapped_column(String(1000))
    sha1: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(BigInteger)
    headers: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
