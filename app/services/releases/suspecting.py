"""Suspect commits of an issue: those of its first release, and of the few before it, that touch its stack."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.domain import commits, phrases, suspects
from app.domain.suspects import Change
from app.models import (
    Commit,
    CommitFile,
    EmailAddress,
    Issue,
    Membership,
    Project,
    Release,
    ReleaseCommit,
    ReleaseProject,
    User,
)
from app.services import access
from app.services.releases import releases

RELEASES = 5
MOST_CHANGES = 2000
MOST = 3
LONGEST_LINE, LONGEST_NAME = 80, 60


@dataclass(frozen=True, slots=True)
class Suspected:
    """An author with their first suspect commit; `user` if somebody here has their address.

    `may_have_it` if the issue can be assigned to them.
    """

    commit: Commit
    path: str
    user: User | None
    may_have_it: bool
    more: int

    @property
    def called(self) -> str:
        return self.user.name if self.user else self.commit.author_name or self.commit.author_email


def of(session: Session, issue: Issue, data: Mapping[str, Any]) -> list[Suspected]:
    """The most suspicious first, in at most five queries; one where the issue has no release."""
    frames = suspects.paths(data)
    if not frames or not issue.first_release:
        return []
    release_ids = _releases(session, issue)
    found = _commits(session, release_ids, frames) if release_ids else []
    if not found:
        return []
    changes = [
        Change(number, commit.author_email.lower() or commit.author_name, path)
        for number, (commit, paths) in enumerate(found)
        for path in paths
    ]
    ranked = suspects.rank(frames, changes)[:MOST]
    users = _users(session, issue, [each.author for each in ranked])
    members = access.project_member_ids(session, issue.project_id) if users else set()
    return [
        Suspected(
            commit=found[each.commits[0]][0],
            path=each.path,
            user=users.get(each.author),
            may_have_it=each.author in users and users[each.author].id in members,
            more=len(each.commits) - 1,
        )
        for each in ranked
    ]


def words(found: Suspected) -> str:
    """ "9c1d2e7 “Show totals in summary” by Sam Okoro"."""
    line = phrases.shortened(commits.first_line(found.commit.message), LONGEST_LINE)
    return f"{commits.short(found.commit.key)} “{line}” by {phrases.shortened(found.called, LONGEST_NAME)}"


def _releases(session: Session, issue: Issue) -> Sequence[int]:
    """The issue's first release, and those before it in the project."""
    here = select(ReleaseProject.release_id).where(
        ReleaseProject.project_id == issue.project_id, ReleaseProject.is_guest.is_(False)
    )
    first = session.scalar(
        select(Release).where(Release.version == issue.first_release, Release.id.in_(here))
    )
    if first is None:
        return ()
    before = select(Release.id).where(Release.id.in_(here), releases.is_before(first))
    found = session.scalars(before.order_by(*releases.NEWEST_FIRST).limit(RELEASES - 1))
    return [first.id, *found]


def _commits(
    session: Session, release_ids: Collection[int], frames: Sequence[str]
) -> list[tuple[Commit, list[str]]]:
    """The commits of these releases that changed a file with the name of a frame's, newest first."""
    found = (
        select(Commit, CommitFile.path)
        .join(CommitFile, CommitFile.commit_id == Commit.id)
        .where(
            Commit.id.in_(select(ReleaseCommit.commit_id).where(ReleaseCommit.release_id.in_(release_ids))),
            or_(*_named({suspects.segments(frame)[-1] for frame in frames if suspects.segments(frame)})),
        )
        .order_by(Commit.date_added.desc(), Commit.id.desc())
        .limit(MOST_CHANGES)
    )
    paths: dict[Commit, list[str]] = {}
    for commit, path in session.execute(found):
        paths.setdefault(commit, []).append(path)
    return list(paths.items())


def _named(names: Collection[str]) -> list[ColumnElement[bool]]:
    path = func.lower(CommitFile.path)
    return [each for name in names for each in (path == name, path.endswith(f"/{name}", autoescape=True))]


def _users(session: Session, issue: Issue, addresses: Collection[str]) -> dict[str, User]:
    """The people of the organization who have verified these."""
    found = (
        select(EmailAddress.address, User)
        .join(User, User.id == EmailAddress.user_id)
        .join(Membership, Membership.user_id == User.id)
        .join(Project, Project.organization_id == Membership.organization_id)
        .where(
            Project.id == issue.project_id,
            EmailAddress.address.in_(addresses),
            EmailAddress.verified_at.is_not(None),
            User.is_active,
        )
    )
    return {address: user for address, user in session.execute(found)}
