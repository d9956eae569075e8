"""Owners applied once to the open issues that nobody has, as the next event of each would do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from app.domain.lifecycle import UNRESOLVED
from app.domain.ownership_lines import Match, Owner
from app.models import Issue, Project, Team, User
from app.services.issues import assigning, auto_assigning, timeline
from app.services.owners import owner_samples, owning
from app.services.owners.owner_scenes import Matcher

MOST = 500


@dataclass(frozen=True, slots=True)
class Planned:
    """An issue, and whom it would go to by which line."""

    issue: Issue
    to: User | Team
    match: Match

    @property
    def called(self) -> str:
        return f"#{self.to.slug}" if isinstance(self.to, Team) else self.to.name


def plan(session: Session, project: Project) -> list[Planned]:
    """The open issues that nobody has and that have an owner, those seen last first; so many at a time."""
    found = (
        select(Issue)
        .where(
            Issue.project_id == project.id,
            Issue.status == UNRESOLVED,
            Issue.assignee_user_id.is_(None),
            Issue.assignee_team_id.is_(None),
            Issue.auto_assign_off.is_(False),
        )
        .order_by(Issue.last_seen.desc(), Issue.id.desc())
        .limit(MOST)
        .options(lazyload(Issue.project))
    )
    issues = session.scalars(found).all()
    rules = owning.rules_of(session, project.id).rules
    lines = Matcher(rules)
    latest = owner_samples.latest(session, [issue.id for issue in issues])
    matches = {issue.id: latest[issue.id].matches(lines) for issue in issues if issue.id in latest}
    return _resolved(session, project, [(issue, matches.get(issue.id, [])) for issue in issues])


def _resolved(
    session: Session, project: Project, matched: Sequence[tuple[Issue, list[Match]]]
) -> list[Planned]:
    owners = {owner for _, found in matched for match in found for owner in match.line.owners}
    known = owning.directory(session, project.id, owners)
    who: dict[Owner, User | Team] = {}
    planned = []
    for issue, found in matched:
        if chosen := auto_assigning.choice(found, known):
            match, owner = chosen
            if owner not in who:
                who[owner] = auto_assigning.whom(session, owner, known)
            planned.append(Planned(issue, who[owner], match))
    return planned


def apply(session: Session, project: Project, *, by: User, now: datetime) -> int:
    """Hand them over; each person gets one message. How many issues it was."""
    batch = timeline.together()
    count = 0
    for each in plan(session, project):
        because = {**auto_assigning.because(each.match), "by": by.name}
        made = assigning.assign(
            session, each.issue, to=each.to, by=None, now=now, batch=batch, because=because
        )
        count += made is not None
    return count
