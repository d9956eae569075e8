"""What the sentences about a notice need to know of it: who did what to which issue, and how."""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain import commits, ignoring
from app.domain.lifecycle import IGNORED
from app.domain.links import Links
from app.models import Activity, Notice
from app.services.mails import mail_facts

HERE = Links("")
# What is loaded along with notices that sentences are to be made of.
TOGETHER = (Notice.project, Notice.issue, Notice.activity, Notice.rule, Notice.actor)


def of(notice: Notice, *, zone: str) -> dict[str, Any]:
    """Every fact that `explanations.ORIGINS` and `wording.REASONS` may name, on a clock of that zone."""
    data = notice.activity.data if notice.activity else {}
    version = data.get("version")
    return {
        **mail_facts.of(notice, HERE),
        "rule": f"Rule “{notice.rule.name}”" if notice.rule else "A rule that was deleted since",
        "event": (notice.event_id or "")[:8],
        "version": f" of release {version}" if version else "",
        "to": (data.get("to") or {}).get("name", "somebody"),
        "was": (data.get("was") or {}).get("name", "somebody") if notice.kind == "unassigned" else "",
        "how": _how(notice.activity),
        "cause": _cause(data, zone),
        "summary": _summary(notice),
        "asker": notice.data.get("by") or (notice.actor.name if notice.actor else "You"),
        "tested": _tested(notice),
    }


def _tested(notice: Notice) -> str:
    """Of what a test was, and who heard of it: others find it in the records."""
    rule = notice.data.get("rule")
    if notice.project_id is None or not isinstance(rule, str):
        return " message"
    place = f" and to “{notice.data['name']}”" if notice.data.get("name") else ""
    return f" of the alert rule “{rule}”. It went to them{place} alone, and is no firing"


def _summary(notice: Notice) -> str:
    """Of what came together: at the end of a maintenance, or for any other reason."""
    over = notice.data.get("maintenance")
    if over is None or notice.project is None:
        return "Several messages came as one."
    why = f" ({over['why']})" if over.get("why") else ""
    return f"The maintenance of {notice.project.name} is over{why}."


def _how(activity: Activity | None) -> str:
    """In which way it was resolved, where that is more than "now", or what it was before it was reopened."""
    words = _WAYS.get(activity.type) if activity else None
    return words(activity.data) if words and activity else ""


def _in_release(data: Mapping[str, Any]) -> str:
    version, commit = data.get("version"), data.get("commit")
    by = f", which contains commit {commits.short(commit)}" if commit and version else ""
    return f" in release {version}{by}" if version else " in the next release"


def _in_commit(data: Mapping[str, Any]) -> str:
    commit = data.get("commit")
    return f" by commit {commits.short(commit)} of {data.get('repository', '')}" if commit else ""


def _by_age(data: Mapping[str, Any]) -> str:
    days, hours = divmod(int(data.get("hours", 0)), 24)
    length = ", ".join(
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in ((days, "day"), (hours, "hour"))
        if number
    )
    return f", because it had no event for {length}" if length else ""


def _by_recovery(data: Mapping[str, Any]) -> str:
    return f", because {data.get('monitor', 'its monitor')} checks in again"


def _reopened(data: Mapping[str, Any]) -> str:
    if data.get("refuted"):
        return f", because commit {commits.short(str(data.get('commit')))} does not fix it"
    return ", which was ignored" if data.get("was") == IGNORED else ""


# Activity → how it came about.
_WAYS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "set_resolved_in_release": _in_release,
    "set_resolved_in_commit": _in_commit,
    "set_resolved_by_age": _by_age,
    "set_resolved_by_recovery": _by_recovery,
    "set_unresolved": _reopened,
}


def _cause(data: Mapping[str, Any], zone: str) -> str:
    """What ended an ignore."""
    ended = ignoring.ended_of(data.get("ended"))
    return ignoring.ended_words(ended, zone=zone) if ended else "what it was ignored until has come"
