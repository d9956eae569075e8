"""Who could have an issue: the owners of the event that is looked at, each with the line that names them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain import ownership
from app.domain.ownership_lines import Match, Owner
from app.models import Team, User
from app.services.issues.issue_events import Shown
from app.services.owners.owning import OwnersInForce


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`who` is what the form of the assignee takes; `what` is what of the event the line matches."""

    who: str
    called: str
    line: str
    text: str
    what: str


def matches(owners: OwnersInForce, shown: Shown | None) -> list[Match]:
    """The lines that the event matches."""
    if shown is None or not owners.rules.lines:
        return []
    return ownership.match(owners.rules, shown.data, shown.data.get("tags") or ())


def addresses(found: Iterable[Match]) -> set[str]:
    """Those that have to be looked up for `suggestions`."""
    return {owner.name for match in found for owner in match.line.owners if not owner.is_team}


def suggestions(
    found: Sequence[Match], *, teams: Iterable[Team], members: Iterable[User], whose: Mapping[str, int]
) -> list[Suggestion]:
    """Everybody once, in the order of the lines; who has no access is left out."""
    slugs = {team.slug: team for team in teams}
    users = {user.id: user for user in members}
    made: dict[str, Suggestion] = {}
    for match in found:
        for owner in match.line.owners:
            who = slugs.get(owner.name) if owner.is_team else users.get(whose.get(owner.name, 0))
            if who:
                one = _suggestion(owner, who, match)
                made.setdefault(one.who, one)
    return list(made.values())


def _suggestion(owner: Owner, who: Team | User, match: Match) -> Suggestion:
    return Suggestion(
        who=f"{'team' if owner.is_team else 'user'}:{who.id}",
        called=owner.written if owner.is_team else who.name,
        line=f"{'CODEOWNERS' if match.line.is_imported else 'owners'} line {match.number}",
        text=match.text,
        what=match.what,
    )
