"""What the mail about a changed alert rule says (E19)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import phrases, rule_news
from app.domain.links import Links
from app.domain.phrases import preheader
from app.models import Notice, Project
from app.services.mails.mail_detail import LINK, detail_of

LONGEST_NAME, LONGEST_LINE = 64, 140


@dataclass(frozen=True, slots=True)
class Told:
    """The whole mail before any layout; `changes` are lines that came or went, each with its sign."""

    name: str
    heading: str
    preheader: str
    lines: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]
    more: int
    after: tuple[str, ...]
    open: tuple[str, str]


def did(notice: Notice) -> str:
    """ "Sam Okoro changed “Fatal in checkout”", fit for a sentence; whose name it had before."""
    data = notice.data
    verb = rule_news.what_became(data["was"], data["now"], is_restored=bool(data["restored"]))
    who = phrases.shortened(notice.actor.name, LONGEST_NAME) if notice.actor else "Somebody who left"
    return f"{who} {verb} “{_name(notice)}”"


def of(notice: Notice, project: Project, links: Links) -> dict[str, Any]:
    """Facts for the mail, for the record's page, and for the sentences of Explain."""
    return {"did": did(notice), "news": _told(notice, project, links), "changed": _changes(notice)}


def _name(notice: Notice) -> str:
    return phrases.shortened(str(notice.data["was"]["name"]), LONGEST_NAME)


def _told(notice: Notice, project: Project, links: Links) -> Told:
    data, heading = notice.data, did(notice)
    reach = _reach(data)
    is_guarded = detail_of(project) == LINK
    guarded = ("Mails of this project do not say what was changed. Sign in to see it.",)
    return Told(
        name=_name(notice),
        heading=heading,
        preheader=preheader("Rule changed:", *([reach] if reach else ()), f"{heading}."),
        lines=guarded if is_guarded else (),
        changes=() if is_guarded else _changes(notice),
        more=0 if is_guarded else int(data.get("more", 0)),
        after=(f"Of an error now: {reach}",) if reach else (),
        open=_open(notice, project, links),
    )


def _reach(data: Mapping[str, Any]) -> str:
    """Not known before the notice was planned."""
    if "reach" not in data:
        return ""
    before, now = (tuple(each) for each in data["reach"])
    return f"{rule_news.reach_words(before, now)}."


def _changes(notice: Notice) -> tuple[tuple[str, str], ...]:
    found: Sequence[Sequence[str]] = notice.data.get("changes", ())
    return tuple((sign, phrases.shortened(text, LONGEST_LINE)) for sign, text in found)


def _open(notice: Notice, project: Project, links: Links) -> tuple[str, str]:
    """Where it can be undone; a rule that is gone can only be made again."""
    place = project.organization.slug, project.slug
    if notice.data["now"] is None:
        return f"Open the alert rules of {project.name}", links.rules(*place)
    return "See the rule, undo or restore", f"{links.rule(*place, int(notice.data['change']))}#versions"
