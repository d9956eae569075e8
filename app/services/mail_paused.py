"""What a mail says at the end of a maintenance: of what came meanwhile, what is still unresolved."""

from app.domain import phrases
from app.domain.phrases import preheader
from app.models import Notice
from app.services import mail_digest
from app.services.mail_digest import Gathered, Pile

MOST_ROWS = 50


def gathered(pile: Pile) -> Gathered:
    project, told = pile.projects[0], _one_each(pile)
    first = pile.moments.minute(min(notice.occurred_at for notice in told))
    last = pile.moments.minute(pile.digest.closed_at or pile.digest.send_at)
    heading = f"{pile.many()} during maintenance"
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
        groups=mail_digest.groups(pile, MOST_ROWS, told),
        left_out=max(len(told) - MOST_ROWS, 0),
        after=("What was settled meanwhile is left out.",),
        why=f"it would have been told to you while {project.name} was paused",
        switch=(
            f"Maintenance of {project.name}",
            pile.site.links.pauses(project.organization.slug, project.slug),
        ),
        open=mail_digest.opening(pile),
    )


def _reason(pile: Pile) -> str:
    why = next(filter(None, (verdict.params.get("maintenance") for verdict in pile.verdicts)), "")
    return f" ({phrases.shortened(str(why), 200)})" if why else ""


def _one_each(pile: Pile) -> list[Notice]:
    """Of each issue the latest alert; comments and the like one by one."""
    found: dict[object, Notice] = {}
    for notice in pile.notices:
        found[notice.id if notice.kind == "comment" else (notice.issue_id, "issue")] = notice
    return list(found.values())
