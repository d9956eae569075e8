"""Commits come in: with a release, as refs, or by a push; what they fix follows (`notifications.md` 11)."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from app.domain import commit_lists
from app.domain.commit_lists import Given, Ref
from app.domain.errors import Refused
from app.models import (
    Commit,
    CommitFile,
    Organization,
    Release,
    ReleaseCommit,
    ReleaseHead,
    ReleaseProject,
    Repository,
    User,
)
from app.services.issues import timeline
from app.services.releases import fixing, releases, repository_owners
from app.services.upserting import insert_all, insert_missing_returning

# What commits that name no repository are kept under.
NO_REPOSITORY = "unnamed"
# A range that begins nowhere takes no more than this along.
MOST_OF_A_RANGE = 1000
_CHUNK = 400


def hold(session: Session, release: Release, *, waits: bool = True) -> None:
    """One list of commits for a release at a time; whoever does not wait gets the database's error."""
    held = select(Release.id).where(Release.id == release.id)
    session.execute(held.with_for_update(nowait=not waits, key_share=True))


def set_commits(
    session: Session,
    release: Release,
    given: Sequence[Given],
    *,
    base_url: str,
    by: User | None,
    now: datetime,
) -> None:
    """These are the release's commits, and no others; what has become part of it settles issues.

    `by` is whose token brought them; see `fixing`.
    """
    ordered = commit_lists.dated(commit_lists.newest_first(given), now=now)
    whose = by or session.get_one(Organization, release.organization_id)
    places = repository_owners.claimed(session, release, {_place(each) for each in given}, by=whose, now=now)
    stored = store(session, ordered, places, base_url=base_url, by=by, now=now)
    rows = stored.rows
    newest: dict[int, Commit] = {}
    for row in rows:
        newest.setdefault(row.repository_id, row)
    session.execute(delete(ReleaseHead).where(ReleaseHead.release_id == release.id))
    for repository_id, row in newest.items():
        session.add(
            ReleaseHead(
                release_id=release.id, repository_id=repository_id, sha=row.key, previous="", commit_id=row.id
            )
        )
    _replace(session, release, rows, edited=stored.edited, by=by, now=now)


def set_refs(
    session: Session, release: Release, refs: Sequence[Ref], *, by: User | None, now: datetime
) -> None:
    """Where the release stands in some repositories; without any it loses its commits."""
    if not refs:
        session.execute(delete(ReleaseHead).where(ReleaseHead.release_id == release.id))
        _replace(session, release, [], by=by, now=now)
        return
    whose = by or session.get_one(Organization, release.organization_id)
    places = repository_owners.named(session, release, {ref.repository for ref in refs}, by=whose)
    for ref in refs:
        if ref.repository not in places:
            raise Refused(f"There is no repository “{ref.repository}” here.", field="refs")
        head = session.get(ReleaseHead, (release.id, places[ref.repository].id))
        if head is None:
            head = ReleaseHead(release_id=release.id, repository_id=places[ref.repository].id)
            session.add(head)
        head.sha, head.previous, head.commit_id = ref.sha, ref.previous, None
    session.flush()
    expand(session, release, by=by, now=now)


def expand(session: Session, release: Release, *, by: User | None, now: datetime) -> bool:
    """Find the commits between the release's heads and what came before; whether all heads are known."""
    heads = session.scalars(select(ReleaseHead).where(ReleaseHead.release_id == release.id)).all()
    found: list[Commit] = []
    for head in heads:
        newest = _by_name(session, head.repository_id, head.sha)
        head.commit_id = newest.id if newest else None
        if newest:
            found += _range(session, release, head, newest)
        else:
            found += _kept(session, release, head.repository_id)
    session.flush()
    ordered = sorted(found, key=lambda commit: (commit.date_added, commit.id), reverse=True)
    _replace(session, release, ordered, by=by, now=now)
    return all(head.commit_id for head in heads)


def heads_awaited(session: Session, commits: Collection[Commit]) -> Sequence[Release]:
    """The releases that stand at one of these commits, which was not known here until now."""
    repositories = {commit.repository_id for commit in commits}
    keys = {commit.key for commit in commits}
    waiting = select(ReleaseHead).where(
        ReleaseHead.repository_id.in_(repositories), ReleaseHead.commit_id.is_(None)
    )
    ids = {
        head.release_id for head in session.scalars(waiting) if any(key.startswith(head.sha) for key in keys)
    }
    return session.scalars(select(Release).where(Release.id.in_(ids)).order_by(Release.id)).all()


# Storing


@dataclass(frozen=True, slots=True)
class Stored:
    """The rows, in the order of what was given, and the ids of those that came with another message."""

    rows: Sequence[Commit]
    edited: Set[int] = frozenset()


def store(
    session: Session,
    given: Sequence[Given],
    places: Mapping[str, Repository],
    *,
    base_url: str,
    by: User | None,
    now: datetime,
) -> Stored:
    """The rows of these commits, made where there are none; each issue that one of them names shows it.

    `places` are their repositories by name. A commit that comes with another message has been edited.
    """
    of_key = {(places[_place(each)].id, each.key): each for each in given}
    made = set(_insert(session, of_key))
    rows = _rows(session, of_key)
    _keep_files(session, rows, {key: of_key[key] for key in made})
    fixes, edited = [], []
    for key, each in of_key.items():
        row = rows[key]
        if key in made:
            fixes.append((row, each.message))
            continue
        if not row.author_email:  # it was only named until now
            row.author_name, row.author_email = each.author_name, commit_lists.address_of(each)
        if each.message and each.message != row.message:
            edited.append((row, each.message))
            fixes.append((row, each.message))
    fixing.edit(session, edited, base_url=base_url, by=by, now=now)
    fixing.refer(session, fixes, base_url=base_url, by=by, now=now)
    return Stored([rows[key] for key in of_key], {row.id for row, _ in edited})


def _place(given: Given) -> str:
    return given.repository or NO_REPOSITORY


Key = tuple[int, str]  # a repository, and a hash


def _insert(session: Session, of_key: Mapping[Key, Given]) -> Iterable[Key]:
    rows = [
        {
            "repository_id": repository_id,
            "key": key,
            "message": given.message,
            "author_name": given.author_name,
            "author_email": commit_lists.address_of(given),
            "date_added": given.at,
        }
        for (repository_id, key), given in of_key.items()
    ]
    made = insert_missing_returning(session, Commit, rows, "repository_id", "key")
    return [(row["repository_id"], row["key"]) for row in made]


def _rows(session: Session, keys: Collection[Key]) -> dict[Key, Commit]:
    found: dict[Key, Commit] = {}
    for some in _chunks(list(keys)):
        named = tuple_(Commit.repository_id, Commit.key).in_(some)
        found |= {(row.repository_id, row.key): row for row in session.scalars(select(Commit).where(named))}
    return found


def _keep_files(session: Session, rows: Mapping[Key, Commit], given: Mapping[Key, Given]) -> None:
    files = [
        {"commit_id": rows[key].id, "path": file.path, "change": file.change}
        for key, each in given.items()
        for file in each.files or ()
    ]
    insert_all(session, CommitFile, files)


def _chunks(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[at : at + _CHUNK] for at in range(0, len(keys), _CHUNK))


# The list of a release


def _replace(
    session: Session,
    release: Release,
    rows: Sequence[Commit],
    *,
    by: User | None,
    now: datetime,
    edited: Set[int] = frozenset(),
) -> None:
    """What comes into the list settles what it fixes, and so does what was edited; the rest did so before."""
    before = set(session.scalars(_listed(release)))
    wanted = [row.id for row in rows]
    session.execute(delete(ReleaseCommit).where(ReleaseCommit.release_id == release.id))
    links = [
        {"release_id": release.id, "commit_id": commit_id, "position": position}
        for position, commit_id in enumerate(wanted)
    ]
    insert_all(session, ReleaseCommit, links)
    fresh = [row for row in rows if row.id in edited or row.id not in before]
    if fresh:
        fixing.release_commits(session, release, fresh, by=by, now=now, batch=timeline.together())


def _listed(release: Release) -> Any:
    return select(ReleaseCommit.commit_id).where(ReleaseCommit.release_id == release.id)


def _kept(session: Session, release: Release, repository_id: int) -> Sequence[Commit]:
    """What the list has of a repository already."""
    found = select(Commit).join(ReleaseCommit, ReleaseCommit.commit_id == Commit.id)
    here = (ReleaseCommit.release_id == release.id) & (Commit.repository_id == repository_id)
    return session.scalars(found.where(here)).all()


def _by_name(session: Session, repository_id: int, sha: str) -> Commit | None:
    """A commit by its hash, or by a beginning of it that no other has."""
    if len(sha) < releases.SHORTEST_SHA:
        return None
    begins = (Commit.repository_id == repository_id) & Commit.key.startswith(sha, autoescape=True)
    found = session.scalars(select(Commit).where(begins).order_by(func.length(Commit.key)).limit(2)).all()
    return found[0] if len(found) == 1 or (found and found[0].key == sha) else None


def _range(session: Session, release: Release, head: ReleaseHead, newest: Commit) -> Sequence[Commit]:
    """From the head back to where the release before it stood; without one, as far as is known."""
    since = _by_name(session, head.repository_id, head.previous) if head.previous else None
    since = since or _head_before(session, release, head.repository_id)
    place = tuple_(Commit.date_added, Commit.id)
    found = select(Commit).where(
        Commit.repository_id == head.repository_id, place <= (newest.date_added, newest.id)
    )
    if since is not None:
        found = found.where(place > (since.date_added, since.id))
    newest_first = (Commit.date_added.desc(), Commit.id.desc())
    return session.scalars(found.order_by(*newest_first).limit(MOST_OF_A_RANGE)).all()


def _head_before(session: Session, release: Release, repository_id: int) -> Commit | None:
    """Where the release before this one, of a project that both have, stood in the repository."""
    projects = select(ReleaseProject.project_id).where(ReleaseProject.release_id == release.id)
    found = (
        select(Commit)
        .join(ReleaseHead, ReleaseHead.commit_id == Commit.id)
        .join(Release, Release.id == ReleaseHead.release_id)
        .where(
            ReleaseHead.repository_id == repository_id,
            releases.is_before(release),
            Release.id.in_(select(ReleaseProject.release_id).where(ReleaseProject.project_id.in_(projects))),
        )
        .order_by(*releases.NEWEST_FIRST)
    )
    return session.scalars(found.limit(1)).first()
