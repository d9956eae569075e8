"""What somebody would change, and has not saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.pacing import Pace
from app.domain.rule_content import Content
from app.models import AlertRule
from app.services.owners.owning import OwnersInForce

Setting = tuple[str, str]  # category and kind
Choice = tuple[str, str, str, int]  # category, kind, scope, scope id


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule as it would be: instead of a stored one, or a new one; without content, switched off."""

    content: Content | None
    instead_of: AlertRule | None = None

    @property
    def id(self) -> int:
        return self.instead_of.id if self.instead_of else NEW_RULE


NEW_RULE = -1


@dataclass(frozen=True, slots=True)
class Drafts:
    """Whatever is None or empty stays as it is. `mine` is what the person `reader_id` would choose."""

    rule: RuleDraft | None = None
    owners: OwnersInForce | None = None
    resolve_hours: int | None = None
    pace: Pace | None = None
    defaults: Mapping[Setting, str | None] = field(default_factory=dict)
    mine: Mapping[Choice, str | None] = field(default_factory=dict)
    reader_id: int = 0

    @property
    def is_empty(self) -> bool:
        return self == Drafts(reader_id=self.reader_id)


NOTHING = Drafts()
