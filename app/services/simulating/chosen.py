"""What people had chosen at a moment: what they have chosen now, with what was changed since taken back."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.preferences import BATCHING, VALUES, Choices
from app.models import NotificationSetting, Project, SettingAudit
from app.services.preferences import preferring
from app.services.preferences.preferring import ACCOUNT, INSTANCE, PROJECT, Defaults
from app.services.simulating.drafts import Choice, Drafts


@dataclass(frozen=True, slots=True)
class _Row:
    """What `preferring.choices_among` reads."""

    category: str
    kind: str
    scope: str
    scope_id: int
    value: str


Past = Mapping[Choice, Sequence[tuple[datetime, str | None]]]  # when each was changed, and from what


@dataclass(frozen=True, slots=True)
class Chosen:
    """Everything that decides in a project, as it was chosen and changed."""

    project_id: int
    people: Sequence[int]
    now: Mapping[int, Mapping[Choice, str]]
    changes: Mapping[int, Past]
    instance: Defaults
    defaults_changed: Past
    moments: Sequence[datetime]  # of any change, in order
    paces: Sequence[tuple[datetime, int]] = ()  # when somebody chose how often to be told


def load(
    session: Session, project: Project, people: Collection[int], since: datetime, instance: Defaults
) -> Chosen:
    here = [(NotificationSetting.scope == ACCOUNT), _of_project(NotificationSetting, project)]
    rows = session.scalars(
        select(NotificationSetting).where(NotificationSetting.user_id.in_(people), or_(*here))
    )
    now: defaultdict[int, dict[Choice, str]] = defaultdict(dict)
    for row in rows:
        now[row.user_id][row.category, row.kind, row.scope, row.scope_id] = row.value
    audits = _audits(session, project, people, since)
    return Chosen(
        project.id,
        sorted(people),
        now,
        {user_id: _past(theirs) for user_id, theirs in _by_person(audits).items()},
        instance,
        _past(each for each in audits if each.scope == INSTANCE),
        sorted({each.at for each in audits}),
        [(each.at, each.user_id) for each in audits if each.category == BATCHING and each.scope == ACCOUNT],
    )


def _of_project(table: Any, project: Project) -> Any:
    return (table.scope == PROJECT) & (table.scope_id == project.id)


def _audits(
    session: Session, project: Project, people: Collection[int], since: datetime
) -> Sequence[SettingAudit]:
    theirs = SettingAudit.user_id.in_(people) & or_(
        SettingAudit.scope == ACCOUNT, _of_project(SettingAudit, project)
    )
    found = select(SettingAudit).where(
        SettingAudit.at > since,
        SettingAudit.category.in_(VALUES),
        or_(theirs, SettingAudit.scope == INSTANCE),
    )
    return session.scalars(found.order_by(SettingAudit.id)).all()


def _by_person(audits: Iterable[SettingAudit]) -> Mapping[int, list[SettingAudit]]:
    found: defaultdict[int, list[SettingAudit]] = defaultdict(list)
    for each in audits:
        if each.scope != INSTANCE:
            found[each.user_id].append(each)
    return found


def _past(audits: Iterable[SettingAudit]) -> Past:
    found: defaultdict[Choice, list[tuple[datetime, str | None]]] = defaultdict(list)
    for each in audits:
        found[each.category, each.kind, each.scope, each.scope_id].append((each.at, each.old))
    return found


class ChosenThen:
    """The same with drafts laid over it, asked for one moment after the other."""

    def __init__(self, chosen: Chosen, drafts: Drafts) -> None:
        self._chosen, self._drafts = chosen, drafts
        self._known: dict[int, Mapping[int, Choices]] = {}

    def at(self, moment: datetime) -> Mapping[int, Choices]:
        """What everybody had chosen; the same object as long as nobody changes anything."""
        epoch = bisect_right(self._chosen.moments, moment)
        if epoch not in self._known:
            instance = self._instance(moment)
            people = self._chosen.people
            self._known[epoch] = {each: self._choices(each, moment, instance) for each in people}
        return self._known[epoch]

    def _instance(self, moment: datetime) -> Defaults:
        """What was set for everybody else."""
        instance = self._chosen.instance
        by_category, by_kind = dict(instance.by_category), dict(instance.by_kind)
        then = {
            (category, kind): value
            for (category, kind, *_), past in self._chosen.defaults_changed.items()
            for value in _as_of(past, moment)
        }
        for (category, kind), value in {**then, **self._drafts.defaults}.items():
            table, name = (by_kind, kind) if kind else (by_category, category)
            if value is None:
                table.pop(name, None)
            else:
                table[name] = value
        return replace(instance, by_category=by_category, by_kind=by_kind)

    def _choices(self, user_id: int, moment: datetime, instance: Defaults) -> Choices:
        rows: dict[Choice, str | None] = dict(self._chosen.now.get(user_id, {}))
        for key, past in self._chosen.changes.get(user_id, {}).items():
            for value in _as_of(past, moment):
                rows[key] = value
        if user_id == self._drafts.reader_id:
            rows |= self._drafts.mine
        chosen = [_Row(*key, value) for key, value in rows.items() if value is not None]
        return preferring.choices_among(chosen, self._chosen.project_id, instance)


def _as_of(past: Sequence[tuple[datetime, str | None]], moment: datetime) -> list[str | None]:
    """What was chosen then, if that has changed since."""
    return [was for at, was in past if at > moment][:1]
