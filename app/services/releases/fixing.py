"""Commits that name issues: they are tied when they arrive, and settle the issues with their release.

`notifications.md` 2.1, T6, T7 and T16. Only issues of the repository's organization are found. `by` is
whose token brought the commits: it reaches no further than that person sees, and what happens is theirs, for
anybody can write any author into a commit. Without one, the organization vouches for the authors.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice, zip_longest
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Subquery, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.domain import fixes
from app.domain.lifecycle import MOVES, RESOLVED
from app.domain.resolutions import IN_RELEASE, REFUTED, RESOLVES, SETTLED
from app.domain.routing import Reason
from app.models import (
    Activity,
    Commit,
    EmailAddress,
    Issue,
    IssueCommit,
    IssueRedirect,
    Membership,
    Project,
    Release,
    ReleaseCommit,
    ReleaseProject,
    Resolution,
    User,
)
from app.services import access
from app.services.issues import resolving, timeline
from app.services.issues.moving import move
from app.services.issues.resolving import Way
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing
from app.services.releases import releases
from app.services.upserting import insert_missing_returning

log = logging.getLogger(__name__)
# Of one list of commits: the write lock of SQLite is held meanwhile.
MOST_ISSUES, MOST_NAMES, MOST_TIES = 100, 1000, 5000
T = TypeVar("T")
Pair = tuple[Issue, Commit]
Text = tuple[Commit, str]  # a commit, and what it says


def refer(
    session: Session, said: Sequence[Text], *, base_url: str, now: datetime, by: User | None = None
) -> list[Activity]:
    """Tie commits to the issues that these texts fix; those that are tied to one already hear nothing.

    `base_url` is the instance's own address, for texts that name issues by theirs. Whatever ties a list makes
    for an issue, they are one activity, by the author of the first; all their authors follow it.
    """
    found = _named(session, said, base_url, by)
    fixed = _by_issue(
        (issue, commit) for (commit, _), issues in zip(said, found, strict=True) for issue in issues
    )
    pairs = _ties(_at_most(fixed))
    rows = [
        {"issue_id": issue.id, "commit_id": commit.id, "tie": RESOLVES, "created_at": now}
        for issue, commit in pairs
    ]
    inserted = insert_missing_returning(session, IssueCommit, rows, "issue_id", "commit_id")
    made = {(row["issue_id"], row["commit_id"]) for row in inserted}
    fresh = [(issue, commit) for issue, commit in pairs if (issue.id, commit.id) in made]
    actors = actors_of(session, [commit for _, commit in fresh], by)
    activities = []
    for each in sorted(_by_issue(fresh), key=_issue_id):
        issue, first = each[0]
        authors = {actors[commit.id].id for _, commit in each if commit.id in actors}
        if authors:
            why = _why(by, [commit for _, commit in each])
            subscribing.follow(session, issue, authors, why=why, now=now)
        actor, data = actors.get(first.id), releases.told(first)
        activities.append(
            timeline.record(session, issue, "referenced_in_commit", by=actor, now=now, data=data)
        )
    return activities


def release_commits(
    session: Session,
    release: Release,
    commits: Sequence[Commit],
    *,
    now: datetime,
    by: User | None = None,
    batch: Batch | None = None,
) -> list[Activity]:
    """`commits` have become part of the release just now: what they fix is resolved in it, ignored or not.

    Of several commits that fix one issue the first is named. One that the issue has come back from does not
    resolve it once more: see `_failed`.
    """
    position = {commit.id: place for place, commit in enumerate(commits)}
    first = _first_fixes(session, release, position)
    found = _seen(select(Issue).where(Issue.id.in_(first), access.IS_THERE), by)
    held = _at_most(session.scalars(found.order_by(Issue.id).with_for_update(of=Issue)).all())
    # Who held one of them before may have said that a commit does not fix it.
    commit_of = _first_fixes(session, release, position)
    issues = [issue for issue in held if issue.id in commit_of]
    actors = actors_of(session, [commits[position[commit_of[issue.id]]] for issue in issues], by)
    activities = []
    for issue in issues:
        commit = commits[position[commit_of[issue.id]]]
        way = Way(IN_RELEASE, SETTLED, release, commit)
        actor, why = actors.get(commit.id), _why(by, [commit])
        activity = resolving.settle(session, issue, way, by=actor, now=now, batch=batch, why=why)
        activities += [activity] if activity else []
    return activities


def edit(
    session: Session, said: Sequence[Text], *, base_url: str, now: datetime, by: User | None = None
) -> list[Activity]:
    """Give commits other messages. What they no longer fix, and was resolved by them, is reopened.

    What they fix now is for `refer`.
    """
    before = [(commit, commit.message) for commit, _ in said]
    found = _named(session, [*before, *said], base_url, by)
    for commit, message in said:
        commit.message = message
    session.flush()
    gone = [
        (issue, commit)
        for (commit, _), was, still in zip(said, found[: len(said)], found[len(said) :], strict=True)
        for issue in was
        if issue not in still
    ]
    reopened = []
    for each in sorted(_at_most(_by_issue(_tied(session, gone))), key=_issue_id):
        commits = [commit for _, commit in each]
        reopened.append(unlink(session, each[0][0], *commits, now=now))
    return [activity for activity in reopened if activity]


def unlink(session: Session, issue: Issue, *commits: Commit, now: datetime) -> Activity | None:
    """Untie commits from an issue, which is reopened if nothing else than one of these resolved it.

    That somebody refuted it is remembered.
    """
    status = _held(session, issue)
    ties = (IssueCommit.issue_id == issue.id) & IssueCommit.commit_id.in_([each.id for each in commits])
    session.execute(delete(IssueCommit).where(ties, IssueCommit.tie != REFUTED))
    alone = _that_stood_alone(session, issue, commits) if status == RESOLVED else None
    if alone is None:
        return None
    data = {"was": status, **_told(issue, alone), "version": _version(session, issue)}
    return move(session, issue, "reopen", by=None, now=now, data=data)


def refute(session: Session, issue: Issue, commit_id: int, *, by: User, now: datetime) -> Activity | None:
    """Somebody says that a commit does not fix the issue; it stays so when the commit comes again.

    The activity reopens the issue if nothing else resolved it. None if the commit was not said to fix it.
    """
    access.hold(session, issue)
    status = issue.status
    tie = (IssueCommit.issue_id == issue.id) & (IssueCommit.commit_id == commit_id)
    fixes_it = tie & (IssueCommit.tie == RESOLVES)
    refuted = update(IssueCommit).where(fixes_it).values(tie=REFUTED, created_at=now)
    if session.scalar(refuted.returning(IssueCommit.commit_id)) is None:
        return None
    commit = session.get_one(Commit, commit_id)
    data = {"was": status, **_told(issue, commit)}
    if status != RESOLVED or _that_stood_alone(session, issue, [commit]) is None:
        return timeline.record(session, issue, "commit_refuted", by=by, now=now, data=data)
    data |= {REFUTED: True, "version": _version(session, issue)}
    return move(session, issue, "reopen", by=by, now=now, data=data, follows=False)


def withdraw(session: Session, issue: Issue, commit_id: int, *, by: User, now: datetime) -> Activity | None:
    """Somebody takes back that a commit does not fix the issue, which stays as it is.

    None if nobody says so.
    """
    access.hold(session, issue)
    tie = (IssueCommit.issue_id == issue.id) & (IssueCommit.commit_id == commit_id)
    refuted = tie & (IssueCommit.tie == REFUTED)
    withdrawn = update(IssueCommit).where(refuted).values(tie=RESOLVES, created_at=now)
    if session.scalar(withdrawn.returning(IssueCommit.commit_id)) is None:
        return None
    data = _told(issue, session.get_one(Commit, commit_id))
    return timeline.record(session, issue, "refutation_withdrawn", by=by, now=now, data=data)


def _held(session: Session, issue: Issue) -> str | None:
    """The state of the issue, if it is still there. Of two who untie a commit, one waits for the other."""
    return session.scalar(select(Issue.status).where(Issue.id == issue.id).with_for_update())


def _that_stood_alone(session: Session, issue: Issue, commits: Iterable[Commit]) -> Commit | None:
    """That of them which resolved the issue, unless another commit of the same release takes its place."""
    resolution = resolving.of(session, issue.id)
    untied: dict[int | None, Commit] = {commit.id: commit for commit in commits}
    alone = untied.get(resolution.commit_id) if resolution else None
    if resolution is None or alone is None:
        return None
    another = _another_fix(session, resolution)
    if another is None:
        return alone
    resolution.commit_id = another
    session.flush()
    return None


def _told(issue: Issue, commit: Commit) -> dict[str, Any]:
    return {"ident": str(issue.id), **releases.told(commit)}


def _version(session: Session, issue: Issue) -> str:
    """The release that the issue is resolved in, if it is in one."""
    resolution = resolving.of(session, issue.id)
    return resolution.release.version if resolution and resolution.release else ""


def _why(by: User | None, commits: Iterable[Commit]) -> Reason:
    """Why who acts here follows the issue: a commit is theirs, or it came with their token."""
    if by is None:
        return Reason.COMMITTER
    own = {each.address for each in by.addresses if each.verified_at}
    wrote = any(commit.author_email.lower() in own for commit in commits)
    return Reason.COMMITTER if wrote else Reason.PARTICIPATED


def actors_of(session: Session, commits: Sequence[Commit], by: User | None) -> Mapping[int, User]:
    """By commit: whose token it was, else the member of the organization whose verified address it bears."""
    if by is not None:
        return {commit.id: by for commit in commits}
    if not commits:
        return {}
    found = (
        select(EmailAddress.address, User)
        .join(User, User.id == EmailAddress.user_id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            EmailAddress.address.in_({commit.author_email.lower() for commit in commits}),
            EmailAddress.verified_at.is_not(None),
            Membership.organization_id == commits[0].repository.organization_id,
            User.is_active,
        )
    )
    people = {address: user for address, user in session.execute(found)}
    return {
        each.id: people[each.author_email.lower()] for each in commits if each.author_email.lower() in people
    }


def _named(
    session: Session, said: Sequence[Text], base_url: str, by: User | None
) -> Sequence[Collection[Issue]]:
    """The issues that each text fixes, with at most two queries, however many texts there are."""
    named = [fixes.find(text, base_url=base_url) for _, text in said]
    names = list(dict.fromkeys(name for each in named for name in _names(each)))
    _say_left_out(len(names) - MOST_NAMES, "names")
    found = _find(session, said[0][0].repository.organization_id, names[:MOST_NAMES], by) if names else {}
    return [{found[name]: None for name in _names(each) if name in found}.keys() for each in named]


def _names(named: fixes.Named) -> tuple[int | str, ...]:
    return (*named.short_ids, *named.ids)


def _find(
    session: Session, organization_id: int, names: Sequence[int | str], by: User | None
) -> Mapping[int | str, Issue]:
    """By name, also by that of an issue that was merged into it; of several with one the newest is meant."""
    here = (Project.organization_id == organization_id) & access.IS_THERE & access.named(*names)
    found = _seen(select(Issue).join(Issue.project).where(here), by)
    issues = {issue.id: issue for issue in session.scalars(found.order_by(Issue.id))}
    if not issues:
        return {}
    merged = select(IssueRedirect).where(IssueRedirect.to_id.in_(issues)).order_by(IssueRedirect.to_id)
    of_name: dict[int | str, Issue] = {}
    for row in session.scalars(merged):
        of_name |= {row.from_id: issues[row.to_id], row.short_id: issues[row.to_id]}
    for issue in issues.values():
        of_name |= {issue.id: issue, issue.short_id: issue}
    return of_name


def _seen(found: Select[Issue], by: User | None) -> Select[Issue]:
    return found.where(Issue.project.has(access.sees_project(by))) if by else found


def _tied(session: Session, pairs: Sequence[Pair]) -> list[Pair]:
    """Those of them that are tied; what somebody refuted is not."""
    commit_ids = {commit.id for _, commit in pairs}
    if not commit_ids:
        return []
    found = select(IssueCommit.issue_id, IssueCommit.commit_id).where(
        IssueCommit.commit_id.in_(commit_ids), IssueCommit.tie != REFUTED
    )
    ties = {(issue_id, commit_id) for issue_id, commit_id in session.execute(found)}
    return [(issue, commit) for issue, commit in pairs if (issue.id, commit.id) in ties]


def _by_issue(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Those of each issue, in their order."""
    of_issue: dict[int, list[Pair]] = {}
    for issue, commit in pairs:
        of_issue.setdefault(issue.id, []).append((issue, commit))
    return list(of_issue.values())


def _issue_id(pairs: Sequence[Pair]) -> int:
    return pairs[0][0].id


def _ties(fixed: Sequence[Sequence[Pair]]) -> list[Pair]:
    """The first of each issue, then the second ones, as many as may be."""
    _say_left_out(sum(map(len, fixed)) - MOST_TIES, "ties")
    in_turns = (pair for turn in zip_longest(*fixed) for pair in turn if pair)
    return list(islice(in_turns, MOST_TIES))


def _at_most(found: Sequence[T]) -> Sequence[T]:
    _say_left_out(len(found) - MOST_ISSUES, "issues")
    return found[:MOST_ISSUES]


def _say_left_out(count: int, what: str) -> None:
    if count > 0:
        log.warning("a list of commits fixes too many issues", extra={"left_out": count, "what": what})


def _first_fixes(session: Session, release: Release, position: Mapping[int, int]) -> dict[int, int]:
    """Of each issue that these commits of the release fix, the commit that comes first."""
    these = IssueCommit.commit_id.in_(position) & (IssueCommit.tie == RESOLVES)
    back = _latest_returns(these)
    found = (
        select(IssueCommit.issue_id, IssueCommit.commit_id)
        .join(Issue, Issue.id == IssueCommit.issue_id)
        .outerjoin(back, back.c.issue_id == IssueCommit.issue_id)
        .where(these, or_(back.c.at.is_(None), ~_failed(release, back.c.at)))
    )
    first: dict[int, int] = {}
    for issue_id, commit_id in sorted(session.execute(found), key=lambda row: position[row.commit_id]):
        first.setdefault(issue_id, commit_id)
    return first


def _latest_returns(ties: ColumnElement[bool]) -> Subquery:
    """When the issues of these ties came back last, those that ever did: read once, not for each release."""
    return (
        select(Activity.issue_id, func.max(Activity.created_at).label("at"))
        .where(
            Activity.issue_id.in_(select(IssueCommit.issue_id).where(ties)),
            Activity.type == MOVES["regress"].activity,
        )
        .group_by(Activity.issue_id)
        .subquery()
    )


def _failed(release: Release, back: ColumnElement[datetime]) -> ColumnElement[bool]:
    """A condition on `IssueCommit`: the issue came `back` although the commit was said to fix it, and since
    there was another release that has it, of the issue's project or of one that this release is for.

    T7 knows no such exception. Without it an issue would be resolved over and over: sentry-cli sends the last
    commits again when it finds no previous release. Who says again that the commit is a fix begins anew.
    """
    here = select(ReleaseProject.project_id).where(ReleaseProject.release_id == release.id)
    another = exists().where(
        ReleaseCommit.commit_id == IssueCommit.commit_id,
        ReleaseCommit.release_id == Release.id,
        Release.id != release.id,
        Release.date_added <= back,
        ReleaseProject.release_id == Release.id,
        or_(ReleaseProject.project_id == Issue.project_id, ReleaseProject.project_id.in_(here)),
    )
    return (IssueCommit.created_at <= back) & another


def _another_fix(session: Session, resolution: Resolution) -> int | None:
    """Another commit of the same release that fixes the same issue."""
    found = (
        select(IssueCommit.commit_id)
        .join(ReleaseCommit, ReleaseCommit.commit_id == IssueCommit.commit_id)
        .where(
            IssueCommit.issue_id == resolution.issue_id,
            IssueCommit.tie == RESOLVES,
            ReleaseCommit.release_id == resolution.release_id,
        )
        .order_by(ReleaseCommit.position)
    )
    return session.scalars(found.limit(1)).first()
