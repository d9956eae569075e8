"""Every call of the API, found in the application's own map of addresses."""

import re
from collections.abc import Iterator, Mapping

from flask import Flask

_PART = re.compile(r"<(?:[^<>:]+:)?(\w+)>")


def calls(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, address with named gaps, and the name of the function that answers."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.nothing_here":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path = _PART.sub(r"{\1}", rule.rule.removeprefix("/api/0"))
                yield method, path, rule.endpoint.removeprefix("api.")


def filled(path: str, parts: Mapping[str, object]) -> str:
    return path.format_map(parts)
