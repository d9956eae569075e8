"""Issues that nobody has go to their owners with the next event, where a project wants it so.

Nobody loses an issue by it, and one that somebody took an assignee from is left alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain import ownership
from app.domain.lifecycle import UNRESOLVED
from app.domain.ownership import Rules
from app.domain.ownership_lines import Match, Owner
from app.models import Issue, Team, User
from app.services.events.digest_issues import Seen
from app.services.events.reading import Read
from app.services.issues import assigning
from app.services.owners import owning
from app.services.owners.owning import Directory


def read_lines(session: Session, reads: Sequence[Read]) -> None:
    """What the events match as the rules are now: it takes time, in which nobody should wait for a lock."""
    ids = {each.project.id for each in reads if each.event}
    rules = owning.rules_of_all(session, ids, only_assigning=True)
    for each in reads:
        if each.event and (found := rules.get(each.project.id)):
            each.lines = found.rules, ownership.match(found.rules, each.event.data, each.event.tags)


def assign(session: Session, seen: Sequence[Seen], *, now: datetime) -> list[int]:
    """Hand over what the events of a batch tell the owners of; the ids of the activities written."""
    matched: dict[int, list[tuple[Seen, list[Match]]]] = defaultdict(list)
    candidates = [each for each in seen if is_free(each.issue) and not each.was_silent]
    rules = owning.rules_of_all(session, {each.project.id for each in candidates}, only_assigning=True)
    for each in candidates:
        if each.project.id in rules and (found := _matches(rules[each.project.id].rules, each)):
            matched[each.project.id].append((each, found))
    return [
        activity_id
        for project_id, theirs in matched.items()
        for activity_id in _assign_in(session, project_id, theirs, now)
    ]


def _matches(rules: Rules, seen: Seen) -> list[Match]:
    """Looked up once more where somebody changed the rules since the event was read."""
    if seen.lines and seen.lines[0] == rules:
        return seen.lines[1]
    return ownership.match(rules, seen.event.data, seen.event.tags)


def _assign_in(
    session: Session, project_id: int, matched: Sequence[tuple[Seen, list[Match]]], now: datetime
) -> Iterable[int]:
    owners = [owner for _, found in matched for match in found for owner in match.line.owners]
    known = owning.directory(session, project_id, owners)
    for each, found in matched:
        chosen = choice(found, known)
        if chosen and is_free(each.issue):  # an event before it in the batch may have handed it over
            match, owner = chosen
            activity = assigning.assign(
                session,
                each.issue,
                to=whom(session, owner, known),
                by=None,
                now=now,
                event_id=each.event.event_id,
                because=because(match),
            )
            if activity:
                yield activity.id


def is_free(issue: Issue) -> bool:
    """Whether it may be handed over: it is open, nobody has it, and nobody took it from somebody."""
    has_nobody = issue.assignee_user_id is None and issue.assignee_team_id is None
    return has_nobody and issue.status == UNRESOLVED and not issue.auto_assign_off


def choice(matches: Sequence[Match], known: Directory) -> tuple[Match, Owner] | None:
    """The first owner with access to the project, of the line with the longest pattern that names one."""
    for match in ownership.by_weight(matches):
        for owner in match.line.owners:
            if known.knows(owner):
                return match, owner
    return None


def whom(session: Session, owner: Owner, known: Directory) -> User | Team:
    if owner.is_team:
        return session.get_one(Team, known.teams[owner.name])
    return session.get_one(User, known.people[owner.name])


def because(match: Match) -> dict[str, object]:
    """What the timeline tells of the line."""
    return {"line": match.number, "text": match.line.called}
