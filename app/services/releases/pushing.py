"""Pushes: hooks for providers of repositories, what they send, and the commits that a job makes of it.

A push stores commits before any release has them, and shows on the issues that they fix (T6).
"""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import commit_lists, pushes
from app.domain.commit_lists import Given
from app.domain.errors import NotFound, Refused
from app.domain.pushes import Headers, Provider, Pushed
from app.models import Commit, Organization, Project, Push, PushHook, Repository, User
from app.services import limiting, pruning
from app.services.releases import committing, deploying, fixing, repository_owners
from app.services.sealing import Seal, Sealed

log = logging.getLogger(__name__)
MOST_HOOKS = 50
MOST_TRIES = 5
KEPT = timedelta(days=2)


def add(
    session: Session,
    organization: Organization,
    provider: str,
    seal: Seal,
    *,
    only: Project | None = None,
    by: User,
    now: datetime,
) -> tuple[PushHook, str]:
    """A hook and its secret, which is never shown again. What it tells of is for one project, or for all."""
    if provider not in pushes.PROVIDERS:
        raise Refused(f"Choose one of: {', '.join(pushes.PROVIDERS)}.", field="provider")
    theirs = select(PushHook.id).where(PushHook.organization_id == organization.id)
    full = Refused(f"{MOST_HOOKS} are the most.", field="provider")
    limiting.check_room(session, organization, theirs, MOST_HOOKS, full)
    secret = secrets.token_urlsafe(32)
    row = PushHook(
        organization_id=organization.id,
        provider=provider,
        key=secrets.token_hex(16),
        secret=seal.close({"secret": secret}),
        created_at=now,
        created_by_id=by.id,
        project=only,
    )
    session.add(row)
    session.flush()
    return row, secret


def renew(session: Session, row: PushHook, seal: Seal) -> str:
    """Another secret; the one before it is good for nothing from now on."""
    secret = secrets.token_urlsafe(32)
    row.secret = seal.close({"secret": secret})
    session.flush()
    return secret


def of(session: Session, organization: Organization) -> Sequence[PushHook]:
    found = select(PushHook).where(PushHook.organization_id == organization.id)
    return session.scalars(found.order_by(PushHook.id)).all()


def find(session: Session, organization: Organization, hook_id: int) -> PushHook:
    row = session.get(PushHook, hook_id)
    if row is None or row.organization_id != organization.id:
        raise NotFound
    return row


def reseal(session: Session, seal: Seal) -> None:
    """Encrypt under the first key what is not."""
    for row in session.scalars(select(PushHook)):
        with suppress(Sealed):  # what none of the keys opens stays as it is
            row.secret = seal.again(row.secret)


# What comes in


def called(session: Session, key: str) -> PushHook:
    """The hook at this address, else `NotFound`."""
    row = session.scalar(select(PushHook).where(PushHook.key == key))
    if row is None:
        raise NotFound
    return row


def is_signed(row: PushHook, headers: Headers, body: bytes, seal: Seal) -> bool:
    secret = seal.open(row.secret)["secret"]
    return pushes.is_signed(pushes.PROVIDERS[row.provider], headers, body, secret)


def keep(session: Session, hook_id: int, headers: Headers, body: bytes, *, now: datetime) -> Push | None:
    """Write it down, once, before it is answered; None for what was there."""
    row = session.scalar(select(PushHook).where(PushHook.id == hook_id).with_for_update())
    if row is None:
        raise NotFound
    row.called_at = now
    provider = pushes.PROVIDERS[row.provider]
    key = _key(provider, headers, body)
    if session.scalar(select(Push.id).where(Push.hook_id == row.id, Push.key == key)) is not None:
        return None
    event = headers.get(provider.event, "")[:64]
    push = Push(hook_id=row.id, key=key, event=event, body=body, received_at=now)
    session.add(push)
    session.flush()
    return push


def _key(provider: Provider, headers: Headers, body: bytes) -> str:
    """The provider's own name of the call, which is the same when it is sent again; else its content."""
    return headers.get(provider.key, "")[: pushes.MOST_KEY] or hashlib.sha256(body).hexdigest()


# What becomes of it


def work(session: Session, push_id: int, *, base_url: str, now: datetime) -> None:
    """Make commits of a push. What cannot be read is done with, too: its hook says why."""
    row = session.scalar(select(Push).where(Push.id == push_id).with_for_update(skip_locked=True))
    if row is None or row.done_at is not None:
        return
    row.done_at = now
    row.hook.trouble = ""
    try:
        pushed = pushes.read(pushes.PROVIDERS[row.hook.provider], row.event, row.body)
        if pushed is not None:
            _take(session, row.hook, pushed, base_url=base_url, now=now)
    except Refused as error:
        row.hook.trouble = error.message[:255]
        log.info("a push cannot be used", extra={"push": row.id, "error": row.hook.trouble})
    session.flush()


def _take(session: Session, hook: PushHook, pushed: Pushed, *, base_url: str, now: datetime) -> None:
    name = pushed.repository[: commit_lists.LONGEST_NAME]
    url = pushed.url[:500] if pushed.url.startswith(("https://", "http://")) else ""
    place = repository_owners.pushed(session, hook, name, url, now=now)
    given = [_in(place, each) for each in pushed.commits]
    given += [Given(key=sha, repository=place.name) for sha in pushed.merged]
    dated = commit_lists.dated(commit_lists.newest_first(given), now=now)
    stored = committing.store(session, dated, {place.name: place}, base_url=base_url, by=None, now=now)
    said = [(commit, pushed.merged[commit.key]) for commit in stored.rows if commit.key in pushed.merged]
    fixing.refer(session, said, base_url=base_url, now=now)
    _complete(session, stored.rows, now=now)


def _in(place: Repository, given: Given) -> Given:
    return Given(
        given.key,
        given.message,
        given.author_name,
        given.author_email,
        given.at,
        place.name,
        given.files,
    )


def _complete(session: Session, commits: Sequence[Commit], *, now: datetime) -> None:
    """Releases that stood at one of these have their commits now, and their deploys wait no longer."""
    for release in committing.heads_awaited(session, commits):
        committing.hold(session, release)
        if committing.expand(session, release, by=None, now=now):
            deploying.commits_are_in(session, release)


def give_up(session: Session, push_id: int, error: Exception, *, now: datetime) -> None:
    """After a failure that is none of its own: it is tried some more times."""
    row = session.get(Push, push_id)
    if row is None or row.done_at is not None:
        return
    row.tries += 1
    row.hook.trouble = f"Tocsin could not use it: {type(error).__name__}"
    if row.tries >= MOST_TRIES:
        row.done_at = now
    session.flush()


def waiting(session: Session, *, before: datetime, limit: int) -> Sequence[int]:
    """What is still to be worked on, and came in before that."""
    found = select(Push.id).where(Push.done_at.is_(None), Push.received_at <= before)
    return session.scalars(found.order_by(Push.id).limit(limit)).all()


def prune(session: Session, *, before: datetime) -> int:
    """Forget a chunk of what was done long ago; how many."""
    return pruning.forget(session, Push, Push.done_at.is_not(None) & (Push.received_at < before))
