"""What would happen right now: the evaluator's own answer, about a notice that does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain import routing, wording
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome
from app.models import Notice, Project, User
from app.services import access, notifying
from app.services.preferring import Defaults

# Kind of notice → what happens, to complete "If … in checkout".
SITUATIONS: Mapping[str, str] = {
    "alert.new": "a new error arrived",
    "regression": "a resolved issue came back",
    "resolved": "somebody resolved an issue",
    "comment": "somebody commented on an issue",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer, and the rest of a sentence that begins with "email at once, because" or "no email:"."""

    is_told: bool
    because: str


def preview(session: Session, user: User, project: Project, kind: str, *, instance: Defaults) -> Preview:
    """For an issue of the project to which this person has no tie yet."""
    imagined = Notice(kind=kind, project_id=project.id, data={})
    [person] = notifying.people_around(session, imagined, instance, only=[user.id])
    verdict = routing.decide(Happening(KINDS[kind]), person)
    if verdict.outcome != Outcome.SEND:
        return Preview(False, wording.code_sentence(verdict.code, verdict.params))
    facts = {
        "project": project.name,
        "everyone": wording.everyone(len(access.project_member_ids(session, project.id)), project.name),
        "scope": wording.scope_words(str(verdict.params.get("scope"))),
    }
    return Preview(True, f"{wording.reason_sentence(verdict.reasons, facts)}.")
