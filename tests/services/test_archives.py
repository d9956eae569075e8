"""Archives that were made to do harm are refused before they can."""

import io
import json
import struct
import zipfile

import pytest

from app.domain.bundles import BadBundle
from app.services.releases import archives
from tests.support import minified_shop
from tests.support.minified_shop import archive, bundle, manifest

EMPTY = json.dumps({"files": {}}).encode()


@pytest.fixture
def checked(tmp_path):
    def check(content: bytes):
        path = tmp_path / "bundle"
        path.write_bytes(content)
        return archives.check(path)

    return check


def test_a_bundle_of_sentry_cli_is_read(checked):
    found, sizes = checked(bundle(release="shop@1", dist="7"))
    assert (found.release, found.dist) == ("shop@1", "7")
    assert [(file.kind, file.url) for file in found.files] == [
        ("minified_source", "~/static/app.min.js"),
        ("source_map", "~/static/app.min.js.map"),
    ]
    assert sizes["files/_/_/app.min.js"] == len(minified_shop.CODE)


def many(count: int) -> bytes:
    made = io.BytesIO(b"SYSB\x02\0\0\0")
    made.seek(8)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED, allowZip64=False) as into:
        for number in range(count):
            into.writestr(str(number), b"")
        into.writestr("manifest.json", EMPTY)
    return made.getvalue()


def with_contents_of(size: int) -> bytes:
    plain = bytearray(bundle())
    plain[-10:-6] = struct.pack("<L", size)
    return bytes(plain)


BAD = {
    "no bundle": (lambda: archive({"manifest.json": EMPTY}, magic=b""), "does not begin with SYSB"),
    "nothing but the magic": (lambda: b"SYSB", "cut off"),
    "cut off": (lambda: bundle()[:-30], "cut off"),
    "no manifest": (lambda: archive({"a": b""}), "no manifest.json"),
    "a manifest that is no JSON": (lambda: archive({"manifest.json": b"<xml>"}), "not JSON"),
    "a manifest that lies": (
        lambda: archive({"manifest.json": json.dumps(manifest()).encode()}),
        "not there",
    ),
    "a way out": (lambda: archive({"../../etc/cron.d/x": b"", "manifest.json": EMPTY}), "leads out"),
    "a bomb": (lambda: archive({"a": b"\0" * (220 << 20), "manifest.json": EMPTY}), "far more"),
    "too large a table of contents": (lambda: with_contents_of(1 << 30), "too many files"),
    "damaged": (lambda: with_contents_of(5), "damaged"),
    "too many files": (lambda: many(archives.MAX_FILES + 1), "too many files"),
}


@pytest.mark.parametrize(("made", "because"), BAD.values(), ids=BAD)
def test_what_is_no_honest_bundle_is_refused_with_a_reason(checked, made, because):
    with pytest.raises(BadBundle, match=because):
        checked(made())


def test_a_file_longer_than_wanted_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "bundle"
    path.write_bytes(archive({"a": b"\0" * (64 << 20)}))
    assert archives.read(path, "a", 1000) is None
