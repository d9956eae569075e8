"""What the mail templates are given: facts of the notice, the reason, the reader's clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.domain import moments, phrases, wording
from app.domain.kinds import ALERTS, DEPLOYS, HEALTH, KINDS, RULE_CHANGED
from app.domain.links import Links
from app.domain.preferences import SHOWN
from app.domain.routing import Reason
from app.models import Notice, Verdict
from app.services.mails import mail_broken, mail_rule
from app.services.mails.mail_detail import LINK, detail_of

LONGEST_VERSION = 60


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
        "organization": project.organization.name if project else "",
        "organization_slug": project.organization.slug if project else "",
        "is_alert": KINDS[notice.kind].category == ALERTS,
        "short_id": notice.issue_short_id or "",
        "title": phrases.one_line(notice.issue_title or "") if shows else "",
        "culprit": phrases.one_line(issue.culprit) if issue and shows else "",
        "notice_url": links.notice(notice.public_id),
        "settings_url": links.settings(),
    }
    facts |= _ties(notice, data)
    if issue and issue.first_release and shows:
        facts["born"] = f"release {phrases.shortened(issue.first_release, LONGEST_VERSION)}"
    if KINDS[notice.kind].category == DEPLOYS:
        facts |= {
            "release": phrases.one_line(str(data.get("version", ""))) if shows else "",
            "environment": phrases.one_line(str(data.get("environment", ""))) if shows else "",
        }
    if KINDS[notice.kind].category == HEALTH and project:
        facts |= mail_broken.of(notice.data, project, links)
    if notice.kind == RULE_CHANGED and project:
        facts |= mail_rule.of(notice, project, links)
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
    known = {**facts, **earlier, **reason_facts(notice, verdict)}
    switch_label, switch_url = _switch(notice, verdict, facts, links, scope)
    return {
        "why": wording.reason_sentence(verdict.reasons, known),
        "also": wording.also(verdict.reasons, known),
        "switch_label": switch_label,
        "switch_url": switch_url,
        "rule_switches": _rule_switches(notice, verdict, facts, links),
        "required": required(notice, verdict),
        "reasons": verdict.reasons,
    }


def reason_facts(notice: Notice, verdict: Verdict) -> dict[str, Any]:
    """What the sentences of the reasons say of the person; a line of the owners can tell of the error."""
    known = wording.person_facts(verdict.params)
    if detail_of(notice.project) != LINK or "because" not in known:
        return known
    of_all = dict(known["because"])
    also = {name: _without_line(facts) for name, facts in of_all.pop("also", {}).items()}
    return {**known, "because": {**_without_line(of_all), **({"also": also} if also else {})}}


def _without_line(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("owner", "which")}


def reason_key(verdict: Verdict) -> str:
    """Whoever has the same one, with the same reasons, reads the same words."""
    return repr([verdict.reasons, *(verdict.params.get(name) for name in ("because", "overrules", "scope"))])


def required(notice: Notice, verdict: Verdict) -> str:
    """Who has the rule ignore what people chose, since when, and why; for whom it did."""
    by = notice.data.get("required")
    if not by or Reason.REQUIRED not in verdict.reasons:
        return ""
    since = f"{datetime.fromisoformat(by['at']):%-d %b %Y}"
    who = f" by {by['by']}" if by.get("by") else ""
    return f"The rule is required since {since}{who}: {phrases.one_line(by['why'])}"


def _rule_switches(
    notice: Notice, verdict: Verdict, facts: Mapping[str, Any], links: Links
) -> list[tuple[str, str]]:
    """Where the rule that rang is shown, or muted for the reader alone."""
    if notice.rule is None or notice.project is None or KINDS[notice.kind].category != ALERTS:
        return []
    name = f"the rule “{phrases.one_line(notice.rule.name)}”"
    if notice.rule.required_reason:
        place = notice.project.organization.slug, notice.project.slug, notice.rule.id
        return [(f"See {name}, which nobody can mute alone", links.rule(*place))]
    return [(f"Mute {name} for me", links.mute_rule(notice.public_id))]


# Reasons whose sentences name the rule that rang.
NAMING_THE_RULE = [
    [reason] for reason in (Reason.REQUIRED, Reason.RULE_MEMBER, Reason.RULE_TEAM, Reason.RULE_INTEGRATION)
]


def taken_along(verdicts: Sequence[Verdict], links: Links) -> Mapping[str, Any]:
    """The same for notices that come with this one instead of with mails of their own."""
    rules: dict[str, list[str]] = {}
    switches: dict[str, str] = {}
    others: list[str] = []
    for verdict in verdicts:
        said = because(verdict.notice, verdict, of(verdict.notice, links), links)
        if KINDS[verdict.notice.kind].category == ALERTS and verdict.reasons[:1] not in NAMING_THE_RULE:
            rules.setdefault(said["why"], []).append(rule_name(verdict.notice))
        elif said["why"]:
            others.append(said["why"])
        others += [said["required"].rstrip(".")] if said["required"] else []
        switches |= {url: label for label, url in [*said["rule_switches"], _plain(said)]}
    return {
        "rang": [
            *(
                f"the alert rule{'' if len(names) == 1 else 's'} {phrases.listed(names)} fired: {why}"
                for why, names in rules.items()
            ),
            *dict.fromkeys(others),
        ],
        "switches_of_rang": [(label, url) for url, label in switches.items() if url],
    }


def _plain(said: Mapping[str, Any]) -> tuple[str, str]:
    return said["switch_label"], said["switch_url"]


def handed(verdicts: Sequence[Verdict]) -> str:
    """What is said of an assignment that comes with a notice, to whoever has the issue now; "" without."""
    for verdict in verdicts:
        notice = verdict.notice
        data = (notice.activity.data if notice.activity else None) or {}
        if notice.kind == "assigned" and data.get("to"):
            is_team = data["to"].get("type") == "team"
            whom = f"{data['to'].get('name')}, your team" if is_team else "you"
            line = data.get("because")
            shown = detail_of(notice.project) != LINK
            why = f": issue owners line {line['line']}{', ' + line['text'] if shown else ''}" if line else ""
            return f"It was assigned to {whom}{why}."
    return ""


def rule_name(notice: Notice) -> str:
    return f"“{notice.rule.name}”" if notice.rule else "that no longer exists"


def _switch(
    notice: Notice, verdict: Verdict, facts: Mapping[str, Any], links: Links, scope: str
) -> tuple[str, str]:
    source = f", {scope}" if scope else ""
    if KINDS[notice.kind].category == ALERTS:
        label = f"Alerts for {facts['project']} ({SHOWN['on']}{source}): change"
        return label, links.fine_tune("alerts", facts["project_slug"])
    if KINDS[notice.kind].category == DEPLOYS:
        chosen = SHOWN["always" if Reason.DEPLOYS_ALL in verdict.reasons else "mine"]
        label = f"Deploys in {facts['organization']} ({chosen}{source}): change"
        return label, links.fine_tune_deploys(facts["organization_slug"])
    if notice.kind == RULE_CHANGED:
        return "Whether you hear of changed alert rules: change", links.workflow_kinds()
    if verdict.reasons[:1] == [Reason.WORKFLOW_ALWAYS]:
        label = f"Workflow changes for {facts['project']} ({SHOWN['always']}{source}): change"
        return label, links.fine_tune("workflow", facts["project_slug"])
    if verdict.reasons[:1] == [Reason.UNASSIGNED]:
        return "Which workflow changes you get: change", links.workflow_kinds()
    if verdict.reasons[:1] == [Reason.RELEASE_WATCHED] and "born" in facts:
        return _watch(notice, facts, links)
    return "", ""


def _watch(notice: Notice, facts: Mapping[str, Any], links: Links) -> tuple[str, str]:
    """Where the watch of the issue's first release is stopped. Opening it does nothing."""
    version = notice.issue.first_release if notice.issue else None
    place = facts["organization_slug"], facts["project_slug"]
    return f"Stop following what is first seen in {facts['born']}", links.watch(*place, version or "")


def clock(zone: str) -> Mapping[str, Any]:
    """`when` writes a moment in the reader's zone, with the zone's name."""

    def when(at: datetime) -> str:
        return moments.exact(at, zone)

    return {"when": when, "zone": zone}
