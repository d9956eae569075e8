"""Commits that name issues: they are tied when they arrive, and settle the issues with their release.

`notifications.md` 2.1, T6, T7 and T16. Only issues of the repository's organization are found.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain import fixes
from app.domain.lifecycle import RESOLVED
from app.domain.resolutions import IN_RELEASE, SETTLED
from app.domain.routing import Reason
from app.models import (
    Activity,
    Commit,
    EmailAddress,
    Issue,
    IssueCommit,
    Membership,
    Project,
    Release,
    ReleaseCommit,
    Resolution,
    User,
)
from app.services import access, releases, resolving, subscribing, timeline
from app.services.moving import move
from app.services.resolving import RESOLVES, Way
from app.services.timeline import Batch
from app.services.upserting import insert_missing_returning


def refer(session: Session, commit: Commit, *, base_url: str, now: datetime) -> list[Activity]:
    """Tie a commit to the issues that its message fixes; those that are tied to it already hear nothing.

    `base_url` is the instance's own address, for messages that name issues by theirs.
    """
    issues = {issue.id: issue for issue in _named(session, commit, base_url)}
    rows = [
        {"issue_id": issue_id, "commit_id": commit.id, "tie": RESOLVES, "created_at": now}
        for issue_id in issues
    ]
    made = insert_missing_returning(session, IssueCommit, rows, "issue_id", "commit_id")
    by = author(session, commit)
    said = releases.told(commit)
    activities = []
    for issue_id in sorted(row["issue_id"] for row in made):
        issue = issues[issue_id]
        if by:
            subscribing.follow(session, issue, [by.id], why=Reason.PARTICIPATED, now=now)
        activities.append(timeline.record(session, issue, "referenced_in_commit", by=by, now=now, data=said))
    return activities


def release_commits(
    session: Session,
    release: Release,
    commits: Sequence[Commit],
    *,
    now: datetime,
    batch: Batch | None = None,
) -> list[Activity]:
    """`commits` have become part of the release just now: what they fix is resolved in it, ignored or not.

    Of several commits that fix one issue the first is named.
    """
    position = {commit.id: place for place, commit in enumerate(commits)}
    commit_of = _first_fixes(session, position)
    issues = session.scalars(select(Issue).where(Issue.id.in_(commit_of), access.IS_THERE).order_by(Issue.id))
    activities = []
    for issue in issues.all():
        commit = commits[position[commit_of[issue.id]]]
        way = Way(IN_RELEASE, SETTLED, release, commit)
        activity = resolving.settle(session, issue, way, by=author(session, commit), now=now, batch=batch)
        activities += [activity] if activity else []
    return activities


def edit(session: Session, commit: Commit, *, message: str, base_url: str, now: datetime) -> list[Activity]:
    """Give a commit another message. What it no longer fixes, and was resolved by it, is reopened."""
    was = _named(session, commit, base_url)
    commit.message = message
    session.flush()
    still = {issue.id for issue in _named(session, commit, base_url)}
    gone = [unlink(session, issue, commit, now=now) for issue in was if issue.id not in still]
    return [each for each in gone if each] + refer(session, commit, base_url=base_url, now=now)


def unlink(session: Session, issue: Issue, commit: Commit, *, now: datetime) -> Activity | None:
    """Untie a commit from an issue, which is reopened if nothing else than this commit resolved it."""
    status = session.scalar(select(Issue.status).where(Issue.id == issue.id).with_for_update())
    tie = (IssueCommit.issue_id == issue.id) & (IssueCommit.commit_id == commit.id)
    session.execute(delete(IssueCommit).where(tie))
    resolution = resolving.of(session, issue.id)
    if status != RESOLVED or resolution is None or resolution.commit_id != commit.id:
        return None
    other = _another_fix(session, resolution)
    if other is not None:
        resolution.commit_id = other
        session.flush()
        return None
    data = {"was": status, "ident": str(issue.id), **releases.told(commit)}
    return move(session, issue, "reopen", by=None, now=now, data=data)


def author(session: Session, commit: Commit) -> User | None:
    """The member of the organization whose verified address the commit bears."""
    if not commit.author_email:
        return None
    found = (
        select(User)
        .join(EmailAddress, EmailAddress.user_id == User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            EmailAddress.address == commit.author_email.lower(),
            EmailAddress.verified_at.is_not(None),
            Membership.organization_id == commit.repository.organization_id,
            User.is_active,
        )
    )
    return session.scalar(found)


def _named(session: Session, commit: Commit, base_url: str) -> list[Issue]:
    """The issues that the message fixes. Should several have had one short id, the newest is meant."""
    named = fixes.find(commit.message, base_url=base_url)
    if not named.short_ids and not named.ids:
        return []
    found = (
        select(Issue)
        .join(Issue.project)
        .where(
            Project.organization_id == commit.repository.organization_id,
            access.IS_THERE,
            access.named(*named.short_ids, *named.ids),
        )
        .order_by(Issue.id)
    )
    issues = session.scalars(found).all()
    newest = {issue.short_id: issue.id for issue in issues}
    return [issue for issue in issues if issue.id in named.ids or newest[issue.short_id] == issue.id]


def _first_fixes(session: Session, position: Mapping[int, int]) -> dict[int, int]:
    """Of each issue that these commits fix, the commit that comes first."""
    found = select(IssueCommit.issue_id, IssueCommit.commit_id).where(
        IssueCommit.commit_id.in_(position), IssueCommit.tie == RESOLVES
    )
    first: dict[int, int] = {}
    for issue_id, commit_id in sorted(session.execute(found), key=lambda row: position[row.commit_id]):
        first.setdefault(issue_id, commit_id)
    return first


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
