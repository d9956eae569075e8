"""Pages of a list: `per_page`, `cursor`, and the Link header that clients follow."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request

from app.api.blueprint import Invalid

MOST = 100
Json = dict[str, Any]


def size() -> int:
    """How many the client wants: 1 to 100."""
    text = request.args.get("per_page") or request.args.get("limit") or str(MOST)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise Invalid(detail=f"per_page must be a number from 1 to {MOST}.")
    return int(text)


def offset() -> int:
    """The start of the page, of a cursor `0:offset:is_prev`."""
    text = request.args.get("cursor") or "0:0:0"
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        raise Invalid(detail="Invalid cursor.")
    return int(parts[1])


def whole_list(rows: Sequence[Json]) -> Response:
    """A page of a list that is short enough to be made as a whole."""
    start, count = offset(), size()
    previous, following = f"0:{max(start - count, 0)}:1", f"0:{start + count}:0"
    more = len(rows) > start + count
    return linked(rows[start : start + count], previous, following, before=start > 0, after=more)


def linked(
    rows: Sequence[Json], previous: str, following: str, *, before: bool, after: bool
) -> Response:
    """The page with both links, which are always there: clients look at `results`."""
    response = jsonify(list(rows))
    response.headers["Link"] = ", ".join(
        _link(cursor, rel, there)
        for cursor, rel, there in ((previous, "previous", before), (following, "next", after))
    )
    return response


def _link(cursor: str, rel: str, there: bool) -> str:
    arguments = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    query = urlencode([*arguments, ("cursor", cursor)])
    base = current_app.config["SETTINGS"].tocsin_url.rstrip("/")
    results = "true" if there else "false"
    return f'<{base}{request.path}?{query}>; rel="{rel}"; results="{results}"; cursor="{cursor}"'
