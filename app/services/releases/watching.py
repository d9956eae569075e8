"""Watching a release: for a day, whoever does follows each issue that is first seen in it.

A watch is for the whole release, in all projects of it that its person is a member of. What was followed
because of it stays so when the day is over; who stops the watch stops following that, too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.domain.routing import Reason
from app.models import Issue, Project, Release, ReleaseWatch, Subscription, User
from app.services import access, auditing, pruning
from app.services.events.digest_issues import Seen
from app.services.preferences import preferring, subscribing
from app.services.preferences.preferring import Defaults
from app.services.upserting import insert_into, insert_missing

CATEGORY, SCOPE = "watch", "release"  # in the log of changes
LASTS = timedelta(hours=24)
LASTS_WORDS = "24 hours"
# Digesters may be behind: what came in during the day counts whenever it is read.
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Watch:
    """How somebody stands to a release: until when they watch it, and how many issues they follow for it.

    `is_off`: they want no workflow mail of the project, whatever they follow.
    """

    until: datetime | None
    followed: int
    is_member: bool
    is_off: bool


def watch(session: Session, release: Release, *, user: User, now: datetime) -> datetime:
    """From now on for a day, also where a day was begun already; until when that is."""
    until = now + LASTS
    was = session.scalar(_watch(release, user, now))
    row = {"release_id": release.id, "user_id": user.id, "until": until}
    statement = insert_into(session, ReleaseWatch).values(row)
    session.execute(
        statement.on_conflict_do_update(index_elements=("release_id", "user_id"), set_={"until": until})
    )
    _note(session, release, user, old=LASTS_WORDS if was else "off", new=LASTS_WORDS, now=now)
    return until


def stop(session: Session, release: Release, *, user: User, now: datetime) -> bool:
    """Watch it no more, and follow for it what is followed for nothing else; False if there was neither."""
    mine = (ReleaseWatch.release_id == release.id) & (ReleaseWatch.user_id == user.id)
    ended = session.scalar(delete(ReleaseWatch).where(mine).returning(ReleaseWatch.until))
    followed = _followed(session, release, user)
    subscribing.release_all(session, followed, why=Reason.RELEASE_WATCHED, now=now)
    if ended is None and not followed:
        return False
    _note(session, release, user, old=LASTS_WORDS, new="off", now=now)
    return True


def of(
    session: Session, release: Release, project: Project, *, user: User, environment: Defaults, now: datetime
) -> Watch:
    """For the release's page in a project. `environment` holds where nobody chose anything."""
    rows = session.execute(preferring.deciding(user, project.id)).all()
    chosen = preferring.choices_among(rows, project.id, environment)
    is_member = select(User.id).where(User.id == user.id, access.is_member(project.id)).exists()
    until, member = session.execute(select(_watch(release, user, now).scalar_subquery(), is_member)).one()
    return Watch(
        until=until,
        followed=len(_followed(session, release, user)),
        is_member=bool(member),
        is_off=chosen.workflow.value == "never",
    )


def _watch(release: Release, user: User, now: datetime) -> Select[datetime]:
    """Until when they watch it, as far as they do."""
    mine = (ReleaseWatch.release_id == release.id) & (ReleaseWatch.user_id == user.id)
    return select(ReleaseWatch.until).where(mine, ReleaseWatch.until > now)


def _followed(session: Session, release: Release, user: User) -> Sequence[Subscription]:
    """What this person is subscribed to because they watched the release."""
    found = (
        select(Subscription)
        .join(Issue, Issue.id == Subscription.issue_id)
        .join(Project, Project.id == Issue.project_id)
        .where(
            Subscription.user_id == user.id,
            Subscription.state == subscribing.SUBSCRIBED,
            Issue.first_release == release.version,
            Project.organization_id == release.organization_id,
            access.IS_THERE,
        )
        .order_by(Subscription.issue_id)
    )
    return [row for row in session.scalars(found) if Reason.RELEASE_WATCHED in row.reasons]


def _note(session: Session, release: Release, user: User, *, old: str, new: str, now: datetime) -> None:
    detail = {"release": release.version, "old": old, "new": new}
    place = (SCOPE, release.id)
    auditing.note(session, user.id, CATEGORY, by_id=user.id, at=now, via="web", place=place, detail=detail)


# What comes in


def follow_new(session: Session, seen: Collection[Seen], *, now: datetime) -> None:
    """The issues that a batch brought are followed by who watches the releases that they are first seen in.

    They are new, so that nobody can have left them. One statement while nobody watches.
    """
    new = [each for each in seen if each.is_new and each.event.release]
    watches = _watches(session, new)
    if not watches:
        return
    members: dict[int, Collection[int]] = {}
    rows = []
    for each in new:
        for user_id, until in watches.get((each.project.organization_id, each.event.release), ()):
            if each.event.received_at >= until:
                continue
            if each.project.id not in members:
                members[each.project.id] = access.project_member_ids(session, each.project.id)
            if user_id in members[each.project.id]:
                rows.append(subscribing.fresh(each.issue, user_id, Reason.RELEASE_WATCHED, now=now))
    insert_missing(session, Subscription, rows, "issue_id", "user_id")


def _watches(
    session: Session, seen: Collection[Seen]
) -> Mapping[tuple[int, str], Sequence[tuple[int, datetime]]]:
    """By organization and version: who watches it, and until when."""
    if not seen:
        return {}
    found = (
        select(Release.organization_id, Release.version, ReleaseWatch.user_id, ReleaseWatch.until)
        .join(ReleaseWatch, ReleaseWatch.release_id == Release.id)
        .where(
            Release.version.in_({each.event.release for each in seen}),
            ReleaseWatch.until > min(each.event.received_at for each in seen),
        )
    )
    watches: dict[tuple[int, str], list[tuple[int, datetime]]] = {}
    for organization_id, version, user_id, until in session.execute(found):
        watches.setdefault((organization_id, version), []).append((user_id, until))
    return watches


def prune(session: Session, *, before: datetime) -> int:
    """Forget a chunk of the watches that were over by then; how many."""
    return pruning.forget(session, ReleaseWatch, ReleaseWatch.until < before)
