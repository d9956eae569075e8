"""From which pages a project takes events: the list of origins in its settings."""

from collections.abc import Collection
from urllib.parse import urlsplit


def accepts(allowed: Collection[str], origin: str | None) -> bool:
    """Servers send no origin; the list is only about browsers."""
    if not origin or not allowed:
        return True
    try:
        host = (urlsplit(origin).hostname or "") if "://" in origin else origin
    except ValueError:
        return False
    return any(_matches(host.lower(), each.lower()) for each in allowed)


def _matches(host: str, allowed: str) -> bool:
    """`*` is everything, `*.example.org` every host below it; a scheme and a port are not compared."""
    if allowed == "*":
        return True
    wanted = allowed.partition("://")[2] or allowed
    wanted = wanted.partition("/")[0].partition(":")[0]
    if wanted.startswith("*."):
        return host == wanted[2:] or host.endswith(wanted[1:])
    return host == wanted
