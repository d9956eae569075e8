"""What the mail about a deploy says (E13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.domain import phrases, versions
from app.domain.links import Links
from app.domain.moments import Moments
from app.domain.phrases import plural, preheader
from app.models import Notice, User
from app.services.mails.mail_detail import LINK, detail_of
from app.services.mails.mail_records import Records
from app.services.releases.deploy_facts import Deployed, Line
from app.services.releases.deploying import DEPLOY

LONGEST_LINE, LONGEST_VERSION, LONGEST_NAME = 100, 60, 60
MOST_OWN = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The commits of a repository, each as its short name, its first line and its author."""

    repository: str
    commits: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """The whole mail before any layout. `left_out` counts the commits that there is no room for."""

    subject: str
    beside: tuple[str, ...]
    heading: str
    preheader: str
    lines: tuple[str, ...]
    groups: tuple[Group, ...]
    left_out: int
    places: tuple[tuple[str, str, str], ...]
    open: tuple[str, str]
    hint: tuple[str, str] | None


def of(notice: Notice, reader: User, records: Records, links: Links) -> Mapping[str, Any]:
    """The facts of a deploy, for its mail; none for any other notice."""
    if notice.kind != DEPLOY or notice.project is None:
        return {}
    found = records.deploy(notice, reader)
    moments = Moments(reader.timezone, notice.occurred_at)
    return {
        "deploy": _guarded(notice, links) if _is_guarded(notice) else _told(notice, found, moments, links)
    }


def _is_guarded(notice: Notice) -> bool:
    return detail_of(notice.project) == LINK


def _guarded(notice: Notice, links: Links) -> Told:
    """Where mails say nothing of what happens in the project."""
    project = notice.project
    assert project is not None
    heading = f"A release of {project.name} was deployed"
    return Told(
        subject=heading,
        beside=(project.name,),
        heading=heading,
        preheader=preheader("Its mails say no more than that."),
        lines=("Mails of this project say no more than that. Sign in to see what was deployed.",),
        groups=(),
        left_out=0,
        places=(),
        open=(f"Open {project.name}", links.releases(project.organization.slug, project.slug)),
        hint=None,
    )


def _told(notice: Notice, found: Deployed, moments: Moments, links: Links) -> Told:
    project = notice.project
    assert project is not None
    version = phrases.shortened(versions.short(found.version), LONGEST_VERSION)
    where = phrases.shortened(found.environment, LONGEST_NAME)
    names = [place.name for place in found.places] or [project.name]
    beside = phrases.listed(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    place = (project.organization.slug, project.slug)
    return Told(
        subject=f"Deployed {version} to {where} · {beside}",
        beside=(beside, where),
        heading=f"{version} went to {where}",
        preheader=preheader(*_in_short(found)),
        lines=tuple(filter(None, _lines(notice, found, moments, version))),
        groups=tuple(_groups(found.lines)),
        left_out=found.commits - len(found.lines),
        places=tuple(
            (each.name, _numbers(each.resolved, each.new), _release(links, each, found))
            for each in found.places
        ),
        open=(f"Open release {version}", links.release(*place, found.version)),
        hint=None if found.commits else ("Connect a repository", links.pushes(place[0])),
    )


def _release(links: Links, place: Any, found: Deployed) -> str:
    return links.release(place.organization_slug, place.slug, found.version)


def _in_short(found: Deployed) -> list[str]:
    """ "3 of the 14 commits are yours. 2 issues resolved by it." """
    said = []
    if found.own:
        are = "is" if found.own == 1 else "are"
        said.append(f"{found.own} of the {plural(found.commits, 'commit')} {are} yours.")
    elif found.commits:
        said.append(f"{plural(found.commits, 'commit')} by {_people(found.authors)}.")
    resolved = sum(place.resolved for place in found.places)
    return [*said, *([f"{plural(resolved, 'issue')} resolved by it."] if resolved else [])]


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _lines(notice: Notice, found: Deployed, moments: Moments, version: str) -> Sequence[str]:
    by = f" by {notice.actor.name}" if notice.actor else ""
    since = (
        f" since {phrases.shortened(versions.short(found.before), LONGEST_VERSION)}" if found.before else ""
    )
    many = f" {plural(found.commits, 'commit')} by {_people(found.authors)}{since}" if found.commits else ""
    files = f", {plural(found.files, 'file')} changed" if found.files else ""
    own = [f"{line.sha} {line.line}" for line in found.lines if line.is_own]
    yours = " · ".join(phrases.shortened(each, LONGEST_LINE) for each in own[:MOST_OWN])
    more = f" and {found.own - MOST_OWN} more" if found.own > MOST_OWN else ""
    new = sum(place.new for place in found.places)
    return (
        f"Release {version}, deployed {moments.minute(found.at)}{by}.{many}{files}{'.' if many else ''}",
        f"Yours: {yours}{more}" if yours else "",
        f"Resolves: {', '.join(found.resolved)}" if found.resolved else "",
        f"Watch it: new issues in {version} ({new or 'none yet'}).",
        "" if found.commits else "No commits of it are known here.",
    )


def _groups(lines: Sequence[Line]) -> list[Group]:
    ordered = sorted(lines, key=lambda line: line.repository)
    return [
        Group(
            phrases.shortened(name, LONGEST_NAME),
            tuple(
                (
                    each.sha,
                    phrases.shortened(each.line, LONGEST_LINE),
                    phrases.shortened(each.author, LONGEST_NAME),
                )
                for each in theirs
            ),
        )
        for name, theirs in groupby(ordered, key=lambda line: line.repository)
    ]


def _numbers(resolved: int, new: int) -> str:
    said = [f"{plural(resolved, 'issue')} resolved"] if resolved else []
    return ", ".join([*said, f"{new:,} new" if new else "none new"])
