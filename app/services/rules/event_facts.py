"""What alert rules are told of the events of a batch: gathered for all of them at once."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.alerting import Facts, IssueFacts, Ready
from app.models import Issue, IssueTag, RuleFiring
from app.services.events.digest_issues import Seen
from app.services.rules.ceilings import Ceilings
from app.services.rules.counting import AtEvent, Counting

# One object, since making a statement costs more than running it.
_ISSUES = (
    select(
        Issue.id,
        Issue.first_seen,
        Issue.times_seen,
        Issue.users_seen,
        Issue.assignee_user_id,
        Issue.assignee_team_id,
        Issue.last_resolved_at,
        RuleFiring.rule_id,
        RuleFiring.last_fired,
    )
    .outerjoin(RuleFiring, RuleFiring.issue_id == Issue.id)
    .where(Issue.id.in_(bindparam("ids", expanding=True)))
)


class EventFacts:
    """`rules` are those of each project. `fired`: when a rule last rang for an issue."""

    def __init__(
        self,
        session: Session,
        seen: Sequence[Seen],
        rules: Mapping[int, Sequence[Ready]],
        ceilings: Ceilings | None = None,
    ) -> None:
        self.seen = seen
        self._first_here = _first_in_environment(session, seen, rules)
        found = _issues(session, seen)
        self._issues = {row.id: row for row in found}
        self.fired = {(row.rule_id, row.id): row.last_fired for row in found if row.rule_id is not None}
        totals = {row.id: row.times_seen for row in found}
        self._counting = Counting(session, seen, totals, ceilings)
        self._later = _later(seen)

    def last_resolved(self, issue_id: int) -> datetime | None:
        moment: datetime | None = self._issues[issue_id].last_resolved_at
        return moment

    def at(self, position: int, asking: Sequence[Ready]) -> Facts:
        """Of one of the events, for the rules that are to be asked."""
        each = self.seen[position]
        event, issue = each.event, self._issues[each.issue.id]
        return Facts(
            level=event.level,
            environment=event.environment,
            is_new=each.is_new,
            is_new_here=position in self._first_here,
            is_regression=each.is_regression,
            is_reappeared=each.is_reappeared,
            release=event.release or None,
            at=event.received_at,
            data=event.data,
            tags=event.tags,
            issue=IssueFacts(
                issue.first_seen,
                issue.times_seen - self._later[position],
                issue.assignee_user_id,
                issue.assignee_team_id,
            ),
            lookup=AtEvent(self._counting, position, issue.times_seen, issue.users_seen, asking),
        )


def _issues(session: Session, seen: Sequence[Seen]) -> Sequence[Any]:
    """As they are now, the batch being counted: a row for each rule that ever rang, at least one."""
    found = session.connection().execute(_ISSUES, {"ids": list({each.issue.id for each in seen})})
    return found.all()


def _later(seen: Sequence[Seen]) -> list[int]:
    """For each event how many of its issue come after it in the batch."""
    after: Counter[int] = Counter()
    later = []
    for each in reversed(seen):
        later.append(after[each.issue.id])
        after[each.issue.id] += 1
    return later[::-1]


def _first_in_environment(
    session: Session, seen: Sequence[Seen], rules: Mapping[int, Sequence[Ready]]
) -> set[int]:
    """Positions of the events that are the first of their issue in their environment.

    The batch is counted already: an environment that was seen no more often than in the batch is new.
    """
    asking = {project_id for project_id, of in rules.items() if any(each.asks_first_here for each in of)}
    positions: dict[tuple[int, str], list[int]] = defaultdict(list)
    for position, each in enumerate(seen):
        if each.event.environment and each.project.id in asking:
            positions[each.issue.id, each.event.environment].append(position)
    if not positions:
        return set()
    query = select(IssueTag.issue_id, IssueTag.value, IssueTag.count).where(
        IssueTag.key == "environment", IssueTag.issue_id.in_({issue_id for issue_id, _ in positions})
    )
    counts = {(row[0], row[1]): row[2] for row in session.execute(query)}
    return {found[0] for key, found in positions.items() if counts.get(key) == len(found)}
