"""What mails say when an issue changes hands (E9 to E11), and when somebody comments (E12)."""

from collections.abc import Mapping

from app.domain import phrases
from app.domain.phrases import preheader
from app.domain.routing import Reason
from app.domain.wording import reason_sentence
from app.services.mails.mail_detail import LINK
from app.services.mails.mail_news import LONGEST_STATE, News, Scene, Writer, alert, bare, regression, reopened
from app.services.mails.mail_settled import resolved, unignored

# They tie somebody to one issue; the others are of another kind.
LOOSE = (Reason.UNASSIGNED, Reason.WORKFLOW_ALWAYS, Reason.FALLBACK_ALL)


def assigned(scene: Scene) -> News:
    """To the reader, to a team of theirs, away from them, or between others."""
    if Reason.UNASSIGNED in scene.reasons:
        return _gone(scene, f"{scene.actor} gave this to {_to(scene)}.")
    if Reason.TEAM_ASSIGNED in scene.reasons:
        return _to_team(scene)
    if Reason.ASSIGNED in scene.reasons:
        return _to_reader(scene)
    return _to_others(scene)


def _to(scene: Scene) -> str:
    return str((scene.data.get("to") or {}).get("name") or "somebody")


def _was(scene: Scene) -> str:
    return str((scene.data.get("was") or {}).get("name") or "")


def _to_reader(scene: Scene) -> News:
    said = f"{scene.actor} assigned this to you."
    return _news(scene, "Assigned to you", (said,), f"Assigned to you by {scene.actor}.", tied=True)


def _to_team(scene: Scene) -> News:
    members = scene.data.get("team_assigned") or ()
    told = scene.records.told(scene.notice, members)
    team = f"{_to(scene)} ({phrases.plural(len(members), 'person').replace('persons', 'people')})"
    return _news(
        scene,
        f"Assigned to {_to(scene)}",
        (f"{scene.actor} assigned this to {_to(scene)}, your team. Told: {told} of {len(members)}.",),
        f"Assigned to {team}. Nobody has taken it yet.",
        act="Take it",
        tied=True,
    )


def _to_others(scene: Scene) -> News:
    itself = (scene.data.get("to") or {}).get("id") == scene.notice.actor_id and _to_is_person(scene)
    to = "themselves" if itself else _to(scene)
    said = f"{scene.actor} assigned this to {to}."
    state = f"Assigned to {_to(scene)}"
    return _news(scene, state, (said,), f"{state} by {scene.actor}.")


def _to_is_person(scene: Scene) -> bool:
    return bool((scene.data.get("to") or {}).get("type") == "user" and scene.notice.actor_id)


def _news(
    scene: Scene,
    state: str,
    lines: tuple[str, ...],
    shown: str,
    *,
    act: str = "Assign, resolve or ignore it",
    tied: bool = False,
) -> News:
    was = (f"It was {_was(scene)}'s before.",) if _was(scene) else ()
    because = scene.data.get("because")
    line = (f"Issue owners line {because['line']} says so: {because['text']}",) if because else ()
    ties = (_subscribed(scene),) if tied else ()
    numbers = () if scene.detail == LINK else (_numbers(scene),)
    last = (
        ""
        if scene.detail == LINK
        else f"{scene.counts}, last one {scene.moments.ago(scene.issue.last_seen)}."
    )
    return News(
        state=phrases.shortened(state, LONGEST_STATE),
        tone="assigned",
        beside=(scene.project.name, scene.standing),
        preheader=preheader(shown, *([last] if last else [])),
        lines=(" ".join((*lines, *was)), *line, *numbers, *ties),
        act=act,
    )


def _numbers(scene: Scene) -> str:
    issue, moments = scene.issue, scene.moments
    first, last = moments.when(issue.first_seen), moments.ago(issue.last_seen)
    return f"Last event {last}. {scene.counts}. First seen {first}."


def _subscribed(scene: Scene) -> str:
    if Reason.RESUBSCRIBED in scene.reasons:
        return "You had unsubscribed from this issue. You are subscribed again."
    return "You are now subscribed to this issue."


def unassigned(scene: Scene) -> News:
    """Nobody has it any more."""
    was = _was(scene) or "the assignee"
    if Reason.UNASSIGNED in scene.reasons:
        whose = "from your team" if (scene.data.get("was") or {}).get("type") == "team" else "from you"
        return _gone(scene, f"{scene.actor} took this {whose}. Nobody has it now.")
    said = f"{scene.actor} removed {was} as assignee."
    return _news_of_gone(scene, "Unassigned", said, f"{said} Nobody has this issue now.")


def _gone(scene: Scene, said: str) -> News:
    """E11: you have it no longer; what still ties you to it, if anything."""
    ties = [reason for reason in scene.reasons if Reason(reason) not in LOOSE]
    if ties:
        stays = f"You stay subscribed because {reason_sentence(ties, {})}."
    elif Reason.WORKFLOW_ALWAYS in scene.reasons:
        stays = (
            f"You are unsubscribed from it, but you still get all workflow changes in {scene.project.name}."
        )
    else:
        stays = "You have been unsubscribed; nothing else ties you to it."
    return _news_of_gone(scene, "No longer yours", said, said, stays)


def _news_of_gone(scene: Scene, state: str, shown: str, *lines: str) -> News:
    return News(
        state=state,
        tone="plain",
        beside=(scene.project.name, scene.standing),
        preheader=preheader(f"{state}: {shown}", "You don't need to act."),
        lines=lines,
    )


def comment(scene: Scene) -> News:
    """E12: what somebody wrote, and whether it drew the reader in."""
    if scene.detail == LINK:
        return bare(scene)
    text = str(scene.data.get("text") or "")
    whose = (f"assigned to {scene.assignee}",) if scene.assignee else ()
    return News(
        state="Comment",
        tone="comment",
        beside=(scene.project.name, scene.standing, *whose),
        preheader=preheader(
            phrases.shortened(f"Comment by {scene.actor}: {text}", phrases.LONGEST_PREHEADER)
        ),
        lines=(f"{scene.actor} wrote:" if text else f"{scene.actor} wrote this, and took it back since.",),
        quote=text,
        names=tuple(scene.data.get("names") or ()),
        after=(_subscribed(scene),) if scene.names_reader else (),
        act="Answer, assign or resolve it",
    )


WRITERS: Mapping[str, Writer] = {
    "alert": alert,
    "regression": regression,
    "resolved": resolved,
    "reopened": reopened,
    "unignored": unignored,
    "assigned": assigned,
    "unassigned": unassigned,
    "comment": comment,
}
# Who has an issue is no event data.
SAY_THE_SAME_WITHOUT_DETAIL = ("assigned", "unassigned", "comment")


def news(scene: Scene, template: str) -> News:
    """What the mail says to these readers, as much of it as the project lets mails say."""
    if scene.detail == LINK and template not in SAY_THE_SAME_WITHOUT_DETAIL:
        return bare(scene)
    return WRITERS[template](scene)
