"""What would happen right now: the evaluator's own answer, about a notice that does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import explanations, routing, wording
from app.domain.clocks import Clock
from app.domain.kinds import KINDS
from app.domain.routing import Happening, Outcome
from app.models import Activity, Notice, Project, User
from app.services import access, considering
from app.services.preferring import Defaults


@dataclass(frozen=True, slots=True)
class Situation:
    """`words` complete "If … in checkout"; `tie` is how the activity would name the person."""

    words: str
    kind: str
    is_fatal: bool = False
    tie: str | None = None


IMAGINED: Mapping[str, Situation] = {
    "alert.new": Situation("a new error arrived", "alert.new"),
    "fatal": Situation("a fatal error arrived", "alert.new", is_fatal=True),
    "regression": Situation("a resolved issue came back", "regression"),
    "assigned": Situation("somebody assigned an issue to you", "assigned", tie="assigned"),
    "mention": Situation("somebody mentioned you", "comment", tie="mentioned"),
    "comment": Situation("somebody commented on an issue", "comment"),
    "resolved": Situation("somebody resolved an issue", "resolved"),
}
SITUATIONS: Mapping[str, str] = {name: situation.words for name, situation in IMAGINED.items()}


@dataclass(frozen=True, slots=True)
class Preview:
    """`sentence` is the rest of one that begins with "you would get"."""

    outcome: str
    code: str
    sentence: str

    @property
    def is_told(self) -> bool:
        return self.outcome == Outcome.SEND


def preview(
    session: Session, user: User, project: Project, situation: str, *, instance: Defaults, now: datetime
) -> Preview:
    """For an issue of the project to which this person has no tie yet."""
    imagined = IMAGINED[situation]
    data = {imagined.tie: [user.id]} if imagined.tie else {}
    notice = Notice(kind=imagined.kind, project_id=project.id, data={}, activity=Activity(data=data))
    [person] = considering.people_around(session, notice, instance, now=now, only=[user.id])
    verdict = routing.decide(Happening(KINDS[imagined.kind], is_fatal=imagined.is_fatal), person)
    words = _words(session, user, project, verdict, Clock(now, user.timezone))
    return Preview(verdict.outcome, verdict.code, words)


def _words(session: Session, user: User, project: Project, verdict: routing.Verdict, clock: Clock) -> str:
    if verdict.outcome == Outcome.SKIP:
        return f"no email. {wording.code_sentence(verdict.code, verdict.params, clock=clock)}"
    members = len(access.project_member_ids(session, project.id))
    facts = {
        "project": project.name,
        "everyone": f"its {members} members are" if members > 1 else "its only member is",
        "scope": wording.scope_words(verdict.params.get("scope")),
    }
    because = explanations.reason_if_now(verdict.reasons, facts)
    if verdict.outcome == Outcome.DEFER:
        until = clock.short(datetime.fromisoformat(verdict.params["until"]))
        return f"email at {until}, when your quiet hours end, because {because}."
    return f"email at once, because {because}."
