"""Pages of a list: `per_page`, `cursor`, and the Link header that clients follow."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request
from sqlalchemy import Select

from app.api.blueprint import Invalid
from app.db import db

MOST = 100
# `value:offset:is_prev`; the value means nothing in our cursors.
FIRST = "0:0:0"
Line = Mapping[str, object]
T = TypeVar("T")


def size() -> int:
    """How many the client wants: 1 to 100."""
    text = request.args.get("per_page") or request.args.get("limit") or str(MOST)
    if not _is_number(text) or not 1 <= int(text) <= MOST:
        raise Invalid(f"per_page must be a number from 1 to {MOST}.")
    return int(text)


def page(
    fetch: Callable[[int, int], Sequence[T]], shape: Callable[[Sequence[T]], Sequence[Line]]
) -> Response:
    """The page that was asked for; `fetch` is given where to begin and how many rows to bring."""
    start, count = _offset(), size()
    rows = fetch(start, count + 1)
    is_last = len(rows) <= count
    return linked(
        shape(rows[:count]),
        previous=f"0:{max(start - count, 0)}:1" if start else None,
        following=None if is_last else f"0:{start + count}:0",
        hits=start + len(rows) if is_last and (rows or not start) else None,
    )


def page_of(found: Select[T], shape: Callable[[Sequence[T]], Sequence[Line]]) -> Response:
    """A page of what the query finds, in its order."""
    return page(lambda start, count: db.session.scalars(found.offset(start).limit(count)).all(), shape)


def whole_list(rows: Sequence[Line]) -> Response:
    """A page of a list that is short enough to be made as a whole."""
    return page(lambda start, count: rows[start : start + count], list)


def linked(
    rows: Sequence[Line], *, previous: str | None, following: str | None, hits: int | None = None
) -> Response:
    """The page with both links, which are always there: clients look at `results`.

    `hits` is how many there are on all pages, where that is known.
    """
    response = jsonify(rows)
    if hits is not None:
        response.headers["X-Hits"] = str(hits)
    response.headers["Link"] = f"{_link('previous', previous)}, {_link('next', following)}"
    return response


def _offset() -> int:
    parts = (request.args.get("cursor") or FIRST).split(":")
    if len(parts) != 3 or not all(_is_number(part) for part in parts):
        raise Invalid("Invalid cursor.")
    return int(parts[1])


def _is_number(text: str) -> bool:
    """Of a length that databases can count to."""
    return text.isascii() and text.isdigit() and len(text) < 16


def _link(rel: str, cursor: str | None) -> str:
    there, cursor = "true" if cursor else "false", cursor or FIRST
    arguments = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    query = urlencode([*arguments, ("cursor", cursor)], safe=":")
    base = current_app.config["SETTINGS"].tocsin_url
    return f'<{base}{request.path}?{query}>; rel="{rel}"; results="{there}"; cursor="{cursor}"'
