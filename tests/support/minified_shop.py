"""A small shop in minified JavaScript with its source map: events of it, bundles as sentry-cli makes them."""

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "minified"
CODE, MAP = (HERE / "app.min.js").read_bytes(), (HERE / "app.min.js.map").read_bytes()
DEBUG_ID = "e12f8f15-9522-53ec-9548-9d20203b7c11"
URL = "https://shop.example.org/static/app.min.js"
# The columns of a real stack trace of it, caller first, with the names that minifying left.
STACK = [(231, "?"), (177, "c"), (123, "n"), (130, "?"), (45, "o")]
ORIGINAL = [
    ("src/main.ts", "<anonymous>", 8),
    ("src/main.ts", "checkout", 4),
    ("src/cart.ts", "totalOf", 12),
    ("src/cart.ts", "<anonymous>", 12),
    ("src/cart.ts", "priceOf", 6),
]


def frames(
    *, url: str = URL, line: int = 1, stack: Sequence[tuple[int, str]] = STACK
) -> list[dict[str, Any]]:
    return [
        {"filename": url, "function": function, "lineno": line, "colno": column, "in_app": True}
        for column, function in stack
    ]


def thrown(*, debug_id: str | None = None, **more: Any) -> dict[str, Any]:
    """Members of an event; with `debug_id` it says of which build its file is."""
    stack = {"frames": frames(**more)}
    image = {"type": "sourcemap", "code_file": more.get("url", URL), "debug_id": debug_id}
    return {
        "platform": "javascript",
        "transaction": None,
        "release": None,
        "exception": {"values": [{"type": "TypeError", "value": "no price for cup", "stacktrace": stack}]},
        "debug_meta": {"images": [image] if debug_id else []},
    }


def manifest(*, debug_id: str | None = DEBUG_ID, prefix: str = "~/static", **more: Any) -> dict[str, Any]:
    named = {"debug-id": debug_id} if debug_id else {}
    return {
        "files": {
            "files/_/_/app.min.js": {
                "type": "minified_source",
                "url": f"{prefix}/app.min.js",
                "headers": {**named, "sourcemap": "app.min.js.map"},
            },
            "files/_/_/app.min.js.map": {
                "type": "source_map",
                "url": f"{prefix}/app.min.js.map",
                "headers": named,
            },
        },
        **more,
    }


def bundle(about: Any = None, *, code: bytes = CODE, source_map: bytes | None = MAP, **more: Any) -> bytes:
    """An artifact bundle; `more` goes into its manifest."""
    about = manifest(**more) if about is None else about
    members: dict[str, bytes] = {"files/_/_/app.min.js": code}
    if source_map is None:
        del about["files"]["files/_/_/app.min.js.map"]
    else:
        members["files/_/_/app.min.js.map"] = source_map
    return archive({**members, "manifest.json": json.dumps(about).encode()})


def archive(members: Mapping[str, bytes], *, magic: bytes = b"SYSB\x02\0\0\0") -> bytes:
    made = io.BytesIO()
    made.write(magic)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in members.items():
            into.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def form(parts: Sequence[tuple[str, str | None, bytes]]) -> dict[str, Any]:
    """A multipart body of fields, and of files where there is a file name: arguments of a request."""
    body = b""
    for name, filename, content in parts:
        of_file = f'; filename="{filename}"' if filename is not None else ""
        body += f'--part\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return {"data": body + b"--part--\r\n", "content_type": "multipart/form-data; boundary=part"}


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def packed(content: bytes) -> bytes:
    return gzip.compress(content)
