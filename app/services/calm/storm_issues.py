"""What a storm was about: how many new issues, the worst of them, and what may have begun them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from app.domain import storms
from app.models import Issue, Notice


@dataclass(frozen=True, slots=True)
class Issues:
    """The new issues of a storm up to a notice about it: how many, the worst of them, and what began them.

    Those that `cause` began come first.
    """

    count: int
    top: Sequence[Issue]
    cause: storms.Cause | None


def issues(session: Session, notice: Notice, *, most: int) -> Issues:
    """What a notice sums up: new issues since the storm began, until minutes after the notice was made."""
    since = datetime.fromisoformat(notice.data["since"])
    until = notice.occurred_at + storms.WITHIN
    is_part = (Issue.project_id == notice.project_id) & Issue.first_seen.between(since, until)
    columns = select(Issue.first_release, Issue.first_seen).where(is_part)
    seen = [(release, at) for release, at in session.execute(columns)]
    began = _began(session, notice.project_id, {release for release, _ in seen if release})
    cause = storms.cause(seen, began)
    # Those that made it a storm, before what happened to be new just then.
    first = [_is_its(cause)] if cause else []
    first.append(Issue.number >= notice.data["from"])
    order = (*(case((each, 0), else_=1) for each in first), Issue.times_seen.desc(), Issue.id)
    worst = select(Issue).where(is_part).order_by(*order).limit(most)
    return Issues(len(seen), session.scalars(worst).all(), cause)


def _is_its(cause: storms.Cause) -> ColumnElement[bool]:
    """As `storms.cause` counts them."""
    return and_(Issue.first_release == cause.release, Issue.first_seen <= cause.at + storms.SAME_CAUSE)


def _began(session: Session, project_id: int | None, releases: Collection[str]) -> Mapping[str, datetime]:
    """When each release had its first issue in the project: the storm's own, if it is new."""
    if not releases:
        return {}
    found = (
        select(Issue.first_release, func.min(Issue.first_seen))
        .where(Issue.project_id == project_id, Issue.first_release.in_(releases))
        .group_by(Issue.first_release)
    )
    return {str(release): at for release, at in session.execute(found)}


def collapsed(session: Session, notice: Notice, *, limit: int) -> Sequence[Notice]:
    """The alerts that it was told instead of; the newest first."""
    found = (
        select(Notice)
        .where(Notice.project_id == notice.project_id, Notice.data["storm"].as_string() == notice.public_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return session.scalars(found).all()
