"""The recorded traffic of real SDKs, if it lies beside this repository."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures" / "envelopes"


@dataclass(frozen=True)
class Recording:
    """One request exactly as a client sent it, and what should become of it."""

    file: str
    path: str
    query: str
    headers: dict[str, str]
    items: list[str]
    expected: dict[str, Any]

    @property
    def body(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def is_store(self) -> bool:
        return self.path.rstrip("/").endswith("/store")


class Recordings:
    @cached_property
    def index(self) -> dict[str, Any]:
        if not FOLDER.is_dir():
            pytest.skip(f"no recordings at {FOLDER}")
        return json.loads((FOLDER / "index.json").read_text())

    @cached_property
    def all(self) -> list[Recording]:
        return [_recording(entry) for entry in self.index["fixtures"]]


def _recording(entry: dict[str, Any]) -> Recording:
    url = urlsplit(entry["request"]["path"])
    headers = {name.lower(): value for name, value in entry["request"]["headers"].items()}
    return Recording(entry["file"], url.path, url.query, headers, entry["items"], entry["expected"])


RECORDINGS = Recordings()
