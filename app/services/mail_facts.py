"""What the mail templates are given: facts of the notice, the reason, the reader's clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain import moments, wording
from app.domain.kinds import ALERTS, KINDS
from app.domain.links import Links
from app.domain.preferences import SHOWN
from app.domain.routing import Reason
from app.models import Notice, Verdict
from app.services.mail_detail import LINK, detail_of


def of(notice: Notice, links: Links) -> Mapping[str, Any]:
    """The facts that all readers of a notice share."""
    issue, project = notice.issue, notice.project
    data = notice.activity.data if notice.activity else {}
    shows = detail_of(project) != LINK
    facts = {
        "kind": notice.kind,
        "word": KINDS[notice.kind].word,
        "actor": notice.actor.name if notice.actor else "Tocsin",
        "activity": data,
        "occurred_at": notice.occurred_at,
        "everyone": wording.everyone(notice.data.get("members", 0), project.name if project else ""),
        "project": project.name if project else "",
        "project_slug": project.slug if project else "",
        "is_alert": KINDS[notice.kind].category == ALERTS,
        "short_id": notice.issue_short_id or "",
        "title": (notice.issue_title or "") if shows else "",
        "culprit": issue.culprit if issue and shows else "",
        "notice_url": links.notice(notice.public_id),
        "settings_url": links.settings(),
    }
    facts |= _ties(notice, data)
    if issue and project:
        place = (project.organization.slug, project.slug, issue.id)
        facts |= {"open_url": links.issue(*place), "act_url": links.issue_actions(*place)}
    return facts


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


def names(notice: Notice, user_id: int) -> bool:
    """Whether this very change names the person or their team, and not only an earlier one."""
    data = notice.activity.data if notice.activity else {}
    return any(user_id in data.get(key, ()) for key in NAMING)


NAMING = ("assigned", "team_assigned", "mentioned", "team_mentioned")


def because(
    notice: Notice, verdict: Verdict, facts: Mapping[str, Any], links: Links, *, names_reader: bool = True
) -> Mapping[str, Any]:
    """The sentence that says why, and the one switch that would have stopped this message."""
    scope = wording.scope_words(verdict.params.get("scope"))
    earlier = {} if names_reader else {name: wording.UNKNOWN[name] for name in ("mentioner", "team")}
    known = {**facts, "scope": scope, **earlier}
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
    source = f", {scope}" if scope else ""
    if KINDS[notice.kind].category == ALERTS:
        label = f"Alerts for {facts['project']} ({SHOWN['on']}{source}): change"
        return label, links.fine_tune("alerts", facts["project_slug"])
    if verdict.reasons[:1] == [Reason.WORKFLOW_ALWAYS]:
        label = f"Workflow changes for {facts['project']} ({SHOWN['always']}{source}): change"
        return label, links.fine_tune("workflow", facts["project_slug"])
    if verdict.reasons[:1] == [Reason.UNASSIGNED]:
        return "Which workflow changes you get: change", links.workflow_kinds()
    return "", ""


def clock(zone: str) -> Mapping[str, Any]:
    """`when` writes a moment in the reader's zone, with the zone's name."""

    def when(at: datetime) -> str:
        return moments.exact(at, zone)

    return {"when": when, "zone": zone}
