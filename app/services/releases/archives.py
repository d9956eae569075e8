"""Artifact bundles as files: ZIP archives with a header of their own, made by strangers.

Nothing is ever unpacked to disk, and nothing is read without a bound: what an archive says of itself may be
a lie.
"""

import struct
import zipfile
import zlib
from pathlib import Path

from app.domain.bundles import BadBundle, Manifest, is_safe, read_manifest

MAGIC = b"SYSB"
MAX_FILES = 20_000
# Of the table of contents, which Python holds in memory at some ten times the size.
MAX_CONTENTS = 8 << 20
MAX_MANIFEST = 16 << 20
MAX_UNPACKED = 4 << 30
# Nothing made of text packs this well.
MAX_RATIO = 200
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _END_64_SIZE = 22, 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)


def check(path: Path) -> tuple[Manifest, dict[str, int]]:
    """What the bundle says of its files, and their sizes; `BadBundle` if it is none, or made to do harm."""
    _check_ends(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_contents(infos)
            manifest = read_manifest(_read(archive, "manifest.json", MAX_MANIFEST))
    except _BROKEN:
        raise BadBundle("The ZIP archive is damaged.") from None
    sizes = {info.filename: info.file_size for info in infos}
    missing = [each.member for each in manifest.files if each.member not in sizes]
    if missing:
        raise BadBundle(f"manifest.json names a file that is not there: {missing[0][:100]}.")
    return manifest, sizes


def read(path: Path, member: str, limit: int) -> bytes | None:
    """A file of a bundle; None if it is longer than that. `BadBundle` or OSError if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, member, limit)
    except TooLong:
        return None
    except FileNotFoundError:
        raise
    except _BROKEN:
        raise BadBundle("The ZIP archive is damaged.") from None


class TooLong(BadBundle):
    """A member that unpacks to more than is wanted."""


def _read(archive: zipfile.ZipFile, member: str, limit: int) -> bytes:
    try:
        with archive.open(member) as file:
            found = file.read(limit + 1)
    except KeyError:
        raise BadBundle(f"There is no {member[:100]} in the archive.") from None
    if len(found) > limit:
        raise TooLong(f"{member[:100]} is larger than {limit >> 20} MB.")
    return found


def _check_ends(path: Path) -> None:
    """Before the table of contents is read: how long it is. The larger ZIP format is not taken."""
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise BadBundle("This is no artifact bundle: it does not begin with SYSB.")
        size = file.seek(0, 2)
        if size < _END_SIZE + _END_64_SIZE:
            raise BadBundle("The archive is cut off.")
        file.seek(size - _END_SIZE - _END_64_SIZE)
        before, end = file.read(_END_64_SIZE), file.read(_END_SIZE)
    if end[:4] != _END or end[-2:] != b"\0\0":
        raise BadBundle("The archive is cut off.")
    contents = struct.unpack("<L", end[12:16])[0]
    if before[:4] == _END_64 or contents > MAX_CONTENTS:
        raise BadBundle(f"The archive has too many files: at most {MAX_FILES} are taken.")


def _check_contents(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_FILES:
        raise BadBundle(f"The archive has too many files: at most {MAX_FILES} are taken.")
    for info in infos:
        if not is_safe(info.filename):
            raise BadBundle(
                f"The archive has a file with a path that leads out of it: {info.filename[:100]}."
            )
        if info.flag_bits & 1:
            raise BadBundle("The archive is encrypted.")
    unpacked, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if unpacked > MAX_UNPACKED or unpacked > max(packed, 1 << 20) * MAX_RATIO:
        raise BadBundle("The archive unpacks to far more than it holds.")
