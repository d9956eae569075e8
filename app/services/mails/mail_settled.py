"""What mails say when an issue is resolved (E3 to E6), and when its ignore has ended (E7)."""

from collections.abc import Mapping
from datetime import datetime

from app.domain import ignoring, phrases
from app.domain.phrases import preheader
from app.services.issues import timeline
from app.services.mails.mail_news import (
    LONGEST_COMMIT,
    LONGEST_STATE,
    News,
    Scene,
    Writer,
    named_commit,
    rules,
)


def resolved(scene: Scene) -> News:
    """In one of the ways in which an issue can be resolved."""
    activity = scene.notice.activity
    return RESOLVED.get(activity.type if activity else "", _now)(scene)


def _now(scene: Scene) -> News:
    lasted = _over(scene)
    last = scene.moments.ago(scene.issue.last_seen)
    return _news(
        scene,
        "Resolved",
        preheader(f"Resolved by {scene.actor}.", f"{scene.counts}{lasted}; last one {last}."),
        f"{_did(scene)} It stays resolved until another event arrives; then it reopens and you hear of it.",
    )


def _did(scene: Scene) -> str:
    if scene.data.get("undone"):
        return f"{scene.actor} took a change back: this is resolved again."
    return f"{scene.actor} resolved this."


def _over(scene: Scene) -> str:
    """ " over 9 days", or nothing for less than one."""
    days = (scene.issue.last_seen - scene.issue.first_seen).days
    return f" over {phrases.plural(days, 'day')}" if days else ""


def _news(scene: Scene, state: str, shown: str, *lines: str, link: tuple[str, str] | None = None) -> News:
    seen = scene.issue
    lines += (f"Nobody had it; now {scene.actor} has.",) if scene.data.get(timeline.CLAIMED) else ()
    lifetime = f"Lifetime: {scene.counts}, {scene.moments.days(seen.first_seen, seen.last_seen)}."
    return News(
        state=phrases.shortened(state, LONGEST_STATE),
        tone="resolved",
        beside=(scene.project.name,),
        preheader=shown,
        lines=(*lines, lifetime),
        link=link,
        act="Reopen, assign or ignore it",
    )


def _in_release(scene: Scene) -> News:
    version = scene.version
    if not version:
        return _in_next_release(scene)
    live = _live(scene)
    said = [f"{scene.actor} resolved this in release {version}{live}."]
    if scene.data.get("commit"):
        said = [f"Fixed by {_of_commit(scene)}.", f"That makes it resolved in release {version}{live}."]
    return _news(
        scene,
        f"Resolved in {version}",
        preheader(f"Resolved in {version} by {scene.actor}.", "Older releases will not reopen it."),
        *said,
        f"Events of older releases keep counting but do not reopen it. An event of {version} or of a newer "
        "release does.",
        link=_commit_link(scene),
    )


def _live(scene: Scene) -> str:
    """ " (not deployed to production yet)", where somebody tells of deploys at all."""
    live = scene.records.live(scene.notice, str(scene.data.get("version") or ""))
    if live is None:
        return ""
    where = phrases.shortened(live.environment, LONGEST_STATE)
    if live.at is None:
        return f" (not deployed to {where} yet)"
    return f" (deployed to {where} {scene.moments.minute(live.at)})"


def _in_next_release(scene: Scene) -> News:
    after = str(scene.data.get("after") or "")
    newest = f" created after {after}" if after else ""
    return _news(
        scene,
        "Resolved in the next release",
        preheader(f"Resolved in the next release, by {scene.actor}.", "Until then, events do not reopen it."),
        f"{scene.actor} resolved this in the next release. It takes effect with the next release{newest}.",
        "Events of the releases that exist now keep counting but do not reopen it.",
    )


def _in_commit(scene: Scene) -> News:
    release = scene.version
    sha = str(scene.data.get("commit") or "")[:7]
    until = (
        f"Included in release {release}. It reopens if an event arrives from {release} or newer."
        if release
        else "The commit is in no release yet. Until it is, events keep counting but do not reopen it."
    )
    where = f", in release {release}" if release else ", which is in no release yet"
    return _news(
        scene,
        "Resolved by commit",
        preheader(f"Resolved by commit {sha}{where}.", f"{scene.counts}."),
        f"Resolved by {_of_commit(scene)}.",
        until,
        link=_commit_link(scene),
    )


def _of_commit(scene: Scene) -> str:
    """commit 1f0c3aa “Guard against empty cart” by Ana Lima."""
    by = f" by {scene.data['author']}" if scene.data.get("author") else ""
    return f"{named_commit(scene.data)}{by}"


def _commit_link(scene: Scene) -> tuple[str, str] | None:
    """Where the repository shows it, if anything is known of that."""
    url = str(scene.data.get("url") or "")
    return ("Open the commit", url) if url.startswith(("http://", "https://")) else None


def _by_age(scene: Scene) -> News:
    hours = int(scene.data.get("hours") or scene.project.resolve_age_hours)
    quiet = f"{phrases.plural(hours // 24, 'day')}" if hours % 24 == 0 else phrases.plural(hours, "hour")
    adjective = f"{hours // 24} quiet days" if hours % 24 == 0 and hours != 24 else f"{quiet} of quiet"
    return _news(
        scene,
        "Resolved automatically",
        preheader("Resolved automatically:", f"no events for {quiet} in {scene.project.name}."),
        f"Nothing seen since {scene.moments.minute(scene.issue.last_seen)}. {scene.project.name} resolves "
        f"issues after {adjective} (Project settings > General).",
    )


def _by_recovery(scene: Scene) -> News:
    """A job that runs again. Where mails say nothing of events, they say nothing of monitors either."""
    monitor = phrases.shortened(str(scene.data.get("monitor") or ""), LONGEST_COMMIT)
    number = int(scene.data.get("recoveries") or 1)
    times = f", {number} times in a row" if number > 1 else ""
    return _news(
        scene,
        "Recovered",
        preheader("Recovered:", f"{monitor} ran well again{times}."),
        f"{monitor} ran and reported success{times}. If it fails or is missed again, this reopens and you "
        "hear of it.",
    )


RESOLVED: Mapping[str, Writer] = {
    "set_resolved": _now,
    "set_resolved_in_release": _in_release,
    "set_resolved_in_commit": _in_commit,
    "set_resolved_by_age": _by_age,
    "set_resolved_by_recovery": _by_recovery,
}


def unignored(scene: Scene) -> News:
    """E7: what ended the ignore, with its numbers, or that its time was over."""
    zone = scene.moments.zone
    ended = ignoring.ended_of(scene.data.get("ended"))
    why = ignoring.ended_words(ended, zone=zone) if ended else "it was ignored for a time that is over"
    condition = ignoring.words(ignoring.condition_of(scene.data.get("condition")), zone=zone)
    escalates = bool(ended and ended.is_escalation)
    state = "Escalating" if escalates else "No longer ignored"
    return News(
        state=state,
        tone="escalating" if escalates else "again",
        beside=tuple(part for part in (scene.project.name, scene.environment) if part),
        preheader=preheader(f"{state}: {why}.", "Its alert rules apply again."),
        lines=(
            f"{_who_ignored(scene)} {condition}.",
            f"{_ended(why, escalates)} It is unresolved again and its alert rules apply.",
            f"{scene.counts} since {scene.moments.day(scene.issue.first_seen)}.",
        ),
        chart=scene.chart(),
        rows=rules(scene),
    )


def _ended(why: str, escalates: bool) -> str:
    """What came; that a time is over has been said with the condition."""
    return f"{why[:1].upper()}{why[1:]}." if escalates else "That time is over."


def _who_ignored(scene: Scene) -> str:
    name = scene.records.person(scene.data.get("ignored_by"))
    at = scene.data.get("ignored_at")
    on = f" on {scene.moments.day(datetime.fromisoformat(at))}" if at else ""
    return f"Ignored{f' by {name}' if name else ''}{on},"
