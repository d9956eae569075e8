"""How people make, change and end maintenance windows. A change takes effect on what is held."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain import pauses
from app.domain.errors import Refused
from app.domain.pauses import Window
from app.models import Digest, Pause, Project, User
from app.services import auditing
from app.services.calm import pausing, summing_up

NONE = "none"
MOST_PAUSES = 50
LONGEST_REASON = 200


def create(
    session: Session, project: Project, wanted: Window, *, reason: str, by: User, now: datetime, via: str
) -> Pause:
    """A further window; `Refused` if it is none that a project can have."""
    _lock(session, project)
    why = _check(session, project, wanted, reason, now)
    row = Pause(project_id=project.id, created_by_id=by.id, created_at=now)
    _write(row, wanted, why)
    session.add(row)
    _audit(session, project, by, NONE, _said(row), now, via)
    session.flush()
    return row


def change(
    session: Session, row: Pause, wanted: Window, *, reason: str, by: User, now: datetime, via: str
) -> None:
    """Another time, place or reason for it. What it no longer holds goes out."""
    project = session.get_one(Project, row.project_id)
    _lock(session, project)
    why = _check(session, project, wanted, reason, now, instead_of=row)
    old = _said(row)
    _write(row, wanted, why)
    _audit(session, project, by, old, _said(row), now, via)
    session.flush()
    release(session, project.id, row.reason, now=now)


def end(session: Session, row: Pause, *, by: User, now: datetime, via: str) -> None:
    """It lets go now; a weekly one comes again next week. One that does not hold stays as it is."""
    project = session.get_one(Project, row.project_id)
    _lock(session, project)
    session.refresh(row)
    if pausing.window(row).span_at(now) is None:
        return
    old, rest = _said(row), pauses.skipping(pausing.window(row), now)
    if rest:
        _write(row, rest, row.reason)
        row.summed_up_at = None
    else:
        row.ends_at = now
    _audit(session, project, by, old, "ended early", now, via)
    session.flush()
    release(session, project.id, row.reason, now=now)


def delete(session: Session, row: Pause, *, by: User, now: datetime, via: str) -> None:
    """A window that does not come any more. If it holds now, that ends."""
    project = session.get_one(Project, row.project_id)
    _lock(session, project)
    _audit(session, project, by, _said(row), NONE, now, via)
    session.delete(row)
    session.flush()
    release(session, project.id, row.reason, now=now)


def release(session: Session, project_id: int, why: str, *, now: datetime) -> None:
    """All that waits is decided again within moments: what another window holds waits on."""
    summing_up.tell(session, project_id, why=why, now=now)
    waits = Digest.key == pausing.key_of(project_id), Digest.closed_at.is_(None), Digest.send_at > now
    session.execute(update(Digest).where(*waits).values(send_at=now))


def _lock(session: Session, project: Project) -> None:
    """One change of a project's windows at a time: two at once could leave no moment between them."""
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update())


def _check(
    session: Session,
    project: Project,
    wanted: Window,
    reason: str,
    now: datetime,
    *,
    instead_of: Pause | None = None,
) -> str:
    """The reason as it is kept."""
    pauses.checked(wanted, now=now)
    if wanted.environment and wanted.environment not in pausing.environments(session, project):
        raise Refused("The project has not been seen in this environment.", field="environment")
    others = [row for row in pausing.of_project(session, project, now=now) if row is not instead_of]
    if len(others) >= MOST_PAUSES:
        raise Refused(f"{MOST_PAUSES} windows are the most.", field="starts_at")
    if pauses.never_end([wanted, *map(pausing.window, others)]):
        raise Refused("With the others nothing would ever be sent: leave a gap.", field="ends_at")
    why = " ".join(reason.split())
    if not why:
        raise Refused("Say why: everybody who waits reads it.", field="reason")
    if len(why) > LONGEST_REASON:
        raise Refused(f"At most {LONGEST_REASON} characters.", field="reason")
    return why


def _write(row: Pause, wanted: Window, reason: str) -> None:
    row.starts_at, row.ends_at = wanted.starts_at, wanted.ends_at
    row.weekly, row.timezone = wanted.weekly, wanted.zone
    row.environment, row.scope, row.reason = wanted.environment, wanted.scope, reason


def _said(row: Pause) -> str:
    """A window in one line: when, where, what, why."""
    shown = pausing.window(row)
    where = f", {row.environment} only" if row.environment else ""
    what = "everything" if row.scope == "all" else "alerts and regressions"
    return f"{pauses.words(shown)} {row.timezone}{where}: {what} ({row.reason})"


def _audit(session: Session, project: Project, by: User, old: str, new: str, now: datetime, via: str) -> None:
    place = ("project", project.id)
    auditing.note(
        session,
        by.id,
        pausing.AUDIT,
        by_id=by.id,
        place=place,
        at=now,
        via=via,
        detail={"old": old, "new": new},
    )
