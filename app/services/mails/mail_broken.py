"""What the mail about a broken integration says."""

from collections.abc import Mapping
from typing import Any

from app.domain import phrases
from app.domain.links import Links
from app.models import Project


def of(data: Mapping[str, Any], project: Project, links: Links) -> dict[str, Any]:
    """Facts for the mail, and for the sentences of Explain."""
    name, channel = str(data.get("name", "")), str(data.get("channel", "Integration"))
    place = (project.organization.slug, project.slug, int(data.get("destination", 0)))
    broken = {
        "name": name,
        "channel": channel,
        "called": name if name.casefold() == channel.casefold() else f"{channel} {name}",
        "is_off": bool(data.get("is_off")),
        "why": str(data.get("why", "")),
        "preheader": phrases.preheader(f"Broken: {channel} “{name[:30]}”."),
        "missed_words": _missed(int(data.get("missed", 0))),
        "rules_words": _rules(list(data.get("rules", ()))),
        "url": links.integration(*place),
    }
    return {"broken": broken, "integration": f"“{name}” ({channel})"}


def _missed(count: int) -> str:
    """Admins get the alerts instead, as mails of their own."""
    later = "Its alerts are mailed to admins of the project until it works again."
    if not count:
        return later
    alerts = "1 alert" if count == 1 else f"{count} alerts"
    return f"Not delivered: {alerts}, mailed to admins of the project instead. {later}"


def _rules(names: list[str]) -> str:
    if not names:
        return ""
    return f"Rules that use it: {phrases.listed([f'“{name}”' for name in names])}."
