"""What a mail says at the end of a maintenance: of what came meanwhile, what is still unresolved."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.domain import phrases
from app.domain.kinds import KINDS
from app.domain.phrases import preheader
from app.domain.routing import Reason
from app.models import Notice
from app.services.calm import pausing
from app.services.mails import mail_digest
from app.services.mails.mail_digest import Gathered, Group, Pile, Row

MOST_ROWS = 50


def gathered(pile: Pile) -> Gathered:
    project, told, since = pile.projects[0], _one_each(pile), _since(pile)
    meanwhile = [notice for notice in told if notice.occurred_at >= since]
    first = pile.moments.minute(since)
    last = pile.moments.minute(pile.digest.closed_at or pile.digest.send_at)
    heading = f"{pile.many(meanwhile or told)} during maintenance"
    why = _reason(pile)
    return Gathered(
        subject=f"{heading} · {first} to {last}",
        heading=heading,
        beside=(project.name, f"{first} to {last}"),
        preheader=preheader(f"The maintenance is over. {mail_digest.kinds(told)}."),
        lines=(
            f"{project.name} was paused for maintenance{why}, until {last}. "
            "This came meanwhile, and is still unresolved.",
        ),
        groups=_groups(pile, told[:MOST_ROWS], since),
        left_out=max(len(told) - MOST_ROWS, 0),
        after=("What was settled meanwhile is left out.",),
        why=f"it would have been told to you while {project.name} was paused",
        switch=(
            f"Maintenance of {project.name}",
            pile.site.links.pauses(project.organization.slug, project.slug),
        ),
        open=mail_digest.opening(pile),
    )


def _since(pile: Pile) -> datetime:
    """When the maintenance began, as long as that is on record; else when it first held anything."""
    held_at = pile.digest.opened_at
    spans = (pausing.window(row).span_at(held_at) for row in pile.projects[0].pauses)
    return min((span[0] for span in spans if span), default=held_at)


def _reason(pile: Pile) -> str:
    why = next(filter(None, (verdict.params.get("maintenance") for verdict in pile.verdicts)), "")
    return f" ({phrases.shortened(str(why), 200)})" if why else ""


def _one_each(pile: Pile) -> list[Notice]:
    """Of each issue what matters most, the latest of it, fatal ones first; comments one by one."""
    found: dict[object, Notice] = {}
    for notice in pile.notices:
        key = notice.id if notice.kind == "comment" else (notice.issue_id, "issue")
        if key not in found or _weight(notice) >= _weight(found[key]):
            found[key] = notice
    return sorted(found.values(), key=lambda notice: not (notice.issue and notice.issue.level == "fatal"))


def _weight(notice: Notice) -> tuple[bool, int]:
    return notice.kind in pausing.TROUBLE, KINDS[notice.kind].carries


def _groups(pile: Pile, told: Sequence[Notice], since: datetime) -> tuple[Group, ...]:
    """What waited for another reason before the maintenance began stands apart."""
    meanwhile = tuple(_row(pile, notice) for notice in told if notice.occurred_at >= since)
    before = tuple(_row(pile, notice) for notice in told if notice.occurred_at < since)
    if not before:
        return (Group("", meanwhile),)
    earlier = Group("From before it, held for you already then", before)
    return (Group("During maintenance", meanwhile), earlier) if meanwhile else (earlier,)


def _row(pile: Pile, notice: Notice) -> Row:
    row = mail_digest.row(pile, notice)
    return replace(row, said=" ".join(filter(None, (row.said, _assigned(pile, notice)))))


def _assigned(pile: Pile, notice: Notice) -> str:
    """That the issue was assigned as well: "Assigned to you by Bea."."""
    others = (each for each in pile.verdicts if each.notice.issue_id == notice.issue_id)
    also = [each for each in others if each.notice.kind == "assigned" and each.notice is not notice]
    if not also or notice.kind == "comment" or not mail_digest.shows(notice):
        return ""
    latest, activity = also[-1], also[-1].notice.activity
    named = (activity.data.get("to") or {}).get("name") if activity else None
    to = "you" if Reason.ASSIGNED in latest.reasons else named or "somebody"
    actor = latest.notice.actor
    return f"Assigned to {to} by {actor.name}." if actor else f"Assigned to {to}."
