"""The one control that changes what was decided about somebody: what it is called, and where it is."""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain import wording
from app.domain.links import Links
from app.models import Notice
from app.services.mails import mail_facts
from app.services.notices.verdicts import Recorded

HERE = Links("")

# Switch of a code (`wording.CODES`) → its label and its address.
SWITCHES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "alerts": lambda facts: ("Change", HERE.fine_tune("alerts", facts["project_slug"])),
    "workflow": lambda facts: ("Change", HERE.fine_tune("workflow", facts["project_slug"])),
    "deploys": lambda facts: ("Change", HERE.fine_tune_deploys(facts["organization_slug"])),
    "kinds": lambda facts: ("Change", HERE.workflow_kinds()),
    "health": lambda facts: ("Change", f"{HERE.settings()}#row-health-0"),
    "own_activity": lambda facts: ("Change", f"{HERE.settings()}#row-own_activity-0"),
    "addresses": lambda facts: ("Your addresses", f"{HERE.settings()}email/"),
    "quiet_hours": lambda facts: ("Your quiet hours", f"{HERE.settings()}quiet-hours/"),
    "subscription": lambda facts: ("Subscribe on the issue page", facts.get("open_url", "")),
    "rule_mute": lambda facts: ("Unmute the rule", HERE.muted_rules()),
    "mute": lambda facts: ("Unmute on the issue page", facts.get("open_url", "")),
    "issue": lambda facts: ("Open the issue", facts.get("open_url", "")),
}


def link(notice: Notice, recorded: Recorded, facts: Mapping[str, Any]) -> tuple[str, str] | None:
    """For the person whose switch it is."""
    verdict = recorded.verdict
    if verdict.code == "send":
        because = mail_facts.because(notice, verdict, facts, HERE)
        return (because["switch_label"], because["switch_url"]) if because["switch_url"] else None
    name = wording.CODES[verdict.code].switch
    found = SWITCHES[name](facts) if name and facts["project_slug"] else None
    return found if found and found[1] else None
