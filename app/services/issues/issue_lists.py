"""The short lists of an issue's page: its events by day, its tags, in what it can be resolved, which commits
are said to fix it, and whether anybody wrote about it.

Each is a few rows of a few small columns, so that one query reads them all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain import commits
from app.domain.lifecycle import MOVES
from app.domain.resolutions import REFUTED
from app.models import (
    Activity,
    Commit,
    EmailAddress,
    Feedback,
    Issue,
    IssueCommit,
    IssueHour,
    IssueTag,
    Repository,
    Resolution,
    User,
)
from app.models.base import UtcDateTime
from app.services.owners import owning
from app.services.releases import releases
from app.services.releases.releases import Listed, Offer

DAYS = 30
VALUES_SHOWN, TAGS_SHOWN, FIXES_SHOWN, REFUTED_SHOWN, BEGINNING = 3, 8, 10, 3, 200
HOUR, TAG, ADDRESS, WRITTEN, FIX = "hour", "tag", "address", "written", "fix"
# What a commit is to the issue, the last one first.
WRONG, SAID, DONE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class TagShare:
    """A tag's value, and how much of all the issue's values of that tag it is."""

    value: str
    percent: int


@dataclass(frozen=True, slots=True)
class Fix:
    """A commit that says that it fixes the issue; somebody may have said that it does not.

    Their name is not known any more if they are gone.
    """

    commit_id: int
    key: str
    line: str
    is_refuted: bool = False
    refuted_by: str = ""


@dataclass(frozen=True, slots=True)
class Lists:
    days: Sequence[int]
    tags: Mapping[str, Sequence[TagShare]]
    offer: Offer
    whose: Mapping[str, int]
    feedback: int
    fixes: Sequence[Fix]


def of(session: Session, issue: Issue, *, now: datetime, addresses: Collection[str] = ()) -> Lists:
    """All of them, with one query; also who has these addresses."""
    each = [
        _hours(issue, now),
        _tags(issue),
        _written(issue),
        *_fixes_of(issue),
        *releases.offered(issue.project),
    ]
    if addresses:
        each.append(_holders(addresses))
    rows = session.execute(union_all(*(select(one.subquery()) for one in each))).all()
    return Lists(
        _by_day([row for row in rows if row.sort == HOUR], now),
        _shares([row for row in rows if row.sort == TAG]),
        releases.offer_of(rows),
        owning.whose((row.name, row.number, bool(row.total)) for row in rows if row.sort == ADDRESS),
        sum(row.number for row in rows if row.sort == WRITTEN),
        _fixes(row for row in rows if row.sort == FIX),
    )


def fixes(session: Session, issue: Issue) -> Sequence[Fix]:
    """The commits that are said to fix the issue: the one that resolved it, then the newest.

    Last those of which somebody said that they do not: they have room of their own.
    """
    both = union_all(*(select(one.subquery()) for one in _fixes_of(issue)))
    return _fixes(session.execute(both))


def _fixes_of(issue: Issue) -> Sequence[Select[*Listed]]:
    """The total is what each is to the issue; the value is what it says, or who says that it is wrong."""
    resolved_by = select(Resolution.commit_id).where(Resolution.issue_id == issue.id).scalar_subquery()
    what = case((Commit.id == resolved_by, DONE), else_=SAID)
    says = func.substr(Commit.message, 1, BEGINNING)
    said = _tied(issue, IssueCommit.tie != REFUTED, says, Commit.date_added, what)
    refuter = func.coalesce(_refuter(issue), "")
    refuted = _tied(issue, IssueCommit.tie == REFUTED, refuter, IssueCommit.created_at, literal(WRONG))
    return said.limit(FIXES_SHOWN), refuted.limit(REFUTED_SHOWN)


def _tied(
    issue: Issue,
    tie: ColumnElement[bool],
    value: ColumnElement[str],
    at: InstrumentedAttribute[datetime],
    what: ColumnElement[int],
) -> Select[*Listed]:
    row = (
        literal(FIX).label("sort"),
        Commit.key.label("name"),
        value.label("value"),
        at.label("at"),
        Commit.id.label("number"),
        what.label("total"),
    )
    return (
        select(*row)
        .join(IssueCommit, IssueCommit.commit_id == Commit.id)
        .join(Repository, Repository.id == Commit.repository_id)
        .where(IssueCommit.issue_id == issue.id, tie)
        .order_by(row[5].desc(), at.desc(), Commit.id.desc())
    )


def _refuter(issue: Issue) -> ScalarSelect[str]:
    """Who said last that the commit does not fix the issue, perhaps by reopening it."""
    reopened = (Activity.type == MOVES["reopen"].activity) & Activity.data[REFUTED].as_boolean()
    return (
        select(User.name)
        .select_from(Activity)
        .outerjoin(User, User.id == Activity.actor_id)
        .where(
            Activity.issue_id == issue.id,
            or_(Activity.type == "commit_refuted", reopened),
            Activity.data["commit"].as_string() == Commit.key,
            Activity.data["repository"].as_string() == Repository.name,
        )
        .order_by(Activity.id.desc())
        .limit(1)
        .correlate(Commit, Repository)
        .scalar_subquery()
    )


def _fixes(rows: Iterable[Listed]) -> Sequence[Fix]:
    return [_fix(row) for row in sorted(rows, key=lambda row: (row[5], row[3], row[4]), reverse=True)]


def _fix(row: Listed) -> Fix:
    _, key, value, _, commit_id, what = row
    if what == WRONG:
        return Fix(commit_id, key, line="", is_refuted=True, refuted_by=value)
    return Fix(commit_id, key, commits.first_line(value))


def _holders(addresses: Collection[str]) -> Select[*Listed]:
    """Several may claim an address: the total is 1 for who holds it."""
    return (
        select(
            literal(ADDRESS).label("sort"),
            EmailAddress.address.label("name"),
            literal("").label("value"),
            cast(null(), UtcDateTime).label("at"),
            EmailAddress.user_id.label("number"),
            case((EmailAddress.is_held, 1), else_=0).label("total"),
        )
        .where(EmailAddress.address.in_(addresses))
        .order_by(EmailAddress.id)
    )


def _written(issue: Issue) -> Select[*Listed]:
    return select(
        literal(WRITTEN).label("sort"),
        literal("").label("name"),
        literal("").label("value"),
        cast(null(), UtcDateTime).label("at"),
        func.count().label("number"),
        literal(0).label("total"),
    ).where(Feedback.issue_id == issue.id)


def brief(session: Session, issue: Issue) -> tuple[Mapping[str, Sequence[TagShare]], int]:
    """Its tags, and how often people wrote about it; one query.

    The most frequent values of each tag; those that an issue was seen with most often come first.
    """
    both = union_all(*(select(one.subquery()) for one in (_tags(issue), _written(issue))))
    rows = session.execute(both).all()
    shares = _shares([row for row in rows if row.sort == TAG])
    return shares, sum(row.number for row in rows if row.sort == WRITTEN)


def _first_day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)


def _hours(issue: Issue, now: datetime) -> Select[*Listed]:
    return select(
        literal(HOUR).label("sort"),
        literal("").label("name"),
        literal("").label("value"),
        IssueHour.hour.label("at"),
        IssueHour.count.label("number"),
        literal(0).label("total"),
    ).where(IssueHour.issue_id == issue.id, IssueHour.hour >= _first_day(now))


def _by_day(rows: Iterable[Listed], now: datetime) -> list[int]:
    points, first = [0] * DAYS, _first_day(now)
    for _, _, _, hour, count, _ in rows:
        points[min((hour - first).days, DAYS - 1)] += count
    return points


def _tags(issue: Issue) -> Select[*Listed]:
    rank = func.row_number().over(partition_by=IssueTag.key, order_by=(IssueTag.count.desc(), IssueTag.value))
    total = func.sum(IssueTag.count).over(partition_by=IssueTag.key)
    ranked = (
        select(IssueTag.key, IssueTag.value, IssueTag.count, rank.label("rank"), total.label("total"))
        .where(IssueTag.issue_id == issue.id)
        .subquery()
    )
    return select(
        literal(TAG).label("sort"),
        ranked.c.key.label("name"),
        ranked.c.value.label("value"),
        cast(null(), UtcDateTime).label("at"),
        ranked.c.count.label("number"),
        ranked.c.total.label("total"),
    ).where(ranked.c.rank <= VALUES_SHOWN)


def _shares(rows: Iterable[Listed]) -> Mapping[str, Sequence[TagShare]]:
    shares: dict[str, list[TagShare]] = {}
    for _, key, value, _, count, total in sorted(rows, key=_most_seen):
        shares.setdefault(key, []).append(TagShare(value, round(100 * count / total) if total else 0))
    return dict(list(shares.items())[:TAGS_SHOWN])


def _most_seen(row: Listed) -> tuple[int, str, int, str]:
    _, key, value, _, count, total = row
    return -total, key, -count, value
