"""What browsers post when a page breaks its security policy, as a minimal message event."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.domain import tolerant_json
from app.domain.rejections import Malformed


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind of report keeps the page, what was violated, and by what."""

    word: str
    page: tuple[str, ...]
    rule: tuple[str, ...]
    culprit: tuple[str, ...]


_KINDS = {
    "csp-report": Kind(
        "Content-Security-Policy",
        ("document-uri", "documentURL"),
        ("effective-directive", "effectiveDirective", "violated-directive"),
        ("blocked-uri", "blockedURL"),
    ),
    "expect-ct-report": Kind("Expect-CT", ("hostname",), ("failure-mode",), ("hostname",)),
    "known-pins": Kind("Public-Key-Pins", ("hostname",), (), ("hostname",)),
    "expect-staple-report": Kind("Expect-Staple", ("hostname",), ("response-status",), ("hostname",)),
}


def as_event(body: bytes, *, query: str, user_agent: str | None) -> dict[str, Any]:
    """The payload of an event for a report; Malformed for what is none."""
    kind, report = _report(tolerant_json.read(body))
    asked = parse_qs(query)
    rule = _first(report, kind.rule).split(" ")[0]
    culprit = _host(_first(report, kind.culprit))
    said = " ".join(part for part in (kind.word, rule, "violated by" if culprit else "", culprit) if part)
    return {
        "level": "warning",
        "logger": "csp",
        "platform": "other",
        "message": said,
        "fingerprint": [kind.word, rule, culprit],
        "environment": asked.get("sentry_environment", [None])[0],
        "release": asked.get("sentry_release", [None])[0],
        "tags": {"effective-directive": rule, "blocked-uri": culprit},
        "request": {
            "url": _first(report, kind.page),
            "headers": {"User-Agent": user_agent} if user_agent else {},
        },
        "extra": {"report": report},
    }


def _report(value: Any) -> tuple[Kind, dict[str, Any]]:
    if isinstance(value, list):  # the Reporting API sends a list: the first policy violation speaks for it
        value = next((each for each in value if isinstance(each, dict)), None)
    if not isinstance(value, dict):
        raise Malformed("the report is not a JSON object")
    for name, kind in _KINDS.items():
        if isinstance(value.get(name), dict):
            return kind, value[name]
    if isinstance(value.get("body"), dict):
        return _KINDS["csp-report"], value["body"]
    if "known-pins" in value:
        return _KINDS["known-pins"], value
    raise Malformed("the report is of no known kind")


def _first(report: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((str(report[name]) for name in names if report.get(name)), "")


def _host(address: str) -> str:
    """The host that was blocked; words such as inline and eval stay as they are."""
    try:
        return urlsplit(address).hostname or address if "://" in address else address
    except ValueError:
        return address
