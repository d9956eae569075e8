"""Resolving an issue: now, in a release, or with the next one, or by a commit (`notifications.md` 2.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain.errors import Refused
from app.domain.lifecycle import RESOLVED
from app.domain.resolutions import (
    IN_COMMIT,
    IN_NEXT_RELEASE,
    IN_RELEASE,
    PENDING,
    RESOLVES,
    SETTLED,
    Target,
)
from app.domain.routing import Reason
from app.models import Activity, Commit, Issue, IssueCommit, Release, Resolution, User
from app.services import access
from app.services.issues import assigning, timeline
from app.services.issues.moving import move
from app.services.issues.timeline import Batch
from app.services.preferences import preferring
from app.services.releases import releases
from app.services.upserting import insert_into

ACTIVITY_OF: Mapping[str, str] = {
    IN_NEXT_RELEASE: "set_resolved_in_release",
    IN_RELEASE: "set_resolved_in_release",
    IN_COMMIT: "set_resolved_in_commit",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A target with the rows that it names; without a kind, plainly now."""

    kind: str | None = None
    state: str = SETTLED
    release: Release | None = None
    commit: Commit | None = None


def resolve(
    session: Session,
    issue: Issue,
    *,
    by: User | None,
    now: datetime,
    into: Target | None = None,
    batch: Batch | None = None,
) -> Activity | None:
    """Settle the issue; `into` says with what. The same again changes nothing and tells no one twice.

    `Refused` when the release or commit that is asked for is not there.
    """
    return settle(session, issue, _way(session, issue, into, by), by=by, now=now, batch=batch)


def settle(
    session: Session,
    issue: Issue,
    way: Way,
    *,
    by: User | None,
    now: datetime,
    batch: Batch | None = None,
    why: Reason = Reason.PARTICIPATED,
) -> Activity | None:
    """The same with the rows at hand; another kind or target of a resolved issue is a new transition.

    `why` is what makes `by` follow the issue.
    """
    # Of two who do it at once, one waits here and then sees what the other did.
    columns = (Issue.status, Issue.assignee_user_id, Issue.assignee_team_id)
    status, *has_it = session.execute(select(*columns).where(Issue.id == issue.id).with_for_update()).one()
    if status == RESOLVED and _is_so(of(session, issue.id), way):
        return None
    claims = by is not None and not any(has_it) and _claims(session, issue, by)
    if claims and batch is None:
        batch = timeline.together()
    name = "resolve_anew" if status == RESOLVED else "resolve"
    activity = move(
        session,
        issue,
        name,
        by=by,
        now=now,
        activity=ACTIVITY_OF[way.kind] if way.kind else None,
        data={"was": status, **_said(issue, way), **({timeline.CLAIMED: True} if claims else {})},
        batch=batch,
        why=why,
    )
    if activity and way.kind:
        _store(session, issue, way, by=by, now=now)
    if activity and claims:
        assigning.assign(session, issue, to=by, by=by, now=now, batch=batch)
    return activity


def of(session: Session, issue_id: int) -> Resolution | None:
    """How the issue is resolved, where that is more than "now"."""
    return rows_of(session, [issue_id]).get(issue_id)


def rows_of(session: Session, issue_ids: Collection[int]) -> dict[int, Resolution]:
    """The same for many, with their releases and commits; those that were resolved plainly are missing."""
    found = (
        select(Resolution)
        .where(Resolution.issue_id.in_(issue_ids))
        .options(joinedload(Resolution.release), joinedload(Resolution.commit))
    )
    rows = session.scalars(found.execution_options(populate_existing=True))
    return {row.issue_id: row for row in rows}


def refuse_several_projects(project_ids: Collection[int], into: Target | None) -> None:
    """Releases and commits are chosen for the issues of one project at a time."""
    if into and len(set(project_ids)) > 1:
        raise Refused(
            "These issues belong to several projects. Choose those of one to resolve them in a release or "
            "commit, or resolve them without naming one."
        )


def _way(session: Session, issue: Issue, into: Target | None, by: User | None) -> Way:
    if into is None:
        return Way()
    project = issue.project
    if into.kind == IN_NEXT_RELEASE:
        return Way(IN_NEXT_RELEASE, PENDING, releases.newest(session, project))
    if into.kind == IN_RELEASE:
        return Way(IN_RELEASE, SETTLED, releases.named(session, project, into.version))
    commit = releases.commit_named(session, project.organization_id, into.repository, into.commit, by=by)
    release = releases.of_commits(session, [project.id], [commit.id]).get((project.id, commit.id))
    return Way(IN_COMMIT, SETTLED if release else PENDING, release, commit)


def _is_so(row: Resolution | None, way: Way) -> bool:
    if row is None or way.kind is None:
        return row is None and way.kind is None
    if way.kind == IN_RELEASE and way.release:
        return row.state == SETTLED and row.release_id == way.release.id
    if way.kind == IN_COMMIT and way.commit:
        return row.commit_id == way.commit.id
    return row.kind == way.kind


def _said(issue: Issue, way: Way) -> dict[str, Any]:
    """What the activity keeps: `version` is empty until there is one, `after` the release that it follows."""
    if way.kind is None:
        return {}
    said: dict[str, Any] = {"ident": str(issue.id), "version": ""}
    if way.release and way.state == SETTLED:
        said["version"] = way.release.version
    if way.release and way.kind == IN_NEXT_RELEASE:
        said["after"] = way.release.version
    if way.commit:
        said |= releases.told(way.commit)
    return said


def _store(session: Session, issue: Issue, way: Way, *, by: User | None, now: datetime) -> None:
    session.add(
        Resolution(
            issue_id=issue.id,
            kind=way.kind,
            state=way.state,
            release_id=way.release.id if way.release else None,
            commit_id=way.commit.id if way.commit else None,
            actor_id=by.id if by else None,
            created_at=now,
        )
    )
    if way.commit and way.kind == IN_COMMIT:
        _tie(session, issue, way.commit, now=now)
    session.flush()


def _tie(session: Session, issue: Issue, commit: Commit, *, now: datetime) -> None:
    """Whatever the commit was to the issue, it resolves it from now on: somebody chose it."""
    key, said = {"issue_id": issue.id, "commit_id": commit.id}, {"tie": RESOLVES, "created_at": now}
    statement = insert_into(session, IssueCommit).values(key | said)
    session.execute(statement.on_conflict_do_update(index_elements=tuple(key), set_=said))


def _claims(session: Session, issue: Issue, by: User) -> bool:
    """Whether an issue that nobody has becomes theirs who resolves it: if they asked for that."""
    return preferring.claims(session, by) and by.id in access.project_member_ids(session, issue.project_id)
