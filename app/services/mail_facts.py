"""What the mail templates are given: facts of the notice, the reason, the reader's clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain import wording
from app.domain.excerpt import excerpt
from app.domain.kinds import ALERTS, KINDS
from app.domain.links import Links
from app.domain.preferences import SHOWN
from app.domain.routing import Reason
from app.models import Event, Notice, Verdict
from app.services import event_body


def of(notice: Notice, event: Event | None, links: Links) -> Mapping[str, Any]:
    """The facts that all readers of a notice share."""
    issue, project = notice.issue, notice.project
    kind = KINDS[notice.kind]
    data = notice.activity.data if notice.activity else {}
    facts = {
        "kind": notice.kind,
        "word": kind.word,
        "actor": notice.actor.name if notice.actor else "Tocsin",
        "by_person": notice.actor is not None,
        "activity": data,
        "occurred_at": notice.occurred_at,
        "everyone": wording.everyone(notice.data.get("members", 0), project.name if project else ""),
        "project": project.name if project else "",
        "project_slug": project.slug if project else "",
        "rule": notice.rule.name if notice.rule else "",
        "issue": issue,
        "title": notice.issue_title or "",
        "culprit": issue.culprit if issue else "",
        "level": event.level if event else (issue.level if issue else ""),
        "environment": event.environment if event else "",
        "release": (event.release if event else None) or "",
        "detail": _detail(notice),
        "event": None,
        "notice_url": links.notice(notice.public_id),
        "settings_url": links.settings(),
        "text": data.get("text", ""),
    }
    facts |= _ties(notice, data)
    if event:
        facts["event"] = event
        facts["excerpt"] = excerpt(event_body.unpack(event.body))
    if issue and project:
        facts["open_url"] = links.issue(project.organization.slug, project.slug, issue.id)
    return facts


def _detail(notice: Notice) -> str:
    """How much a mail may say: full, counts or link."""
    return notice.project.mail_detail if notice.project else "full"


def _ties(notice: Notice, data: Mapping[str, Any]) -> dict[str, str]:
    """How this very notice ties people to the issue, in the words of `wording.REASONS`."""
    to = data.get("to") or {}
    if notice.kind == "comment":
        team = ", ".join(f"#{slug}" for slug in data.get("teams", ()))
        ties = {"doing": "mentioned", "mentioner": notice.actor.name if notice.actor else "somebody"}
    else:
        team = str(to["name"]) if to.get("type") == "team" else ""
        ties = {"doing": "assigned"}
    return {**ties, "team": f"{team}, your team"} if team else ties


def because(notice: Notice, verdict: Verdict, facts: Mapping[str, Any], links: Links) -> Mapping[str, Any]:
    """The sentence that says why, and the one switch that would have stopped this message."""
    scope = wording.scope_words(verdict.params.get("scope"))
    known = {**facts, "scope": scope}
    switch_label, switch_url = _switch(notice, verdict, facts, links, scope)
    return {
        "why": wording.reason_sentence(verdict.reasons, known),
        "also": wording.also(verdict.reasons, known),
        "switch_label": switch_label,
        "switch_url": switch_url,
        "reasons": verdict.reasons,
    }


def _switch(
    notice: Notice, verdict: Verdict, facts: Mapping[str, Any], links: Links, scope: str
) -> tuple[str, str]:
    if KINDS[notice.kind].category == ALERTS:
        label = f"Alerts for {facts['project']} ({SHOWN['on']}, {scope}): change"
        return label, links.fine_tune("alerts", facts["project_slug"])
    if verdict.reasons[:1] == [Reason.WORKFLOW_ALWAYS]:
        label = f"Workflow changes for {facts['project']} ({SHOWN['always']}, {scope}): change"
        return label, links.fine_tune("workflow", facts["project_slug"])
    return "", ""


def clock(zone: str) -> Mapping[str, Any]:
    """`when` writes a moment in the reader's zone, with the zone's name."""
    here = ZoneInfo(zone)

    def when(at: datetime) -> str:
        local = at.astimezone(here)
        return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S %Z}"

    return {"when": when, "zone": zone}
