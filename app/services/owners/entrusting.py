"""Changing whose code is whose: checked as a whole, saved or refused as a whole, every version kept."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import ownership
from app.domain.errors import Refused
from app.domain.ownership_lines import LONGEST, Line, Owner, OwnershipErrors, Problem
from app.models import Codeowners, EmailAddress, Ownership, OwnershipVersion, Project, User
from app.services import access
from app.services.owners import owner_versions, owning
from app.services.owners.owner_versions import File, content
from app.services.owners.owning import Directory

LONGEST_ROOT = 200
SWITCHES = ("fallthrough", "auto_assign", "only_assignee")
MOST_HINTS = 50
CUTOFF = 0.7  # how alike a name must be to be suggested
LATE = "Somebody else saved these owners meanwhile. Compare with the newest version below, then save again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be changed; what is None stays. `seen` is the version that the change was made from."""

    raw: str | None = None
    fallthrough: bool | None = None
    auto_assign: bool | None = None
    only_assignee: bool | None = None
    file: File | None = None
    without_file: bool = False
    seen: int | None = None


def stored(session: Session, project: Project) -> Ownership:
    """The project's owners; those of a project without any are not in the database yet."""
    found = session.get(Ownership, project.id)
    return found or Ownership(
        project_id=project.id,
        raw="",
        fallthrough=True,
        auto_assign=False,
        only_assignee=False,
        version=0,
        updated_at=project.created_at,
    )


def file_of(session: Session, project: Project) -> Codeowners | None:
    return session.get(Codeowners, project.id)


def save(
    session: Session, project: Project, wishes: Wishes, *, by: User, via: str, now: datetime
) -> OwnershipVersion | None:
    """The new version, or None where nothing changed.

    Raises `OwnershipErrors` for a text that cannot be read or names somebody without access, `Refused` when
    somebody else was quicker or the file cannot be taken.
    """
    row, file = _held(session, project), file_of(session, project)
    if wishes.seen is not None and wishes.seen != row.version:
        raise Refused(LATE, field="raw")
    before = content(row, file)
    if wishes.raw is not None and (raw := _one_kind_of_end(wishes.raw)) != row.raw:
        check(session, project, raw)
        row.raw = raw
    for name in SWITCHES:
        if (wanted := getattr(wishes, name)) is not None:
            setattr(row, name, wanted)
    if wishes.without_file and file:
        session.delete(file)
        file = None
    if wishes.file:
        file = _take(session, project, wishes.file, file, by=by, now=now)
    after = content(row, file)
    return _keep(session, row, after, by=by, via=via, now=now) if after != before else None


def restore(
    session: Session, project: Project, version: int, *, by: User, via: str, now: datetime
) -> OwnershipVersion | None:
    """The owners as they were; refused like any other text when they name somebody without access now."""
    was = owner_versions.find(session, project, version).content
    wishes = Wishes(
        raw=was["raw"],
        fallthrough=was["fallthrough"],
        auto_assign=was["autoAssignment"],
        only_assignee=was["onlyAssignee"],
        file=owner_versions.file(was["codeowners"]) if was["codeowners"] else None,
        without_file=not was["codeowners"],
    )
    return save(session, project, wishes, by=by, via=via, now=now)


def _one_kind_of_end(text: str) -> str:
    """Browsers end the lines of a field with two characters."""
    return text.replace("\r\n", "\n")


def _held(session: Session, project: Project) -> Ownership:
    """The row, which nobody else changes until the transaction ends."""
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update())
    row = session.get(Ownership, project.id, populate_existing=True)
    return row or stored(session, project)


def _take(
    session: Session, project: Project, wanted: File, was: Codeowners | None, *, by: User, now: datetime
) -> Codeowners:
    """The file in place of the earlier one."""
    _check_file(session, project, wanted)
    kept = was or Codeowners(project_id=project.id)
    kept.raw = _one_kind_of_end(wanted.raw)
    kept.names = {name: owner for name, owner in wanted.names.items() if owner}
    kept.stack_root, kept.source_root = wanted.stack_root, wanted.source_root
    kept.updated_by_id, kept.updated_at = by.id, now
    session.add(kept)
    return kept


def _keep(
    session: Session, row: Ownership, after: dict[str, Any], *, by: User, via: str, now: datetime
) -> OwnershipVersion:
    row.version += 1
    row.updated_by_id, row.updated_at = by.id, now
    made = OwnershipVersion(
        project_id=row.project_id, version=row.version, content=after, by_id=by.id, via=via, at=now
    )
    session.add_all([row, made])
    session.flush()
    return made


# Checking


def check(session: Session, project: Project, raw: str) -> None:
    """Raise `OwnershipErrors` with all that is wrong with a text: how it is written, and whom it names."""
    rules, problems = ownership.read(raw)
    known = owning.directory(session, project.id, owners_of(rules.lines))
    problems = sorted(
        [*problems, *strangers(session, project, rules.lines, known)],
        key=lambda problem: (problem.line, problem.column),
    )
    if problems:
        raise OwnershipErrors(problems)


def owners_of(lines: Iterable[Line]) -> set[Owner]:
    return {owner for line in lines for owner in line.owners}


def strangers(session: Session, project: Project, lines: Iterable[Line], known: Directory) -> list[Problem]:
    """Every owner that names nobody with access to the project, with the one that was perhaps meant."""
    found = [(line, owner) for line in lines for owner in line.owners if not known.knows(owner)]
    hints = _hints(session, project, dict.fromkeys(owner for _, owner in found)) if found else {}
    return [Problem(line.number, owner.column, hints[owner], line.text) for line, owner in found]


def _hints(session: Session, project: Project, owners: Iterable[Owner]) -> dict[Owner, str]:
    teams = [team.slug for team in access.project_teams(session, project)]
    member = EmailAddress.user_id.in_(select(User.id).where(access.is_member(project.id)))
    shown = EmailAddress.is_primary & EmailAddress.verified_at.is_not(None)
    addresses = list(session.scalars(select(EmailAddress.address).where(member, shown)))
    hints = {}
    for at, owner in enumerate(owners):
        what = "team" if owner.is_team else "member"
        meant = _hint(owner, teams if owner.is_team else addresses) if at < MOST_HINTS else ""
        hints[owner] = f"no {what} with access to {project.slug} is called {owner.written}.{meant}"
    return hints


def _hint(owner: Owner, known: Sequence[str]) -> str:
    by_name = {_own_part(name): name for name in known}
    alike = difflib.get_close_matches(_own_part(owner.name), by_name, n=1, cutoff=CUTOFF)
    return f" Did you mean {'#' if owner.is_team else ''}{by_name[alike[0]]}?" if alike else ""


def _own_part(name: str) -> str:
    """Addresses of one domain are alike for no better reason than that."""
    return name.partition("@")[0]


def _check_file(session: Session, project: Project, file: File) -> None:
    if len(file.raw) > LONGEST:
        raise Refused(f"The file is longer than {LONGEST:,} characters.", field="file")
    if "\x00" in file.raw:
        raise Refused("This is no text file.", field="file")
    if max(len(file.stack_root), len(file.source_root)) > LONGEST_ROOT:
        raise Refused(f"A root has at most {LONGEST_ROOT} characters.", field="stack_root")
    meant = {name: ownership.owner_of(text) for name, text in file.names.items() if text}
    known = owning.directory(session, project.id, [owner for owner in meant.values() if owner])
    for name, owner in meant.items():
        if owner is None or not known.knows(owner):
            raise Refused(f"{name}: nobody with access to {project.slug} is called so.", field="names")


def guesses(session: Session, project: Project, names: Iterable[str]) -> dict[str, str]:
    """Whom the names of a CODEOWNERS file probably stand for: who is called so here, or has the address."""
    users, teams = access.assignable(session, project)
    called = {f"@{user.handle}": user.email for user in users}
    called |= {user.email: user.email for user in users}
    slugs = {team.slug for team in teams}
    found = {}
    for name in names:
        organization, slash, slug = name.lower().partition("/")
        if slash and organization.startswith("@") and slug in slugs:
            found[name] = f"#{slug}"
        elif name.lower() in called:
            found[name] = called[name.lower()]
    return found
