"""How often a person is told: alerts of a project first at once, then together; and so many within an hour.

Who is to wait is a matter of the evaluator: it is asked once more, told until when. The row that says when
a person was last sent alerts of a project is locked meanwhile, so that only one of them is the first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.domain import pacing, routing
from app.domain.kinds import ALERTS, KINDS, SECURITY, TEST
from app.domain.pacing import Pace
from app.domain.preferences import BATCHING
from app.domain.routing import Happening, Outcome, Person
from app.models import AlertPace, Delivery, Digest, NotificationSetting, OnCall, Project, User
from app.services.upserting import insert_into

# Keys of digests: what waits for the window of a project, and what waits because there was too much.
TOGETHER, CAPPED = "alerts", "cap"
_OF_PROJECT = f"{TOGETHER}:"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOST_IN_AN_HOUR = 30
CAP_WINDOW = timedelta(minutes=15)
# Whoever is this near the most is counted under a lock: several workers may be about to tell them.
NEAR = 20
# Messages that somebody asked for, or that are about the account, are not counted and never wait.
UNCOUNTED = tuple(name for name, kind in KINDS.items() if kind.category in (SECURITY, TEST))


def key_of(project_id: int | None) -> str:
    """The key of the digest that collects alerts of a project."""
    return f"{_OF_PROJECT}{project_id}"


def project_of(digest: Digest) -> int | None:
    """The project whose alerts a digest collects, if it does that."""
    kind, _, project_id = digest.key.partition(":")
    return int(project_id) if kind == TOGETHER else None


# What is known while notices are planned


class Known:
    """What was read of people's paces, and what follows from what was decided since, in one transaction.

    `many`: of how many events is decided in it. Of one, all is read when it is asked for.
    """

    def __init__(self, session: Session, *, now: datetime, many: int = 1) -> None:
        self._session, self._now, self._many = session, now, many
        self._sent_at: dict[tuple[int, int], datetime | None] = {}
        self._waiting: dict[tuple[str, int], datetime | None] = {}
        self._on_call: dict[int, bool] = {}
        self._counted: dict[int, int] = {}

    def lock(self, people: Mapping[int, Collection[int]]) -> None:
        """Lock the rows of these people of projects at once: everybody does so in one order."""
        for project_id in sorted(people):
            if not of_project(self._session.get_one(Project, project_id)).is_at_once:
                self.sent_at(project_id, people[project_id])

    def sent_at(self, project_id: int, user_ids: Iterable[int]) -> dict[int, datetime]:
        """When each was last sent alerts of the project, if ever. Their rows are locked from then on."""
        ids = list(user_ids)
        if new := [key for key in ids if (project_id, key) not in self._sent_at]:
            found = _lock(self._session, project_id, new)
            self._sent_at |= {(project_id, key): found.get(key) for key in new}
        return {key: at for key in ids if (at := self._sent_at[project_id, key])}

    def waiting(self, key: str, user_ids: Iterable[int]) -> dict[int, datetime]:
        """When the open digest of each of these people goes out."""
        ids = list(user_ids)
        if new := [user_id for user_id in ids if (key, user_id) not in self._waiting]:
            found = _waiting(self._session, key, new)
            self._waiting |= {(key, user_id): found.get(user_id) for user_id in new}
        return {user_id: at for user_id in ids if (at := self._waiting[key, user_id])}

    def on_call(self, user_ids: Iterable[int]) -> set[int]:
        ids = list(user_ids)
        if new := [key for key in ids if key not in self._on_call]:
            found = set(self._session.scalars(_on_call(new, self._now)))
            self._on_call |= {key: key in found for key in new}
        return {key for key in ids if self._on_call[key]}

    def capped(self, user_ids: Collection[int]) -> dict[int, datetime]:
        """Who was sent so much within the hour that more comes together, and when that is."""
        if self._many == 1:
            return capped(self._session, user_ids, now=self._now)
        if new := [key for key in user_ids if key not in self._counted]:
            _lock_people(self._session, new)  # any of them may be told often
            self._counted |= dict.fromkeys(new, 0) | _counted(self._session, new, self._now, least=1)
        full = [key for key in user_ids if self._counted[key] >= MOST_IN_AN_HOUR]
        waiting = self.waiting(CAPPED, full)
        return {key: waiting.get(key, self._now + CAP_WINDOW) for key in full}

    def pace(self, project_id: int) -> Pace:
        return of_project(self._session.get_one(Project, project_id))

    def mark(self, project_id: int, user_ids: Collection[int]) -> None:
        """They are sent alerts of the project now."""
        mark(self._session, project_id, user_ids, now=self._now)

    def learn(self, project_id: int, verdicts: Iterable[routing.Verdict], *, is_paced: bool) -> None:
        """What was decided will be stored at the end; whatever is decided until then has to know."""
        keys = {"batched": key_of(project_id), "recipient_cap": CAPPED}
        for each in verdicts:
            if each.outcome == Outcome.SEND:
                self._counted[each.person_id] = self._counted.get(each.person_id, 0) + 1
                if is_paced:
                    self._sent_at[project_id, each.person_id] = self._now
            elif each.code in keys and "until" in each.params:
                until = datetime.fromisoformat(each.params["until"])
                self._waiting[keys[each.code], each.person_id] = until


# When a notice is planned


def slowed(
    session: Session,
    project_id: int | None,
    what: Happening,
    people: Iterable[Person],
    verdicts: Sequence[routing.Verdict],
    *,
    now: datetime,
    known: Known | None = None,
) -> list[routing.Verdict]:
    """These verdicts, but whoever should wait is told later. Who is told alerts now, is on record as told.

    `known` is what other notices of the same transaction left behind.
    """
    known = known or Known(session, now=now)
    told = {each.person_id for each in verdicts if each.outcome == Outcome.SEND}
    woken = {each.person_id for each in verdicts if each.params.get("last_resort")}
    crowd = {who.id: who for who in people if who.id in told - woken}
    if not told or what.kind.name in UNCOUNTED:
        return list(verdicts)
    is_paced = what.kind.category == ALERTS and what.kind.in_thread and project_id is not None
    if is_paced:
        crowd = _paced(project_id or 0, crowd, known, now)
    until = known.capped(crowd)
    crowd = {who.id: replace(who, capped_until=until.get(who.id)) for who in crowd.values()}
    asked = [
        routing.decide(what, crowd[each.person_id]) if each.person_id in crowd else each for each in verdicts
    ]
    if is_paced:
        known.mark(project_id or 0, [v.person_id for v in asked if v.outcome == Outcome.SEND])
    known.learn(project_id or 0, asked, is_paced=is_paced)
    return asked


def _paced(project_id: int, crowd: Mapping[int, Person], known: Known, now: datetime) -> dict[int, Person]:
    """The same people, knowing until when alerts of the project wait for them; nobody else changes that."""
    if known.pace(project_id).is_at_once or not crowd:
        return dict(crowd)
    return _waiting_people(project_id, crowd, known.sent_at(project_id, crowd), known, now)


def foreseen(session: Session, project_id: int, who: Person, *, now: datetime) -> Person:
    """The same, as far as it can be said of an alert that did not come: nothing is locked."""
    crowd, row = {who.id: who}, session.get(AlertPace, (who.id, project_id))
    if of_project(session.get_one(Project, project_id)).is_at_once or row is None:
        return who
    sent_at = {who.id: row.sent_at}
    return _waiting_people(project_id, crowd, sent_at, Known(session, now=now), now)[who.id]


def _waiting_people(
    project_id: int,
    crowd: Mapping[int, Person],
    sent_at: Mapping[int, datetime],
    known: Known,
    now: datetime,
) -> dict[int, Person]:
    ours = known.pace(project_id)
    on_call = known.on_call(crowd)
    waiting = known.waiting(key_of(project_id), crowd)
    found = {}
    for who in crowd.values():
        pace = pacing.pace_of(ours, who.choices.batching.value, who.choices.batching.source)
        until = pacing.due(pace, sent_at=sent_at.get(who.id), waiting=waiting.get(who.id), now=now)
        is_held = until is not None and who.id not in on_call
        found[who.id] = (
            replace(who, paced_until=until, pace_minutes=pace.minimum, paced_by=pace.source)
            if is_held
            else who
        )
    return found


def of_project(project: Project) -> Pace:
    return Pace(project.digest_minimum, project.digest_maximum)


def _lock(session: Session, project_id: int, user_ids: Iterable[int]) -> dict[int, datetime]:
    """When each was last sent alerts of the project, if ever. Their rows are locked, made if missing."""
    ids = sorted(user_ids)
    theirs = select(AlertPace.user_id, AlertPace.sent_at).where(
        AlertPace.project_id == project_id, AlertPace.user_id.in_(ids)
    )
    locked = theirs.order_by(AlertPace.user_id).with_for_update()
    found = {user_id: sent_at for user_id, sent_at in session.execute(locked)}
    missing = [user_id for user_id in ids if user_id not in found]
    if missing:
        rows = [{"user_id": user_id, "project_id": project_id, "sent_at": NEVER} for user_id in missing]
        statement = insert_into(session, AlertPace).values(rows)
        statement = statement.on_conflict_do_update(
            index_elements=("user_id", "project_id"),
            set_={"project_id": statement.excluded.project_id},  # changes nothing, and locks the row
        ).returning(AlertPace.user_id, AlertPace.sent_at)
        found |= {user_id: sent_at for user_id, sent_at in session.execute(statement)}
    return {user_id: at for user_id, at in found.items() if at > NEVER}


def mark(session: Session, project_id: int, user_ids: Collection[int], *, now: datetime) -> None:
    """They are sent alerts of the project now; a row that is missing was not needed."""
    if user_ids:
        session.execute(
            update(AlertPace)
            .where(AlertPace.project_id == project_id, AlertPace.user_id.in_(user_ids))
            .values(sent_at=now)
            .execution_options(synchronize_session=False)
        )


def _on_call(user_ids: Iterable[int], now: datetime) -> Select[int]:
    return select(OnCall.user_id).where(OnCall.user_id.in_(list(user_ids)), OnCall.until > now)


def _waiting(session: Session, key: str, user_ids: Iterable[int]) -> dict[int, datetime]:
    """When the open digest of each of these people goes out."""
    is_open = Digest.key == key, Digest.closed_at.is_(None), Digest.user_id.in_(list(user_ids))
    found = session.execute(select(Digest.user_id, Digest.send_at).where(*is_open))
    return {user_id: send_at for user_id, send_at in found}


# The cap


def capped(session: Session, user_ids: Collection[int], *, now: datetime) -> dict[int, datetime]:
    """Who was sent so many messages within the hour that further ones come together, and when they do."""
    near = _counted(session, user_ids, now, least=NEAR) if user_ids else {}
    if near:
        _lock_people(session, near)
        near = _counted(session, near, now, least=MOST_IN_AN_HOUR)
    if not near:
        return {}
    waiting = _waiting(session, CAPPED, near)
    return {user_id: waiting.get(user_id, now + CAP_WINDOW) for user_id in near}


def _lock_people(session: Session, user_ids: Collection[int]) -> None:
    locked = select(User.id).where(User.id.in_(user_ids)).order_by(User.id)
    session.execute(locked.with_for_update(key_share=True)).all()


def _counted(session: Session, user_ids: Collection[int], now: datetime, *, least: int) -> dict[int, int]:
    """How many messages within the hour each of these was sent, if at least so many."""
    found = (
        select(Delivery.user_id, func.count())
        .where(
            Delivery.user_id.in_(list(user_ids)),
            Delivery.created_at > now - HOUR,
            Delivery.kind.not_in(UNCOUNTED),
            Delivery.state != "cancelled",
        )
        .group_by(Delivery.user_id)
        .having(func.count() >= least)
    )
    return {user_id: count for user_id, count in session.execute(found) if user_id}


# When a window ends, or is changed


def lock(session: Session, digest_id: int) -> datetime | None:
    """Lock the row behind a digest of alerts, before the digest, as all do; when its window began."""
    digest = session.get(Digest, digest_id)
    project_id = project_of(digest) if digest else None
    if digest is None or project_id is None:
        return None
    return _lock(session, project_id, [digest.user_id]).get(digest.user_id)


def end_windows(session: Session, user: User, *, now: datetime) -> None:
    """All alerts that wait for this person go out now."""
    for digest in session.scalars(_open_of(user)):
        digest.send_at = min(digest.send_at, now)
    session.flush()


def shorten(session: Session, user: User, value: str | None) -> None:
    """A window that is open ends as soon as with this choice; "as the project says" is the least."""
    own = {user.id: value or ""}
    for digest in session.scalars(_open_of(user)):
        _shorten(session, digest, own)
    session.flush()


def _open_of(user: User) -> Select[Digest]:
    theirs = Digest.user_id == user.id, Digest.key.startswith(_OF_PROJECT), Digest.closed_at.is_(None)
    return select(Digest).where(*theirs).order_by(Digest.id).with_for_update()


def shorten_of_project(session: Session, project: Project) -> None:
    """Windows that are open end as soon as they would with the project's numbers as they are now."""
    is_open = Digest.key == key_of(project.id), Digest.closed_at.is_(None)
    digests = session.scalars(select(Digest).where(*is_open)).all()
    chosen = select(NotificationSetting.user_id, NotificationSetting.value).where(
        NotificationSetting.category == BATCHING,
        NotificationSetting.user_id.in_([digest.user_id for digest in digests]),
    )
    own = {key: value for key, value in session.execute(chosen)}
    for digest in digests:
        _shorten(session, digest, own)


def _shorten(session: Session, digest: Digest, own: Mapping[int, str]) -> None:
    project = session.get(Project, project_of(digest) or 0)
    row = session.get(AlertPace, (digest.user_id, project.id)) if project else None
    if project and row:
        pace = pacing.pace_of(of_project(project), own.get(digest.user_id, ""), "account")
        digest.send_at = min(digest.send_at, row.sent_at + pace.maximum * pacing.MINUTE)
