"""What our own receiving server found out about a message's sender (RFC 8601, RFC 7489)."""

import re
from collections.abc import Iterator, Sequence

_FINDING = re.compile(r"dmarc(?:/1)?\s*=", re.IGNORECASE)
_PASS = re.compile(r"dmarc(?:/1)?\s*=\s*pass(?!\S)", re.IGNORECASE)
_HEADER_FROM = re.compile(r"(?<!\S)header\.from\s*=\s*(\S+)", re.IGNORECASE)


def dmarc_passes(results: Sequence[str], *, authserv_id: str, sender: str) -> bool:
    """Did our own receiving server, and nobody else, find that the sender's domain stands behind this?"""
    domain, us = sender.rpartition("@")[2], [authserv_id.lower()]
    ours = [parts for parts in map(_parts, results) if parts[0].lower().split()[:1] == us]
    found = [part for part in ours[0][1:] if _FINDING.match(part)] if ours else []
    return bool(found) and all(_vouches(part, domain) for part in found)


def _parts(result: str) -> list[str]:
    """The name of the server, perhaps with a version, then one finding each."""
    return [part.strip() for part in "".join(_bare(result)).split(";")]


def _vouches(part: str, domain: str) -> bool:
    """For this domain or, as DMARC's relaxed mode has it, for one that it belongs to."""
    vouched = [found.lower().rstrip(".") for found in _HEADER_FROM.findall(part)]
    if _PASS.match(part) is None or len(vouched) != 1:
        return False
    return domain == vouched[0] or ("." in vouched[0] and domain.endswith(f".{vouched[0]}"))


def _bare(result: str) -> Iterator[str]:
    """Without comments and quoted strings: in both a sender may have had words put that look like results."""
    depth, quoted, escaped = 0, False, False
    for character in result:
        if escaped:
            escaped = False
        elif character == "\\" and (depth or quoted):
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
            yield character
        elif character in "()" and not quoted:
            depth = max(0, depth + (1 if character == "(" else -1))
            yield " "
        elif not depth and not quoted:
            yield character
