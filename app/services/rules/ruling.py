"""Alert rules as people shape them: made, changed, switched, taken away. Every state is kept as a version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import rule_content
from app.domain.errors import NotFound, Refused
from app.domain.rule_content import Content
from app.domain.rule_rows import BadRule
from app.models import AlertRule, Project, RuleVersion, User
from app.services import auditing
from app.services.rules import rule_changing, rule_names

LATE = "Somebody else saved this rule meanwhile. Compare with the newest version, then save again."
MOST_RULES = 100
# In the log of changes.
CATEGORY, SCOPE = "rule", "rule"


class Late(Refused):
    """Somebody else saved the rule since; `version` is the newest."""

    def __init__(self, version: int) -> None:
        super().__init__(LATE)
        self.version = version


def of_project(session: Session, project: Project) -> Sequence[AlertRule]:
    found = select(AlertRule).where(AlertRule.project_id == project.id).order_by(AlertRule.name, AlertRule.id)
    return session.scalars(found).all()


def find(session: Session, project: Project, rule_id: int) -> AlertRule:
    """One of the project's, else `NotFound`."""
    row = session.get(AlertRule, rule_id)
    if row is None or row.project_id != project.id:
        raise NotFound
    return row


def create(
    session: Session,
    project: Project,
    content: Content,
    *,
    by: User | None,
    via: str,
    now: datetime,
    trouble: str | None = None,
) -> AlertRule:
    """A rule that is on from now; with `trouble`, what is wrong with it, it waits for somebody to mend it."""
    if len(of_project(session, project)) >= MOST_RULES:
        raise Refused(f"A project has at most {MOST_RULES} rules.")
    rule = AlertRule(
        project_id=project.id,
        created_by_id=by.id if by else None,
        created_at=now,
        is_active=trouble is None,
        trouble=trouble,
        trouble_at=now if trouble else None,
        version=1,
        **content.columns(),
    )
    session.add(rule)
    session.flush()
    _keep(session, rule, by=by, via=via, now=now)
    return rule


def change(
    session: Session,
    rule: AlertRule,
    content: Content,
    *,
    by: User,
    via: str,
    now: datetime,
    seen: int | None = None,
) -> RuleVersion | None:
    """The new version, or None where nothing changed; `seen` is the version that the change was made from."""
    return _change(session, rule, content, by=by, via=via, now=now, seen=seen)


def _change(
    session: Session,
    rule: AlertRule,
    content: Content,
    *,
    by: User,
    via: str,
    now: datetime,
    seen: int | None = None,
    is_restored: bool = False,
) -> RuleVersion | None:
    _hold(session, rule)
    if seen is not None and seen != rule.version:
        raise Late(rule.version)
    if rule_content.of(rule).as_data() == content.as_data():
        return None
    _keep_first(session, rule)
    was = rule_changing.state(rule)
    for name, value in content.columns().items():
        setattr(rule, name, value)
    _clear(rule)
    rule_changing.tell(session, rule, was, by=by, now=now, is_restored=is_restored)
    return _next(session, rule, by=by, via=via, now=now)


def switch(
    session: Session, rule: AlertRule, *, on: bool, by: User, via: str, now: datetime
) -> RuleVersion | None:
    """On or off. A rule that is broken is mended first: `BadRule` says what is wrong."""
    _hold(session, rule)
    if rule.is_active == on:
        return None
    if on:
        check(session, rule)
        _clear(rule)
    _keep_first(session, rule)
    was = rule_changing.state(rule)
    rule.is_active = on
    rule_changing.tell(session, rule, was, by=by, now=now)
    return _next(session, rule, by=by, via=via, now=now)


def restore(
    session: Session, rule: AlertRule, version: int, *, by: User, via: str, now: datetime
) -> RuleVersion | None:
    """The rule as it was. `BadRule` where that names what the project does not have any more."""
    was = rule_content.of_data(find_version(session, rule, version).content)
    names = rule_names.of_project(session, rule.project)
    content = rule_content.read(was.as_data(), names)
    return _change(session, rule, content, by=by, via=via, now=now, is_restored=True)


def remove(session: Session, rule: AlertRule, *, by: User, via: str, now: datetime) -> None:
    """With its versions and mutes; what it rang stays, and says that the rule is gone."""
    audit(session, rule, "deleted", user=by, by=by, via=via, now=now, category=CATEGORY)
    rule_changing.tell(session, rule, rule_changing.state(rule), by=by, now=now, is_gone=True)
    session.delete(rule)
    session.flush()


def find_version(session: Session, rule: AlertRule, version: int) -> RuleVersion:
    here = (RuleVersion.rule_id == rule.id) & (RuleVersion.version == version)
    found = session.scalar(select(RuleVersion).where(here))
    if found is None:
        raise NotFound
    return found


def check(session: Session, rule: AlertRule) -> None:
    """`BadRule` with all that keeps a stored rule from doing what it says."""
    rule_content.read(rule_content.of(rule).as_data(), rule_names.of_project(session, rule.project))


def twins(
    session: Session, project: Project, content: Content, *, but: AlertRule | None = None
) -> Sequence[str]:
    """The names of the project's other rules that say the same."""
    return [
        rule.name
        for rule in of_project(session, project)
        if (but is None or rule.id != but.id) and _nameless(rule_content.of(rule)) == _nameless(content)
    ]


def _nameless(content: Content) -> dict[str, Any]:
    """What is compared: of one row, any is as good as all."""
    data = {**content.as_data(), "name": ""}
    for rows, match in (("conditions", "actionMatch"), ("filters", "filterMatch")):
        if len(data[rows]) <= 1 and data[match] == "any":
            data[match] = "all"
    return data


def trouble_of(bad: BadRule) -> str:
    """What is wrong in one line: "Action 2: That team has no access to the project."."""
    return f"{place_words(bad.field or '')}{bad.message}"[:255]


def place_words(path: str) -> str:
    """ "actions.1.targetId" → "Action 2: "; a place that is no row says nothing."""
    name, _, rest = path.partition(".")
    position = rest.partition(".")[0]
    return f"{name.removesuffix('s').capitalize()} {int(position) + 1}: " if position.isdecimal() else ""


def audit(
    session: Session,
    rule: AlertRule,
    new: str,
    *,
    user: User,
    by: User,
    via: str,
    now: datetime,
    category: str,
    **detail: Any,
) -> None:
    """A line in the log of changes of `user`, whom it concerns first."""
    said = {"rule": f"“{rule.name}” in {rule.project.name}", "new": new, **detail}
    auditing.note(
        session, user.id, category, by_id=by.id, at=now, via=via, place=(SCOPE, rule.id), detail=said
    )
    session.flush()


def _hold(session: Session, rule: AlertRule) -> None:
    """Nobody else changes it until the transaction ends."""
    session.execute(select(AlertRule.id).where(AlertRule.id == rule.id).with_for_update())
    session.refresh(rule)


def _clear(rule: AlertRule) -> None:
    """Whatever was wrong was wrong with what it said before."""
    rule.trouble, rule.trouble_at = None, None


def _next(session: Session, rule: AlertRule, *, by: User, via: str, now: datetime) -> RuleVersion:
    rule.version += 1
    session.flush()
    return _keep(session, rule, by=by, via=via, now=now)


def _keep_first(session: Session, rule: AlertRule) -> None:
    """Rules that were made before versions were kept have none: what they said must not be lost."""
    if session.scalar(select(RuleVersion.id).where(RuleVersion.rule_id == rule.id).limit(1)) is None:
        _keep(session, rule, by=rule.created_by, via="system", now=rule.created_at)


def _keep(session: Session, rule: AlertRule, *, by: User | None, via: str, now: datetime) -> RuleVersion:
    made = RuleVersion(
        rule_id=rule.id,
        version=rule.version,
        content=rule_changing.state(rule),
        by_id=by.id if by else None,
        via=via,
        at=now,
    )
    session.add(made)
    session.flush()
    return made
