"""The way to an owner, in a mail that everybody gets because nobody is one (`experience.md` 1.9)."""

from collections.abc import Sequence
from typing import Any

from app.domain import ownership_suggestions
from app.domain.links import Links
from app.domain.routing import Reason
from app.models import Notice, Verdict
from app.services.events import event_body
from app.services.mails.mail_detail import LINK, detail_of
from app.services.mails.mail_records import Records


def link(notice: Notice, verdicts: Sequence[Verdict], records: Records, links: Links) -> str:
    """Where whoever looks after the project writes a line for such errors; "" for everybody else.

    A line is begun there with where it happened, as far as the mail may tell of that.
    """
    project = notice.project
    if project is None or not any(map(_lacks_owner, verdicts)):
        return ""
    if not records.looks_after(project, verdicts[0].subject_id):
        return ""
    event = records.event(notice) if detail_of(project) != LINK else None
    area = ownership_suggestions.area(event_body.outline(event.body)) if event else None
    return links.set_owner(project.organization.slug, project.slug, area)


def _lacks_owner(verdict: Verdict) -> bool:
    """Whether an owner would have been told instead: not where nobody is assigned, for one."""
    because: dict[str, Any] = verdict.params.get("because") or {}
    of_fallback = {**because, **(because.get("also") or {}).get(Reason.FALLBACK_ALL, {})}
    nobody = of_fallback.get("nobody", "")
    return Reason.FALLBACK_ALL in verdict.reasons and (not nobody or nobody.startswith("issue owners"))
